#!/bin/bash
# host.sh NAME FOLDER BASE NAMESPACE HOSTNAME ADDRESS RESOLVER STORE: boots one host on an overlay over BASE, in a network namespace that is there already.
# STORE is the folder that its containerd begins with, or empty.
# Prints "init PID" and "up STATE", and ends with the host. FOLDER keeps all that it writes.
set -euo pipefail
name=$1 folder=$2 base=$3 namespace=$4 host=$5 address=$6 resolver=$7 store=$8
root=$folder/root
mkdir -p "$folder"/{upper,work,root,containerd,kubelet,etcd,sysctl}
mount -t overlay overlay -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" "$root"
rm -f "$root/etc/resolv.conf"
printf 'nameserver %s\n' "$resolver" >"$root/etc/resolv.conf"
printf '%s\n' "$host" >"$root/etc/hostname"
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$host" >"$root/etc/hosts"
: >"$root/etc/machine-id"
# One kernel for all: the kubelet finds these as it wants them, and so does not set them for the whole machine (lab-real.md, 6).
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  key=${setting%=*}
  printf '%s\n' "${setting#*=}" >"$folder/sysctl/${key//\//.}"
done

# The same files under a second name, since containerd writes none of them anew; its two databases are the host's own.
if [ -n "$store" ]; then
  cp -al "$store/." "$folder/containerd"
  (cd "$store" && find . -name '*.db' -exec cp --remove-destination {} "$folder/containerd/{}" \;)
fi

# A cgroup of its own in every hierarchy, below this process's; on v2 at the top, since a group with processes in it hands no controller on.
v1=() groups=()
while IFS=: read -r _ controller path; do
  case $controller in name=systemd) mounted=systemd ;; '') mounted=unified ;; *) mounted=$controller ;; esac
  at=/sys/fs/cgroup/$mounted
  if [ -z "$controller" ] && [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
    at=/sys/fs/cgroup path=/
    read -ra handed <"$at/cgroup.controllers"
    for one in "${handed[@]}"; do echo "+$one" >"$at/cgroup.subtree_control"; done
  fi
  mountpoint -q "$at" || continue
  if [ "$mounted" != systemd ] && [ "$mounted" != unified ]; then v1+=("$mounted"); fi
  own=$at${path%/}/$name
  mkdir -p "$own"
  printf '%s\n' "$own" >>"$folder/cgroups"
  if [ "$mounted" = cpuset ]; then
    cat "$own/../cpuset.cpus" >"$own/cpuset.cpus"
    cat "$own/../cpuset.mems" >"$own/cpuset.mems"
  fi
  # Beside it a group weighs as much as a single process, and a host is many: on a machine that others load it would get next to nothing.
  if [ -e "$own/cpu.shares" ]; then echo 4096 >"$own/cpu.shares"; fi
  if [ -e "$own/cpu.weight" ]; then echo 400 >"$own/cpu.weight"; fi
  groups+=("$own")
done </proc/self/cgroup

# nspawn alone goes in: it hands its group's controllers on to the host, which v2 lets nobody do who has company.
(
  for own in "${groups[@]}"; do echo "$BASHPID" >"$own/cgroup.procs"; done
  exec systemd-nspawn --quiet --boot --register=no --keep-unit --directory="$root" --machine="$name" --hostname="$host" \
    --network-namespace-path="/run/netns/$namespace" --resolv-conf=off --timezone=off --link-journal=no --capability=all \
    --system-call-filter=@known --console=pipe --bind="$folder/containerd:/var/lib/containerd" --bind="$folder/kubelet:/var/lib/kubelet" \
    --bind="$folder/etcd:/var/lib/etcd" --bind="$folder/sysctl:/run/lab-sysctl"
) >"$folder/console.log" 2>&1 </dev/null &
nspawn=$!
printf '%s\n' "$nspawn" >"$folder/nspawn"
init=""
# Its first child is only on the way to being the host's first process.
for _ in {1..200}; do
  for child in $(pgrep -P "$nspawn" || true); do
    if grep -qsE '^NSpid:.*[[:space:]]1$' "/proc/$child/status"; then init=$child; fi
  done
  if [ -n "$init" ]; then break; fi
  sleep 0.05
done
[ -n "$init" ] || { echo "the host has no init: $(tail -n 3 "$folder/console.log")" >&2; exit 1; }
printf '%s\n' "$init" >"$folder/init"
echo "init $init"
for _ in {1..200}; do
  if nsenter -t "$init" -a findmnt -n /sys/fs/cgroup >/dev/null 2>&1; then break; fi
  sleep 0.05
done
# nspawn leaves these read-only, and a container runtime has to write them.
# The inner shell expands these, not this one.
# shellcheck disable=SC2016
nsenter -t "$init" -m -- bash -c '
  for controller in "$@"; do mount -o remount,bind,rw "/sys/fs/cgroup/$controller"; done
  mount -o remount,bind,rw /proc/sys
  mount -o remount,bind,rw /sys
  for file in /run/lab-sysctl/*; do key=${file##*/}; mount --bind "$file" "/proc/sys/${key//.//}"; done
  mount --make-rshared /
  [ -e /dev/kmsg ] || ln -s /dev/null /dev/kmsg
' host "${v1[@]}"
nsenter -t "$init" -n sysctl -qw net.ipv4.ip_forward=1
state=""
for _ in {1..300}; do
  state=$(nsenter -t "$init" -a systemctl is-system-running 2>/dev/null || true)
  case $state in running | degraded) break ;; esac
  sleep 0.1
done
echo "up $state"
wait "$nspawn"
