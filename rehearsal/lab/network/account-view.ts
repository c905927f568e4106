import {
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  GetManagedPrefixListEntriesCommand,
  type Instance,
  type IpPermission,
  type RouteTable,
  type VpcEndpoint,
} from "@aws-sdk/client-ec2";
import {
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  type Listener,
  type LoadBalancer,
  type TargetGroup,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Aws } from "../../../functions/aws/aws.ts";
import { isRefusal } from "../../../functions/aws/fault.ts";
import type { BalancerState, EndpointView, HealthCheck, InstanceState, RuleState, VpcState } from "./state.ts";

type Reader = Pick<Aws, "ec2" | "elb">;

const rulesOf = (permissions: readonly IpPermission[] = []): RuleState[] =>
  permissions.flatMap(({ IpProtocol = "-1", FromPort = -1, ToPort = -1, ...peers }) =>
    [
      ...(peers.IpRanges ?? []).map(({ CidrIp = "" }) => CidrIp),
      ...(peers.UserIdGroupPairs ?? []).map(({ GroupId = "" }) => GroupId),
      ...(peers.PrefixListIds ?? []).map(({ PrefixListId = "" }) => PrefixListId),
    ].map((peer) => ({ protocol: IpProtocol, from: FromPort, to: ToPort, peer })),
  );

const routesOf = (subnetId: string, tables: readonly RouteTable[]) => {
  const own = tables.find(({ Associations = [] }) => Associations.some((one) => one.SubnetId === subnetId));
  const main = tables.find(({ Associations = [] }) => Associations.some(({ Main }) => Main === true));
  return ((own ?? main)?.Routes ?? [])
    .map((route) => ({
      destination: route.DestinationPrefixListId ?? route.DestinationCidrBlock ?? "",
      target: route.GatewayId ?? route.NatGatewayId ?? route.VpcPeeringConnectionId ?? "",
    }))
    .filter(({ destination, target }) => destination !== "" && target !== "local");
};

const isAlive = ({ State }: Instance): boolean => State?.Name === "pending" || State?.Name === "running";

const toInstance = (instance: Instance): InstanceState => ({
  instanceId: instance.InstanceId ?? "",
  name: instance.PrivateDnsName ?? "",
  address: instance.PrivateIpAddress ?? "",
  subnetId: instance.SubnetId ?? "",
  zone: instance.Placement?.AvailabilityZone ?? "",
  type: instance.InstanceType ?? "",
  imageId: instance.ImageId ?? "",
  mac: instance.NetworkInterfaces?.[0]?.MacAddress ?? "",
  profile: instance.IamInstanceProfile?.Arn?.split("/").at(-1) ?? "",
  publicAddress: instance.PublicIpAddress ?? null,
  groupIds: (instance.SecurityGroups ?? []).flatMap(({ GroupId }) => (GroupId === undefined ? [] : [GroupId])),
  tags: new Map((instance.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
});

function toEndpoint(endpoint: VpcEndpoint, addresses: ReadonlyMap<string, string>): EndpointView {
  const { VpcEndpointId = "", ServiceName = "", DnsEntries = [], Groups = [], NetworkInterfaceIds = [] } = endpoint;
  const names = DnsEntries.flatMap(({ DnsName }) => (DnsName === undefined ? [] : [DnsName]));
  return {
    endpointId: VpcEndpointId,
    service: ServiceName,
    isGateway: endpoint.VpcEndpointType === "Gateway",
    privateNames: endpoint.PrivateDnsEnabled === true ? names : [],
    interfaces: NetworkInterfaceIds.flatMap((id) => {
      const known = addresses.get(id);
      return known === undefined ? [] : [{ address: known, groupIds: Groups.map(({ GroupId = "" }) => GroupId) }];
    }),
  };
}

/** Every VPC of the account that somebody made; AWS's default one has no hosts. */
export async function readVpcs(aws: Reader, seats: BalancerSeats): Promise<VpcState[]> {
  const { Vpcs = [] } = await aws.ec2.send(new DescribeVpcsCommand({}));
  const made = Vpcs.filter(({ IsDefault }) => IsDefault !== true);
  return Promise.all(made.map(({ VpcId = "", CidrBlock = "" }) => readVpc(aws, seats, VpcId, CidrBlock)));
}

async function readVpc(aws: Reader, seats: BalancerSeats, vpcId: string, cidr: string): Promise<VpcState> {
  const { ec2 } = aws;
  const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
  const [subnets, tables, groups, reservations, endpoints, interfaces] = await Promise.all([
    ec2.send(new DescribeSubnetsCommand({ Filters })),
    ec2.send(new DescribeRouteTablesCommand({ Filters })),
    ec2.send(new DescribeSecurityGroupsCommand({ Filters })),
    ec2.send(new DescribeInstancesCommand({ Filters })),
    ec2.send(new DescribeVpcEndpointsCommand({ Filters })),
    ec2.send(new DescribeNetworkInterfacesCommand({ Filters })),
  ]);
  const address = new Map(
    (interfaces.NetworkInterfaces ?? []).map(({ NetworkInterfaceId = "", PrivateIpAddress = "" }) => [
      NetworkInterfaceId,
      PrivateIpAddress,
    ]),
  );
  const instances = (reservations.Reservations ?? [])
    .flatMap(({ Instances = [] }) => Instances)
    .filter(isAlive)
    .map(toInstance);
  const routes = (subnets.Subnets ?? []).flatMap(({ SubnetId = "" }) => routesOf(SubnetId, tables.RouteTables ?? []));
  return {
    vpcId,
    cidr,
    subnets: (subnets.Subnets ?? []).map(({ SubnetId = "", CidrBlock = "" }) => ({
      subnetId: SubnetId,
      cidr: CidrBlock,
      routes: routesOf(SubnetId, tables.RouteTables ?? []),
    })),
    groups: (groups.SecurityGroups ?? []).map(({ GroupId = "", IpPermissions, IpPermissionsEgress }) => ({
      groupId: GroupId,
      ingress: rulesOf(IpPermissions),
      egress: rulesOf(IpPermissionsEgress),
    })),
    instances,
    endpoints: (endpoints.VpcEndpoints ?? [])
      .filter(({ State }) => String(State).toLowerCase() === "available")
      .map((endpoint) => toEndpoint(endpoint, address)),
    balancers: await readBalancers(aws, seats, vpcId, subnets.Subnets ?? [], instances),
    prefixLists: await readLists(
      ec2,
      new Set(routes.map(({ destination }) => destination).filter((one) => one.startsWith("pl-"))),
    ),
  };
}

/** AWS's own lists stand still while a lab runs. */
const listsRead = new Map<string, readonly string[]>();

async function readLists(ec2: Reader["ec2"], wanted: ReadonlySet<string>): Promise<Map<string, readonly string[]>> {
  const lists = new Map<string, readonly string[]>();
  for (const PrefixListId of wanted) {
    let blocks = listsRead.get(PrefixListId);
    if (blocks === undefined) {
      const { Entries = [] } = await ec2.send(new GetManagedPrefixListEntriesCommand({ PrefixListId }));
      blocks = Entries.flatMap(({ Cidr }) => (Cidr === undefined ? [] : [Cidr]));
      listsRead.set(PrefixListId, blocks);
    }
    lists.set(PrefixListId, blocks);
  }
  return lists;
}

/** moto's load balancers have no addresses: the lab gives each one from every subnet, below those of the endpoints. */
const balancerOffset = 40;

/** Which of these addresses a load balancer has for as long as it lives, whoever comes or goes beside it. */
export class BalancerSeats {
  readonly #seats = new Map<string, number>();

  /** The seats of those that are there, by ARN. */
  of(arns: readonly string[]): ReadonlyMap<string, number> {
    for (const arn of this.#seats.keys()) if (!arns.includes(arn)) this.#seats.delete(arn);
    for (const arn of arns.filter((one) => !this.#seats.has(one))) {
      const taken = new Set(this.#seats.values());
      let free = 0;
      while (taken.has(free)) free++;
      this.#seats.set(arn, free);
    }
    return this.#seats;
  }
}

function addressFromTop(cidr: string, offset: number): string {
  const [base = "", prefix = "0"] = cidr.split("/");
  const first = base.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const address = first + 2 ** (32 - Number(prefix)) - 1 - offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

async function readBalancers(
  { elb }: Reader,
  seats: BalancerSeats,
  vpcId: string,
  subnets: readonly { readonly SubnetId?: string | undefined; readonly CidrBlock?: string | undefined }[],
  instances: readonly InstanceState[],
): Promise<BalancerState[]> {
  const { LoadBalancers = [] } = await elb.send(new DescribeLoadBalancersCommand({}));
  const seatOf = seats.of(LoadBalancers.map(({ LoadBalancerArn = "" }) => LoadBalancerArn));
  const found = await Promise.all(
    LoadBalancers.filter((one) => one.VpcId === vpcId).map(async (balancer) => {
      const seat = balancerOffset + (seatOf.get(balancer.LoadBalancerArn ?? "") ?? 0);
      const listeners = await readListeners(elb, balancer, instances);
      // It went between the two questions.
      if (listeners === null) return [];
      const addresses = (balancer.AvailabilityZones ?? []).flatMap(({ SubnetId }) => {
        const cidr = subnets.find((subnet) => subnet.SubnetId === SubnetId)?.CidrBlock;
        return cidr === undefined ? [] : [{ address: addressFromTop(cidr, seat), groupIds: balancer.SecurityGroups ?? [] }];
      });
      const dnsName = (balancer.DNSName ?? "").toLowerCase();
      return [{ name: balancer.LoadBalancerName ?? "", dnsName, addresses, listeners }];
    }),
  );
  return found.flat();
}

const protocols: readonly HealthCheck["protocol"][] = ["TCP", "HTTP", "HTTPS"];

function checkOf(group: TargetGroup): HealthCheck {
  const protocol = protocols.find((one) => one === group.HealthCheckProtocol);
  if (protocol === undefined) throw new RangeError(`the lab's load balancers cannot check by ${group.HealthCheckProtocol}`);
  // Of AWS's defaults, the ones for a network load balancer (ELB guide, "Health checks for Network Load Balancer target groups").
  const { HealthCheckPath: path = "/", HealthCheckIntervalSeconds: intervalSeconds = 30 } = group;
  const { HealthCheckTimeoutSeconds: timeoutSeconds = 10, HealthyThresholdCount: healthy = 5 } = group;
  return { protocol, path, intervalSeconds, timeoutSeconds, healthy, unhealthy: group.UnhealthyThresholdCount ?? 2 };
}

const gone = ["LoadBalancerNotFound", "TargetGroupNotFound"];

/** Every listener of ours forwards to one target group. Null: the load balancer is no more. */
async function readListeners(elb: Reader["elb"], { LoadBalancerArn }: LoadBalancer, instances: readonly InstanceState[]) {
  try {
    const { Listeners = [] } = await elb.send(new DescribeListenersCommand({ LoadBalancerArn }));
    return await Promise.all(Listeners.map((one) => readListener(elb, one, instances)));
  } catch (error) {
    if (gone.some((code) => isRefusal(error, code))) return null;
    throw error;
  }
}

async function readListener(
  elb: Reader["elb"],
  { Port: port = 0, DefaultActions = [] }: Listener,
  instances: readonly InstanceState[],
) {
  const TargetGroupArns = DefaultActions.flatMap(({ TargetGroupArn }) => TargetGroupArn ?? []);
  const { TargetGroups: [group = {}] = [] } = await elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns }));
  const { TargetGroupArn } = group;
  const { TargetHealthDescriptions = [] } = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
  const targets = TargetHealthDescriptions.map(({ Target }) => ({
    address: instances.find(({ instanceId }) => instanceId === Target?.Id)?.address ?? Target?.Id ?? "",
    port: Target?.Port ?? port,
  }));
  return { port, targets, check: checkOf(group) };
}
