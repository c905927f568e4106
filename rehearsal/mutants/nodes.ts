import type { Defect } from "./defect.ts";

const script = (file: string, name: string, from: string, to: string, soonest: string): Defect => ({
  name,
  file: `scripts/node/${file}.sh`,
  from,
  to,
  soonest,
});

/** In what runs on nodes. */
export const nodes: readonly Defect[] = [
  script(
    "capture-join",
    "the join token is a plain parameter",
    '"Type":"SecureString"',
    '"Type":"String"',
    "rehearsals/a destroy",
  ),
  script(
    "capture-join",
    "the join token is logged",
    "key=none\n",
    'key=none\necho "minted $token" >&2\n',
    "rehearsals/a destroy",
  ),
  script(
    "publish-access",
    "the kubeconfig is logged",
    "check_fence\n",
    'cat "$access" >&2\ncheck_fence\n',
    "rehearsals/a destroy",
  ),
  script(
    "revoke-join",
    "bootstrap tokens stay",
    "run kubectl -n kube-system delete secrets --field-selector type=bootstrap.kubernetes.io/token --ignore-not-found\n",
    "",
    "rehearsals/a destroy",
  ),
  script(
    "lib",
    "no fence on the nodes",
    '[ "$SSM_fence" -ge "$highest" ] || die',
    '[ "$SSM_fence" -ge 0 ] || die',
    "test/node/scripts.test.ts",
  ),
  script(
    "join",
    "a node joins without the external cloud provider",
    "    - {name: cloud-provider, value: external}\n",
    "",
    "rehearsals/a destroy",
  ),
  script(
    "kubeadm-init",
    "a half-made control plane is not reset",
    "  run kubeadm reset -f --cri-socket unix:///run/containerd/containerd.sock\n",
    "",
    "test/workflow/resume.test.ts",
  ),
];
