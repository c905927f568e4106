#!/bin/bash
# Cloud controller manager, network plugin and load balancer policy; or the storage driver. The controller manager is judged by effect,
# not by rollout: it has no probes, and a rollout succeeds while it crashes (facts 2.2). The rest is applied and not waited for: it comes
# up while the last nodes join, and verify-cluster looks at every node and every pod.
hold=shared follows=kubeadm-init
. "$(dirname "$0")/lib.sh"
need SSM_set SSM_clusterName SSM_cni SSM_publicLoadBalancers SSM_bucket SSM_bundleKey SSM_bundleSha256 SSM_ccmImage \
  SSM_ebsCsiImage SSM_provisionerImage SSM_attacherImage SSM_resizerImage SSM_registrarImage SSM_livenessProbeImage

applied=0
# apply FILE: server-side, because some manifests are larger than an annotation may be (facts 4.1).
apply() {
  run kubectl apply --server-side --force-conflicts -f "$1"
  applied=$((applied + 1))
}

# template NAME: one of our own manifests, its places filled.
template() {
  local text
  text=$(manifest "$1")
  text=${text//__CLUSTER__/$SSM_clusterName}
  text=${text//__REGION__/$SSM_region}
  text=${text//__CCM_IMAGE__/$SSM_ccmImage}
  text=${text//__EBS_CSI_IMAGE__/$SSM_ebsCsiImage}
  text=${text//__PROVISIONER_IMAGE__/$SSM_provisionerImage}
  text=${text//__ATTACHER_IMAGE__/$SSM_attacherImage}
  text=${text//__RESIZER_IMAGE__/$SSM_resizerImage}
  text=${text//__REGISTRAR_IMAGE__/$SSM_registrarImage}
  text=${text//__LIVENESS_PROBE_IMAGE__/$SSM_livenessProbeImage}
  printf '%s\n' "$text" >"$state/$1.yaml"
  apply "$state/$1.yaml"
}

# This node alone, as the API knows it: the others may be joining at this very time. The cluster as a whole is verify-cluster's.
name=$(metadata local-hostname)
initialised() {
  kubectl get nodes -o json | jq -e --arg name "$name" '.items[] | select(.metadata.name == $name) |
    (.spec.providerID // "") != "" and (any(.spec.taints[]?; .key == "node.cloudprovider.kubernetes.io/uninitialized") | not)'
}
why_not() {
  kubectl -n kube-system get pods -o json |
    jq -r '[.items[] | .metadata.name as $pod | (.status.containerStatuses // [])[] | .state.waiting? // empty | "\($pod): \(.reason) \(.message // "")"] | unique | .[0:3] | join("; ")'
}

networking() {
  local bundle="$state/bundle.json" key sha
  fetch "$SSM_bundleKey" "$SSM_bundleSha256" "$bundle"
  template ccm
  while IFS=$'\t' read -r key sha; do
    fetch "${SSM_bundleKey%bundle.json}$key" "$sha" "$state/cni.yaml"
    apply "$state/cni.yaml"
  done < <(jq -r --arg cni "$SSM_cni" '.manifests[] | select(.kind == $cni) | [.key, .sha256] | @tsv' "$bundle")
  if [ "$SSM_publicLoadBalancers" = false ]; then template load-balancer-policy; fi
  for ((waited = 0; ; waited += 2)); do
    if initialised >>"$log" 2>&1; then break; fi
    [ "$waited" -lt 120 ] ||
      die "the cloud controller manager did not initialise the node: $(kubectl -n kube-system logs -l k8s-app=aws-cloud-controller-manager --tail 2 2>&1 | tail -n 2 | tr '\n' ' ') $(why_not)"
    sleep 2
  done
}

storage() {
  template ebs-csi
  template storage-class
}

"$SSM_set"
printf '{"applied":%d}\n' "$applied"
