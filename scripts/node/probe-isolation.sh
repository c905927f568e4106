#!/bin/bash
# On every node: the ways out are tried and must fail, the required names must answer. It reports; the certificate judges.
hold=none
. "$(dirname "$0")/lib.sh"
need SSM_hosts SSM_subnets SSM_bucket SSM_bundleKey SSM_bundleSha256

# By address and by name, all at once. A connection alone is a way out, whatever is said over it: hence no TLS, after whose failure curl
# tells of no connection (seen with 7.88).
blocked=true
targets=(http://1.1.1.1:443/ http://registry.k8s.io:443/ http://dl.k8s.io:443/)
tried=$(curl -Z -s --connect-timeout 5 -m 8 -w '%{url_effective} %{time_connect}\n' -o /dev/null -o /dev/null -o /dev/null "${targets[@]}" 2>>"$log" || true)
while read -r target connected; do
  if [[ ! "$connected" =~ ^0([.,]0+)?$ ]]; then
    echo "$target was connected to" >&2
    blocked=false
  fi
done <<<"$tried"
[ "$(wc -l <<<"$tried")" -eq "${#targets[@]}" ] || die "the ways out were not all tried: $tried"
answer=true
problems=$(unanswered)
if [ -n "$problems" ]; then
  printf '%s\n' "$problems" >&2
  answer=false
fi
required=false
if [ "$(curl -s -o /dev/null -m 5 -w '%{http_code}' http://169.254.169.254/latest/meta-data/instance-id || true)" = 401 ]; then required=true; fi
shopt -s nullglob
files=(/etc/cloister/kubeadm.d/*.yaml /etc/cloister/kubeadm.args)
concessions='[]'
for file in "${files[@]}"; do
  if [ -e "$file" ]; then concessions=$(jq -c --arg file "$file" '. + [$file]' <<<"$concessions"); fi
done
printf '{"egressBlocked":%s,"namesAnswer":%s,"metadataTokenRequired":%s,"concessions":%s}\n' "$blocked" "$answer" "$required" "$concessions"
