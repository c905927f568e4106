import type { Cluster, Stored } from "./cluster.ts";
import { podSpecOf } from "./kube.ts";
import { isPodReady, pods } from "./workloads.ts";

/** From a pod that wants a volume to the pod that has it: create, attach, make a file system (facts 9, row 34; no row of latencies.json). */
const provisionSeconds = 12;
const retrySeconds = 5;
const triesMax = 60;

/** What a claim got: the volume of one PersistentVolumeClaim. */
interface Volume {
  readonly id: string;
  readonly instanceId: string;
}

/** The EBS CSI driver: a claim of a pod becomes a volume that is attached, and goes with its claim. */
export function runStorageDriver(cluster: Cluster): void {
  const volumes = new Map<string, Volume>();
  cluster.onApply(({ object }) => {
    const claims =
      object.kind === "Pod"
        ? (podSpecOf(object)?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])
        : [];
    for (const claim of claims)
      later(cluster, provisionSeconds, () => provision(cluster, volumes, object.metadata.namespace ?? "default", claim, 1));
  });
}

const later = (cluster: Cluster, seconds: number, run: () => Promise<void>): void =>
  cluster.universe.clock.after(seconds, () => void run());

const controllerOf = (cluster: Cluster) => pods(cluster, (name) => name === "ebs-csi-controller")[0];
const claimOf = (cluster: Cluster, namespace: string, name: string): Stored | undefined =>
  cluster.get("PersistentVolumeClaim", namespace, name);

async function provision(
  cluster: Cluster,
  volumes: Map<string, Volume>,
  namespace: string,
  claim: string,
  tries: number,
): Promise<void> {
  const stored = claimOf(cluster, namespace, claim);
  if (stored === undefined || tries > triesMax) return;
  const again = (message: string) => {
    cluster.event(claim, "ProvisioningFailed", message);
    later(cluster, retrySeconds, () => provision(cluster, volumes, namespace, claim, tries + 1));
  };
  const controller = controllerOf(cluster);
  const consumer = pods(cluster, (_, { volumes = [] }) => volumes.some((volume) => volume.persistentVolumeClaim)).find(
    ({ spec, namespace: space }) =>
      space === namespace && spec.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim),
  );
  if (cluster.all("StorageClass").length === 0)
    return again("no persistent volumes available for this claim and no storage class is set");
  if (controller === undefined || !isPodReady(cluster, controller))
    return again(
      controller?.waiting?.message ?? "waiting for a volume to be created by the external provisioner 'ebs.csi.aws.com'",
    );
  if (consumer === undefined) return again("waiting for a pod to consume the claim");
  try {
    volumes.set(claim, await create(cluster, controller.member.node.instance.id, consumer.member.node, claim));
    cluster.apply({ ...stored.object, status: { phase: "Bound" } });
    watchClaim(cluster, volumes, controller.member.node.instance.id, namespace, claim);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    again(error.message);
  }
}

async function create(
  cluster: Cluster,
  from: string,
  node: { readonly instance: { readonly id: string; readonly zone: string } },
  claim: string,
): Promise<Volume> {
  const call = (operation: string, input: Record<string, unknown>) => cluster.aws.call(from, "ebs-csi", "ec2", operation, input);
  const tags = {
    CSIVolumeName: `pvc-${claim}`,
    "ebs.csi.aws.com/cluster": "true",
    [`kubernetes.io/cluster/${cluster.config.clusterName}`]: "owned",
  };
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const made = {
    AvailabilityZone: node.instance.zone,
    Size: 1,
    VolumeType: "gp3",
    Encrypted: true,
    TagSpecifications: [{ ResourceType: "volume", Tags }],
  };
  const { VolumeId } = (await call("CreateVolume", made)) as { VolumeId: string };
  await cluster.universe.clock.sleep(2);
  await call("AttachVolume", { VolumeId, InstanceId: node.instance.id, Device: "/dev/xvdaa" });
  return { id: VolumeId, instanceId: node.instance.id };
}

/** reclaimPolicy Delete: when the claim goes, so does the volume. */
function watchClaim(cluster: Cluster, volumes: Map<string, Volume>, from: string, namespace: string, claim: string): void {
  if (claimOf(cluster, namespace, claim) !== undefined) {
    later(cluster, 2, async () => watchClaim(cluster, volumes, from, namespace, claim));
    return;
  }
  const volume = volumes.get(claim);
  volumes.delete(claim);
  if (volume === undefined) return;
  later(cluster, 0, async () => {
    await cluster.aws.call(from, "ebs-csi", "ec2", "DetachVolume", { VolumeId: volume.id });
    await cluster.universe.clock.sleep(2);
    await cluster.aws.call(from, "ebs-csi", "ec2", "DeleteVolume", { VolumeId: volume.id });
  });
}
