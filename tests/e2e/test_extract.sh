#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_extract.sh - hit objects come out of the evidence as they are, encrypted, under harmless names.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v 7z >/dev/null || skip "no 7z"

ext4_image disk.dd 8M
mkdir -p tree/sub && script other >"tree/sub/=evil, <b>.vbs" && (cd tree && tar czf inner.tgz sub && zip -q outer.zip inner.tgz && rm inner.tgz)
iconv -f ascii -t utf-16le "tree/sub/=evil, <b>.vbs" >tree/wide.vbs
"$TRIAGE" scan -q -o case disk.dd tree
mapfile -t ids < <(tail -n +2 case/hits.csv | cut -d, -f1)
[ "${#ids[@]}" -eq 9 ] || fail "${#ids[@]} hits instead of 9"
find case disk.dd tree -type f -exec sha256sum {} + >before
status 0 "$TRIAGE" extract case "${ids[@]}" -o out.zip
sha256sum -c --quiet before || fail "extract has changed the case or the evidence"
mkdir open && 7z x -bso0 -y -oopen -pinfected out.zip || fail "7z cannot open the archive"
mkdir shut && 7z x -bso0 -bse0 -y -oshut -pwrong out.zip && fail "the archive opens without its password"
find open -mindepth 1 -printf '%P\n' | grep -vxE 'H-[0-9a-f]{16}\.bin|index\.tsv' && fail "a name from the evidence in the archive"
python3 - <<'PY' || failures=$((failures + 1))
import csv, hashlib, sys
index = {r["hit_id"]: r for r in csv.DictReader(open("open/index.tsv", encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE)}
bad = 0
for hit in csv.DictReader(open("case/hits.csv", encoding="utf-8", newline="")):
    data = open(f"open/{hit['hit_id']}.bin", "rb").read()
    row = index.pop(hit["hit_id"])
    if hashlib.sha256(data).hexdigest() != hit["sha256"] or row["state"] != "as recorded" or b"CDO.Message" not in data.replace(b"\0", b""):
        print(hit["path"], hit["member"], hit["view"], row["state"])
        bad += 1
sys.exit(1 if bad or index else 0)
PY
want=$(sha256sum <"tree/sub/=evil, <b>.vbs" | cut -d' ' -f1)
[ "$(cat open/*.bin | wc -c)" -gt 0 ] && sha256sum open/*.bin | grep -q "$want" || fail "a member is not what it was"

status 2 "$TRIAGE" extract case "${ids[0]}" -o out.zip
says "out.zip"
status 2 "$TRIAGE" extract case H-0000000000000000 -o other.zip
says "is no hit of this case"
[ ! -e other.zip ] || fail "an archive was made for nothing"
status 2 "$TRIAGE" extract case "${ids[0]}"
# the evidence has changed: extracted, and said
sed -i 's/CDO/cdo/' "tree/sub/=evil, <b>.vbs"
id=$(python3 -c 'import csv; print([r["hit_id"] for r in csv.DictReader(open("case/hits.csv", newline="")) if r["path"].endswith("<b>.vbs")][0])')
status 1 "$TRIAGE" extract case "$id" -o changed.zip
says "DIFFERS"
# a full disk
if [ -w /dev/full ] && [ "$(id -u)" -eq 0 ] && mkdir tiny && mount -t tmpfs -o size=4k tmpfs tiny 2>/dev/null; then
  head -c 300000 /dev/urandom >tree/big.vbs && script >>tree/big.vbs
  "$TRIAGE" scan -q -o big tree/big.vbs
  status 3 "$TRIAGE" extract big "$(tail -n 1 big/hits.csv | cut -d, -f1)" -o tiny/out.zip
  [ ! -e tiny/out.zip ] || fail "half an archive was left"
  umount tiny
fi
finish
