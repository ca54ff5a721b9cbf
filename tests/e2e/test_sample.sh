#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The sample disk gives what its table says, the committed one and one made anew; what the examination
# wrote holds against its own manifest, and the evidence is untouched.
# labels: asan
set -euo pipefail
source_dir=${TRIAGE_SOURCE:?}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

examine() { # IMAGE CASE
  local before status=0
  before=$(sha256sum "$1")
  "${TRIAGE:?}" scan -q -o "$2" -b "$source_dir/samples/site.yaml" "$1" || status=$?
  # The encrypted archive is listed, so not everything was examined.
  if [ "$status" -ne 1 ]; then
    echo "triage scan: status $status, not 1"
    return 1
  fi
  [ "$before" = "$(sha256sum "$1")" ] || { echo "$1 has changed"; return 1; }
  "$source_dir/samples/check" "$2"
  (cd "$2" && sha256sum --quiet --strict -c manifest.sha256)
}

examine "$source_dir/samples/sample.E01" "$dir/case"
for tool in mkntfs ewfacquire sgdisk mke2fs mcopy fls yara bsdtar 7z zip; do
  if ! PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null; then
    echo "SKIPPED: the sample made anew: $tool is not installed (tests/setup evidence)"
    exit 0
  fi
done
mkdir "$dir/made"
"$source_dir/samples/make" "$dir/made"
cmp "$dir/made/TABLE.tsv" "$source_dir/samples/TABLE.tsv"
examine "$dir/made/sample.E01" "$dir/case2"
# What check would say of a case that has lost a hit: a check that cannot fail shows nothing.
mkdir "$dir/case3"
cp "$dir/case/coverage.csv" "$dir/case3/"
grep -v 'sync\.vbs' "$dir/case/hits.csv" >"$dir/case3/hits.csv"
if "$source_dir/samples/check" "$dir/case3"; then
  echo "samples/check does not notice two missing hits"
  exit 1
fi
