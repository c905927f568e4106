#!/bin/bash
# root.sh ROOT BIN SANDBOX_IMAGE: the node image as a folder. Debian's packages from the machine's own apt sources, the built
# programs, and the files of image/ beside this script.
set -euo pipefail
root=$1 bin=$2 sandbox=$3 here=$(cd "$(dirname "$0")" && pwd)
packages=systemd,systemd-sysv,dbus,iproute2,iptables,nftables,ethtool,conntrack,socat,kmod,procps,mount,util-linux,curl,ca-certificates,openssl,jq,runc,tar,gzip,awscli
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
# Only Debian's own sources: others of the machine may hold keys or hosts that no node needs.
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do if [ -s "$file" ]; then sources+=("$file"); fi; done
mmdebstrap --quiet --variant=minbase --mode=root --include="$packages" --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  "$release" "$root" "${sources[@]}"
cp -a "$here/image/." "$root/"
chown -R root:root "$root/etc/cloister" "$root/usr/local/sbin"
sed -i "s|__SANDBOX_IMAGE__|$sandbox|" "$root/etc/containerd/config.toml"
# The machine's hierarchy decides: on cgroup v2 alone nothing is conceded.
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then rm "$root"/etc/cloister/kubeadm.{args,d/lab-cgroup-v1.yaml}; fi
for program in containerd containerd-shim-runc-v2 ctr kubeadm kubelet kubectl crictl; do cp "$bin/$program" "$root/usr/local/bin/"; done
mkdir -p "$root"/etc/cni/net.d "$root"/opt/cni/bin "$root"/var/lib/{containerd,kubelet,etcd,cloister}
for unit in containerd kubelet lab-user-data; do
  ln -sf "../$unit.service" "$root/etc/systemd/system/multi-user.target.wants/$unit.service"
done
# Nothing of these has a place on a host that shares the machine's kernel and clock, or only slows the boot.
for unit in systemd-timesyncd.service systemd-resolved.service systemd-udevd.service e2scrub_reap.service apt-daily.timer apt-daily-upgrade.timer \
  dpkg-db-backup.timer e2scrub_all.timer fstrim.timer systemd-networkd-wait-online.service getty.target console-getty.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
