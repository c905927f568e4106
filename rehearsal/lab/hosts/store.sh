#!/bin/bash
# store.sh ROOT BIN IMAGES: containerd's folder as an image of nodes has it that was made with the images inside: every archive of IMAGES imported and pinned.
set -euo pipefail
root=$1 bin=$2 images=$3
work=$(mktemp -d)
# Neither its CRI nor what it would put elsewhere on this machine.
cat >"$work/config.toml" <<TOML
version = 3
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"]
TOML
"$bin/containerd" --config "$work/config.toml" --root "$root" --state "$work/state" --address "$work/socket" >"$work/log" 2>&1 &
daemon=$!
trap 'kill "$daemon"; wait "$daemon" || true; rm -rf "$work"' EXIT
ctr() { "$bin/ctr" --address "$work/socket" --namespace k8s.io "$@"; }
for _ in {1..100}; do
  if ctr version >/dev/null 2>&1; then break; fi
  sleep 0.1
done
for archive in "$images"/*.tar; do ctr images import "$archive" >/dev/null || { cat "$work/log" >&2; exit 1; }; done
for ref in $(ctr images list -q); do ctr images label "$ref" io.cri-containerd.pinned=pinned >/dev/null; done
