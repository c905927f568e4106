#!/bin/bash
# kubeadm join, with the secret read by this node's own role. A node that is in the cluster already changes nothing.
. "$(dirname "$0")/lib.sh"
need SSM_role SSM_joinParameter SSM_apiEndpoint SSM_caCertHash

name=$(metadata local-hostname)
address=$(metadata local-ipv4)
# A join that was killed half-way may have registered its node already: a control plane then has its manifests, and no member of etcd.
member() { [ -e "$state/finished.join" ] && kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node "$name"; }
if member >>"$log" 2>&1; then
  echo '{"joined":false}'
  exit 0
fi
if [ -e /etc/kubernetes/kubelet.conf ] || [ -e /etc/kubernetes/bootstrap-kubelet.conf ]; then
  rm -f "$state/finished.join"
  run kubeadm reset -f --cri-socket unix:///run/containerd/containerd.sock
fi

secret=$(aws ssm get-parameter --region "$SSM_region" --name "$SSM_joinParameter" --with-decryption --query Parameter.Value --output text 2>"$said") ||
  die "cannot read $SSM_joinParameter: $(tail -n 1 "$said")"
read -r token key <<<"$secret"
join="$secrets/join.yaml"
cat >"$join" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: "$SSM_apiEndpoint"
    token: "$token"
    caCertHashes: ["$SSM_caCertHash"]
nodeRegistration:
  name: $name
  criSocket: unix:///run/containerd/containerd.sock
  imagePullPolicy: IfNotPresent
  kubeletExtraArgs:
    - {name: cloud-provider, value: external}
    - {name: node-ip, value: $address}
# The token's signature appears up to seven seconds after the token: discovery asks again until then (lab-real.md, 3).
timeouts: {discovery: 1m0s, tlsBootstrap: 2m0s}
YAML
if [ "$SSM_role" = control-plane ]; then
  cat >>"$join" <<YAML
controlPlane:
  localAPIEndpoint: {advertiseAddress: $address, bindPort: 6443}
  certificateKey: "$key"
YAML
fi
arguments=()
if [ -e /etc/cloister/kubeadm.args ]; then mapfile -t arguments </etc/cloister/kubeadm.args; fi
run kubeadm config validate --config "$join"
run kubeadm join --config "$join" "${arguments[@]}"
finished join
echo '{"joined":true}'
