import { NodeCallError } from "./aws-access.ts";
import type { Cluster, Member, Stored } from "./cluster.ts";
import { podSpecOf } from "./kube.ts";
import { isReady, pods } from "./workloads.ts";

/** Seconds between two tries of the controller, and the HTTP timeout of one (facts 2.10). */
const retrySeconds = 10;
const timeoutSeconds = 30;
const triesMax = 60;
export const ccmName = "aws-cloud-controller-manager";

interface Described {
  readonly Reservations?: readonly { readonly Instances?: readonly Found[] }[];
}
interface Found {
  readonly InstanceId: string;
  readonly PrivateDnsName: string;
  readonly PrivateIpAddress: string;
  readonly Placement: { readonly AvailabilityZone: string };
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

const isCcm = ({ object }: Stored): boolean =>
  podSpecOf(object)?.containers.some(({ args = [] }) => args.includes("--cloud-provider=aws")) ?? false;

/** The AWS cloud controller manager: gives nodes their provider ID and takes the taint away (facts 2.4 to 2.6). */
export function runCloudProvider(cluster: Cluster): void {
  const begin = (member: Member) => {
    // Without the taint that its kubelet registers under an external provider, a Node is none of its business: no provider ID, and no
    // error (facts 1.2, the article of 2018-09-28; 2.4).
    if (!member.isExternal) return;
    const { clock, chance } = cluster.universe;
    clock.after(chance.seconds("ccm.nodeInitialised", member.node.subject), () => void attempt(cluster, member, 1));
  };
  cluster.onApply((stored) => {
    if (!isCcm(stored)) return;
    for (const member of cluster.members.values()) if (member.providerID === null) begin(member);
  });
  cluster.onJoin((member) => {
    if (cluster.all("DaemonSet").some(isCcm)) begin(member);
  });
}

async function attempt(cluster: Cluster, member: Member, tries: number): Promise<void> {
  if (member.providerID !== null || cluster.members.get(member.name) !== member) return;
  const problem = await initialise(cluster, member);
  if (problem === null) return;
  cluster.log(ccmName, problem.line);
  if (tries < triesMax) cluster.universe.clock.after(problem.seconds, () => void attempt(cluster, member, tries + 1));
}

interface Problem {
  readonly line: string;
  readonly seconds: number;
}

const problem = (line: string, seconds = retrySeconds): Problem => ({ line, seconds });

/** One try for one node; null when it went well. */
async function initialise(cluster: Cluster, member: Member): Promise<Problem | null> {
  const controllers = pods(cluster, (name) => name === ccmName);
  const pod = controllers.find(({ readyAt }) => readyAt !== null && readyAt <= cluster.now() + 1000);
  if (pod === undefined) {
    const [stuck] = controllers;
    return problem(stuck?.waiting?.message ?? "the controller's pod does not run", 2);
  }
  const own = pod.member.node.instance.id;
  const call = (operation: string, input: Record<string, unknown>) =>
    cluster.aws.call(own, "cloud-controller-manager", "ec2", operation, input);
  try {
    const [self] = instances((await call("DescribeInstances", { InstanceIds: [own] })) as Described);
    const keys = (self?.Tags ?? []).map(({ Key }) => Key).filter((key) => key.startsWith("kubernetes.io/cluster/"));
    if (keys.length === 0) return problem("AWS cloud failed to find ClusterID");
    if (keys.length > 1) return problem(`Found multiple cluster tags with prefix kubernetes.io/cluster/ (${keys.join(" and ")})`);
    const key = keys[0] ?? "";
    const filters = [{ Name: "private-dns-name", Values: [member.name] }];
    const found = instances((await call("DescribeInstances", { Filters: filters })) as Described).filter(({ Tags = [] }) =>
      Tags.some((tag) => tag.Key === key),
    );
    const [instance] = found;
    if (instance === undefined) return unmatched(cluster, member);
    await call("DescribeAvailabilityZones", {});
    member.providerID = `aws:///${instance.Placement.AvailabilityZone}/${instance.InstanceId}`;
    member.address ??= instance.PrivateIpAddress;
    member.initialisedAt = cluster.now();
    return null;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isSlow = error instanceof NodeCallError && error.name === "ConnectTimeout";
    return problem(`failed to initialise node ${member.name}: ${error.message}`, isSlow ? timeoutSeconds : retrySeconds);
  }
}

const instances = ({ Reservations = [] }: Described): readonly Found[] => Reservations.flatMap(({ Instances = [] }) => Instances);

/** A name that matches no tagged instance: from 1.37.0 on the Node is deleted, before that it stays tainted (facts 2.5). */
function unmatched(cluster: Cluster, member: Member): Problem {
  const line = `node ${member.name} matches no instance with the cluster's tag`;
  if (cluster.minor < 37 || isReady(cluster, member)) return problem(line);
  cluster.members.delete(member.name);
  return problem(`${line}: deleting node since it does not exist in the cloud provider: ${member.name}`);
}
