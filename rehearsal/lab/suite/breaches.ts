import {
  AuthorizeSecurityGroupIngressCommand,
  CreateNatGatewayCommand,
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteNatGatewayCommand,
  DeleteVpcCommand,
  DeleteVpcPeeringConnectionCommand,
  DescribeVpcEndpointsCommand,
  type IpPermission,
  ModifyInstanceMetadataOptionsCommand,
  ModifyVpcEndpointCommand,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import { DeleteParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import type { Cluster } from "../checks.ts";
import { address, allowOut, type BreachIds, endpointOf, gateway, proxyOnNode, publicAddress, route, type Undo } from "./holes.ts";

/** A way out of an isolated cluster, or into it, and which of the certificate's checks must say so, for the reason in these words. */
export interface Breach {
  readonly by: string;
  readonly checks: readonly string[];
  readonly words: RegExp;
  /** Does it, and gives what takes it back, in the order in which that is to be called. */
  plant(cluster: Cluster, ids: BreachIds): Promise<Undo[]>;
}

const open = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: "*", Action: "*", Resource: "*" }],
});

/** What a node that really gets out makes false: its route, its gateway, the address, its group, and what it found itself. */
const wideOpen = [
  "routes-stay-inside",
  "no-ways-out",
  "no-public-addresses",
  "security-groups-let-nothing-out",
  "nodes-cannot-get-out",
] as const;

export const breaches: readonly Breach[] = [
  {
    by: "a route to an Internet gateway",
    checks: ["routes-stay-inside", "no-ways-out"],
    words: /0\.0\.0\.0\/0 -> igw-/,
    plant: gateway,
  },
  {
    by: "a NAT gateway",
    checks: wideOpen,
    words: /natGateways: nat-.*nodes-cannot-get-out \(i-\w+ got out; i-\w+ got out\)/,
    async plant(cluster, { tables, subnetId: SubnetId, worker, controlPlane }) {
      const { ec2 } = cluster.lab.aws;
      const { AllocationId, release } = await address(cluster);
      const { NatGateway } = await ec2.send(new CreateNatGatewayCommand({ AllocationId, SubnetId }));
      const NatGatewayId = NatGateway?.NatGatewayId ?? "";
      return [
        await allowOut(cluster, worker.groupId),
        await allowOut(cluster, controlPlane.groupId),
        await route(ec2, tables, { NatGatewayId }),
        () => ec2.send(new DeleteNatGatewayCommand({ NatGatewayId })),
        release,
      ];
    },
  },
  {
    by: "a public address behind a gateway",
    checks: wideOpen,
    words: /no-public-addresses \(eni-\w+ has .*nodes-cannot-get-out \(i-\w+ got out\)/,
    plant: async (cluster, ids) => [
      await allowOut(cluster, ids.worker.groupId),
      ...(await publicAddress(cluster, ids.worker.instanceId)),
      ...(await gateway(cluster, ids)),
    ],
  },
  {
    by: "a name that is no longer private",
    checks: ["endpoints-in-place", "names-answer-inside"],
    words: /ec2 is available, or without private DNS/,
    async plant(cluster, { vpcId }) {
      const VpcEndpointId = await endpointOf(cluster, vpcId, "ec2");
      const set = (PrivateDnsEnabled: boolean) =>
        cluster.lab.aws.ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, PrivateDnsEnabled }));
      await set(false);
      return [() => set(true)];
    },
  },
  {
    by: "an endpoint policy for everybody",
    checks: ["endpoints-admit-own-account-only", "endpoint-policies-as-planned"],
    words: /ssm admits principals of other accounts/,
    async plant(cluster, { vpcId }) {
      const { ec2 } = cluster.lab.aws;
      const VpcEndpointId = await endpointOf(cluster, vpcId, "ssm");
      const { VpcEndpoints = [] } = await ec2.send(new DescribeVpcEndpointsCommand({ VpcEndpointIds: [VpcEndpointId] }));
      const set = (PolicyDocument: string | undefined) =>
        ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, PolicyDocument }));
      await set(open);
      return [() => set(VpcEndpoints[0]?.PolicyDocument)];
    },
  },
  {
    by: "a group that lets everything out",
    checks: ["security-groups-let-nothing-out"],
    words: /lets all traffic out to 0\.0\.0\.0\/0/,
    plant: async (cluster, { worker }) => [await allowOut(cluster, worker.groupId)],
  },
  {
    by: "a group that lets the world in",
    checks: ["security-groups-let-nobody-in"],
    words: /lets tcp 22 in from 0\.0\.0\.0\/0; sg-\w+ lets tcp 22 in from ::\/0/,
    async plant({ lab }, { worker: { groupId: GroupId } }) {
      const world = { IpRanges: [{ CidrIp: "0.0.0.0/0" }], Ipv6Ranges: [{ CidrIpv6: "::/0" }] };
      const IpPermissions: IpPermission[] = [{ IpProtocol: "tcp", FromPort: 22, ToPort: 22, ...world }];
      await lab.aws.ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
      return [() => lab.aws.ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions }))];
    },
  },
  {
    by: "a peering",
    checks: ["no-ways-out"],
    words: /peerings: pcx-/,
    async plant({ lab }, { vpcId: VpcId }) {
      const { ec2 } = lab.aws;
      const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.99.0.0/16" }));
      const { VpcPeeringConnection } = await ec2.send(new CreateVpcPeeringConnectionCommand({ VpcId, PeerVpcId: Vpc?.VpcId }));
      const VpcPeeringConnectionId = VpcPeeringConnection?.VpcPeeringConnectionId;
      return [
        () => ec2.send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId })),
        () => ec2.send(new DeleteVpcCommand({ VpcId: Vpc?.VpcId })),
      ];
    },
  },
  {
    by: "a proxy on a node",
    checks: wideOpen,
    // Both: the one that has the way out, and the one that uses it.
    words: /nodes-cannot-get-out \(i-\w+ got out; i-\w+ got out\)/,
    plant: proxyOnNode,
  },
  {
    by: "metadata within a pod's reach",
    checks: ["instance-metadata-is-the-nodes-own"],
    words: /has hop limit 2/,
    async plant({ lab }, { worker: { instanceId: InstanceId } }) {
      const set = (HttpPutResponseHopLimit: number) =>
        lab.aws.ec2.send(
          new ModifyInstanceMetadataOptionsCommand({ InstanceId, HttpPutResponseHopLimit, HttpTokens: "required" }),
        );
      await set(2);
      return [() => set(1)];
    },
  },
  {
    by: "a join secret that stayed",
    checks: ["join-secret-is-gone"],
    words: /\/cloister\/\S+\/join/,
    async plant({ lab, name }) {
      const Name = `/cloister/${name}/g1/join`;
      await lab.aws.ssm.send(new PutParameterCommand({ Name, Type: "SecureString", Value: "left behind" }));
      return [() => lab.aws.ssm.send(new DeleteParameterCommand({ Name }))];
    },
  },
];
