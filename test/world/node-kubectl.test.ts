import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import { hostname, NodeMachine } from "./node-machine.ts";

const pod = `apiVersion: v1
kind: Pod
metadata: {name: writer, namespace: smoke, labels: {app: writer}}
spec:
  tolerations: [{operator: Exists}]
  hostNetwork: true
  containers:
    - {name: main, image: "registry.k8s.io/pause:3.10.2", volumeMounts: [{name: data, mountPath: /data}]}
`;
const namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: smoke}\n";

async function cluster(...manifests: readonly string[]): Promise<NodeMachine> {
  const machine = await new NodeMachine().withCluster();
  for (const text of manifests) {
    await machine.node.shell.write("/a.yaml", text);
    assert.equal((await machine.run("kubectl apply --server-side --force-conflicts -f /a.yaml")).exitCode, 0);
  }
  return machine;
}

describe("kubectl", () => {
  test("asks nobody without a kubeconfig, and without an API server that answers", async () => {
    const machine = await cluster();
    assert.equal((await machine.run("kubectl get --raw /readyz")).stdout, "ok");
    assert.match((await machine.run("kubectl --kubeconfig /none get --raw /readyz")).stderr, /no such file or directory/);
    machine.closed.set("10.40.0.10", "refused");
    assert.match((await machine.run("kubectl get --raw /readyz")).stderr, /connection refused/);
    await machine.run("kubeadm reset -f --cri-socket unix:///run/containerd/containerd.sock");
    assert.match((await machine.run("kubectl get --raw /readyz")).stderr, /localhost:8080 was refused/);
  });

  test("gives an object by its name, and a NotFound for one that is not there", async () => {
    const machine = await cluster();
    assert.equal((await machine.run(`kubectl get node ${hostname}`)).stdout, `NAME\n${hostname}\n`);
    assert.match((await machine.run("kubectl get node other")).stderr, /\(NotFound\): node "other" not found/);
    const { stdout } = await machine.run(
      "kubectl -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}'",
    );
    assert.match(stdout, /^clusterName: orchid-g1$/m);
  });

  test("shows what lies in the namespace that was asked for, and what has the label", async () => {
    const machine = await cluster(namespace, pod);
    const names = async (flags: string) =>
      (await machine.run(`kubectl get pods ${flags} -o 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}'`)).stdout;
    assert.match(await names("-n smoke"), /^writer\n$/);
    assert.equal(await names("-n smoke -l app=other"), "");
    assert.equal(await names(""), "");
    assert.match(await names("-A"), /writer\n/);
    assert.match(await names("-A"), /kube-apiserver-/);
  });

  test("does not put an object into a namespace that is not there", async () => {
    const machine = await cluster();
    await machine.node.shell.write("/a.yaml", pod);
    const { stderr } = await machine.run("kubectl apply --server-side --force-conflicts -f /a.yaml");
    assert.match(stderr, /namespaces "smoke" not found/);
    assert.match((await machine.run("kubectl apply --server-side --force-conflicts -f /none.yaml")).stderr, /does not exist/);
  });

  test("takes a namespace away with what is in it; a second time only when that is no matter", async () => {
    const machine = await cluster(namespace, pod);
    assert.equal((await machine.run("kubectl delete namespace smoke --wait=true --timeout=120s")).exitCode, 0);
    assert.equal(machine.node.cluster?.get("Pod", "smoke", "writer"), undefined);
    assert.match((await machine.run("kubectl delete namespace smoke")).stderr, /NotFound/);
    assert.equal((await machine.run("kubectl delete namespace smoke --ignore-not-found")).exitCode, 0);
  });

  test("asks for the deletion of one object, and of one that is not there only when that is no matter", async () => {
    const machine = await cluster(namespace, pod);
    const drop = (name: string, more = "") => machine.run(`kubectl -n smoke delete pod ${name} --wait=false ${more}`);
    assert.match((await drop("none")).stderr, /\(NotFound\): pods "none" not found/);
    assert.equal((await drop("none", "--ignore-not-found")).exitCode, 0);
    assert.equal((await drop("writer")).stdout, 'pod "writer" deleted\n');
    assert.equal(machine.node.cluster?.get("Pod", "smoke", "writer"), undefined);
    assert.match((await machine.run("kubectl -n kube-system delete pod none --wait=false")).stderr, /NotFound/);
  });

  test("runs a command in a pod that is ready, on a path that it has", async () => {
    const machine = await cluster(namespace, pod);
    const exec = (name: string, path: string) =>
      machine.run(`sleep 5; kubectl -n smoke exec ${name} -- sh -c 'echo written > ${path} && grep -q written ${path}'`);
    assert.equal((await exec("writer", "/data/proof")).exitCode, 0);
    assert.match((await exec("writer", "/other/proof")).stderr, /can't create \/other\/proof/);
    assert.match((await exec("none", "/data/proof")).stderr, /NotFound/);
  });

  test("ends every bootstrap token and the uploaded certificates, in kube-system alone", async () => {
    const machine = await cluster();
    const type = "--field-selector type=bootstrap.kubernetes.io/token";
    const left = async () =>
      (await machine.run(`kubectl -n kube-system get secrets ${type} -o json | jq '.items | length'`)).stdout;
    assert.equal(await left(), "1\n");
    await machine.run(`kubectl delete secrets ${type} --ignore-not-found`);
    assert.equal(await left(), "1\n");
    await machine.run(`kubectl -n kube-system delete secrets ${type} --ignore-not-found`);
    assert.equal(await left(), "0\n");
    assert.match((await machine.run("kubectl -n kube-system delete secret kubeadm-certs")).stderr, /NotFound/);
    assert.equal((await machine.run("kubectl -n kube-system delete secret kubeadm-certs --ignore-not-found")).exitCode, 0);
  });

  test("shows the last lines of the pods with a label, and knows their containers", async () => {
    const machine = await cluster(namespace, pod);
    for (const line of ["one", "two", "three"]) machine.node.cluster?.log("writer", line);
    const logs = (flags: string) => machine.run(`kubectl -n smoke logs ${flags}`);
    assert.equal((await logs("-l app=writer --tail 2")).stdout, "two\nthree\n");
    assert.match((await logs("-l app=writer -c side --tail 2")).stderr, /container side is not valid for pod writer/);
    assert.match((await logs("-l app=other --tail 2")).stderr, /No resources found in smoke namespace/);
  });

  test("a rollout is done when its pods are, and is not there for another kind of the same name", async () => {
    const machine = await cluster();
    const status = (what: string) => machine.run(`sleep 5; kubectl -n kube-system rollout status ${what} --timeout=1s`);
    assert.match((await status("daemonset/kube-proxy")).stdout, /successfully rolled out/);
    // CoreDNS waits for a network plugin, which this cluster does not have.
    assert.match((await status("deployment/coredns")).stderr, /timed out waiting for the condition/);
    assert.match((await status("deployment/kube-proxy")).stderr, /deployments\.apps "kube-proxy" not found/);
  });

  test("a certificate without the administrators' group may not do everything (facts 3.8)", async () => {
    const machine = await cluster();
    const user = "kubeadm kubeconfig user --config /init.yaml --client-name operator --validity-period 24h";
    const may = async (more: string) =>
      (await machine.run(`${user} ${more} >/u.conf; kubectl --kubeconfig /u.conf auth can-i '*' '*' --all-namespaces`)).stdout;
    assert.equal(await may(""), "no\n");
    assert.equal(await may("--org kubeadm:cluster-admins"), "yes\n");
    const ends = "sed -n 's/^ *client-certificate-data: //p' /u.conf | base64 -d | openssl x509 -noout -enddate";
    // As openssl writes it, to the second.
    const [, said = ""] = /^notAfter=([A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4} GMT)\n$/.exec((await machine.run(ends)).stdout) ?? [];
    assert.equal(Date.parse(said), Math.floor(machine.clock.now() / 1000) * 1000 + 86_400_000);
  });

  test("a manifest that two clusters read is one text, and neither can change it for the other", async () => {
    const [one, other] = [await cluster(namespace, pod), await cluster(namespace, pod)];
    const spec = (machine: NodeMachine) =>
      machine.node.cluster?.get("Pod", "smoke", "writer")?.object.spec as { containers: { image: string }[] };
    assert.throws(() => Object.assign(spec(one).containers[0] ?? {}, { image: "changed" }), TypeError);
    await one.run("sed -i s/3.10.2/3.99/ /a.yaml && kubectl apply --server-side --force-conflicts -f /a.yaml");
    assert.match(spec(one).containers[0]?.image ?? "", /3\.99$/);
    assert.match(spec(other).containers[0]?.image ?? "", /3\.10\.2$/);
  });
});
