#!/bin/bash
# Judges the cluster by effect, from its first control plane, and takes away what it made for that.
hold=shared
. "$(dirname "$0")/lib.sh"
need SSM_controlPlanes SSM_workers SSM_volume SSM_loadBalancer SSM_smokeImage SSM_vpcCidr

# There is one namespace for the smoke test. A second copy of this script (the SDK asks again when an answer was lost) waits for the first.
exec 7>"$state/smoke.lock"
flock -x -w "$(within 240)" 7 || die "another verification of this cluster is still running"

space=cloister-smoke
wanted=$((SSM_controlPlanes + SSM_workers))
clean_up() { kubectl delete namespace "$space" --ignore-not-found --wait=true --timeout="$(within 120)s" >>"$log" 2>&1; }

# What is wrong with the nodes, one line each; nothing when all are as they should be.
faults() {
  kubectl get nodes -o json | jq -r --argjson wanted "$wanted" '
    (if (.items | length) == $wanted then empty else "\(.items | length) of \($wanted) nodes are in the cluster" end),
    (.items[] | .metadata.name as $node |
      (if any(.status.conditions[]?; .type == "Ready" and .status == "True") then empty else "\($node) is not Ready" end),
      (if (.spec.providerID // "") | startswith("aws:///") then empty else "\($node) has no providerID" end),
      (if any(.spec.taints[]?; .key == "node.cloudprovider.kubernetes.io/uninitialized") then "\($node) is uninitialized" else empty end))'
}
# Pods of kube-system that do not run as they should, with the runtime's reason.
ailing() {
  kubectl -n kube-system get pods -o json | jq -r '.items[] | select(.status.phase != "Succeeded") | .metadata.name as $pod |
    select(any(.status.conditions[]?; .type == "Ready" and .status == "True") | not) |
    "\($pod): \([(.status.containerStatuses // [])[] | .state.waiting? // empty | "\(.reason) \(.message // "")"] | join(" "))"'
}
# first COUNT LINES: in one line.
first() {
  local lines
  lines=$(head -n "$1" <<<"$2")
  echo "${lines//$'\n'/;}"
}
# What the first of them said itself: a container that crashes has no other reason to show.
last_words() {
  local pod
  if ! pod=$(ailing 2>>"$log"); then pod=""; fi
  pod=${pod%%:*}
  if [ -n "$pod" ]; then kubectl -n kube-system logs "$pod" --all-containers --tail 2 2>&1 | tail -n 2 | tr '\n' ' '; fi
}
# Either question unanswered is no silence.
unwell() { faults && ailing; }
restarts() { kubectl -n kube-system get pods -o json | jq '[.items[].status.containerStatuses[]?.restartCount] | add // 0'; }

# settle SECONDS COMMAND: until the command prints nothing three times running.
settle() {
  local quiet=0 end said
  end=$(moment "$1")
  shift
  while :; do
    if ! said=$("$1" "${@:2}" 2>>"$log"); then said="the API server does not answer"; fi
    quiet=$((quiet + 1))
    if [ -n "$said" ]; then quiet=0; fi
    if [ "$quiet" -eq 3 ]; then return 0; fi
    if is_over "$end"; then die "$(first 5 "$said") $(last_words)"; fi
    sleep 1
  done
}

# template NAME: one of the smoke test's manifests.
template() {
  local text
  text=$(manifest "$1")
  text=${text//__SMOKE_IMAGE__/$SSM_smokeImage}
  printf '%s\n' "${text//__VPC_CIDR__/$SSM_vpcCidr}" >"$state/$1.yaml"
  run kubectl apply --server-side --force-conflicts -f "$state/$1.yaml"
}

# The addresses of the smoke pods that are ready, one a line.
ready_pods() {
  kubectl -n "$space" get pods -l app=smoke -o json |
    jq -r '.items[] | select(any(.status.conditions[]?; .type == "Ready" and .status == "True")) | .status.podIP'
}
# dial FROM HOST PORT: one pod asks another, or somebody else.
dial() { curl -sS -m 10 "http://$1:8080/dial?request=hostname&protocol=http&host=$2&port=$3&tries=1" 2>>"$log"; }
answered() { jq -e '(.responses // []) | length > 0' >/dev/null 2>>"$log"; }
# no_way_out POD: whether the pod itself says that its try failed. One that cannot be asked yet has tried nothing.
no_way_out() {
  local said
  said=$(dial "$1" 1.1.1.1 80) || return 1
  if answered <<<"$said"; then die "a pod reached 1.1.1.1: the cluster is not isolated"; fi
  jq -e '(.errors // []) | length > 0' >/dev/null 2>>"$log" <<<"$said"
}

clean_up || true
# What takes its time is asked for while the last nodes become ready: a volume, a load balancer, and the try to get out, from the first pod that runs.
template smoke-test
if [ "$SSM_volume" = true ]; then template smoke-volume; fi
if [ "$SSM_loadBalancer" = true ]; then template smoke-load-balancer; fi
end=$(moment 30)
while :; do
  if ! from=$(ready_pods 2>>"$log"); then from=""; fi
  from=${from%%$'\n'*}
  if [ -n "$from" ] || is_over "$end"; then break; fi
  sleep 2
done
closed=false
if [ -n "$from" ] && no_way_out "$from"; then closed=true; fi
settle 180 unwell
before=$(restarts)
until_true 60 "a smoke pod runs on every node" kubectl -n "$space" rollout status daemonset/smoke --timeout=1s
# One pod on every node; the first one is asked to reach all others, so the answer crosses the nodes' network.
mapfile -t addresses < <(ready_pods)
[ "${#addresses[@]}" -eq "$wanted" ] || die "${#addresses[@]} smoke pods have an address, $wanted nodes are there"
end=$(moment 30)
until [ "$closed" = true ] || no_way_out "${addresses[0]}"; do
  if is_over "$end"; then die "this node cannot reach the pod at ${addresses[0]} to ask whether it gets out: is UDP 4789 open between the nodes?"; fi
  sleep 1
done
for address in "${addresses[@]}"; do
  dial "${addresses[0]}" "$address" 8080 | answered || die "the pod at ${addresses[0]} cannot reach the pod at $address on another node: is UDP 4789 open between the nodes?"
done

volume=false
if [ "$SSM_volume" = true ]; then
  bound() { [ "$(kubectl -n "$space" get pod smoke-volume -o 'jsonpath={.status.phase}')" = Running ]; }
  until_true 120 "a pod runs with a bound volume ($(kubectl -n "$space" get events -o 'jsonpath={.items[-1:].message}' 2>>"$log" || true))" bound
  run kubectl -n "$space" exec smoke-volume -- sh -c 'echo written > /data/proof && grep -q written /data/proof'
  volume=true
fi

balancer=false
if [ "$SSM_loadBalancer" = true ]; then
  named() {
    name=$(kubectl -n "$space" get service smoke -o 'jsonpath={.status.loadBalancer.ingress[0].hostname}')
    [ -n "$name" ]
  }
  end=$(moment 60)
  until named; do
    if is_over "$end"; then
      die "no load balancer for the smoke Service: $(kubectl -n "$space" get events --field-selector involvedObject.name=smoke -o 'jsonpath={.items[-1:].message}')"
    fi
    sleep 2
  done
  # Target health is not the traffic's path: only a request proves it (facts 2.10). A balancer and then its targets may take seven minutes.
  until_true 450 "the internal load balancer $name answers" curl -fsS -m 5 "http://$name/hostname"
  balancer=true
fi

clean_up || die "the smoke test's namespace does not go away"
[ "$(restarts)" -eq "$before" ] || die "a pod of kube-system restarted while the cluster was watched: $(first 3 "$(ailing)")"
pods=$(kubectl get pods -A -o json | jq '.items | length')
printf '{"nodes":%d,"pods":%d,"volume":%s,"loadBalancer":%s}\n' "$wanted" "$pods" "$volume" "$balancer"
