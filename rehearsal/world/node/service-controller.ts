import { ccmName } from "./cloud-provider.ts";
import type { Cluster } from "./cluster.ts";
import type { KubeObject } from "./kube.ts";
import { isPodReady, pods } from "./workloads.ts";

const retrySeconds = 5;
const triesMax = 60;
const nodePort = 30_080;

/** The cloud provider's service controller: a Service of type LoadBalancer becomes a network load balancer, and takes it along (facts 2.6, 2.10). */
export function runServiceController(cluster: Cluster): void {
  cluster.onApply(({ object }) => {
    const isBalanced = object.kind === "Service" && object.spec?.["type"] === "LoadBalancer" && object["status"] === undefined;
    if (isBalanced) cluster.universe.clock.after(2, () => void reconcile(cluster, object, 1));
  });
}

interface Controller {
  readonly instanceId: string;
  call(service: "ec2" | "elb", operation: string, input: Record<string, unknown>): Promise<unknown>;
}

function controllerOf(cluster: Cluster): Controller | undefined {
  const pod = pods(cluster, (name) => name === ccmName).find((candidate) => isPodReady(cluster, candidate));
  if (pod === undefined) return undefined;
  const instanceId = pod.member.node.instance.id;
  return {
    instanceId,
    call: (service, operation, input) => cluster.aws.call(instanceId, "cloud-controller-manager", service, operation, input),
  };
}

async function reconcile(cluster: Cluster, service: KubeObject, tries: number): Promise<void> {
  const { name, namespace = "default" } = service.metadata;
  if (cluster.get("Service", namespace, name)?.object !== service || tries > triesMax) return;
  try {
    const controller = controllerOf(cluster);
    if (controller === undefined) throw new Error("the cloud controller manager does not run");
    const made = await create(cluster, controller, service);
    cluster.apply({ ...service, status: { loadBalancer: { ingress: [{ hostname: made.DNSName }] } } });
    watchService(cluster, controller, service, made);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    cluster.event(name, "SyncLoadBalancerFailed", `Error syncing load balancer: ${error.message}`);
    cluster.universe.clock.after(retrySeconds, () => void reconcile(cluster, service, tries + 1));
  }
}

interface Made {
  readonly LoadBalancerArn: string;
  readonly DNSName: string;
  readonly TargetGroupArn: string;
  /** What was opened for it in the nodes' group. */
  readonly permissions: readonly object[];
}
interface Tagged {
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

const hasKey = ({ Tags = [] }: Tagged, key: string): boolean => Tags.some((tag) => tag.Key === key);

async function create(cluster: Cluster, { call, instanceId }: Controller, service: KubeObject): Promise<Made> {
  const key = `kubernetes.io/cluster/${cluster.config.clusterName}`;
  const own = [...cluster.members.values()].find(({ node }) => node.instance.id === instanceId)?.node.instance;
  const filters = [{ Name: "vpc-id", Values: [own?.vpcId ?? ""] }];
  const { Subnets } = (await call("ec2", "DescribeSubnets", { Filters: filters })) as {
    Subnets: (Tagged & { SubnetId: string; AvailabilityZone: string; CidrBlock: string })[];
  };
  // An untagged subnet of the VPC matches too; one tagged for another cluster does not (facts 2.6).
  const isOthers = ({ Tags = [] }: Tagged) =>
    Tags.some((tag) => tag.Key.startsWith("kubernetes.io/cluster/")) && !Tags.some((tag) => tag.Key === key);
  const suitable = Subnets.filter((subnet) => !isOthers(subnet) && hasKey(subnet, "kubernetes.io/role/internal-elb"));
  const subnets = [...new Map(suitable.map((subnet) => [subnet.AvailabilityZone, subnet])).values()];
  if (subnets.length === 0) throw new Error("could not find any suitable subnets for creating the ELB");
  const worker = [...cluster.members.values()].find(({ role }) => role === "worker");
  const GroupId = await taggedGroup(call, worker?.node.instance.id ?? instanceId, key);
  const name = `a${service.metadata.name}${cluster.config.clusterName}`.replaceAll("-", "").slice(0, 32);
  const Tags = [
    { Key: key, Value: "owned" },
    { Key: "kubernetes.io/service-name", Value: `${service.metadata.namespace}/${service.metadata.name}` },
  ];
  const balancer = { Name: name, Type: "network", Scheme: "internal", Subnets: subnets.map(({ SubnetId }) => SubnetId), Tags };
  const { LoadBalancers } = (await call("elb", "CreateLoadBalancer", balancer)) as {
    LoadBalancers: { LoadBalancerArn: string; DNSName: string }[];
  };
  const [front] = LoadBalancers;
  if (front === undefined) throw new Error("no load balancer in the answer");
  const group = {
    Name: `k8s-${name}`.slice(0, 32),
    Protocol: "TCP",
    Port: nodePort,
    VpcId: own?.vpcId,
    TargetType: "instance",
    Tags,
  };
  const { TargetGroups } = (await call("elb", "CreateTargetGroup", group)) as { TargetGroups: { TargetGroupArn: string }[] };
  const TargetGroupArn = TargetGroups[0]?.TargetGroupArn ?? "";
  await call("elb", "ModifyTargetGroupAttributes", {
    TargetGroupArn,
    Attributes: [{ Key: "preserve_client_ip.enabled", Value: "false" }],
  });
  const Targets = [...cluster.members.values()]
    .filter(({ role }) => role === "worker")
    .map(({ node }) => ({ Id: node.instance.id }));
  await call("elb", "RegisterTargets", { TargetGroupArn, Targets });
  await call("elb", "CreateListener", {
    LoadBalancerArn: front.LoadBalancerArn,
    Protocol: "TCP",
    Port: 80,
    DefaultActions: [{ Type: "forward", TargetGroupArn }],
    Tags,
  });
  const permissions = permissionsFor(
    service,
    subnets.map(({ CidrBlock }) => CidrBlock),
  );
  await call("ec2", "AuthorizeSecurityGroupIngress", { GroupId, IpPermissions: permissions });
  return { ...front, TargetGroupArn, permissions };
}

/** The one group of the node that carries the cluster's tag; two are an error at Service time, not at node time (facts 2.6). */
async function taggedGroup(call: Controller["call"], instanceId: string, key: string): Promise<string> {
  const { Reservations } = (await call("ec2", "DescribeInstances", { InstanceIds: [instanceId] })) as {
    Reservations: { Instances: { SecurityGroups: { GroupId: string }[] }[] }[];
  };
  const ids = Reservations[0]?.Instances[0]?.SecurityGroups.map(({ GroupId }) => GroupId) ?? [];
  const { SecurityGroups } = (await call("ec2", "DescribeSecurityGroups", { GroupIds: ids })) as {
    SecurityGroups: (Tagged & { GroupId: string })[];
  };
  const tagged = SecurityGroups.filter((group) => hasKey(group, key));
  if (tagged.length > 1)
    throw new Error(
      `Multiple tagged security groups found for instance ${instanceId}; ensure only the k8s security group is tagged`,
    );
  const [only] = tagged;
  if (only === undefined) throw new Error(`no security group of instance ${instanceId} carries the tag ${key}`);
  return only.GroupId;
}

/**
 * The node port, to the Service's clients and to the balancer's subnets, which check it; and for clients path MTU discovery
 * (cloud-provider-aws v1.36.1, aws_loadbalancer.go, updateInstanceSecurityGroupsForNLB).
 */
function permissionsFor({ spec, metadata: { name } }: KubeObject, subnets: readonly string[]): object[] {
  const clients = (spec?.["loadBalancerSourceRanges"] as string[] | undefined) ?? ["0.0.0.0/0"];
  const from = (blocks: readonly string[], why: string) =>
    blocks.map((CidrIp) => ({ CidrIp, Description: `kubernetes.io/rule/nlb/${why}` }));
  return [
    {
      IpProtocol: "tcp",
      FromPort: nodePort,
      ToPort: nodePort,
      IpRanges: [...from(clients, `client=${name}`), ...from(subnets, `health=${name}`)],
    },
    { IpProtocol: "icmp", FromPort: 3, ToPort: 4, IpRanges: from(clients, "mtu") },
  ];
}

/** The Service goes, and with it all that was made for it, in the controller's own order (facts 7.3). */
function watchService(cluster: Cluster, controller: Controller, service: KubeObject, made: Made): void {
  const { name, namespace = "default" } = service.metadata;
  const again = () => watchService(cluster, controller, service, made);
  const present = cluster.get("Service", namespace, name)?.object;
  if (present !== undefined && present.metadata.deletionTimestamp === undefined) cluster.universe.clock.after(2, again);
  else void remove(cluster, controller, made).then(() => cluster.remove("Service", namespace, name));
}

async function remove(cluster: Cluster, { call, instanceId }: Controller, made: Made): Promise<void> {
  const key = `kubernetes.io/cluster/${cluster.config.clusterName}`;
  await call("elb", "DeleteLoadBalancer", { LoadBalancerArn: made.LoadBalancerArn });
  await call("elb", "DeleteTargetGroup", { TargetGroupArn: made.TargetGroupArn });
  const worker = [...cluster.members.values()].find(({ role }) => role === "worker");
  const GroupId = await taggedGroup(call, worker?.node.instance.id ?? instanceId, key);
  await call("ec2", "RevokeSecurityGroupIngress", { GroupId, IpPermissions: made.permissions });
}
