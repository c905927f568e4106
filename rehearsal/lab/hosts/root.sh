#!/bin/bash
# root.sh ROOT: what every node image begins with, as a folder: Debian's packages from the machine's own apt sources.
set -euo pipefail
root=$1
packages=systemd,systemd-sysv,dbus,iproute2,iptables,nftables,ethtool,conntrack,socat,kmod,procps,mount,util-linux,curl,ca-certificates,openssl,jq,runc,tar,gzip,awscli
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
# Only Debian's own sources: others of the machine may hold keys or hosts that no node needs.
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do if [ -s "$file" ]; then sources+=("$file"); fi; done
mmdebstrap --quiet --variant=minbase --mode=root --include="$packages" --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  "$release" "$root" "${sources[@]}"
