#!/bin/bash
# A client certificate for one day into the kubeconfig parameter. admin.conf never leaves this node.
hold=shared
. "$(dirname "$0")/lib.sh"
need SSM_kubeconfigParameter

access="$secrets/access.conf"
kubeadm kubeconfig user --config "$config" --client-name cloister-operator --org kubeadm:cluster-admins --validity-period 24h >"$access" 2>"$said" ||
  die "kubeadm cannot make a kubeconfig: $(tail -n 1 "$said")"
# By way of the load balancer, and perhaps by an API server that has come up this moment.
until_true 30 "the API server takes the new kubeconfig" kubectl --kubeconfig "$access" auth can-i '*' '*' --all-namespaces
ends=$(sed -n 's/^ *client-certificate-data: //p' "$access" | base64 -d | openssl x509 -noout -enddate | cut -d = -f 2)
# A kubeconfig does not fit into the 4 KB of a standard parameter (facts 8.6).
jq -n --arg name "$SSM_kubeconfigParameter" --rawfile value "$access" '{Name: $name, Type: "SecureString", Tier: "Advanced", Overwrite: true, Value: $value}' >"$secrets/access.json"
check_fence
run aws ssm put-parameter --region "$SSM_region" --cli-input-json "file://$secrets/access.json"
printf '{"expires":"%s"}\n' "$(date -u -d "$ends" +%Y-%m-%dT%H:%M:%SZ)"
