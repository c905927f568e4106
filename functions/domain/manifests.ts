import { parseAllDocuments } from "yaml";
import type { Bundle, BundleNeeds } from "./bundle.ts";
import { Role } from "./ids.ts";

/** Keys of manifests in a bundle -> their text, null where it is not there. */
export type ManifestTexts = ReadonlyMap<string, string | null>;

interface Container {
  readonly image?: unknown;
  readonly imagePullPolicy?: unknown;
  readonly env?: readonly { readonly name?: unknown; readonly value?: unknown }[];
  readonly [probe: string]: unknown;
}

/** Of a pod's, as far as it says where the pod runs, and what. */
interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly nodeSelector?: Readonly<Record<string, unknown>>;
  readonly tolerations?: readonly { readonly key?: unknown }[];
}

interface Workload {
  readonly key: string;
  readonly roles: readonly Role[];
  readonly container: Container;
}

const controlPlane = "node-role.kubernetes.io/control-plane";

/** The roles on whose nodes a pod may run. */
function rolesOf({ nodeSelector = {}, tolerations = [] }: PodSpec): readonly Role[] {
  if (controlPlane in nodeSelector) return ["control-plane"];
  return tolerations.some(({ key }) => key === undefined || key === controlPlane) ? Role.options : ["worker"];
}

const isPodSpec = (value: object): value is PodSpec =>
  "containers" in value && Array.isArray(value.containers) && value.containers.some((one) => typeof one?.image === "string");

/** Every container in a document, wherever it stands. */
function* containersIn(key: string, value: unknown): Generator<Workload> {
  if (typeof value !== "object" || value === null) return;
  if (isPodSpec(value)) {
    const roles = rolesOf(value);
    for (const container of [...value.containers, ...(value.initContainers ?? [])]) yield { key, roles, container };
  }
  for (const inner of Object.values(value)) yield* containersIn(key, inner);
}

/** A tag that moves is pulled anew each time unless the container says otherwise, and so is what has no tag. */
const isPulled = ({ image, imagePullPolicy }: Container): boolean =>
  imagePullPolicy === "Always" || (imagePullPolicy === undefined && /:latest$|^[^:@]*(?::\d+\/[^:@]*)?$/.test(String(image)));

function imageProblems(bundle: Bundle, { key, roles, container }: Workload): string[] {
  const image = String(container.image);
  const isHeld = (role: Role) => bundle.files.some((file) => file.roles.includes(role) && file.refs.includes(image));
  const lacking = roles.filter((role) => !isHeld(role));
  return [
    ...(lacking.length === 0
      ? []
      : [`has a manifest ${key} that runs ${image}, of which it has no archive for ${lacking.join(" and ")} nodes`]),
    ...(isPulled(container) ? [`has a manifest ${key} that always pulls ${image}, and there is nothing to pull from`] : []),
  ];
}

/**
 * Why Calico's manifests are refused: pods of one subnet talk unencapsulated unless VXLAN is Always, and EC2's source/destination check
 * then drops them without a word; BIRD speaks BGP, whose port no security group opens, so a probe of it fails for ever (facts 4.1).
 */
function calicoProblems(documents: readonly unknown[], workloads: readonly Workload[]): string[] {
  const containers = workloads.map(({ container }) => container);
  const settings = documents.map((document) => (document as { data?: { calico_backend?: unknown } } | null)?.data);
  const values = new Map<string, unknown>([
    ["calico_backend", settings.find((data) => data?.calico_backend !== undefined)?.calico_backend],
    ...containers.flatMap(({ env = [] }) => env.map(({ name, value }) => [String(name), value] as const)),
  ]);
  const wanted = { CALICO_IPV4POOL_VXLAN: "Always", CALICO_IPV4POOL_IPIP: "Never", calico_backend: "vxlan" };
  const wrong = Object.entries(wanted).filter(([name, value]) => values.get(name) !== value);
  const probes = containers.flatMap(({ livenessProbe, readinessProbe }) => [livenessProbe, readinessProbe]);
  return [
    ...wrong.map(
      ([name, value]) =>
        `has a Calico manifest in which ${name} is ${String(values.get(name) ?? "not set")}; it must be ${value} (VXLAN always)`,
    ),
    ...(/"-bird-(?:live|ready)"/.test(JSON.stringify(probes))
      ? ["has a Calico manifest whose probes ask for BIRD, which does not run (VXLAN always)"]
      : []),
  ];
}

/** Why the manifests that a cluster would get cannot come up without a registry; none when they can. */
export function manifestProblems(bundle: Bundle, { cni }: Pick<BundleNeeds, "cni">, texts: ManifestTexts): string[] {
  const documents: unknown[] = [];
  const workloads: Workload[] = [];
  const problems: string[] = [];
  for (const { key } of bundle.manifests.filter(({ kind }) => kind === cni)) {
    const parsed = parseAllDocuments(texts.get(key) ?? "");
    const [broken] = parsed.flatMap(({ errors }) => errors);
    if (typeof texts.get(key) !== "string") problems.push(`names a manifest ${key} that is not there`);
    else if (broken !== undefined) problems.push(`has a manifest ${key} that is no YAML: ${broken.message}`);
    else {
      const read = parsed.map((document): unknown => document.toJS());
      documents.push(...read);
      workloads.push(...read.flatMap((document) => [...containersIn(key, document)]));
    }
  }
  problems.push(...workloads.flatMap((workload) => imageProblems(bundle, workload)));
  if (cni === "calico" && documents.length > 0) problems.push(...calicoProblems(documents, workloads));
  return [...new Set(problems)];
}
