/** One step: a file in steps/, a function, `${arn}` in the state machines, and the states that call it. */
export interface CatalogueRow {
  readonly name: string;
  readonly arn: string;
  readonly states: readonly string[];
}

const row = (name: string, states?: readonly string[]): CatalogueRow => {
  const pascal = name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return { name, arn: `${pascal}Arn`, states: states ?? [pascal] };
};

/** Every step of every machine: those of a build in the order in which it meets them, then those of a destroy, a rebuild and a run over all clusters. */
export const catalogue: readonly CatalogueRow[] = [
  row("validate-request"),
  row("acquire-lock"),
  row("cancel-commands"),
  row("await-cancelled"),
  row("create-network"),
  row("create-endpoints"),
  row("wait-for-dns"),
  row("launch-nodes"),
  row("create-api-endpoint"),
  row("wait-for-api-endpoint"),
  row("wait-for-nodes"),
  row("check-dns"),
  row("preload-images", ["PreloadImagesControlPlane", "PreloadImagesWorkers"]),
  row("kubeadm-init"),
  row("capture-join"),
  row("install-networking"),
  row("join-control-planes"),
  row("join-workers"),
  row("install-storage"),
  row("verify-cluster"),
  row("probe-isolation"),
  row("revoke-join"),
  row("certify-isolation"),
  row("publish-access"),
  row("commit-generation"),
  row("release-lock", ["ReleaseLock", "ReleaseTeardownLock", "ReleaseRebuildLock", "ReleaseLockOfFailure"]),
  row("await-command", [
    "AwaitCommandCheckDns",
    "AwaitCommandPreloadImagesControlPlane",
    "AwaitCommandPreloadImagesWorkers",
    "AwaitCommandKubeadmInit",
    "AwaitCommandCaptureJoin",
    "AwaitCommandInstallNetworking",
    "AwaitCommandJoinControlPlanes",
    "AwaitCommandJoinWorkers",
    "AwaitCommandInstallStorage",
    "AwaitCommandVerifyCluster",
    "AwaitCommandProbeIsolation",
    "AwaitCommandRevokeJoin",
    "AwaitCommandPublishAccess",
    "AwaitCommandReleaseResources",
  ]),
  row("record-failure"),
  row("acquire-teardown-lock"),
  row("release-resources"),
  row("terminate-nodes"),
  row("delete-load-balancers"),
  row("delete-volumes"),
  row("delete-endpoints"),
  row("delete-network"),
  row("delete-parameters"),
  row("prepare-rebuild"),
  row("acquire-rebuild-lock"),
  row("retake-lock", ["RetakeLockToBuild", "RetakeLock", "RetakeLockOfFailure"]),
  row("switch-current"),
  row("announce-cluster"),
  row("audit-residue", ["AuditResidue", "AuditResidueAgain"]),
  row("pick-cluster"),
];

/** A function that no machine calls: a file in its folder. The stack's rules and API call it. */
export interface LoneFunction {
  readonly name: string;
  readonly folder: "watch" | "api";
}

export const loneFunctions: readonly LoneFunction[] = [
  { name: "watch-executions", folder: "watch" },
  { name: "sweep-clusters", folder: "watch" },
  { name: "change-record", folder: "api" },
  { name: "serve-api", folder: "api" },
  { name: "authorize-caller", folder: "api" },
];
