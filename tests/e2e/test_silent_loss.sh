#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_silent_loss.sh - what the stock tools lose without a word is declared here: never exit status
# 0, always a row in coverage.csv that names what is affected.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ext4_image disk.dd 8M
status 0 "$TRIAGE" scan -q --entries -o whole disk.dd
n_hits=$(rows whole/hits.csv True)
[ "$n_hits" -eq 6 ] || fail "$n_hits hits instead of 6 on the undamaged image"

damaged() { # WHAT EVIDENCE REASONS: scanned, declared, and no entry lost without a row
  rm -rf case
  status 1 "$TRIAGE" scan -q --entries -o case "$2"
  has case/coverage.csv "r['reason'] in $3" "$1"
  grep -q "coverage" case/report.html || fail "$1: the report does not speak of coverage"
}

# lost CASE WHAT: every entry of the undamaged walk that this one lacks is declared: by a row about a
# directory it lay in, about its metadata address, or about the volume as a whole.
lost() {
  python3 - whole/entries.csv "$1" "$2" <<'PY' || failures=$((failures + 1))
import csv, sys
csv.field_size_limit(1 << 30)
def load(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))
whole, case, what = load(sys.argv[1]), sys.argv[2], sys.argv[3]
area = lambda r: r["kind"] == "area"
seen = {(r["path"], r["meta_addr"], r["state"]) for r in load(case + "/entries.csv")}
gaps = load(case + "/coverage.csv")
told = {r["path"] for r in gaps if r["reason"] in ("read-error", "corrupt", "unsupported-filesystem")}
addresses = {r["meta_addr"] for r in gaps}
bad = 0
for r in whole:
    if area(r) or (r["path"], r["meta_addr"], r["state"]) in seen:
        continue
    above = {""} | {r["path"][:i] or "/" for i, c in enumerate(r["path"]) if c == "/"} | {r["path"]}
    if not above & told and r["meta_addr"] not in addresses:
        bad += 1
        print(f"{what}: {r['path']} ({r['meta_addr']}) is lost without a word")
sys.exit(1 if bad else 0)
PY
}

# --- read errors, by a preloaded library: TRIAGE_EIO_SEEDS (default 8) seeds at each of
# TRIAGE_EIO_PPM (default 20000) bad sectors in a million
if [ -n "${TRIAGE_SHARED:-}" ] && cc -shared -fPIC -o shim.so "$TRIAGE_SHARED/check/eio_shim.c" -ldl 2>/dev/null &&
  ! nm "$TRIAGE" 2>/dev/null | grep __asan_init >/dev/null; then
  for ppm in ${TRIAGE_EIO_PPM:-20000 100000}; do
    # of the highest rate one seed alone: the first and the last sectors are bad
    seeds=$(seq "${TRIAGE_EIO_SEEDS:-8}")
    [ -n "${TRIAGE_EIO_PPM:-}" ] || [ "$ppm" -lt 100000 ] || seeds=164
    for seed in $seeds; do
      rm -rf case
      EIO_MATCH=disk.dd EIO_PPM=$ppm EIO_SEED=$seed LD_PRELOAD=$work/shim.so \
        "$TRIAGE" scan -q --entries -o case disk.dd 2>stderr
      got=$?
      # at few bad sectors there may be none in so small a disk
      [ "$got" -eq 1 ] || { [ "$got" -eq 0 ] && [ "$ppm" -lt 5000 ]; } || { fail "read errors, $ppm ppm, seed $seed: exit status $got"; cat stderr; }
      [ "$got" -eq 1 ] || { same whole/hits.csv case/hits.csv; continue; }
      has case/coverage.csv 'r["reason"] == "read-error"' "$ppm ppm, seed $seed"
      lost case "$ppm ppm, seed $seed"
    done
  done
else
  echo "SKIPPED: read errors (no shared eio_shim.c, no compiler, or a build with sanitizers)"
fi

# --- E01: flipped bytes in chunk data
e01 disk.dd good
python3 - good.E01 flipped.E01 <<'PY'
import random, sys
data = bytearray(open(sys.argv[1], "rb").read())
random.seed(7)
start = data.find(b"sectors\0") + 76
for _ in range(34):
    data[start + random.randrange(3_000_000)] ^= 0x20
open(sys.argv[2], "wb").write(data)
PY
damaged "flipped chunks" flipped.E01 '("bad-checksum",)'
status 0 "$TRIAGE" scan -q -o intact good.E01

# --- E01 segments: middle missing, last missing, last cut
e01 disk.dd set 3MiB
ls set.E0[123] >/dev/null || fail "no three segments"
for kind in middle last cut; do
  mkdir "$kind" && cp set.E0? "$kind/"
done
rm middle/set.E02 last/set.E03
size=$(stat -c %s cut/set.E03) && truncate -s $((size * 2 / 5)) cut/set.E03
damaged "middle segment missing" middle/set.E01 '("missing-segment",)'
damaged "last segment missing" last/set.E01 '("missing-segment",)'
damaged "last segment cut" cut/set.E01 '("truncated", "missing-segment", "corrupt")'

# --- split raw with a hole
split -b 2M -d -a 3 disk.dd split.
mkdir hole && cp split.00? hole/ && rm hole/split.001
damaged "hole in a split raw image" hole/split.000 '("missing-segment",)'

# --- 60,000 central-directory entries on one local header
python3 - <<'PY'
import struct
name, body = b"a.txt", b"hello"
import zlib
crc = zlib.crc32(body)
local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0x21, crc, 5, 5, len(name), 0) + name + body
one = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 0x21, crc, 5, 5, len(name), 0, 0, 0, 0, 0, 0) + name
n = 60000
open("overlap.zip", "wb").write(local + one * n + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, n, n, len(one) * n, len(local), 0))
PY
rm -rf case
status 1 "$TRIAGE" scan -q -o case overlap.zip
has case/coverage.csv 'r["reason"] == "corrupt" and "60000" in r["detail"].replace(",", "")' "overlapping zip entries"

# --- a hostile name on the disk stays inside the report
truncate -s 2M hostile.dd && mke2fs -q -t ext2 -F hostile.dd
script >s.vbs
debugfs -w -R "write s.vbs AAAAAAAAAAAAAAAAA" hostile.dd 2>/dev/null >/dev/null
python3 - <<'PY'
data = open("hostile.dd", "rb").read().replace(b"AAAAAAAAAAAAAAAAA", b"../../../evil_nam")
open("hostile.dd", "wb").write(data)
PY
rm -rf case
"$TRIAGE" scan -q -o case hostile.dd 2>stderr
got=$?
[ "$got" -eq 1 ] || fail "hostile name: exit status $got"
[ -f case/hits.csv ] && has case/hits.csv '"evil_nam" in r["path"]' "hit under a hostile name"
has case/coverage.csv '"evil_nam" in r["path"] or "name" in r["detail"]' "a '/' in a name is declared"
find "$work/.." -maxdepth 3 -name 'evil_nam*' 2>/dev/null | grep -q . && fail "a name from the evidence was used as a path"
finish
