import { readFileSync } from "node:fs";
import { join } from "node:path";
import { labVersions, minorOf } from "../binaries.ts";
import { answer, type Cluster, clusterOf, type Finding, found, type LabCheck, type Question } from "../checks.ts";
import { type CourseOptions, figures, runLab } from "../course.ts";
import type { Lab } from "../lab.ts";
import type { Chapter } from "./suite.ts";

const example = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../statemachine/examples/${name}.json`, import.meta.url), "utf8"));

const manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml";
/** Longer than the kubelet takes to see that a manifest is gone, and its API server to end. */
const outageSeconds = 60;

/** Whoever calls through the load balancer does not notice for long that a control plane is gone. */
async function outlives({ first, controlPlanes }: Cluster): Promise<Finding> {
  const second = controlPlanes[1];
  if (second === undefined) throw new RangeError("one control plane alone");
  const listens = (host: typeof first) => host.on("bash", "-c", "curl -sk -m 2 https://127.0.0.1:6443/livez").catch(() => "");
  await first.on("mv", manifest, "/root/kube-apiserver.yaml");
  try {
    for (let waited = 0; (await listens(first)) !== ""; waited++) {
      if (waited >= outageSeconds) return found(false, "the first API server does not end");
      await first.on("sleep", "1");
    }
    const began = performance.now();
    const ask =
      "for i in {1..20}; do kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=5s get nodes -o name && exit 0; sleep 1; done; exit 1";
    const nodes = await second.on("bash", "-c", ask);
    const server = await second.on("bash", "-c", "sed -n 's/^ *server: //p' /etc/kubernetes/admin.conf");
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    return found(server.includes("elb"), `${nodes.trim().split("\n").length} nodes by ${server.trim()} after ${seconds} s`);
  } finally {
    await first.on("mv", "/root/kube-apiserver.yaml", manifest);
  }
}

async function highlyAvailable(lab: Lab, tell: (check: LabCheck) => void): Promise<void> {
  const cluster = clusterOf(lab, "orchid-ha");
  if (cluster === null) throw new RangeError("no control plane is there");
  const questions: readonly Question[] = [["the API outlives a control plane", () => outlives(cluster)]];
  for (const question of questions) tell(await answer(question));
}

/** A chapter that is one run of the lab, from an empty account to an empty account. */
const cluster = (name: string, course: Partial<CourseOptions>, isSlow = false): Chapter => ({
  name,
  isSlow,
  async run({ scale, logs, say }, tell) {
    const result = await runLab({
      scale,
      bundle: null,
      request: { workers: { count: 1 } },
      say,
      logs: join(logs, name.replaceAll(/\W+/g, "-")),
      onEvent: () => {},
      onPart: () => {},
      onCheck: tell,
      ...course,
    });
    say(`  ${figures(result)}`);
  },
});

/** Three control planes behind the internal load balancer, and three workers. */
export const threeControlPlanes = cluster("3+3", { request: example("orchid-ha"), further: highlyAvailable });

/** One cluster built and destroyed with moto interpreting the machines: an interpreter that nobody here wrote. */
export const motosInterpreter = cluster("engine moto", { engine: "moto" }, true);

/** A cluster of each older minor that the lab has; the newest is everybody else's. */
export const olderMinors: readonly Chapter[] = labVersions()
  .slice(0, -1)
  .map((kubernetes) => cluster(`kubernetes ${minorOf(kubernetes)}`, { kubernetes, request: null }, true));
