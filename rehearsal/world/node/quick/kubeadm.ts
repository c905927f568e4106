import { config, kubeconfig, lastLine, linesOf, type QuickScript, type Script, state, stripped } from "./script.ts";

/** The one door for an image's concessions: further documents for kubeadm's configuration, and further arguments (kubeadm-init.sh). */
export const kubeadmArguments = "/etc/cloister/kubeadm.args";
export const furtherDocuments = (files: ReadonlyMap<string, string>): string[] =>
  [...files.keys()].filter((path) => /^\/etc\/cloister\/kubeadm\.d\/[^/]+\.yaml$/.test(path)).sort();

const furtherArguments = ({ files }: Script): string[] => {
  const text = stripped(files.get(kubeadmArguments) ?? "");
  return text === "" ? [] : text.split("\n");
};
const apiServer = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const kubelet = "/etc/kubernetes/kubelet.conf";
const reset = "kubeadm reset -f --cri-socket unix:///run/containerd/containerd.sock";

const registration = (name: string, address: string): string => `nodeRegistration:
  name: ${name}
  criSocket: unix:///run/containerd/containerd.sock
  imagePullPolicy: IfNotPresent
  kubeletExtraArgs:
    - {name: cloud-provider, value: external}
    - {name: node-ip, value: ${address}}
`;

const initConfiguration = (sh: Script, name: string, address: string): string => `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens:
  - ttl: 1h0m0s
localAPIEndpoint: {advertiseAddress: ${address}, bindPort: 6443}
${registration(name, address)}timeouts: {controlPlaneComponentHealthCheck: 4m0s, kubernetesAPICall: 3m0s}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: ${sh.get("clusterName")}
kubernetesVersion: v${sh.get("kubernetesVersion")}
controlPlaneEndpoint: "${sh.get("apiEndpoint")}"
imageRepository: registry.k8s.io
networking: {dnsDomain: cluster.local, podSubnet: ${sh.get("podCidr")}, serviceSubnet: ${sh.get("serviceCidr")}}
controllerManager:
  extraArgs:
    - {name: cloud-provider, value: external}
`;

/** Whether the control plane is there already, whole, and ours. */
async function isHealthy(sh: Script): Promise<boolean> {
  if (!sh.files.has(`${state}/finished.kubeadm-init`)) return false;
  if (!sh.files.has(kubeconfig) || !(await sh.ok("kubectl get --raw /readyz"))) return false;
  const ask = "kubectl -n kube-system get configmap kubeadm-config -o jsonpath={.data.ClusterConfiguration}";
  const { stdout, exitCode } = await sh.call(ask);
  return exitCode === 0 && stdout.split("\n").includes(`clusterName: ${sh.get("clusterName")}`);
}

/** kubeadm-init.sh */
export const kubeadmInit: QuickScript = {
  hold: "alone",
  follows: "preload-images",
  needs: ["clusterName", "kubernetesVersion", "apiEndpoint", "address", "podCidr", "serviceCidr"],
  async run(sh) {
    if (await isHealthy(sh)) {
      sh.finished("kubeadm-init");
      return { initialised: false };
    }
    const name = await sh.metadata("local-hostname");
    const address = await sh.metadata("local-ipv4");
    if (address !== sh.get("address"))
      sh.die(`this node has the address ${address}; the plan gave ${sh.get("address")} to the first control plane`);
    if (sh.files.has(apiServer)) {
      for (const name of ["kubeadm-init", "fresh-token"]) sh.files.delete(`${state}/finished.${name}`);
      await sh.run(reset);
    }
    const further = furtherDocuments(sh.files).map((path) => `---\n${sh.files.get(path)}`);
    sh.files.set(config, [initConfiguration(sh, name, address), ...further].join(""));
    await sh.run(`kubeadm config validate --config ${config}`);
    const flags = "--skip-token-print --skip-certificate-key-print";
    await sh.run(`kubeadm init --config ${config} ${flags}`, ...furtherArguments(sh));
    await sh.untilTrue(60, "the API server answers /readyz", () => sh.call("kubectl get --raw /readyz"));
    sh.finished("fresh-token");
    sh.finished("kubeadm-init");
    return { initialised: true };
  },
};

/** The token that kubeadm init has just made, if it was on this node and under this fence. */
async function freshToken(sh: Script): Promise<string> {
  if (!sh.hasFinished("fresh-token")) return "";
  const { stdout, exitCode } = await sh.call("kubeadm token list -o json");
  if (exitCode !== 0) return "";
  const tokens = linesOf(stdout).map((line) => JSON.parse(line) as { token: string; usages?: readonly string[] });
  return tokens.find(({ usages = [] }) => usages.includes("authentication"))?.token ?? "";
}

async function newToken(sh: Script): Promise<string> {
  const { stdout, stderr, exitCode } = await sh.call("kubeadm token create --ttl 1h");
  if (exitCode !== 0) sh.die(`kubeadm cannot create a token: ${lastLine(stderr)}`);
  return stripped(stdout);
}

/** capture-join.sh */
export const captureJoin: QuickScript = {
  hold: "shared",
  follows: "kubeadm-init",
  needs: ["joinParameter", "certificates"],
  async run(sh) {
    const token = (await freshToken(sh)) || (await newToken(sh));
    let key = "none";
    if (sh.get("certificates") === "true") {
      key = stripped(await sh.must("kubeadm certs certificate-key"));
      const kind = "kind: InitConfiguration";
      const text = stripped(sh.files.get(config) ?? "").replace(kind, `${kind}\ncertificateKey: ${key}`);
      sh.files.set(`${sh.secrets}/upload.yaml`, `${text}\n`);
      const flags = "--upload-certs --skip-certificate-key-print --config";
      await sh.run(`kubeadm init phase upload-certs ${flags} ${sh.secrets}/upload.yaml`);
    }
    const Value = `${token} ${key}`;
    const parameter = { Name: sh.get("joinParameter"), Type: "SecureString", Overwrite: true, Value };
    sh.files.set(`${sh.secrets}/join.json`, `${JSON.stringify(parameter)}\n`);
    sh.checkFence();
    await sh.run(`aws ssm put-parameter --region ${sh.get("region")} --cli-input-json file://${sh.secrets}/join.json`);
    const certificate = await sh.must("openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt");
    const der = await sh.must("openssl pkey -pubin -outform der", [], certificate);
    const digest = await sh.must("openssl dgst -sha256 -hex", [], der);
    return { caCertHash: `sha256:${digest.trim().split(" ").at(-1)}` };
  },
};

const joined = `${state}/finished.join`;

async function isMember(sh: Script, name: string): Promise<boolean> {
  return sh.files.has(joined) && sh.ok(`kubectl --kubeconfig ${kubelet} get node ${name}`);
}

/** join.sh */
export const join: QuickScript = {
  hold: "alone",
  needs: ["role", "joinParameter", "apiEndpoint", "caCertHash"],
  async run(sh) {
    const name = await sh.metadata("local-hostname");
    const address = await sh.metadata("local-ipv4");
    if (await isMember(sh, name)) return { joined: false };
    if (sh.files.has(kubelet) || sh.files.has("/etc/kubernetes/bootstrap-kubelet.conf")) {
      sh.files.delete(joined);
      await sh.run(reset);
    }
    const read = `aws ssm get-parameter --region ${sh.get("region")} --name ${sh.get("joinParameter")} --with-decryption`;
    const secret = await sh.call(`${read} --query Parameter.Value --output text`);
    if (secret.exitCode !== 0) sh.die(`cannot read ${sh.get("joinParameter")}: ${lastLine(secret.stderr)}`);
    const [token = "", key = ""] = secret.stdout.trim().split(/\s+/);
    const controlPlane = `controlPlane:
  localAPIEndpoint: {advertiseAddress: ${address}, bindPort: 6443}
  certificateKey: "${key}"
`;
    const text = `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: "${sh.get("apiEndpoint")}"
    token: "${token}"
    caCertHashes: ["${sh.get("caCertHash")}"]
${registration(name, address)}timeouts: {discovery: 1m0s, tlsBootstrap: 2m0s}
${sh.get("role") === "control-plane" ? controlPlane : ""}`;
    const path = `${sh.secrets}/join.yaml`;
    sh.files.set(path, text);
    await sh.run(`kubeadm config validate --config ${path}`);
    await sh.run(`kubeadm join --config ${path}`, ...furtherArguments(sh));
    sh.finished("join");
    return { joined: true };
  },
};
