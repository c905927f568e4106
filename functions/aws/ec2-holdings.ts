import {
  type Filter,
  paginateDescribeInstances,
  paginateDescribeInternetGateways,
  paginateDescribeNatGateways,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSnapshots,
  paginateDescribeSubnets,
  paginateDescribeVolumes,
  paginateDescribeVpcEndpoints,
  paginateDescribeVpcs,
  type Tag,
} from "@aws-sdk/client-ec2";
import { type Ec2Kind, ec2Kinds, type Holding, isTheirs } from "../domain/holdings.ts";
import { clusterId, type Owners } from "../domain/lock.ts";
import type { Aws } from "./aws.ts";
import { collect } from "./collect.ts";
import { tagsOf } from "./ec2-tags.ts";

type Client = { readonly client: Aws["ec2"] };
type List = (client: Client, Filters: Filter[]) => Promise<Holding[]>;

interface Seen {
  readonly id: string | undefined;
  readonly tags: readonly Tag[] | undefined;
  readonly vpcId?: string | undefined;
  readonly name?: string | undefined;
  readonly state?: string | undefined;
  readonly sizeGiB?: number | undefined;
}

function holding(kind: Ec2Kind, { id = "", tags, vpcId, name, state = "", sizeGiB = 0 }: Seen): Holding {
  const read = tagsOf(tags);
  return { kind, id, name: name ?? read["Name"] ?? "", tags: read, vpcId: vpcId ?? null, state: state.toLowerCase(), sizeGiB };
}

/** Each kind's own Describe call: the tag index of Resource Groups lags by minutes (facts 7.3). */
const lists: Readonly<Record<Ec2Kind, List>> = {
  instance: (client, Filters) =>
    collect(paginateDescribeInstances(client, { Filters }), ({ Reservations = [] }) =>
      Reservations.flatMap(({ Instances = [] }) =>
        Instances.map(({ InstanceId: id, Tags: tags, VpcId: vpcId, State }) =>
          holding("instance", { id, tags, vpcId, state: State?.Name }),
        ),
      ),
    ),
  volume: (client, Filters) =>
    collect(paginateDescribeVolumes(client, { Filters }), ({ Volumes = [] }) =>
      Volumes.map(({ VolumeId: id, Tags: tags, State: state, Size: sizeGiB }) => holding("volume", { id, tags, state, sizeGiB })),
    ),
  snapshot: (client, Filters) =>
    collect(paginateDescribeSnapshots(client, { Filters, OwnerIds: ["self"] }), ({ Snapshots = [] }) =>
      Snapshots.map(({ SnapshotId: id, Tags: tags, State: state, VolumeSize: sizeGiB }) =>
        holding("snapshot", { id, tags, state, sizeGiB }),
      ),
    ),
  endpoint: (client, Filters) =>
    collect(paginateDescribeVpcEndpoints(client, { Filters }), ({ VpcEndpoints = [] }) =>
      VpcEndpoints.map(({ VpcEndpointId: id, Tags: tags, VpcId: vpcId, State: state }) =>
        holding("endpoint", { id, tags, vpcId, state }),
      ),
    ),
  "network-interface": (client, Filters) =>
    collect(paginateDescribeNetworkInterfaces(client, { Filters }), ({ NetworkInterfaces = [] }) =>
      NetworkInterfaces.map(({ NetworkInterfaceId: id, TagSet: tags, VpcId: vpcId, Status: state, Description: name }) =>
        holding("network-interface", { id, tags, vpcId, state, name }),
      ),
    ),
  "nat-gateway": (client, Filter) =>
    collect(paginateDescribeNatGateways(client, { Filter }), ({ NatGateways = [] }) =>
      NatGateways.map(({ NatGatewayId: id, Tags: tags, VpcId: vpcId, State: state }) =>
        holding("nat-gateway", { id, tags, vpcId, state }),
      ),
    ),
  "internet-gateway": (client, Filters) =>
    collect(paginateDescribeInternetGateways(client, { Filters }), ({ InternetGateways = [] }) =>
      InternetGateways.map(({ InternetGatewayId: id, Tags: tags, Attachments = [] }) =>
        holding("internet-gateway", { id, tags, vpcId: Attachments[0]?.VpcId }),
      ),
    ),
  "route-table": (client, Filters) =>
    collect(paginateDescribeRouteTables(client, { Filters }), ({ RouteTables = [] }) =>
      RouteTables.map(({ RouteTableId: id, Tags: tags, VpcId: vpcId, Associations = [] }) =>
        holding("route-table", { id, tags, vpcId, state: Associations.some(({ Main }) => Main === true) ? "main" : "" }),
      ),
    ),
  "security-group": (client, Filters) =>
    collect(paginateDescribeSecurityGroups(client, { Filters }), ({ SecurityGroups = [] }) =>
      SecurityGroups.map(({ GroupId: id, Tags: tags, VpcId: vpcId, GroupName: name }) =>
        holding("security-group", { id, tags, vpcId, name, state: name === "default" ? "main" : "" }),
      ),
    ),
  subnet: (client, Filters) =>
    collect(paginateDescribeSubnets(client, { Filters }), ({ Subnets = [] }) =>
      Subnets.map(({ SubnetId: id, Tags: tags, VpcId: vpcId, State: state }) => holding("subnet", { id, tags, vpcId, state })),
    ),
  vpc: (client, Filters) =>
    collect(paginateDescribeVpcs(client, { Filters }), ({ Vpcs = [] }) =>
      Vpcs.map(({ VpcId: id, Tags: tags, State: state }) => holding("vpc", { id, tags, vpcId: id, state })),
    ),
};

/** The filter by which each kind that lies in a VPC says in which; volumes and snapshots lie in none. */
const membership: Readonly<Partial<Record<Ec2Kind, string>>> = {
  instance: "vpc-id",
  endpoint: "vpc-id",
  "network-interface": "vpc-id",
  "nat-gateway": "vpc-id",
  "internet-gateway": "attachment.vpc-id",
  "route-table": "vpc-id",
  "security-group": "vpc-id",
  subnet: "vpc-id",
  vpc: "vpc-id",
};

/** AWS shows these for a while after they have gone; `main` are the VPC's own parts, which come and go with it. */
const gone: Readonly<Partial<Record<Ec2Kind, RegExp>>> = {
  instance: /^terminated$/,
  endpoint: /^(?:deleted|rejected|expired)$/,
  "nat-gateway": /^deleted$/,
  "route-table": /^main$/,
  "security-group": /^main$/,
};

const isThere = ({ kind, state }: Holding): boolean => gone[kind as Ec2Kind]?.test(state) !== true;

export interface Ec2HoldingsPort {
  /** What these generations made or had made for them, by tags (facts 7.1); what has gone already is left out. */
  ofOwners(owners: Owners, kinds?: readonly Ec2Kind[]): Promise<readonly Holding[]>;
  /** What our own steps made for a generation, by owner tags alone. */
  ofOwnSteps(owners: Owners, kinds: readonly Ec2Kind[]): Promise<readonly Holding[]>;
  /** Everything of the name, of any generation, by owner tag. */
  ofCluster(cluster: string): Promise<readonly Holding[]>;
  /** Everything of any cluster, by owner tag. */
  ofAnyCluster(): Promise<readonly Holding[]>;
  /** Everything that lies in these VPCs, whoever made it, without the parts that come and go with a VPC. */
  inVpcs(vpcIds: readonly string[]): Promise<readonly Holding[]>;
  /** Everything that bears a name of these generations, whatever its tags. */
  byName(owners: Owners): Promise<readonly Holding[]>;
}

export function ec2Holdings({ ec2 }: Pick<Aws, "ec2">): Ec2HoldingsPort {
  const client = { client: ec2 };
  const list = async (kinds: readonly Ec2Kind[], filtersOf: (kind: Ec2Kind) => Filter[] | null): Promise<Holding[]> => {
    const found = await Promise.all(
      kinds.map((kind) => {
        const filters = filtersOf(kind);
        return filters === null ? [] : lists[kind](client, filters);
      }),
    );
    return found.flat().filter(isThere);
  };
  const tagged = (key: string, values: readonly string[]): Filter => ({ Name: `tag:${key}`, Values: [...values] });
  const bySteps = ({ cluster, generations }: Owners): Filter[] => [
    tagged("cloister:cluster", [cluster]),
    tagged("cloister:generation", generations.map(String)),
  ];

  return {
    async ofOwners(owners, kinds = ec2Kinds) {
      const keys = owners.generations.map((generation) => `kubernetes.io/cluster/${clusterId({ ...owners, generation })}`);
      const byCluster = [{ Name: "tag-key", Values: keys }];
      const found = [...(await list(kinds, () => bySteps(owners))), ...(await list(kinds, () => byCluster))];
      // Most of what is ours carries both kinds of tags.
      return [...new Map(found.map((item) => [item.id, item])).values()].filter((item) => isTheirs(item, owners));
    },
    ofOwnSteps: (owners, kinds) => list(kinds, () => bySteps(owners)),
    ofCluster: (cluster) => list(ec2Kinds, () => [tagged("cloister:cluster", [cluster])]),
    ofAnyCluster: () => list(ec2Kinds, () => [{ Name: "tag-key", Values: ["cloister:cluster"] }]),
    inVpcs: async (vpcIds) =>
      vpcIds.length === 0
        ? []
        : list(ec2Kinds, (kind) => (membership[kind] === undefined ? null : [{ Name: membership[kind], Values: [...vpcIds] }])),
    async byName(owners) {
      const ids = owners.generations.map((generation) => clusterId({ ...owners, generation }));
      const Values = ids.flatMap((id) => [id, `${id}-*`]);
      // A group has a name that AWS enforces; of the others, the Name tag is all there is.
      const found = await list(ec2Kinds, (kind) =>
        kind === "network-interface" ? null : [{ Name: kind === "security-group" ? "group-name" : "tag:Name", Values }],
      );
      // `orchid-g1-*` is also how the parts of a cluster called orchid-g1 begin.
      return found.filter(({ tags }) => (tags["cloister:cluster"] ?? owners.cluster) === owners.cluster);
    },
  };
}
