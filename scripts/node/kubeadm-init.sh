#!/bin/bash
# kubeadm init on the first control plane. Skips when the control plane is already healthy, resets what is half made.
follows=preload-images
. "$(dirname "$0")/lib.sh"
need SSM_clusterName SSM_kubernetesVersion SSM_apiEndpoint SSM_address SSM_podCidr SSM_serviceCidr

# An init that was killed once its API server had come up answers like a healthy one, and lacks what comes last: who may join, the
# add-ons (seen in the lab). Only one that ended well, under whatever fence, is a control plane.
healthy() {
  [ -e "$state/finished.kubeadm-init" ] && [ -e /etc/kubernetes/admin.conf ] && kubectl get --raw /readyz &&
    grep -qx "clusterName: $SSM_clusterName" <<<"$(kubectl -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}')"
}
if healthy >>"$log" 2>&1; then
  finished kubeadm-init
  echo '{"initialised":false}'
  exit 0
fi
name=$(metadata local-hostname)
address=$(metadata local-ipv4)
[ "$address" = "$SSM_address" ] || die "this node has the address $address; the plan gave $SSM_address to the first control plane"
if [ -e /etc/kubernetes/manifests/kube-apiserver.yaml ]; then
  rm -f "$state/finished.kubeadm-init" "$state/finished.fresh-token"
  run kubeadm reset -f --cri-socket unix:///run/containerd/containerd.sock
  rm -rf /var/lib/etcd/member
fi

mkdir -p "${config%/*}"
# An API server on a busy machine may take more than the minute that kubeadm gives its own calls (seen in the lab).
cat >"$config" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens:
  - ttl: 1h0m0s
localAPIEndpoint: {advertiseAddress: $address, bindPort: 6443}
nodeRegistration:
  name: $name
  criSocket: unix:///run/containerd/containerd.sock
  imagePullPolicy: IfNotPresent
  kubeletExtraArgs:
    - {name: cloud-provider, value: external}
    - {name: node-ip, value: $address}
timeouts: {controlPlaneComponentHealthCheck: 4m0s, kubernetesAPICall: 3m0s}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: $SSM_clusterName
kubernetesVersion: v$SSM_kubernetesVersion
controlPlaneEndpoint: "$SSM_apiEndpoint"
imageRepository: registry.k8s.io
networking: {dnsDomain: cluster.local, podSubnet: $SSM_podCidr, serviceSubnet: $SSM_serviceCidr}
controllerManager:
  extraArgs:
    - {name: cloud-provider, value: external}
YAML
# The one door for an image's concessions (design 4): further documents, and further arguments. Both are absent by default.
shopt -s nullglob
for extra in /etc/cloister/kubeadm.d/*.yaml; do
  printf -- '---\n' >>"$config"
  cat "$extra" >>"$config"
done
arguments=()
if [ -e /etc/cloister/kubeadm.args ]; then mapfile -t arguments </etc/cloister/kubeadm.args; fi

run kubeadm config validate --config "$config"
run kubeadm init --config "$config" --skip-token-print --skip-certificate-key-print "${arguments[@]}"
until_true 60 "the API server answers /readyz" kubectl get --raw /readyz
finished fresh-token
finished kubeadm-init
echo '{"initialised":true}'
