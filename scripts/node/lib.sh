# shellcheck shell=bash
# What every script begins with; the document builder puts it in the place of the line that sources it.
set -euo pipefail
export PATH="$PATH:/usr/local/sbin:/usr/local/bin:/snap/bin" HOME="${HOME:-/root}"
umask 077
state=/var/lib/cloister
log=/var/log/cloister.log
export secrets said config=/etc/kubernetes/cloister-kubeadm.yaml
export KUBECONFIG="${KUBECONFIG:-/etc/kubernetes/admin.conf}"

# The agent ends a script after $limit seconds (the document builder says how many), without a word: what waits gives up before that, and
# says what it waited for.
ends=$(($(date +%s) + limit - 20))
# within SECONDS: so many, or what is left.
within() {
  local left=$((ends - $(date +%s)))
  if [ "$left" -lt 1 ]; then left=1; fi
  echo $((left < $1 ? left : $1))
}
# moment SECONDS: the one at which a wait of so many is over.
moment() {
  local most
  most=$(within "$1")
  echo $(($(date +%s) + most))
}
is_over() { [ "$(date +%s)" -ge "$1" ]; }

# The last line of stderr is the reason an operator sees. Nothing that looks like a bootstrap token passes.
die() {
  printf '%s\n' "$*" | sed -E 's/[a-z0-9]{6}\.[a-z0-9]{16}/<token>/g' >&2
  exit 1
}

# An SSM agent before 3.3.2746.0 leaves parameters unset; the script must not run with half of them (facts 8.6).
need() {
  local name
  for name in "$@"; do
    [ -n "${!name:-}" ] || die "$name is not set: the SSM agent is too old for ENV_VAR parameters, or the document is not ours"
  done
}

# The fencing number of lifecycle 4: a script of an older lock must not act on a node any more.
check_fence() {
  local highest=0
  if [ -e "$state/fence" ]; then highest=$(cat "$state/fence"); fi
  [ "$SSM_fence" -ge "$highest" ] || die "fence $SSM_fence is lower than $highest: another execution works on this cluster"
}

# Written as "$1" "${@:2}": the rehearsal's interpreter takes a lone "$@" for one word. And a function whose failure is no matter is asked
# by `if`: before `||` the interpreter ends the script at the first thing that fails inside of it, where bash goes on.
# Runs a program with its output in a root-only file; when it fails, its errors are the reason.
run() {
  local reason
  # Its own words aside as well: another script of this node may be writing into the log at the same time.
  if "$1" "${@:2}" 2>&1 | tee -a "$log" >"$said"; then return 0; fi
  reason=$(grep -v WARNING "$said" | grep -iE 'error|fail|refused|unknown|denied|timed out|not found|could not|unable|pinned|no longer' || true)
  die "$1 ${2:-} failed: $(tail -n 4 <<<"${reason:-$(cat "$said")}" | tr '\n' ' ')"
}

# until_true SECONDS WHAT COMMAND...: asks every second, and says what it waited for in vain, with the command's last line.
until_true() {
  local seconds what=$2 end last
  seconds=$(within "$1")
  end=$(moment "$seconds")
  shift 2
  until "$1" "${@:2}" >"$said" 2>&1; do
    if is_over "$end"; then
      last=$(tail -n 1 "$said")
      die "$what: not so after $seconds seconds${last:+: $last}"
    fi
    sleep 1
  done
}

metadata() {
  local token
  token=$(curl -fsS -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
  curl -fsS -m 5 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}

# number ADDRESS: as a number, in $address_number.
number() {
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  address_number=$(((a << 24) + (b << 16) + (c << 8) + d))
}

# inside ADDRESS CIDR,CIDR,...
inside() {
  local subnet bits address
  number "$1"
  address=$address_number
  for subnet in ${2//,/ }; do
    bits=${subnet#*/}
    bits=$((32 - bits))
    number "${subnet%/*}"
    if [ $((address >> bits)) -eq $((address_number >> bits)) ]; then return 0; fi
  done
  return 1
}

# Every host resolves inside the private subnets and answers over TLS; prints what does not.
unanswered() {
  local host address
  for host in ${SSM_hosts//,/ }; do
    address=$(getent ahostsv4 "$host" || true)
    address=${address%% *}
    if [ -z "$address" ]; then
      echo "$host does not resolve"
    elif ! inside "$address" "$SSM_subnets"; then
      echo "$host resolves to $address, outside the private subnets $SSM_subnets"
    elif ! curl -s -o /dev/null --connect-timeout 5 -m 10 "https://$host/"; then
      echo "$host ($address) does not answer on TCP 443"
    fi
  done
}

# intact KEY SHA256 FILE: what came of an object of the bundle is what was planned.
intact() { [ "$(sha256sum "$3")" = "$2  $3" ] || die "s3://$SSM_bucket/$1 does not have the SHA-256 it was planned with"; }

# fetch KEY SHA256 FILE: an object of the bundle, by its full key.
fetch() {
  aws s3 cp --region "$SSM_region" --only-show-errors "s3://$SSM_bucket/$1" "$3" 2>&1 | tee -a "$log" >"$said" ||
    die "cannot read s3://$SSM_bucket/$1: $(tail -n 1 "$said")"
  intact "$1" "$2" "$3"
}

need SSM_fence SSM_region
# Files that hold a secret lie in one folder of this script's own, which goes with it; of one that was killed, with the next script here.
mkdir -p "$state"
for left in "$state"/secrets.*; do
  owner=${left#*/secrets.}
  if [ -e /proc/self ] && [ ! -e "/proc/${owner%%.*}" ]; then rm -rf "$left"; fi
done
secrets=$(mktemp -d "$state/secrets.$$.XXXXXX")
said="$secrets/said"
trap 'rm -rf "$secrets"' EXIT
touch "$log"
chmod 600 "$log"

# Who changes this node holds it alone. A script that says hold=shared above works through the API server, beside others that do; one
# that says hold=none only looks, and minds nobody. When the answer to SendCommand was lost the SDK asks again, and the same script comes
# twice: the second waits for the first, whatever that takes (preloading: minutes), and finds its work done.
exec 8>"$state/fence.lock" 9>"$state/lock"
busy="another script of this cluster is still running on this node"
hold=${hold:-alone} follows=${follows:-nothing}
take_hold() {
  case "$hold" in
  alone) flock -x -w "$(within "$1")" 9 || die "$busy" ;;
  shared) flock -s -w "$(within "$1")" 9 || die "$busy" ;;
  esac
}
# A script that says follows=SCRIPT above was sent before its turn: its turn is after that script's good end on this node, under this fence.
# It waits while that one holds the node, and gives up when the node stays free without it.
finished() { printf '%s\n' "$SSM_fence" >"$state/finished.$1"; }
has_finished() {
  [ "$1" = nothing ] || { [ -e "$state/finished.$1" ] && [ "$(cat "$state/finished.$1")" = "$SSM_fence" ]; }
}
patience=20
if [ "$hold" = alone ]; then patience=240; fi
if [ "$follows" != nothing ]; then patience=400; fi
for ((idle = 0; ; idle += 2)); do
  take_hold "$patience"
  if has_finished "$follows"; then break; fi
  flock -u 9
  [ "$idle" -lt "$(within 60)" ] || die "$follows has not ended well on this node"
  sleep 2
done
# Reading and raising the fence is one act, so it has a lock of its own, held for that moment; the new number appears at once, or not at all.
flock -x -w 20 8 || die "$busy"
check_fence
printf '%s\n' "$SSM_fence" >"$state/fence.new"
mv "$state/fence.new" "$state/fence"
flock -u 8
