import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Aws, Deployment } from "../functions/aws/aws.ts";
import { awsClients } from "../functions/aws/clients.ts";
import { Bundle } from "../functions/domain/bundle.ts";
import { type DocumentName, documents } from "../functions/domain/documents.ts";
import { requiredImages, supportedVersions, type VersionRow, versionRow } from "../functions/domain/versions.ts";
import { shipped, shippedDocument } from "./shipped.ts";
import type { HistoryEvent } from "./world/asl/history.ts";
import type { Policy } from "./world/iam.ts";
import type { Caller } from "./world/service.ts";
import { World, type WorldOptions } from "./world/world.ts";

const folder = new URL("../", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, folder), "utf8");

const names = {
  bucket: "cloister-111122223333",
  bundles: "cloister-bundles",
  image: "ami-0123456789abcdef0",
  armImage: "ami-0a64a64a64a64a640",
  controlPlaneProfile: "cloister-control-plane",
  workerProfile: "cloister-worker",
} as const;

/** A client costs milliseconds to make, and whoever calls needs one whose `send` is its own: true instances, made once, each caller's on top. */
const config = { region: "us-west-2", credentials: { accessKeyId: "virtual", secretAccessKey: "virtual" } };
const real = awsClients(config);
const own = <C extends object>(client: C): C => Object.create(client) as C;

/** Compressed sizes of image archives, megabytes (facts 9.1, row 21). */
const megabytes = (ref: string): number =>
  /\/calico\//.test(ref) ? 65 : /csi/.test(ref) ? 25 : /cloud-controller/.test(ref) ? 20 : /pause/.test(ref) ? 0.4 : 33;

/** Calico's own manifest, as far as anything looks at it: the encapsulation, the images and where it writes its configuration. */
const calicoManifest = (images: readonly string[]): string => {
  const image = (part: string) => images.find((ref) => ref.includes(part)) ?? part;
  return `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec:
  template:
    metadata: {labels: {k8s-app: calico-node}}
    spec:
      hostNetwork: true
      tolerations: [{operator: Exists}]
      initContainers: [{name: install-cni, image: "${image("/cni:")}"}]
      containers:
        - name: calico-node
          image: "${image("/node:")}"
          env:
            - {name: CALICO_IPV4POOL_IPIP, value: "Never"}
            - {name: CALICO_IPV4POOL_VXLAN, value: "Always"}
      volumes: [{name: cni-net-dir, hostPath: {path: /etc/cni/net.d}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: calico-kube-controllers, namespace: kube-system}
spec:
  replicas: 1
  template:
    metadata: {labels: {k8s-app: calico-kube-controllers}}
    spec:
      tolerations: [{key: node-role.kubernetes.io/control-plane}]
      containers: [{name: calico-kube-controllers, image: "${image("/kube-controllers:")}"}]
`;
};

const sha256 = (body: string): string => createHash("sha256").update(body).digest("hex");

interface ImageChange {
  readonly architecture?: "x86_64" | "arm64";
  readonly owner?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface VirtualAccountOptions extends WorldOptions {
  /** Which version the account's default image and bundle are for. */
  readonly kubernetes?: string;
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** An account as the stack and its operators would furnish it: buckets, image, bundle, profiles, documents. Everything can be changed before a run. */
export class VirtualAccount {
  readonly world: World;
  readonly deployment: Deployment;
  readonly row: VersionRow;
  /** What happens in the world the moment a step has done its work, and perhaps to its output: what a test or an ablation plants. */
  readonly afterStep = new Map<string, (output: unknown) => unknown>();
  /** What happens the moment before a step begins, with what it was given: the step waits for it. */
  readonly beforeStep = new Map<string, (event: unknown) => Promise<void>>();
  #bundle: Bundle;
  readonly #archives = new Map<string, { readonly body: string; readonly bytes: number }>();

  constructor(options: VirtualAccountOptions) {
    const wanted = options.kubernetes ?? "";
    this.row = versionRow(supportedVersions().includes(wanted) ? wanted : "1.36.3");
    this.world = new World({ ...options, shipped }, options.onEvent);
    const { region, account } = this.world.universe;
    this.deployment = {
      region,
      account,
      bucket: names.bucket,
      controlPlaneProfile: names.controlPlaneProfile,
      workerProfile: names.workerProfile,
      trustedImageOwners: [],
      defaultImageParameter: "/cloister/_ami/default",
      defaultBundleParameter: "/cloister/_bundle/default",
    };
    this.#bundle = this.#makeBundle();
    this.#furnish();
  }

  get #prefix(): string {
    return `${this.row.kubernetes}/`;
  }

  #makeBundle(): Bundle {
    const choices = { cni: "calico", storage: "ebs-csi" } as const;
    const workers = new Set(requiredImages(this.row, choices, "worker"));
    const files = requiredImages(this.row, choices, "control-plane").map((ref) => {
      const bytes = Math.round(megabytes(ref) * 1_000_000);
      const body = JSON.stringify({ refs: [ref], bytes });
      const key = `images/${ref.replaceAll(/[/:]/g, "_")}.tar`;
      this.#archives.set(key, { body, bytes });
      return {
        key,
        sha256: sha256(body),
        bytes,
        refs: [ref],
        roles: workers.has(ref) ? (["control-plane", "worker"] as const) : (["control-plane"] as const),
      };
    });
    const manifest = calicoManifest(this.row.calico.images);
    this.#archives.set("manifests/calico.yaml", { body: manifest, bytes: 350_000 });
    return Bundle.parse({
      kubernetes: this.row.kubernetes,
      arch: "amd64",
      containerdMin: this.row.containerdMin,
      sandboxImage: this.row.sandboxImage,
      files,
      manifests: [{ key: "manifests/calico.yaml", sha256: sha256(manifest), kind: "calico" }],
    });
  }

  #furnish(): void {
    const { ec2, s3, ssm, nodes } = this.world;
    s3.addBucket(names.bucket);
    s3.addBucket(names.bundles);
    this.#publish(this.#prefix, this.#bundle);
    ec2.seedProfile(names.controlPlaneProfile, names.controlPlaneProfile);
    ec2.seedProfile(names.workerProfile, names.workerProfile);
    this.policy(names.controlPlaneProfile, text("infra/policies/control-plane.json"));
    this.policy(names.workerProfile, text("infra/policies/worker.json"));
    nodes.images.set(names.image, {
      kubernetes: this.row.kubernetes,
      containerd: "2.3.4",
      agentVersion: "3.3.3050.0",
      sandboxImage: this.row.sandboxImage,
      preloaded: [],
      kubeadmImages: this.row.core,
      isAgentEnabled: false,
    });
    this.image({});
    ssm.parameters.seed(this.deployment.defaultImageParameter, names.image);
    ssm.parameters.seed(this.deployment.defaultBundleParameter, `s3://${names.bundles}/${this.#prefix}bundle.json`);
    // A second line of each, for the other architecture.
    this.newImage("/cloister/_ami/arm64", names.armImage, "arm64");
    const place = `${this.#prefix}arm64/`;
    this.#publish(place, { ...this.#bundle, arch: "arm64" });
    ssm.parameters.seed("/cloister/_bundle/arm64", `s3://${names.bundles}/${place}bundle.json`);
    for (const document of Object.keys(documents) as DocumentName[]) this.document(document, (script) => script);
    ec2.seedForeignVpc("10.200.0.0/16");
    // Those of Service Quotas and of EC2 itself are one account's.
    ec2.state.quotas.vcpus = 4096;
  }

  #publish(place: string, bundle: Bundle): void {
    for (const [key, { body, bytes }] of this.#archives) this.world.s3.put(names.bundles, `${place}${key}`, body, bytes);
    this.world.s3.put(names.bundles, `${place}bundle.json`, JSON.stringify(bundle));
  }

  /** Registers the default image anew, with other facts. */
  image(change: ImageChange): void {
    this.#register(names.image, change);
  }

  /** What a pipeline does: an image that holds what the default one does, and its id in a line. */
  newImage(line: string, id: string, architecture: "x86_64" | "arm64" = "x86_64"): void {
    const held = this.world.nodes.images.get(names.image);
    if (held === undefined) throw new RangeError("the default image is not there");
    this.world.nodes.images.set(id, held);
    this.#register(id, { architecture });
    this.world.ssm.parameters.seed(line, id);
  }

  #register(id: string, { architecture = "x86_64", owner, tags = {} }: ImageChange): void {
    const all = {
      "cloister:kubernetes": this.row.kubernetes,
      "cloister:containerd": "2.3.4",
      "cloister:agent": "3.3.3050.0",
      ...tags,
    };
    this.world.ec2.state.images.remove(id);
    this.world.ec2.seedImage({
      id,
      name: "cloister-node",
      architecture,
      tags: all,
      ...(owner !== undefined && { owner }),
    });
  }

  /** What is on the default image. */
  onImage(change: Partial<Parameters<Map<string, import("./world/node/image.ts").NodeImage>["set"]>[1]>): void {
    const image = this.world.nodes.images.get(names.image);
    if (image === undefined) throw new RangeError("the default image is not there");
    this.world.nodes.images.set(names.image, { ...image, ...change });
  }

  bundle(change: (bundle: Bundle) => Bundle): void {
    this.#bundle = change(this.#bundle);
    this.#publish(this.#prefix, this.#bundle);
  }

  /** Changes Calico's manifest; the bundle names the new one's hash. */
  calicoManifest(change: (manifest: string) => string): void {
    const key = "manifests/calico.yaml";
    const body = change(this.#archives.get(key)?.body ?? "");
    this.#archives.set(key, { body, bytes: 350_000 });
    this.bundle((bundle) => ({
      ...bundle,
      manifests: bundle.manifests.map((manifest) => (manifest.key === key ? { ...manifest, sha256: sha256(body) } : manifest)),
    }));
  }

  /** Registers a document whose script was changed: what an ablation takes out of the shipped one. */
  document(name: DocumentName, change: (script: string) => string): void {
    const document = shippedDocument(name);
    this.world.ssm.commands.documents.set(document.name, { ...document, script: change(document.script) });
  }

  /** Sets a role's policy from its file's text, its places filled. */
  policy(role: string, source: string): void {
    const { region, account } = this.deployment;
    const places: Readonly<Record<string, string>> = {
      Partition: "aws",
      Region: region,
      Account: account,
      BundleArn: `arn:aws:s3:::${names.bundles}/*`,
    };
    const filled = source.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => places[name] ?? whole);
    this.world.aws.roles.set(role, [JSON.parse(filled) as Policy]);
  }

  /** What the image weighs on AWS that a download's or an import's draw is about. */
  bytesOf(subject: string): number {
    const found = this.#bundle.files.find(
      ({ key, refs }) => subject.endsWith(`/${key}`) || refs.some((ref) => subject.endsWith(`/${ref}`)),
    );
    return found?.bytes ?? 0;
  }

  /** Takes an instance type out of a zone. */
  withdraw(instanceType: string, zone: string): void {
    this.world.ec2.state.notOffered.add(`${instanceType}/${zone}`);
  }

  /** Sets a quota by its code. */
  quota(code: string, value: number): void {
    const key = [...this.world.quotas.values.keys()].find((name) => name.endsWith(`/${code}`));
    if (key === undefined) throw new RangeError(`no quota ${code}`);
    this.world.quotas.values.set(key, value);
  }

  /** Real clients whose calls this account answers, for one invocation. */
  clientsFor(caller: Extract<Caller, { kind: "function" }>): Aws {
    const { door, universe } = this.world;
    return {
      ec2: door.bind(own(real.ec2), "ec2", caller),
      elb: door.bind(own(real.elb), "elb", caller),
      elbClassic: door.bind(own(real.elbClassic), "elbClassic", caller),
      ssm: door.bind(own(real.ssm), "ssm", caller),
      s3: door.bind(own(real.s3), "s3", caller),
      sfn: door.bind(own(real.sfn), "sfn", caller),
      quotas: door.bind(own(real.quotas), "quotas", caller),
      events: door.bind(own(real.events), "events", caller),
      deployment: this.deployment,
      now: () => new Date(universe.clock.now()),
    };
  }
}
