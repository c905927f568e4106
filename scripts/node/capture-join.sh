#!/bin/bash
# Takes what a joiner needs and writes it to its SecureString from here; only the CA's hash, which is public, is printed.
hold=shared follows=kubeadm-init
. "$(dirname "$0")/lib.sh"
need SSM_joinParameter SSM_certificates

# The token that kubeadm init has just made for an hour is signed sooner than another would be; an older control plane gets a new one.
token=""
if has_finished fresh-token; then
  token=$(kubeadm token list -o json 2>"$said" | jq -r 'select((.usages // []) | index("authentication")) | .token') || token=""
  token=${token%%$'\n'*}
fi
[ -n "$token" ] || token=$(kubeadm token create --ttl 1h 2>"$said") || die "kubeadm cannot create a token: $(tail -n 1 "$said")"

key=none
if [ "$SSM_certificates" = true ]; then
  key=$(kubeadm certs certificate-key)
  # In a file and not as an argument, which every process on the node could read.
  text=$(cat "$config")
  printf '%s\n' "${text/kind: InitConfiguration/kind: InitConfiguration$'\n'certificateKey: $key}" >"$secrets/upload.yaml"
  run kubeadm init phase upload-certs --upload-certs --skip-certificate-key-print --config "$secrets/upload.yaml"
fi
printf '{"Name":"%s","Type":"SecureString","Overwrite":true,"Value":"%s %s"}\n' "$SSM_joinParameter" "$token" "$key" >"$secrets/join.json"
check_fence
run aws ssm put-parameter --region "$SSM_region" --cli-input-json "file://$secrets/join.json"

hash=$(openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex | awk '{print "sha256:"$NF}')
printf '{"caCertHash":"%s"}\n' "$hash"
