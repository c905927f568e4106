import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AttachInternetGatewayCommand,
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  DeleteInternetGatewayCommand,
  DeleteRouteCommand,
  DescribeInstancesCommand,
  DescribeRouteTablesCommand,
  DescribeVpcEndpointsCommand,
  DetachInternetGatewayCommand,
  DisassociateAddressCommand,
  type IpPermission,
  ReleaseAddressCommand,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../../../functions/aws/aws.ts";
import type { Cluster } from "../checks.ts";

/** Takes something back. */
export type Undo = () => Promise<unknown>;

/** What of the account a breach can get at. */
export interface BreachIds {
  readonly vpcId: string;
  readonly tables: readonly string[];
  readonly subnetId: string;
  readonly worker: { readonly instanceId: string; readonly address: string; readonly groupId: string };
  readonly controlPlane: { readonly instanceId: string; readonly groupId: string };
}

const everywhere = "0.0.0.0/0";
const proxyPort = 3128;

export async function idsOf({ lab }: Cluster): Promise<BreachIds> {
  const { ec2 } = lab.aws;
  const alive = [{ Name: "instance-state-name", Values: ["running"] }];
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters: alive }));
  const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
  const one = (role: string) => {
    const found = instances.find(({ Tags = [] }) => Tags.some(({ Key, Value }) => Key === "cloister:role" && Value === role));
    const { InstanceId = "", PrivateIpAddress = "", SubnetId = "", VpcId = "", SecurityGroups = [] } = found ?? {};
    const named = SecurityGroups.find(({ GroupName = "" }) => GroupName.endsWith(role));
    return { instanceId: InstanceId, address: PrivateIpAddress, subnetId: SubnetId, vpcId: VpcId, groupId: named?.GroupId ?? "" };
  };
  const [worker, controlPlane] = [one("worker"), one("control-plane")];
  const Filters = [{ Name: "vpc-id", Values: [worker.vpcId] }];
  const { RouteTables = [] } = await ec2.send(new DescribeRouteTablesCommand({ Filters }));
  const used = RouteTables.filter(({ Associations = [] }) => Associations.some(({ SubnetId }) => SubnetId !== undefined));
  const tables = used.map(({ RouteTableId = "" }) => RouteTableId);
  return { vpcId: worker.vpcId, tables, subnetId: worker.subnetId, worker, controlPlane };
}

export async function route(
  ec2: Aws["ec2"],
  tables: readonly string[],
  target: { GatewayId?: string; NatGatewayId?: string },
): Promise<Undo> {
  const each = tables.map((RouteTableId) => ({ RouteTableId, DestinationCidrBlock: everywhere }));
  for (const place of each) await ec2.send(new CreateRouteCommand({ ...place, ...target }));
  return () => Promise.all(each.map((place) => ec2.send(new DeleteRouteCommand(place))));
}

/** An Internet gateway, and the private subnets' routes to it. */
export async function gateway({ lab }: Cluster, { vpcId: VpcId, tables }: BreachIds): Promise<Undo[]> {
  const { ec2 } = lab.aws;
  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
  const InternetGatewayId = InternetGateway?.InternetGatewayId ?? "";
  await ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId }));
  return [
    await route(ec2, tables, { GatewayId: InternetGatewayId }),
    () => ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId, VpcId })),
    () => ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId })),
  ];
}

export async function allowOut({ lab }: Cluster, GroupId: string): Promise<Undo> {
  const IpPermissions: IpPermission[] = [{ IpProtocol: "-1", IpRanges: [{ CidrIp: everywhere }] }];
  await lab.aws.ec2.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
  return () => lab.aws.ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
}

export async function address({ lab }: Cluster): Promise<{ readonly AllocationId: string; readonly release: Undo }> {
  const { AllocationId = "" } = await lab.aws.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
  return { AllocationId, release: () => lab.aws.ec2.send(new ReleaseAddressCommand({ AllocationId })) };
}

export async function publicAddress(cluster: Cluster, InstanceId: string): Promise<Undo[]> {
  const { ec2 } = cluster.lab.aws;
  const { AllocationId, release } = await address(cluster);
  const { AssociationId } = await ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId }));
  return [() => ec2.send(new DisassociateAddressCommand({ AssociationId })), release];
}

export async function endpointOf({ lab }: Cluster, vpcId: string, service: string): Promise<string> {
  const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
  const { VpcEndpoints = [] } = await lab.aws.ec2.send(new DescribeVpcEndpointsCommand({ Filters }));
  const found = VpcEndpoints.find(({ ServiceName = "" }) => ServiceName.endsWith(`.${service}`));
  if (found?.VpcEndpointId === undefined) throw new RangeError(`no endpoint of ${service}`);
  return found.VpcEndpointId;
}

/** A proxy as somebody runs one who means well: it connects wherever it is asked to. */
const proxy = `
import http.server, select, socket
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):
        host, port = self.path.rsplit(":", 1)
        there = socket.create_connection((host, int(port)), 5)
        self.send_response(200)
        self.end_headers()
        ends = {self.connection: there, there: self.connection}
        while True:
            for end in select.select(list(ends), [], [], 30)[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)
class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):  # without asking for its own name, which takes seconds where there is none (lab-real.md, 13)
        socket.socket.bind(self.socket, self.server_address)
        self.server_name, self.server_port = "proxy", ${proxyPort}
Server(("0.0.0.0", ${proxyPort}), Proxy).serve_forever()
`;

/** A worker that gets out serves the control plane, which itself has neither address nor group for it. */
export async function proxyOnNode(cluster: Cluster, ids: BreachIds): Promise<Undo[]> {
  const { first, hosts, lab } = cluster;
  const worker = hosts.find(({ options }) => options.address === ids.worker.address);
  if (worker === undefined) throw new RangeError("no worker is there");
  const GroupId = ids.worker.groupId;
  const UserIdGroupPairs = [{ GroupId: ids.controlPlane.groupId }];
  const IpPermissions: IpPermission[] = [{ IpProtocol: "tcp", FromPort: proxyPort, ToPort: proxyPort, UserIdGroupPairs }];
  await lab.aws.ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  const out = [
    await allowOut(cluster, GroupId),
    ...(await publicAddress(cluster, ids.worker.instanceId)),
    ...(await gateway(cluster, ids)),
  ];
  await worker.on(
    "bash",
    "-c",
    `cat >/root/proxy.py <<'PYTHON'\n${proxy}\nPYTHON\nsetsid python3 /root/proxy.py >/dev/null 2>&1 </dev/null & echo $! >/root/proxy.pid`,
  );
  const settings = `proxy = "http://${ids.worker.address}:${proxyPort}"\nnoproxy = "169.254.169.254,.amazonaws.com"\n`;
  await first.on("bash", "-c", `printf '%s' "$1" >/root/.curlrc`, "curlrc", settings);
  return [
    () => first.on("rm", "/root/.curlrc"),
    () => worker.on("bash", "-c", "kill $(cat /root/proxy.pid); rm /root/proxy.p*"),
    () => lab.aws.ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions })),
    ...out,
  ];
}
