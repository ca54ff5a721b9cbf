#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every library that the two programs load belongs to a package of licences.tsv, and none of those is
# under the GPL alone. A new library: read its copyright file, then add a line.
set -euo pipefail
list=$(dirname "${BASH_SOURCE[0]}")/licences.tsv
command -v dpkg >/dev/null || { echo "SKIPPED: no dpkg here to say which package a library is of"; exit 77; }

if grep -v '^#' "$list" | grep -P '\tA?GPL' | grep -vE ' or | exception'; then
  echo "licences.tsv lets a GPL library in (above)"
  exit 1
fi
bad=0 count=0
mapfile -t libraries < <(ldd "${TRIAGE:?}" "${TRIAGE_WORKER:?}" | awk '/=> \// { print $3 }' | LC_ALL=C sort -u)
[ ${#libraries[@]} -gt 0 ]
for library in "${libraries[@]}"; do
  real=$(readlink -f "$library")
  # On a merged /usr, dpkg may know the file under either name.
  package=$(dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}" 2>/dev/null || true)
  package=${package%%:*}
  count=$((count + 1))
  if [ -z "$package" ]; then
    echo "$real belongs to no package"
    bad=1
  elif ! grep -qP "^\Q$package\E\t" "$list"; then
    echo "$real: package $package is not in licences.tsv"
    bad=1
  fi
done
echo "$count libraries"
exit $bad
