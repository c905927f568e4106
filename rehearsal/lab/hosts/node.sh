#!/bin/bash
# node.sh ROOT DEBIAN BIN AUTHORITY SANDBOX_IMAGE CGROUPS: the node image: Debian's part, the built programs, the lab's authority, and the
# files of image/. CGROUPS is the kind of file system at /sys/fs/cgroup.
set -euo pipefail
root=$1 debian=$2 bin=$3 authority=$4 sandbox=$5 cgroups=$6 here=$(cd "$(dirname "$0")" && pwd)
cp -a "$debian/." "$root"
cp -a "$here/image/." "$root/"
chown -R root:root "$root/etc/cloister" "$root/usr/local/sbin"
sed -i "s|__SANDBOX_IMAGE__|$sandbox|" "$root/etc/containerd/config.toml"
# The machine's hierarchy decides: on cgroup v2 alone nothing is conceded; on v1 kubelet and runtime leave systemd out of it.
if [ "$cgroups" = cgroup2fs ]; then
  rm "$root"/etc/cloister/kubeadm.{args,d/lab-cgroup-v1.yaml}
else
  sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' "$root/etc/containerd/config.toml"
fi
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
install -D -m 644 "$authority/ca.crt" "$root/usr/local/share/ca-certificates/cloister-lab.crt"
chroot "$root" update-ca-certificates >/dev/null
