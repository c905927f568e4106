import { furtherDocuments, kubeadmArguments } from "./kubeadm.ts";
import type { QuickScript } from "./script.ts";

/** check-dns.sh */
export const checkDns: QuickScript = {
  hold: "none",
  needs: ["hosts", "subnets", "bucket", "bundleKey", "bundleSha256"],
  async run(sh) {
    const problems = await sh.unanswered();
    if (problems.length > 0) sh.die(problems.join(";"));
    await sh.fetch(sh.get("bundleKey"), sh.get("bundleSha256"), `${sh.secrets}/bundle.json`);
    return { hosts: sh.get("hosts").split(",").length };
  },
};

const waysOut = ["http://1.1.1.1:443/", "http://registry.k8s.io:443/", "http://dl.k8s.io:443/"];

/** probe-isolation.sh */
export const probeIsolation: QuickScript = {
  hold: "none",
  needs: ["hosts", "subnets", "bucket", "bundleKey", "bundleSha256"],
  async run(sh) {
    const form = "%{url_effective} %{time_connect}\\n";
    const quiet = "-o /dev/null -o /dev/null -o /dev/null".split(" ");
    const { stdout } = await sh.call("curl -Z -s --connect-timeout 5 -m 8 -w", [form, ...quiet, ...waysOut]);
    const tried = stdout.trimEnd().split("\n");
    const connected = tried.filter((line) => !/ 0([.,]0+)?$/.test(line));
    sh.stderr += connected.map((line) => `${line.split(" ")[0]} was connected to\n`).join("");
    if (tried.length !== waysOut.length) sh.die(`the ways out were not all tried: ${tried.join("\n")}`);
    const problems = await sh.unanswered();
    sh.stderr += problems.map((problem) => `${problem}\n`).join("");
    const instance = "http://169.254.169.254/latest/meta-data/instance-id";
    const { stdout: status } = await sh.call(`curl -s -o /dev/null -m 5 -w %{http_code} ${instance}`);
    return {
      egressBlocked: connected.length === 0,
      namesAnswer: problems.length === 0,
      metadataTokenRequired: status === "401",
      concessions: [...furtherDocuments(sh.files), ...(sh.files.has(kubeadmArguments) ? [kubeadmArguments] : [])],
    };
  },
};
