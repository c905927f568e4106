import { join } from "node:path";
import { DescribeLoadBalancersCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { s3Records } from "../../../functions/aws/s3-records.ts";
import { ClusterName } from "../../../functions/domain/ids.ts";
import { versionRow } from "../../../functions/domain/versions.ts";
import { readBundle } from "../../bundle.ts";
import { answer, type Cluster, checkCluster, clusterOf, type Finding, found, kubectl, type LabCheck } from "../checks.ts";
import { figures, runLab } from "../course.ts";
import type { Lab } from "../lab.ts";
import { forLab } from "../request.ts";
import { type Bench, checkArchives } from "./archives.ts";
import { differences, fingerprint } from "./fingerprint.ts";
import { checkBreaches } from "./isolation.ts";
import { checkSecrets, watchProcesses } from "./secrets.ts";
import { Storm } from "./storm.ts";
import type { Chapter } from "./suite.ts";

const name = ClusterName.parse("orchid");
const seed = 7;
type Tell = (check: LabCheck) => void;

/** Small, and with a load balancer: this chapter is about what happens to a cluster, not about its size. */
const request = { name, workers: { count: 1 }, rebuild: { graceHours: 1 } };

function standing(lab: Lab, generation: number): Cluster {
  const cluster = clusterOf(lab, name, generation);
  if (cluster === null) throw new RangeError(`generation ${generation} has no control plane`);
  return cluster;
}

/** A Service that asks for an internal load balancer, and the real cloud controller manager's answer. */
async function serve(cluster: Cluster, service: string): Promise<Finding> {
  const annotations = {
    "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
  };
  const spec = {
    type: "LoadBalancer",
    loadBalancerSourceRanges: ["10.40.0.0/16"],
    selector: { app: service },
    ports: [{ port: 80 }],
  };
  const object = { apiVersion: "v1", kind: "Service", metadata: { name: service, annotations }, spec };
  await cluster.first.on(
    "bash",
    "-c",
    `kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f - <<<"$1"`,
    "apply",
    JSON.stringify(object),
  );
  for (let waited = 0; waited < 60; waited++) {
    const given = await kubectl(cluster, "get", "service", service, "-o", "jsonpath={.status.loadBalancer.ingress[0].hostname}");
    if (given !== "") {
      const { LoadBalancers = [] } = await cluster.lab.aws.elb.send(new DescribeLoadBalancersCommand({}));
      const made = LoadBalancers.find(({ DNSName = "" }) => DNSName.toLowerCase() === given.toLowerCase());
      return found(made?.Scheme === "internal", `${made?.LoadBalancerName} is ${made?.Scheme}`);
    }
    await cluster.first.on("sleep", "1");
  }
  return found(false, "the Service got no load balancer in a minute");
}

async function rebuild(lab: Lab, tell: Tell, before: readonly string[]): Promise<void> {
  const began = performance.now();
  const execution = lab.start("rebuild-cluster", "lab-rebuild", { name });
  const { status, error, cause } = await execution.done;
  const took = `${Math.round((performance.now() - began) / 1000)} s`;
  tell({
    name: "a rebuild beside it ends well",
    ...found(status === "SUCCEEDED", `${took}, ${status} ${error ?? ""} ${cause ?? ""}`),
  });
  if (status !== "SUCCEEDED") return;
  const record = (await s3Records(lab.aws).read(name))?.value;
  const phases = Object.entries(record?.generations ?? {}).map(([number, { state }]) => `g${number} ${state}`);
  tell({
    name: "the new generation serves, the old one is retired",
    ...found(
      record?.current === 2 && phases.some((one) => one === "g1 retired"),
      `current ${record?.current}; ${phases.join(", ")}`,
    ),
  });
  const build = [...lab.stage.stepFunctions.executions.values()].findLast(({ machine }) => machine === "build-cluster");
  if (build !== undefined)
    for (const check of await checkCluster(lab, name, build, 2)) tell({ ...check, name: `rebuilt: ${check.name}` });
  // Nothing was killed while this one was built.
  const apart = differences(before, await fingerprint(standing(lab, 2)));
  tell({
    name: "killed or not, the scripts end in the same state",
    ...found(apart.length === 0, apart.slice(0, 5).join("; ") || `${before.length} facts alike`),
  });
}

function benchOf(cluster: Cluster, storm: Storm): Bench {
  const { lab } = cluster;
  const ref = versionRow(lab.kubernetes).smokeImage;
  const key = readBundle(lab.bundle).files.find(({ refs }) => refs.includes(ref))?.key ?? "";
  const sent = storm.sent("preload-images", "worker");
  const worker = cluster.hosts.find(({ options }) => options.address === sent.order.instance.address);
  if (worker === undefined) throw new RangeError("no worker is there");
  // Later locks have raised the fence since.
  const preload = async () => {
    const fence = (await worker.on("cat", "/var/lib/cloister/fence")).trim();
    return sent.run({ ...sent.order, environment: { ...sent.order.environment, SSM_fence: fence } });
  };
  return { cluster, worker, ref, key, preload };
}

async function further(lab: Lab, storm: Storm, tell: Tell): Promise<void> {
  const first = standing(lab, 1);
  for (const check of storm.checks()) tell(check);
  storm.end();
  const before = await fingerprint(first);
  await checkBreaches(first, forLab(request, lab.kubernetes), tell);
  await checkArchives(benchOf(first, storm), tell);
  await rebuild(lab, tell, before);
  tell(await answer(["a Service gets an internal load balancer", () => serve(first, "stays")]));
  const second = clusterOf(lab, name, 2);
  if (second !== null) tell(await answer(["so does one of the new generation", () => serve(second, "goes")]));
  // The old generation's API is dead when it is destroyed, so that its balancer is the sweep's to find; the new one's controller takes its own away.
  await first.first.on("mv", "/etc/kubernetes/manifests/kube-apiserver.yaml", "/root/");
}

/** One cluster's whole life: built while its scripts are killed, breached, rebuilt, and destroyed with a dead API server. */
export const wholeLife: Chapter = {
  name: "life",
  async run({ scale, logs, say }, tell) {
    let storm: Storm | null = null;
    const watch = watchProcesses();
    const result = await runLab({
      scale,
      // Everything is run a dozen times.
      patience: 6,
      bundle: null,
      request,
      say,
      logs: join(logs, "life"),
      onEvent: () => {},
      onPart: () => {},
      onCheck: tell,
      prepare(lab) {
        storm = new Storm(lab, seed);
      },
      async further(lab) {
        if (storm !== null) await further(lab, storm, tell);
        tell(await checkSecrets(lab, watch.seen()));
      },
    }).finally(() => watch.stop());
    say(`  ${figures(result)}`);
  },
};
