import { describe } from "node:test";
import {
  type Ablation,
  after,
  clusterTag,
  demandFailures,
  ec2,
  groupId,
  instances,
  orchid,
  policyWithout,
  rulesGo,
  withLoadBalancer,
  withoutEndpoint,
} from "./ablation.ts";

const ablations: readonly Ablation[] = [
  {
    without: "the ec2 endpoint",
    source: "article, facts 2.8",
    plant: withoutEndpoint("ec2"),
    error: "CommandFailedError",
    state: "AwaitCommandInstallNetworking",
    words: /cloud controller manager did not initialise the node.*Connect timeout on endpoint URL: "https:\/\/ec2\./,
  },
  {
    without: "the elasticloadbalancing endpoint",
    source: "article, facts 2.8",
    request: withLoadBalancer,
    plant: withoutEndpoint("elasticloadbalancing"),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /no load balancer.*Connect timeout on endpoint URL: "https:\/\/elasticloadbalancing\./,
  },
  ...["ssm", "ssmmessages"].map((service) => ({
    without: `the ${service} endpoint`,
    source: "facts 5.7",
    plant: withoutEndpoint(service),
    error: "NotReadyError",
    state: "WaitForNodes",
    words: /0 of 2 agents/,
  })),
  {
    without: "the S3 gateway",
    source: "facts 2.8",
    plant: after("wait-for-dns", (account) => {
      const gateway = ec2(account)
        .endpoints.all()
        .find(({ kind }) => kind === "Gateway");
      for (const table of ec2(account).routeTables.all())
        table.routes.splice(0, table.routes.length, ...table.routes.filter(({ target }) => target !== gateway?.id));
    }),
    error: "CommandFailedError",
    // Preloading and check-dns read through it at the same time, and say the same.
    state: /^AwaitCommand(CheckDns|PreloadImagesControlPlane)$/,
    words: /cannot read s3:\/\/.*Connect timeout/,
  },
  {
    without: "private DNS",
    source: "article",
    plant: after("create-endpoints", (account) => {
      for (const endpoint of ec2(account).endpoints.all()) Object.assign(endpoint, { hasPrivateDns: false });
    }),
    error: "NotReadyError",
    state: "WaitForDns",
    words: /waiting for/,
  },
  {
    without: "DNS hostnames",
    source: "facts 8.2",
    plant: after("create-network", (account) => {
      for (const vpc of ec2(account).vpcs.all()) vpc.dnsHostnames = false;
    }),
    error: "DefectError",
    state: "CreateEndpoints",
    words: /enableDnsHostnames/,
  },
  {
    without: "an open endpoint security group",
    source: "facts 6.1",
    plant: rulesGo((rule, account) => rule.groupId === groupId(account, /endpoints$/)),
    error: "NotReadyError",
    state: "WaitForNodes",
    words: /0 of 2 agents/,
  },
  {
    without: "the subnet tags",
    source: "facts 2.6",
    request: withLoadBalancer,
    plant: after("create-network", (account) => {
      for (const subnet of ec2(account).subnets.all()) subnet.tags.delete("kubernetes.io/role/internal-elb");
    }),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /could not find any suitable subnets for creating the ELB/,
  },
  {
    without: "a single cluster tag on the security groups",
    source: "facts 2.6",
    request: withLoadBalancer,
    plant: after(
      "create-network",
      (account) =>
        void ec2(account)
          .groups.find(groupId(account, /worker$/))
          ?.tags.set(clusterTag, "owned"),
    ),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /Multiple tagged security groups found for instance/,
  },
  {
    without: "the workers' instance profile",
    source: "facts 8.3",
    plant: (account) => void ec2(account).profiles.delete(account.deployment.workerProfile),
    error: "TransientError",
    state: "LaunchNodes",
    words: /IAM Instance Profile/i,
  },
  {
    without: "the CCM's DescribeAvailabilityZones",
    source: "facts 2.4",
    plant: policyWithout("ec2:DescribeAvailabilityZones"),
    error: "CommandFailedError",
    state: "AwaitCommandInstallNetworking",
    words: /not authorized to perform ec2:DescribeAvailabilityZones/,
  },
  {
    // The first pod that is ready is asked before it answers: that says nothing about the ways out.
    without: "closed ways out, before the pods' network answers",
    source: "design 3",
    plant(account) {
      after("create-network", () => {
        const everything = { protocol: "-1", peer: "0.0.0.0/0" };
        for (const table of ec2(account).routeTables.all()) table.routes.push({ destination: "0.0.0.0/0", target: "nat-0" });
        for (const rule of ec2(account)
          .rules.all()
          .filter(({ isEgress }) => isEgress))
          Object.assign(rule, everything);
      })(account);
      after("verify-cluster", () => {
        const { universe, nodes } = account.world;
        for (const node of nodes.nodes.values()) node.podsAnswerAt = universe.clock.now() + 20_000;
      })(account);
    },
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /a pod reached 1\.1\.1\.1/,
  },
  {
    // Each try takes five seconds, not one: a wait that counts its tries outlives its agent's patience, and its reason is lost.
    without: "an open node port behind the load balancer",
    source: "design 4, facts 2.10",
    request: withLoadBalancer,
    plant: after("verify-cluster", (account) => {
      const closes = () => {
        const { rules } = ec2(account);
        for (const { id } of rules.all().filter(({ isEgress, from }) => !isEgress && from >= 30_000)) rules.remove(id);
        account.world.universe.clock.after(0.1, closes);
      };
      closes();
    }),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /the internal load balancer \S+ answers: not so after \d+ seconds/,
  },
  {
    without: "an open API port",
    source: "facts 6.1",
    plant: rulesGo(({ from }) => from === 6443),
    error: "CommandFailedError",
    state: "AwaitCommandJoinWorkers",
    words: /couldn't validate the identity of the API Server/,
  },
  {
    without: "an open overlay port",
    source: "facts 4.1, 6.1",
    plant: rulesGo(({ from }) => from === 4789),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /cannot reach the pod at .* is UDP 4789 open/,
  },
  {
    without: "the cluster tag on a worker, with CCM 1.36",
    source: "facts 2.5",
    plant: after("launch-nodes", (account) => void instances(account, "worker")[0]?.tags.delete(clusterTag)),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /is uninitialized|has no providerID/,
  },
  {
    without: "the cluster tag on a worker, with CCM 1.37",
    source: "facts 2.5",
    request: { ...orchid, kubernetesVersion: "1.37.2" },
    plant: after("launch-nodes", (account) => void instances(account, "worker")[0]?.tags.delete(clusterTag)),
    error: "CommandFailedError",
    state: "AwaitCommandVerifyCluster",
    words: /1 of 2 nodes are in the cluster/,
  },
  {
    without: "an endpoint policy that names the account",
    source: "design 4",
    plant: after("create-endpoints", (account) => {
      const policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }],
      });
      const open = ec2(account)
        .endpoints.all()
        .find(({ service }) => service === "ec2");
      Object.assign(open ?? {}, { policy });
    }),
    error: "NotIsolatedError",
    state: "CertifyIsolation",
    words: /endpoints-admit-own-account-only/,
  },
  {
    // Every node writes the reason to stderr, and ends well: the certificate judges, and says where to look.
    without: "private DNS for load balancing when the nodes are probed",
    source: "design 4, amazon-ssm-agent iohandler.go",
    plant: after("join-workers", (account) => {
      for (const endpoint of ec2(account).endpoints.all())
        if (endpoint.service === "elasticloadbalancing") Object.assign(endpoint, { hasPrivateDns: false });
    }),
    error: "NotIsolatedError",
    state: "CertifyIsolation",
    words: /names-answer-inside/,
  },
  {
    without: "groups that let in nobody from outside",
    source: "facts 6.1",
    plant: after("launch-nodes", async (account) => {
      const IpPermissions = [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "0.0.0.0/0" }] }];
      const change = { GroupId: groupId(account, /worker$/), IpPermissions };
      await account.world.door.send("ec2", "AuthorizeSecurityGroupIngress", change, { kind: "harness" });
    }),
    error: "NotIsolatedError",
    state: "CertifyIsolation",
    words: /security-groups-let-nobody-in \(sg-\w+ lets tcp 22 in from 0\.0\.0\.0\/0\)/,
  },
  {
    without: "hop limit 1",
    source: "design 4, facts 5.8",
    plant: after("launch-nodes", (account) => {
      for (const instance of instances(account, "worker"))
        Object.assign(instance, { metadata: { ...instance.metadata, hopLimit: 2 } });
    }),
    error: "NotIsolatedError",
    state: "CertifyIsolation",
    words: /instance-metadata-is-the-nodes-own/,
  },
];

describe("what AWS has to give", () => {
  demandFailures(ablations);
});
