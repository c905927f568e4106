#!/bin/bash
# Images from the bundle into containerd: S3, SHA-256, import, pin, and then the CRI's own word that all of them are there.
. "$(dirname "$0")/lib.sh"
need SSM_role SSM_kubernetesVersion SSM_bucket SSM_bundleKey SSM_bundleSha256

bundle="$state/bundle.json"
fetch "$SSM_bundleKey" "$SSM_bundleSha256" "$bundle"
prefix=${SSM_bundleKey%bundle.json}

# kubeadm, containerd and the bundle must name one pause image, or no pod ever gets a sandbox (facts 5.2).
wanted=$(jq -r .sandboxImage "$bundle")
sandbox=$(containerd config dump 2>>"$log" | sed -nE "s/^ *sandbox(_image)? *= *['\"]([^'\"]+)['\"].*/\2/p")
sandbox=${sandbox%%$'\n'*}
[ "$sandbox" = "$wanted" ] || die "containerd's sandbox image is $sandbox, the bundle's and kubeadm's is $wanted: pods would wait for ever"

# The node's own kubeadm has the last word on what it needs.
required=$(kubeadm config images list --kubernetes-version "v$SSM_kubernetesVersion" 2>>"$log" | sort)
held=$(jq -r '.files[].refs[]' "$bundle" | sort)
lacking=$(comm -23 <(printf '%s\n' "$required") <(printf '%s\n' "$held") | tr '\n' ' ')
[ -z "${lacking// /}" ] || die "the node's kubeadm needs $lacking- which the bundle does not have"

# What it complains of (an image without /etc/crictl.yaml) is for the log: Run Command would put it behind the result.
present() { crictl images -o json 2>>"$log" | jq -r '.images[].repoTags[]?' | sort -u; }
before=$(present)
declare -A stored=()
while read -r ref; do
  if [ -n "$ref" ]; then stored[$ref]=1; fi
done <<<"$before"
keys=() shas=() already=0
while IFS=$'\t' read -r key sha refs; do
  missing=""
  for ref in $refs; do
    if [[ ! -v stored[$ref] ]]; then missing=$ref; fi
  done
  if [ -z "$missing" ]; then
    already=$((already + 1))
    continue
  fi
  keys+=("$prefix$key") shas+=("$sha")
done < <(jq -r --arg role "$SSM_role" '.files[] | select(.roles | index($role)) | [.key, .sha256, (.refs | join(" "))] | @tsv' "$bundle")

# Four at a time: to ask for an archive takes about as long as its bytes. What came, came; what did not is named below.
folder="$state/images"
rm -rf "$folder"
mkdir -p "$folder"
for index in "${!keys[@]}"; do echo "s3://$SSM_bucket/${keys[index]} $folder/$index.tar"; done |
  xargs -r -n 2 -P 4 aws s3 cp --region "$SSM_region" --only-show-errors 2>&1 | tee -a "$log" >"$said" || true
for index in "${!keys[@]}"; do
  archive="$folder/$index.tar"
  [ -e "$archive" ] || die "cannot read s3://$SSM_bucket/${keys[index]}: $(tail -n 1 "$said")"
  intact "${keys[index]}" "${shas[index]}" "$archive"
  run ctr -n k8s.io images import "$archive"
  rm -f "$archive"
done

expected=$(jq -r --arg role "$SSM_role" '.files[] | select(.roles | index($role)) | .refs[]' "$bundle" | sort)
# containerd lists an import a moment after it (seen in the lab).
for ((looks = 0; looks < 50; looks++)); do
  absent=$(comm -23 <(printf '%s\n' "$expected") <(present) | tr '\n' ' ')
  if [ -z "${absent// /}" ]; then break; fi
  sleep 0.2
done
[ -z "${absent// /}" ] || die "the container runtime does not have ${absent}after the import"
# Pinned, or the kubelet's garbage collection removes what can never come back (facts 5.4): what the image of the node brought, and what a
# run imported that was killed right after, as well.
for ref in $expected; do run ctr -n k8s.io images label "$ref" io.cri-containerd.pinned=pinned; done
finished preload-images
printf '{"imported":%d,"present":%d}\n' "${#keys[@]}" "$already"
