import { parseAllDocuments } from "yaml";
import { frozen } from "../frozen.ts";

/** A Kubernetes object as far as anything here looks at it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    /** Set while the object waits for its finalizer. */
    readonly deletionTimestamp?: string;
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly type?: string;
  readonly [field: string]: unknown;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly readinessProbe?: { readonly exec?: { readonly command: readonly string[] } };
}

export interface PodSpec {
  readonly hostNetwork?: boolean;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly {
    readonly key?: string;
    readonly operator?: string;
    readonly effect?: string;
    readonly tolerationSeconds?: number;
  }[];
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly hostPath?: { readonly path: string };
    readonly persistentVolumeClaim?: { readonly claimName: string };
  }[];
}

export const uninitialized = "node.cloudprovider.kubernetes.io/uninitialized";
export const controlPlaneTaint = "node-role.kubernetes.io/control-plane";
export const notReady = "node.kubernetes.io/not-ready";
export const unreachable = "node.kubernetes.io/unreachable";

/** What a file says does not change, and nobody can change what was read: each text is read once. */
const read = new Map<string, readonly KubeObject[]>();

export function parseObjects(text: string): readonly KubeObject[] {
  const known = read.get(text);
  if (known !== undefined) return known;
  const objects = frozen(
    parseAllDocuments(text)
      .map((document) => document.toJS() as KubeObject | null)
      .filter((object) => object !== null),
  );
  read.set(text, objects);
  return objects;
}

export const podSpecOf = (object: KubeObject): PodSpec | undefined => {
  if (object.kind === "Pod") return object.spec as unknown as PodSpec;
  return (object.spec?.["template"] as { spec?: PodSpec } | undefined)?.spec;
};

/** `1.37.2` or `v1.37.2` -> 37. */
export const minorOf = (version: string): number => Number(version.replace(/^v/, "").split(".")[1]);
