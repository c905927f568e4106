/** An object of the API as far as the scripts' jq looks at it. */
export interface Item {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: {
    readonly type?: string;
    readonly providerID?: string;
    readonly taints?: readonly { readonly key: string }[];
    readonly volumes?: readonly { readonly persistentVolumeClaim?: unknown }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state: { readonly waiting?: { readonly reason: string; readonly message?: string } };
    }[];
  };
}

/** What `kubectl get -o json` printed; nothing where it failed. */
export const itemsOf = (printed: string): readonly Item[] =>
  printed === "" ? [] : (JSON.parse(printed) as { items: readonly Item[] }).items;

export const isReady = ({ status }: Item): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;

export const isUninitialized = ({ spec }: Item): boolean =>
  spec?.taints?.some(({ key }) => key === "node.cloudprovider.kubernetes.io/uninitialized") === true;

export const waitingOf = ({ status }: Item): string[] =>
  (status?.containerStatuses ?? []).flatMap(({ state: { waiting } }) =>
    waiting === undefined ? [] : [`${waiting.reason} ${waiting.message ?? ""}`],
  );
