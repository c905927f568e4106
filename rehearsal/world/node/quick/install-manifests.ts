import { type Item, isUninitialized, itemsOf, waitingOf } from "./objects.ts";
import { type QuickScript, type Script, state, tail } from "./script.ts";

interface Bundle {
  readonly manifests: readonly { readonly key: string; readonly sha256: string; readonly kind: string }[];
}

/** The parameters that the manifests' places are filled with. */
const places: Readonly<Record<string, string>> = {
  CLUSTER: "clusterName",
  REGION: "region",
  CCM_IMAGE: "ccmImage",
  EBS_CSI_IMAGE: "ebsCsiImage",
  PROVISIONER_IMAGE: "provisionerImage",
  ATTACHER_IMAGE: "attacherImage",
  RESIZER_IMAGE: "resizerImage",
  REGISTRAR_IMAGE: "registrarImage",
  LIVENESS_PROBE_IMAGE: "livenessProbeImage",
};

const apply = (sh: Script, path: string) => sh.run(`kubectl apply --server-side --force-conflicts -f ${path}`);

/** One of our own manifests, its places filled. */
async function template(sh: Script, name: string): Promise<void> {
  const path = `${state}/${name}.yaml`;
  const text = sh.manifest(name).replaceAll(/__([A-Z_]+)__/g, (whole, place: string) => {
    const parameter = places[place];
    return parameter === undefined ? whole : sh.get(parameter);
  });
  sh.files.set(path, `${text}\n`);
  await apply(sh, path);
}

async function whyNot(sh: Script): Promise<string> {
  const pods = itemsOf(await sh.loose("kubectl -n kube-system get pods -o json"));
  const said = pods.flatMap((pod) => waitingOf(pod).map((reason) => `${pod.metadata.name}: ${reason}`));
  return [...new Set(said)].sort().slice(0, 3).join("; ");
}

/** The last words of a controller's pods, and of kubectl where there are none. */
async function lastWords(sh: Script, selector: string): Promise<string> {
  const { stdout, stderr } = await sh.call(`kubectl -n kube-system logs -l ${selector} --tail 2`);
  return tail(`${stdout}${stderr}`, 2);
}

/** Asks every two seconds; `inVain` says what was waited for. */
async function wait(sh: Script, seconds: number, isSo: () => Promise<boolean>, inVain: () => Promise<string>): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += 2) {
    if (waited >= seconds) sh.die(await inVain());
    await sh.sleep(2);
  }
}

async function networking(sh: Script, name: string): Promise<number> {
  const bundle = JSON.parse(await sh.fetch(sh.get("bundleKey"), sh.get("bundleSha256"), `${state}/bundle.json`)) as Bundle;
  const prefix = sh.get("bundleKey").replace(/bundle\.json$/, "");
  const own = ["ccm"];
  await template(sh, "ccm");
  const plugins = bundle.manifests.filter(({ kind }) => kind === sh.get("cni"));
  for (const { key, sha256 } of plugins) {
    await sh.fetch(`${prefix}${key}`, sha256, `${state}/cni.yaml`);
    await apply(sh, `${state}/cni.yaml`);
  }
  if (sh.get("publicLoadBalancers") === "false") {
    own.push("load-balancer-policy");
    await template(sh, "load-balancer-policy");
  }
  const isInitialised = (item: Item) => (item.spec?.providerID ?? "") !== "" && !isUninitialized(item);
  const initialised = async () => {
    const { stdout } = await sh.call("kubectl get nodes -o json");
    return itemsOf(stdout).some((item) => item.metadata.name === name && isInitialised(item));
  };
  await wait(sh, 120, initialised, async () => {
    const words = await lastWords(sh, "k8s-app=aws-cloud-controller-manager");
    return `the cloud controller manager did not initialise the node: ${words} ${await whyNot(sh)}`;
  });
  return own.length + plugins.length;
}

async function storage(sh: Script): Promise<number> {
  const own = ["ebs-csi", "storage-class"];
  for (const name of own) await template(sh, name);
  return own.length;
}

/** install-manifests.sh */
export const installManifests: QuickScript = {
  hold: "shared",
  follows: "kubeadm-init",
  needs: ["set", "cni", "publicLoadBalancers", "bucket", "bundleKey", "bundleSha256", ...Object.values(places)],
  async run(sh) {
    const name = await sh.metadata("local-hostname");
    return { applied: await (sh.get("set") === "networking" ? networking(sh, name) : storage(sh)) };
  },
};
