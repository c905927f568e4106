import { itemsOf } from "./objects.ts";
import { config, lastLine, linesOf, type QuickScript, stripped } from "./script.ts";

/** publish-access.sh */
export const publishAccess: QuickScript = {
  hold: "shared",
  needs: ["kubeconfigParameter"],
  async run(sh) {
    const access = `${sh.secrets}/access.conf`;
    const who = "--client-name cloister-operator --org kubeadm:cluster-admins --validity-period 24h";
    const made = await sh.call(`kubeadm kubeconfig user --config ${config} ${who}`);
    sh.files.set(access, made.stdout);
    if (made.exitCode !== 0) sh.die(`kubeadm cannot make a kubeconfig: ${lastLine(made.stderr)}`);
    const tried = () => sh.call(`kubectl --kubeconfig ${access} auth can-i * * --all-namespaces`);
    await sh.untilTrue(30, "the API server takes the new kubeconfig", tried);
    const certificates = linesOf(made.stdout).flatMap((line) => /^ *client-certificate-data: (.*)/.exec(line)?.[1] ?? []);
    const certificate = Buffer.from(certificates.join("\n"), "base64").toString();
    const ends = stripped(await sh.must("openssl x509 -noout -enddate", [], certificate)).split("=")[1] ?? "";
    const parameter = { Type: "SecureString", Tier: "Advanced", Overwrite: true, Value: made.stdout };
    const path = `${sh.secrets}/access.json`;
    sh.files.set(path, JSON.stringify({ Name: sh.get("kubeconfigParameter"), ...parameter }));
    sh.checkFence();
    await sh.run(`aws ssm put-parameter --region ${sh.get("region")} --cli-input-json file://${path}`);
    return { expires: stripped(await sh.must("date -u -d", [ends, "+%Y-%m-%dT%H:%M:%SZ"])) };
  },
};

/** revoke-join.sh */
export const revokeJoin: QuickScript = {
  hold: "shared",
  needs: [],
  async run(sh) {
    const tokens = "secrets --field-selector type=bootstrap.kubernetes.io/token";
    await sh.run(`kubectl -n kube-system delete ${tokens} --ignore-not-found`);
    await sh.run("kubectl -n kube-system delete secret kubeadm-certs --ignore-not-found");
    const left = itemsOf(await sh.must(`kubectl -n kube-system get ${tokens} -o json`)).length;
    if (left !== 0) sh.die(`${left} bootstrap tokens are still there`);
    return { tokensLeft: 0 };
  },
};
