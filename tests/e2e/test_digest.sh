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

# Of an E01's chunks none is unpacked for the digests and once more for what is examined.
counted() { # IMAGE WHAT: all chunks that the run unpacked are hardly more than the image has
  awk -v what="$2" '$1 == "triage_chunks" { has = $2 } $1 ~ /^triage_chunks_read_/ { read += $2 } $1 == "triage_chunks_read_digests" { digests = $2 }
    END { if (digests == has && read <= 1.15 * has) exit 0
          print what ": of " has " chunks " digests " were unpacked for the digests, " read " in all"; exit 1 }' "$1" || fail "$2: chunks"
}
rm -rf case
"$TRIAGE" scan -q --jobs 1 --metrics chunks.prom -o case sealed.E01 2>stderr || [ $? -le 1 ] || fail "metrics: $(cat stderr)"
grep -qx "triage_chunks $(((2999808 + 32767) / 32768))" chunks.prom || fail "how many chunks: $(grep chunks chunks.prom)"
grep -qx "triage_chunks_read_objects 0" chunks.prom || fail "chunks for the objects: $(grep chunks chunks.prom)"

# An image that is larger than what is in memory of it at once; who unpacks it is lost; it is damaged.
mkdir tree
for i in $(seq 8); do
  head -c 4300000 /dev/urandom >"tree/$i.bin" && script "user$i" >"tree/$i.vbs"
done
truncate -s 48M disk.dd
mke2fs -q -t ext4 -F -E root_owner=0:0 -d tree disk.dd || fail "mke2fs"
e01 disk.dd disk "" fast
same_as() { # CASE WHAT
  for file in hits.csv coverage.csv entries.csv; do
    same "$1/$file" "case/$file"
  done
  python3 - "$1" case <<'PY' || fail "$2: the digests"
import json, sys
a, b = (json.load(open(f"{case}/manifest.json"))["evidence"] for case in sys.argv[1:])
sys.exit(0 if a == b and a[0]["sha256"] else print(a, b) or 1)
PY
}
entries() { # OPTION...
  rm -rf case
  "$TRIAGE" scan -q --entries --max-depth 0 --areas allocated,deleted -o case "$@" disk.E01 2>stderr || [ $? -le 1 ] || fail "scan $*: $(cat stderr)"
}
entries --jobs 1 --metrics chunks.prom
counted chunks.prom "a larger image"
expect "$(python3 -c "import json; print(json.load(open('case/manifest.json'))['evidence'][0]['digest_status'])")" match "the larger image"
disturbed() { # WHAT FAULT: like case, whatever happens
  rm -rf whole && mv case whole
  TRIAGE_TEST_FAULT=$2 entries --jobs 1
  grep -q '"event":"worker-lost"' case/log.jsonl || fail "$1, $2: nothing was lost"
  same_as whole "$1, $2"
  entries --jobs 4
  same_as whole "$1, four at once"
}
disturbed "sound" "kill:(sweep)"
python3 - disk.E01 <<'PY'
import sys
with open(sys.argv[1], "r+b") as file:
    for place in (9_000_000, 9_100_000, 30_000_000):
        file.seek(place)
        file.write(b"damage")
PY
entries --jobs 1
[ "$(grep -c 'bytes [0-9]* to [0-9]* of the media cannot be had' case/coverage.csv)" -eq 3 ] || fail "damage: $(cat case/coverage.csv)"
disturbed "damaged" "garbage:(hash)"
finish
