#!/bin/bash
# Before a tear-down, and as far as the API still answers: lets the cluster's own controllers take away what they made (facts 7.2).
# Whatever stays is swept by tag afterwards, so nothing here is a failure.
. "$(dirname "$0")/lib.sh"
need SSM_volumes

if [ ! -e "$KUBECONFIG" ] || ! kubectl get --raw /readyz --request-timeout=10s >>"$log" 2>&1; then
  echo '{"answered":false,"services":0,"claims":0,"left":0}'
  exit 0
fi

# `namespace name` of each, one a line.
balanced() { kubectl get services -A -o json | jq -r '.items[] | select(.spec.type == "LoadBalancer") | "\(.metadata.namespace) \(.metadata.name)"'; }
claims() { kubectl get persistentvolumeclaims -A -o json | jq -r '.items[] | "\(.metadata.namespace) \(.metadata.name)"'; }
users() { kubectl get pods -A -o json | jq -r '.items[] | select(any(.spec.volumes[]?; .persistentVolumeClaim)) | "\(.metadata.namespace) \(.metadata.name)"'; }

# drop RESOURCE LINE...: asks for the deletion of each and waits for none.
drop() {
  local resource=$1 line
  shift
  for line in "$@"; do
    kubectl -n "${line%% *}" delete "$resource" "${line#* }" --ignore-not-found --wait=false >>"$log" 2>&1 || true
  done
}

# unless_empty SECONDS COMMAND: waits until it prints nothing; prints how many lines are left.
unless_empty() {
  local end said
  end=$(moment "$1")
  while :; do
    said=$("$2" 2>>"$log" || true)
    if [ -z "$said" ] || is_over "$end"; then break; fi
    sleep 5
  done
  grep -c . <<<"$said" || true
}

mapfile -t services < <(balanced)
drop service "${services[@]}"
left=$(unless_empty 180 balanced)

wanted=()
if [ "$SSM_volumes" = delete ]; then
  mapfile -t wanted < <(claims)
  drop persistentvolumeclaim "${wanted[@]}"
  # A claim goes only with the last pod that uses it.
  mapfile -t pods < <(users)
  drop pod "${pods[@]}"
  unreleased=$(unless_empty 60 claims)
  left=$((left + unreleased))
fi
printf '{"answered":true,"services":%d,"claims":%d,"left":%d}\n' "${#services[@]}" "${#wanted[@]}" "$left"
