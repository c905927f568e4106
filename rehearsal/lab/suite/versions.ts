import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DocumentName } from "../../../functions/domain/documents.ts";
import { supportedVersions } from "../../../functions/domain/versions.ts";
import { shippedDocument } from "../../shipped.ts";
import { buildKubeadm } from "../binaries.ts";
import { type Finding, found } from "../checks.ts";
import { run } from "../shell.ts";
import type { Chapter } from "./suite.ts";

/** The lines of a shipped script from one that begins so to before one that begins so: those that write a configuration. */
function slice(document: DocumentName, from: string, to: string): string {
  const { script } = shippedDocument(document);
  const [first, last] = [script.indexOf(`\n${from}`), script.indexOf(`\n${to}`)];
  if (first === -1 || last < first) throw new RangeError(`${document} has no lines from ${from} to ${to}`);
  return script.slice(first, last);
}

const init = () => slice("kubeadm-init", "cat >", "arguments=()");
const upload = () => slice("capture-join", "  text=$(cat", "  run kubeadm init");
const joining = () => slice("join", 'join="$secrets/join.yaml"', "arguments=()");

interface Configuration {
  readonly what: string;
  readonly script: string;
  /** Where the script leaves it. */
  readonly file: "config" | "upload" | "join";
  readonly environment: Readonly<Record<string, string>>;
}

const balanced = "orchid-g1-api-0123456789abcdef.elb.us-west-2.amazonaws.com:6443";
const own = "ip-10-40-0-10.us-west-2.compute.internal";

/** Every configuration that the product writes for a version, by the very lines that write it on a node. */
function configurations(version: string): Configuration[] {
  const cluster = {
    SSM_clusterName: "orchid-g1",
    SSM_kubernetesVersion: version,
    SSM_podCidr: "192.168.0.0/16",
    SSM_serviceCidr: "10.96.0.0/12",
    name: own,
    address: "10.40.0.10",
    key: "0a".repeat(32),
    token: "abcdef.0123456789abcdef",
    SSM_caCertHash: `sha256:${"0".repeat(64)}`,
  };
  const alone = { ...cluster, SSM_apiEndpoint: `${own}:6443` };
  const several = { ...cluster, SSM_apiEndpoint: balanced };
  return [
    { what: "init of one control plane", script: init(), file: "config", environment: alone },
    { what: "init of the first of three", script: init(), file: "config", environment: several },
    { what: "upload of the certificates", script: `${init()}\n${upload()}`, file: "upload", environment: several },
    { what: "join of a worker", script: joining(), file: "join", environment: { ...alone, SSM_role: "worker" } },
    { what: "join of a control plane", script: joining(), file: "join", environment: { ...several, SSM_role: "control-plane" } },
  ];
}

async function validates(
  kubeadm: string,
  folder: string,
  { script, file, environment }: Configuration,
  also = "",
): Promise<Finding> {
  const text = `set -euo pipefail\nsecrets=$1 config=$1/config.yaml\n${script}\n`;
  await run("bash", ["-c", text, "render", folder], { env: environment });
  const path = join(folder, `${file}.yaml`);
  const content = await run("cat", [path]);
  if (also !== "") writeFileSync(path, `${content}${also}`);
  const said = await run(kubeadm, ["config", "validate", "--config", path]).catch((error: Error) =>
    error.message.replace(/^.*ended with \d+: /s, ""),
  );
  return found(said.trim() === "ok", said);
}

/** A real kubeadm of every supported minor judges every configuration that the product writes for it. */
export const everyVersion: Chapter = {
  name: "versions",
  isSlow: true,
  async run({ say }, tell) {
    for (const version of supportedVersions()) {
      const kubeadm = await buildKubeadm(version, say);
      const itself = (await run(kubeadm, ["version", "-o", "short"])).trim();
      const folder = mkdtempSync(join(tmpdir(), "cloister-kubeadm-"));
      try {
        const all = configurations(version);
        for (const configuration of all) {
          const finding = await validates(kubeadm, folder, configuration);
          tell({ name: `kubeadm ${itself} takes the ${configuration.what}`, ...finding });
        }
        const wrong = "unheardOf: true\n";
        const [first] = all;
        const { passed, evidence } = first === undefined ? found(true, "none") : await validates(kubeadm, folder, first, wrong);
        tell({
          name: `kubeadm ${itself} refuses a field that it does not know`,
          ...found(!passed && /unheardOf/.test(evidence), evidence),
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  },
};
