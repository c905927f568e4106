import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { SimulationGap } from "../../rehearsal/world/service.ts";
import { address, bucket, hostname, NodeMachine } from "./node-machine.ts";

const pause = "registry.k8s.io/pause:3.10.2";

/** For each program a line as a script of ours sends it, and lines that nobody modelled. */
const lines: Readonly<Record<string, { readonly known: string; readonly gaps: readonly string[] }>> = {
  umask: { known: "umask 077", gaps: ["umask 022"] },
  trap: { known: "trap 'rm -rf /x' EXIT", gaps: ["trap 'rm -rf /x' INT"] },
  flock: { known: "flock -s -w 20 9", gaps: ["flock -w 20 9", "flock -x -w soon 9", "flock -n 9", "flock -s -x -w 2 9"] },
  mktemp: { known: "mktemp -d /tmp/x.XXXXXX", gaps: ["mktemp", "mktemp /tmp/x.XXXXXX"] },
  sleep: { known: "sleep 2", gaps: ["sleep 1m", "sleep"] },
  date: { known: "date -u +%Y-%m-%dT%H:%M:%SZ", gaps: ["date +%Y-%m-%dT%H:%M:%SZ", "date -d 2026-11-25 +%s"] },
  systemctl: {
    known: "systemctl restart amazon-ssm-agent",
    gaps: ["systemctl restart kubelet", "systemctl enable --now amazon-ssm-agent", "systemctl enable kubelet"],
  },
  openssl: {
    known: "printf x | openssl dgst -sha256 -hex",
    gaps: [
      "openssl dgst -sha1 -hex",
      "openssl rsa -pubin -outform der",
      "openssl x509 -noout",
      "openssl pkey -pubin -outform pem",
    ],
  },
  aws: {
    known: "aws s3 cp --region us-west-2 --only-show-errors s3://bundles/a /a",
    gaps: [
      "aws s3 sync s3://bundles /a",
      "aws ec2 describe-instances --region us-west-2",
      "aws s3 cp --region eu-west-1 --only-show-errors s3://bundles/a /a",
      "aws s3 cp --region us-west-2 --only-show-errors /a s3://bundles/a",
      "aws s3 cp --region us-west-2 --only-show-errors --recursive s3://bundles/a /a",
      "aws ssm get-parameter --region us-west-2 --name /x --query Parameter.Value --output json",
      "aws ssm put-parameter --region us-west-2 --name /x --value secret",
    ],
  },
  containerd: { known: "containerd config dump", gaps: ["containerd config default", "containerd --version"] },
  crictl: { known: "crictl images -o json", gaps: ["crictl images", "crictl images -o yaml", "crictl ps -o json"] },
  ctr: {
    known: "ctr -n k8s.io images import /a.tar",
    gaps: [
      "ctr images import /a.tar",
      "ctr -n default images import /a.tar",
      "ctr -n k8s.io images pull x",
      `ctr -n k8s.io images label ${pause} a=b`,
    ],
  },
  curl: {
    known: "curl -s -o /dev/null --connect-timeout 5 -m 10 https://one.example/",
    gaps: [
      "curl -s -o /dev/null https://one.example/",
      "curl -s -o /dev/null --connect-timeout=5 https://one.example/",
      "curl -sL -o /dev/null -m 5 https://one.example/",
      "curl -s -m 5 https://one.example/",
      "curl -s -o /dev/null -m 5 -w '%{speed_download}' https://one.example/",
      "curl -s -o /dev/null -m 5 https://one.example/ https://two.example/",
      "curl -s -m 5 -X DELETE http://169.254.169.254/latest/api/token",
      "curl -s -m 5 -H 'X-aws-ec2-metadata-token: imds-token' http://169.254.169.254/latest/user-data",
    ],
  },
  getent: { known: "getent ahostsv4 one.example", gaps: ["getent hosts one.example", "getent ahostsv4 a b"] },
  kubeadm: {
    known: "kubeadm config images list --kubernetes-version v1.36.3",
    gaps: [
      "kubeadm upgrade apply v1.37.2",
      "kubeadm config images list --image-repository x",
      "kubeadm config images list --kubernetes-version v1.30.0",
      "kubeadm init --config /init.yaml",
      "kubeadm init --config /init.yaml --skip-token-print --skip-certificate-key-print --ignore-preflight-errors=all",
      "kubeadm reset -f",
      "kubeadm token create --print-join-command",
      "kubeadm token create --ttl 30m",
      "kubeadm join --token abcdef.0123456789abcdef 10.0.0.1:6443",
    ],
  },
  kubectl: {
    known: "kubectl get nodes -o json",
    gaps: [
      "kubectl get nodes",
      "kubectl get nodes -o wide",
      "kubectl get nodes -o yaml",
      "kubectl get nodes -o 'jsonpath={.items[?(@.x)]}'",
      "kubectl get leases -o json",
      "kubectl get nodes -o json -w",
      "kubectl get pods -l 'app in (a, b)' -o json",
      "kubectl get pods --field-selector status.phase=Running -o json",
      "kubectl get --raw /livez",
      "kubectl apply -f /a.yaml",
      "kubectl delete deployment x --wait=false",
      "kubectl delete pod x",
      "kubectl delete service x --wait=true",
      "kubectl delete secrets --field-selector type=Opaque",
      "kubectl rollout restart deployment/x",
      "kubectl rollout status job/x --timeout=1s",
      "kubectl exec x -- reboot",
      "kubectl auth can-i get pods --all-namespaces",
      "kubectl top nodes",
    ],
  },
};

describe("the programs of a node", () => {
  test("are each in this list of what they take and what they do not", () => {
    assert.deepEqual(Object.keys(lines).sort(), Object.keys(new NodeMachine().programs).sort());
  });

  for (const [name, { known, gaps }] of Object.entries(lines)) {
    test(`${name} is modelled for what the scripts send, and for nothing else`, async () => {
      const machine = await new NodeMachine().withCluster();
      machine.names.set("one.example", "10.40.0.99");
      machine.names.set("two.example", "10.40.0.99");
      await machine.node.shell.write("/a.tar", JSON.stringify({ refs: [pause], bytes: 1 }));
      machine.s3.put(bucket, "a", "text");
      assert.equal((await machine.run(known)).exitCode, 0);
      await assert.rejects(machine.run(`${known} --frobnicate`), SimulationGap);
      // Even where a script would go on.
      for (const gap of gaps) await assert.rejects(machine.run(`${gap} || true`), SimulationGap, gap);
    });
  }

  test("a program that no node has is no failure of the script", async () => {
    await assert.rejects(new NodeMachine().run("dig +short one.example || true"), SimulationGap);
  });
});

describe("containerd's programs", () => {
  test("an imported image is what the kubelet's runtime lists a moment later, and pinned once labelled", async () => {
    const machine = new NodeMachine([]);
    await machine.node.shell.write("/a.tar", JSON.stringify({ refs: [pause], bytes: 300_000 }));
    await machine.run(
      `ctr -n k8s.io images import /a.tar && ctr -n k8s.io images label ${pause} io.cri-containerd.pinned=pinned`,
    );
    const listed = "crictl images -o json | jq -r '.images[] | [.repoTags[0], .pinned] | @tsv'";
    assert.equal((await machine.run(listed)).stdout, "");
    assert.equal((await machine.run(`sleep 1; ${listed}`)).stdout, `${pause}\ttrue\n`);
    assert.match((await machine.run("containerd config dump")).stdout, /sandbox = 'registry\.k8s\.io\/pause:3\.10\.2'/);
  });

  test("ctr refuses a file that is not there, one that is no archive, and an image that it does not hold", async () => {
    const machine = new NodeMachine([]);
    await machine.node.shell.write("/b.tar", "no archive");
    assert.match((await machine.run("ctr -n k8s.io images import /a.tar")).stderr, /no such file or directory/);
    assert.match((await machine.run("ctr -n k8s.io images import /b.tar")).stderr, /unrecognized image format/);
    assert.match((await machine.run(`ctr -n k8s.io images label ${pause} io.cri-containerd.pinned=pinned`)).stderr, /not found/);
  });
});

describe("curl", () => {
  const metadata = (machine: NodeMachine, options: string) =>
    machine.run(`curl -fsS -m 5 ${options} http://169.254.169.254/latest/meta-data/local-hostname`);

  test("gets nothing from instance metadata without a token that lives, and the node's name with one (facts 5.8)", async () => {
    const machine = new NodeMachine();
    const refused = await metadata(machine, "");
    assert.deepEqual([refused.exitCode, refused.stdout], [22, ""]);
    const untimed = await machine.run("curl -fsS -m 5 -X PUT http://169.254.169.254/latest/api/token");
    assert.match(untimed.stderr, /returned error: 400/);
    const { stdout: token } = await machine.run(
      "curl -fsS -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token",
    );
    assert.equal((await metadata(machine, `-H 'X-aws-ec2-metadata-token: ${token}'`)).stdout, hostname);
    assert.equal((await metadata(machine, "-H 'X-aws-ec2-metadata-token: stale'")).exitCode, 22);
    assert.equal((await metadata(machine, "-o /dev/null -w '%{http_code}'")).stdout, "401");
  });

  test("says by its exit code whether a name is unknown, a port closed or a packet dropped, and waits as long as it was let", async () => {
    const machine = new NodeMachine();
    for (const [name, to] of [
      ["open", "10.40.0.1"],
      ["shut", "10.40.0.2"],
      ["lost", "10.40.0.3"],
    ] as const)
      machine.names.set(`${name}.example`, to);
    machine.closed.set("10.40.0.2", "refused").set("10.40.0.3", "timeout");
    const ask = (name: string) => `curl -s -o /dev/null --connect-timeout 3 -m 5 https://${name}.example/`;
    const codes = await Promise.all(
      ["open", "shut", "lost", "none"].map(async (name) => (await machine.run(ask(name))).exitCode),
    );
    assert.deepEqual(codes, [0, 7, 28, 6]);
    assert.equal(await machine.seconds(ask("lost")), 3);
    assert.equal(await machine.seconds(ask("shut")), 0);
  });

  test("tries several at the same time and says of each whether it was connected to", async () => {
    const machine = new NodeMachine();
    machine.closed.set("1.1.1.1", "timeout");
    machine.names.set("registry.k8s.io", "203.0.113.7");
    const script =
      "curl -Z -sk --connect-timeout 5 -m 8 -w '%{url_effective} %{time_connect}\\n' -o /dev/null -o /dev/null " +
      "https://1.1.1.1/ https://registry.k8s.io/v2/";
    const { stdout, exitCode } = await machine.run(script);
    assert.deepEqual([stdout, exitCode], ["https://1.1.1.1/ 0.000000\nhttps://registry.k8s.io/v2/ 0.012345\n", 28]);
    assert.equal(await machine.seconds(script), 5);
  });

  test("getent answers with addresses, or with 2 where there is no name", async () => {
    const machine = new NodeMachine();
    assert.equal((await machine.run(`getent ahostsv4 ${hostname}`)).stdout, `${address} STREAM ${hostname}\n`);
    assert.equal((await machine.run("getent ahostsv4 none.example")).exitCode, 2);
  });
});

describe("the AWS CLI", () => {
  const copy = "aws s3 cp --region us-west-2 --only-show-errors s3://bundles/a /a";
  const read = "aws ssm get-parameter --region us-west-2 --name /join --with-decryption --query Parameter.Value --output text";

  test("copies an object to the node's disk, and names the code of what refuses it", async () => {
    const machine = new NodeMachine();
    const absent = await machine.run(copy);
    assert.equal(absent.exitCode, 254);
    assert.match(absent.stderr, /An error occurred \(NoSuchKey\) when calling the GetObject operation/);
    machine.s3.put(bucket, "a", "text");
    assert.equal((await machine.run(`${copy} && cat /a`)).stdout, "text");
  });

  test("runs side by side under xargs: the calls at one time, the bytes one after another, since they share the volume", async () => {
    const machine = new NodeMachine();
    const sizes = [1, 2, 3, 4].map((gibibytes) => gibibytes * 2 ** 30);
    for (const [index, bytes] of sizes.entries()) machine.s3.put(bucket, `${index}`, `text ${index}`, bytes);
    const pairs = sizes.map((_, index) => `echo s3://bundles/${index} /${index}`).join("; ");
    const copies = (lanes: number) =>
      machine.seconds(`{ ${pairs}; } | xargs -r -n 2 -P ${lanes} aws s3 cp --region us-west-2 --only-show-errors`);
    const alone = await copies(1);
    const together = await copies(4);
    const { chance } = machine.node.universe;
    const bytes = sizes.map((_, index) => chance.seconds("s3.download.secondsPerGiB", `${machine.node.subject}/${index}`));
    const transfer = bytes.reduce((sum, seconds, index) => sum + seconds * (index + 1), 0);
    assert.ok(together < alone && together > transfer, `${transfer} < ${together} < ${alone}`);
    assert.equal((await machine.run("cat /0 /3")).stdout, "text 0text 3");
  });

  test("writes a SecureString from a file and reads it back, and gives up on an endpoint that does not answer after a minute", async () => {
    const machine = new NodeMachine();
    assert.match((await machine.run(read)).stderr, /\(ParameterNotFound\)/);
    const put = "aws ssm put-parameter --region us-west-2 --cli-input-json file:///join.json";
    assert.equal((await machine.run(put)).exitCode, 252);
    await machine.node.shell.write("/join.json", '{"Name":"/join","Type":"SecureString","Value":"a b"}');
    assert.equal((await machine.run(put)).stdout, '{"Version":1,"Tier":"Standard"}\n');
    assert.match((await machine.run(put)).stderr, /\(ParameterAlreadyExists\)/);
    assert.equal((await machine.run(read)).stdout, "a b\n");
    machine.isAwsReachable = false;
    assert.equal(await machine.seconds(read), 60);
  });
});

describe("the system's programs", () => {
  test("openssl gives the CA's hash that a joiner must know, and when a certificate ends (facts 3.6)", async () => {
    const machine = await new NodeMachine().withCluster();
    const { stdout } = await machine.run(
      `openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex | awk '{print "sha256:"$NF}'`,
    );
    assert.equal(stdout, `${machine.node.cluster?.caHash}\n`);
    assert.equal(
      (await machine.run("printf x | openssl dgst -sha256 -hex")).stdout,
      `SHA2-256(stdin)= ${createHash("sha256").update("x").digest("hex")}\n`,
    );
    assert.match((await machine.run("openssl x509 -pubkey -noout -in /none")).stderr, /Could not open file/);
    assert.match((await machine.run("printf x | openssl x509 -noout -enddate")).stderr, /Could not find certificate/);
  });

  test("date follows the virtual clock, and refuses what is no date", async () => {
    const machine = new NodeMachine();
    assert.equal((await machine.run("sleep 90; date -u +%Y-%m-%dT%H:%M:%SZ")).stdout, "2026-11-24T00:01:30Z\n");
    const { stdout } = await machine.run("date -u -d 2026-11-25T01:02:03.000Z +%Y-%m-%dT%H:%M:%SZ");
    assert.equal(stdout, "2026-11-25T01:02:03Z\n");
    assert.equal((await machine.run("sleep 0.5; date +%s")).stdout, `${Date.parse("2026-11-24T00:01:30Z") / 1000}\n`);
    assert.equal((await machine.run("date -u -d tomorrowish +%Y-%m-%dT%H:%M:%SZ")).exitCode, 1);
  });

  test("systemctl restarts the agent's own unit, does not by enabling it, and has no snap's", async () => {
    const machine = new NodeMachine();
    assert.equal((await machine.run("systemctl enable amazon-ssm-agent")).exitCode, 0);
    assert.equal(machine.agentStarts, 0);
    assert.equal((await machine.run("systemctl restart snap.amazon-ssm-agent.amazon-ssm-agent")).exitCode, 1);
    assert.equal((await machine.run("systemctl restart amazon-ssm-agent")).exitCode, 0);
    assert.equal(machine.agentStarts, 1);
  });
});
