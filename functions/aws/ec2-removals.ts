import {
  DeleteInternetGatewayCommand,
  DeleteRouteTableCommand,
  DeleteSecurityGroupCommand,
  DeleteSnapshotCommand,
  DeleteSubnetCidrReservationCommand,
  DeleteSubnetCommand,
  DeleteVolumeCommand,
  DeleteVpcCommand,
  DeleteVpcEndpointsCommand,
  DescribeRouteTablesCommand,
  DetachInternetGatewayCommand,
  DisassociateRouteTableCommand,
  GetSubnetCidrReservationsCommand,
  paginateDescribeSecurityGroupRules,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { Holding } from "../domain/holdings.ts";
import type { Aws } from "./aws.ts";
import { collect } from "./collect.ts";
import { type Removal, removal } from "./removals.ts";

type Ec2 = Aws["ec2"];
type Call = () => Promise<unknown>;

export interface Ec2RemovalsPort {
  /** Ends all of these instances in one call. */
  terminate(instances: readonly Holding[]): Promise<Removal>;
  /** All of these endpoints in one call; what AWS could not take stands in the answer of a 200 (facts 7.2). */
  removeEndpoints(endpoints: readonly Holding[]): Promise<Removal>;
  /** Takes all rules out of a group, so that none of them names another one any more. */
  revokeRules(group: Holding): Promise<Removal>;
  /** One thing of any other kind, with what hangs on it: a table's associations, a gateway's attachment. */
  remove(holding: Holding): Promise<Removal>;
}

export const ec2Removals = ({ ec2 }: Pick<Aws, "ec2">): Ec2RemovalsPort => ({
  terminate: (instances) =>
    removal(() => ec2.send(new TerminateInstancesCommand({ InstanceIds: instances.map(({ id }) => id) }))),
  async removeEndpoints(endpoints) {
    const VpcEndpointIds = endpoints.map(({ id }) => id);
    const { Unsuccessful = [] } = await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds }));
    const refused = Unsuccessful.filter(({ Error: error }) => !/NotFound$/.test(error?.Code ?? ""));
    if (refused.length === 0) return "asked";
    const reasons = refused.map(({ ResourceId, Error: error }) => `${ResourceId}: ${error?.Code} ${error?.Message}`);
    return { blocked: reasons.join("; ") };
  },
  revokeRules: async ({ id: GroupId }) => {
    const Filters = [{ Name: "group-id", Values: [GroupId] }];
    const rules = await collect(
      paginateDescribeSecurityGroupRules({ client: ec2 }, { Filters }),
      ({ SecurityGroupRules = [] }) => SecurityGroupRules,
    );
    const idsOf = (isEgress: boolean) =>
      rules.flatMap(({ IsEgress = false, SecurityGroupRuleId: id = "" }) => (IsEgress === isEgress ? [id] : []));
    const [ingress, egress] = [idsOf(false), idsOf(true)];
    return each([
      ...(ingress.length === 0
        ? []
        : [() => ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds: ingress }))]),
      ...(egress.length === 0
        ? []
        : [() => ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, SecurityGroupRuleIds: egress }))]),
    ]);
  },
  remove: async (holding) => each([...(await loosening(ec2, holding)), deletion(ec2, holding)]),
});

/** One after another, as far as AWS lets it. */
async function each(calls: readonly Call[]): Promise<Removal> {
  for (const call of calls) {
    const answer = await removal(call);
    if (answer !== "asked") return answer;
  }
  return "asked";
}

/** What has to be undone before AWS deletes the thing. */
async function loosening(ec2: Ec2, { kind, id, vpcId }: Holding): Promise<readonly Call[]> {
  if (kind === "internet-gateway" && vpcId !== null) {
    return [() => ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId: id, VpcId: vpcId }))];
  }
  if (kind === "subnet") {
    // Whether a subnet goes with its reservations AWS does not say.
    const { SubnetIpv4CidrReservations = [] } = await ec2.send(new GetSubnetCidrReservationsCommand({ SubnetId: id }));
    return SubnetIpv4CidrReservations.map(
      ({ SubnetCidrReservationId }) =>
        () =>
          ec2.send(new DeleteSubnetCidrReservationCommand({ SubnetCidrReservationId })),
    );
  }
  if (kind !== "route-table") return [];
  const { RouteTables = [] } = await ec2.send(
    new DescribeRouteTablesCommand({ Filters: [{ Name: "route-table-id", Values: [id] }] }),
  );
  return RouteTables.flatMap(({ Associations = [] }) => Associations).map(
    ({ RouteTableAssociationId: AssociationId }) =>
      () =>
        ec2.send(new DisassociateRouteTableCommand({ AssociationId })),
  );
}

function deletion(ec2: Ec2, { kind, id }: Holding): Call {
  switch (kind) {
    case "volume":
      return () => ec2.send(new DeleteVolumeCommand({ VolumeId: id }));
    case "snapshot":
      return () => ec2.send(new DeleteSnapshotCommand({ SnapshotId: id }));
    case "internet-gateway":
      return () => ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id }));
    case "route-table":
      return () => ec2.send(new DeleteRouteTableCommand({ RouteTableId: id }));
    case "security-group":
      return () => ec2.send(new DeleteSecurityGroupCommand({ GroupId: id }));
    case "subnet":
      return () => ec2.send(new DeleteSubnetCommand({ SubnetId: id }));
    case "vpc":
      return () => ec2.send(new DeleteVpcCommand({ VpcId: id }));
    default:
      throw new RangeError(`nothing of ours deletes a ${kind}`);
  }
}
