#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Digests of the whole evidence: SHA-256 and what the container stores, no more unless asked for, each
# equal to the independent tool's.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

head -c 2999808 /dev/urandom >raw.img
ewfacquire -q -u -c deflate:fast -f encase6 -t sealed raw.img >/dev/null 2>&1
sha256=$(sha256sum raw.img) sha1=$(sha1sum raw.img) md5=$(md5sum raw.img)
sha256=${sha256%% *} sha1=${sha1%% *} md5=${md5%% *}

digests() { # EVIDENCE OPTION...: sha256, sha1, md5 and status as the manifest has them
  local evidence=$1
  shift
  rm -rf case
  "$TRIAGE" scan -q -o case "$@" "$evidence" 2>stderr || [ $? -le 1 ] || fail "$evidence: $(cat stderr)"
  python3 -c "
import json
e = json.load(open('case/manifest.json'))['evidence'][0]
print(e['sha256'], e['sha1'] or '-', e['md5'] or '-', e['digest_status'])"
}
expect() { # GOT WANTED WHAT
  [ "$1" = "$2" ] || fail "$3: $1, expected $2"
}

expect "$(digests raw.img)" "$sha256 - - absent" "raw"
expect "$(digests raw.img --digest md5,sha1)" "$sha256 $sha1 $md5 absent" "raw, two more"
expect "$(digests raw.img --digest none | tr -s ' ')" " - - not computed" "raw, none"
expect "$(digests sealed.E01)" "$sha256 - $md5 match" "E01, its stored MD5"
expect "$(digests sealed.E01 --digest sha1)" "$sha256 $sha1 $md5 match" "E01, one more"

# Of the E01's chunks none is unpacked twice for the digests, nor for what is examined.
rm -rf case
"$TRIAGE" scan -q --metrics chunks.prom -o case sealed.E01 2>stderr || [ $? -le 1 ] || fail "metrics: $(cat stderr)"
chunks=$(((2999808 + 32767) / 32768))
grep -qx "triage_chunks $chunks" chunks.prom || fail "how many chunks: $(grep chunks chunks.prom)"
grep -qx "triage_chunks_read_digests $chunks" chunks.prom || fail "chunks for the digests: $(grep chunks chunks.prom)"
objects=$(sed -n 's/^triage_chunks_read_objects //p' chunks.prom)
[ "${objects:-0}" -gt 0 ] && [ "$objects" -le "$chunks" ] || fail "chunks for the objects: $objects of $chunks"
finish
