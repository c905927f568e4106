import * as z from "zod";

/**
 * The SSM documents: one a script in scripts/node, its parameters with the pattern that AWS checks before anything runs,
 * what its last output line must be, and how long it may take. Steps, the builder of documents and the rehearsal read this table.
 */
export interface CommandDocument {
  /** Parameter -> allowedPattern (anchored). The value reaches the script as the environment variable `SSM_<parameter>`. */
  readonly parameters: Readonly<Record<string, RegExp>>;
  /** The JSON object on the script's last output line. Untrusted: it comes from a node. */
  readonly output: z.ZodType<Readonly<Record<string, unknown>>>;
  /** Seconds until an undelivered command is given up; AWS's minimum is 30. */
  readonly deliverySeconds: number;
  /** Seconds the script may run; with deliverySeconds it stays below the await state's budget (lifecycle 4). */
  readonly executionSeconds: number;
}

const cidr = "(?:\\d{1,3}\\.){3}\\d{1,3}/\\d{1,2}";
const host = "[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?";
const pattern = {
  fence: /^[1-9]\d{0,5}$/,
  region: /^[a-z]{2}(?:-[a-z]+)+-\d$/,
  cidr: new RegExp(`^${cidr}$`),
  cidrs: new RegExp(`^${cidr}(?:,${cidr}){0,5}$`),
  hosts: new RegExp(`^${host}(?:,${host}){0,11}$`),
  address: /^(?:\d{1,3}\.){3}\d{1,3}$/,
  bucket: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  key: /^[A-Za-z0-9][\w./-]{0,499}$/,
  sha256: /^[0-9a-f]{64}$/,
  version: /^1\.\d{1,3}\.\d{1,3}$/,
  endpoint: new RegExp(`^${host}:6443$`),
  parameter: /^\/cloister\/[a-z][a-z0-9-]{1,18}[a-z0-9]\/g\d{1,4}\/(?:join|kubeconfig)$/,
  clusterName: /^[a-z][a-z0-9-]{1,18}[a-z0-9]-g\d{1,4}$/,
  caCertHash: /^sha256:[0-9a-f]{64}$/,
  image: /^[a-z0-9][a-z0-9._/-]{0,199}:[\w][\w.-]{0,127}$/,
  imageOrNone: /^(?:none|[a-z0-9][a-z0-9._/-]{0,199}:[\w][\w.-]{0,127})$/,
  role: /^(?:control-plane|worker)$/,
  boolean: /^(?:true|false)$/,
  count: /^\d{1,4}$/,
};
const everyScript = { fence: pattern.fence, region: pattern.region };
const bundle = { bucket: pattern.bucket, bundleKey: pattern.key, bundleSha256: pattern.sha256 };
const count = z.int().min(0).max(10_000);

export const documents = {
  "check-dns": {
    parameters: { ...everyScript, ...bundle, hosts: pattern.hosts, subnets: pattern.cidrs },
    output: z.strictObject({ hosts: count }),
    deliverySeconds: 30,
    executionSeconds: 80,
  },
  "preload-images": {
    parameters: { ...everyScript, ...bundle, role: pattern.role, kubernetesVersion: pattern.version },
    output: z.strictObject({ imported: count, present: count }),
    deliverySeconds: 60,
    executionSeconds: 400,
  },
  "kubeadm-init": {
    parameters: {
      ...everyScript,
      clusterName: pattern.clusterName,
      kubernetesVersion: pattern.version,
      apiEndpoint: pattern.endpoint,
      address: pattern.address,
      podCidr: pattern.cidr,
      serviceCidr: pattern.cidr,
    },
    output: z.strictObject({ initialised: z.boolean() }),
    deliverySeconds: 30,
    // It is sent while preload-images runs, and waits for its turn on the node.
    executionSeconds: 710,
  },
  "capture-join": {
    parameters: { ...everyScript, joinParameter: pattern.parameter, certificates: pattern.boolean },
    output: z.strictObject({ caCertHash: z.string().regex(pattern.caCertHash) }),
    deliverySeconds: 30,
    // It is sent while kubeadm-init runs, and waits for its turn on the node.
    executionSeconds: 365,
  },
  join: {
    parameters: {
      ...everyScript,
      role: pattern.role,
      joinParameter: pattern.parameter,
      apiEndpoint: pattern.endpoint,
      caCertHash: pattern.caCertHash,
    },
    output: z.strictObject({ joined: z.boolean() }),
    deliverySeconds: 30,
    executionSeconds: 300,
  },
  "install-manifests": {
    parameters: {
      ...everyScript,
      ...bundle,
      set: /^(?:networking|storage)$/,
      clusterName: pattern.clusterName,
      cni: /^(?:calico|manifests)$/,
      publicLoadBalancers: pattern.boolean,
      ccmImage: pattern.image,
      ebsCsiImage: pattern.imageOrNone,
      provisionerImage: pattern.imageOrNone,
      attacherImage: pattern.imageOrNone,
      resizerImage: pattern.imageOrNone,
      registrarImage: pattern.imageOrNone,
      livenessProbeImage: pattern.imageOrNone,
    },
    output: z.strictObject({ applied: count }),
    deliverySeconds: 30,
    // Networking is sent while kubeadm-init runs, and waits for its turn on the node.
    executionSeconds: 535,
  },
  "verify-cluster": {
    parameters: {
      ...everyScript,
      controlPlanes: pattern.count,
      workers: pattern.count,
      volume: pattern.boolean,
      loadBalancer: pattern.boolean,
      smokeImage: pattern.image,
      vpcCidr: pattern.cidr,
    },
    output: z.strictObject({ nodes: count, pods: count, volume: z.boolean(), loadBalancer: z.boolean() }),
    deliverySeconds: 30,
    // A volume and a load balancer are proved one after the other: each may take minutes.
    executionSeconds: 490,
  },
  "probe-isolation": {
    parameters: { ...everyScript, ...bundle, hosts: pattern.hosts, subnets: pattern.cidrs },
    output: z.strictObject({
      /** Every way out that was tried failed. */
      egressBlocked: z.boolean(),
      /** Every required name answered inside the private subnets. */
      namesAnswer: z.boolean(),
      /** Instance metadata refused a request without a token. */
      metadataTokenRequired: z.boolean(),
      /** Files under /etc/cloister by which the image changes kubeadm's configuration. */
      concessions: z.array(z.string().max(100)).max(10),
    }),
    deliverySeconds: 30,
    executionSeconds: 140,
  },
  "revoke-join": {
    parameters: everyScript,
    output: z.strictObject({ tokensLeft: count }),
    deliverySeconds: 30,
    executionSeconds: 55,
  },
  "publish-access": {
    parameters: { ...everyScript, kubeconfigParameter: pattern.parameter },
    output: z.strictObject({ expires: z.iso.datetime() }),
    deliverySeconds: 30,
    executionSeconds: 55,
  },
  "release-resources": {
    parameters: { ...everyScript, volumes: /^(?:delete|retain)$/ },
    output: z.strictObject({
      /** False where the API server is dead, or there never was one. */
      answered: z.boolean(),
      services: count,
      claims: count,
      left: count,
    }),
    deliverySeconds: 30,
    executionSeconds: 300,
  },
} as const satisfies Record<string, CommandDocument>;

export type DocumentName = keyof typeof documents;
export const DocumentName = z.enum(Object.keys(documents) as [DocumentName, ...DocumentName[]]);
/** The scalars a document takes, all of them, by name. */
export type DocumentParameters<N extends DocumentName> = Readonly<Record<keyof (typeof documents)[N]["parameters"], string>>;
