import type { Defect } from "./defect.ts";

const script = (file: string, name: string, from: string, to: string): Defect => ({
  name,
  file: `scripts/node/${file}.sh`,
  from,
  to,
});

/** In what runs on nodes. */
export const nodes: readonly Defect[] = [
  script("capture-join", "the join token is a plain parameter", '"Type":"SecureString"', '"Type":"String"'),
  script("capture-join", "the join token is logged", "key=none\n", 'key=none\necho "minted $token" >&2\n'),
  script("publish-access", "the kubeconfig is logged", "check_fence\n", 'cat "$access" >&2\ncheck_fence\n'),
  script(
    "revoke-join",
    "bootstrap tokens stay",
    "run kubectl -n kube-system delete secrets --field-selector type=bootstrap.kubernetes.io/token --ignore-not-found\n",
    "",
  ),
  script("lib", "no fence on the nodes", '[ "$SSM_fence" -ge "$highest" ] || die', '[ "$SSM_fence" -ge 0 ] || die'),
];
