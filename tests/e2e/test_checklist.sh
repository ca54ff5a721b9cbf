#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_checklist.sh [ROW...] - the rows of reports/COURT.md that are checked here, each by its number, on the sample disk.
# Without ROW all of them, and that the table names nothing that is not there.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
table=$TRIAGE_SOURCE/reports/COURT.md
sample=$TRIAGE_SOURCE/samples/sample.E01
for tool in jq strace ewfinfo img_cat; do command -v $tool >/dev/null || skip "no $tool (tests/setup evidence)"; done

cp "$sample" sample.E01
sha256sum sample.E01 >before.sha256
touch -a -d '2001-02-03 04:05:06' sample.E01
atime=$(stat -c %X sample.E01)
ls -la >listing.before
status 1 strace -f -q -e trace=openat,open,socket,connect -o trace.txt "$TRIAGE" scan -q -j 2 -o case sample.E01
atime_after=$(stat -c %X sample.E01)
manifest=case/manifest.json

row_1() {
  sha256sum -c --quiet before.sha256 || fail "row 1: the evidence has changed"
  jq -e '.evidence[0] | .stored_md5 == .md5 and .stored_sha1 == .sha1 and (.sha256 | length == 64)' $manifest >/dev/null || fail "row 1: digests"
}
row_2() {
  grep -q 'sample\.E01.*O_RDONLY' trace.txt || fail "row 2: strace saw no opening of the evidence"
  grep 'sample\.E01' trace.txt | grep -E 'O_RDWR|O_WRONLY' && fail "row 2: opened for writing"
}
row_3() { [ "$atime" = "$atime_after" ] || fail "row 3: the access time has changed"; }
row_4() {
  mkdir -p closed out && cp "$sample" closed/ && chmod 0444 closed/* && chmod 0555 closed && chmod 0777 out . && (cd closed && ls -la --time-style=full-iso) >closed.before
  local as=()
  if [ "$(id -u)" -eq 0 ]; then
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    "${as[@]}" test -x "$TRIAGE" || { echo "SKIPPED: row 4: another user cannot reach the program"; return; }
  fi
  "${as[@]}" "$TRIAGE" scan -q -o out/case closed/sample.E01 || [ $? -eq 1 ] || fail "row 4: the scan"
  (cd closed && ls -la --time-style=full-iso) | cmp -s - closed.before || fail "row 4: something in the source directory has changed"
  same case/hits.csv out/case/hits.csv
  chmod 0755 closed
}
row_6() {
  [ "$(jq -r '.evidence[0].digest_status' $manifest)" = match ] || fail "row 6: match"
  img_cat sample.E01 >media.dd
  status 1 "$TRIAGE" scan -q -o raw media.dd
  [ "$(jq -r '.evidence[0].digest_status' raw/manifest.json)" = absent ] || fail "row 6: absent"
  [ "$(jq -r '.evidence[0].sha256' raw/manifest.json)" = "$(jq -r '.evidence[0].sha256' $manifest)" ] || fail "row 6: E01 and raw differ"
}
row_8() {
  "$TRIAGE" info sample.E01 >info.txt
  ewfinfo sample.E01 | sed -n 's/^\t\(Case number\|Description\|Examiner name\|Evidence number\|Notes\|Operating system used\|Software version used\):\t*//p' >wanted.txt
  [ "$(wc -l <wanted.txt)" -eq 7 ] || fail "row 8: ewfinfo names $(wc -l <wanted.txt) of 7 values"
  while IFS= read -r value; do grep -qF -- ": $value" info.txt || fail "row 8: $value"; done <wanted.txt
}
row_9() {
  jq -e 'has("evidence") and has("volume_offset") and has("fs_type") and has("meta_addr") and has("path") and has("member") and has("size")
    and has("state") and has("image_offset") and has("view")' case/hits.jsonl >/dev/null || fail "row 9"
}
row_11() {
  [ -s media.dd ] || img_cat sample.E01 >media.dd
  python3 - <<'EOP' || fail "row 11"
import json
media = open('media.dd', 'rb').read()
n = 0
for line in open('case/hits.jsonl', encoding='utf-8'):
    hit = json.loads(line)
    if hit['image_offset'] is None:
        continue
    match = min(hit['matches'], key=lambda m: int(m['offset']))
    wanted = bytes.fromhex(match['bytes_hex'])
    assert media[int(hit['image_offset']):][:len(wanted)] == wanted, hit['hit_id']
    n += 1
assert n >= 5, n
EOP
  jq -e '[.inputs[] | select(.kind == "rules") | .sha256 | length == 64] | length > 0 and all' $manifest >/dev/null || fail "row 11: rules"
  jq -r .libraries $manifest | grep -q '^libyara ' || fail "row 11: engine"
}
row_13() { grep -q UTC case/report.html || fail "row 13"; }
row_16() { [[ $(jq -r 'select(.event == "run-started") | .clock' case/log.jsonl) == *synchronised ]] || fail "row 16"; }
row_17() {
  jq -r .build $manifest | grep -qE '^commit ([0-9a-f]{40}\+?|unknown)$' || fail "row 17: the commit"
  jq -r .build $manifest | grep -qE '^compiler [A-Za-z]+ [0-9]+' || fail "row 17: the compiler"
  jq -r .build $manifest | grep -qE '^flags .*-Wall' || fail "row 17: the flags"
  [ "$(jq -r .libraries $manifest | wc -l)" -ge 10 ] || fail "row 17: libraries"
  [ "$(jq -r .libraries $manifest | sed -n 's/^openssl //p')" = "$(openssl version -v | cut -d' ' -f2)" ] || fail "row 17: openssl's version"
}
row_18() {
  local line
  line=$(jq -r .command_line $manifest)
  [[ $line == "triage scan"* ]] || fail "row 18: $line"
  mkdir again && (cd again && ln -s ../sample.E01 . && eval "\"$TRIAGE\" ${line#triage }"; cmp case/hits.jsonl ../case/hits.jsonl) || fail "row 18: not the same again"
}
row_20() {
  [ -d again/case ] || row_18
  local differ
  differ=$(diff -rq case again/case | awk '{ print $2 }' | xargs -n 1 basename | sort | paste -sd' ')
  [ "$differ" = "case.db log.jsonl manifest.json manifest.sha256 report.html" ] || fail "row 20: $differ"
}
row_24() {
  grep -q 'Known limitations' case/report.html || fail "row 24: the report"
  "$TRIAGE" formats >formats.txt
  [ "$(wc -l <formats.txt)" -gt 40 ] || fail "row 24: formats"
}
row_29() { jq -e 'has("verdict") and has("reason") and has("corroboration") and has("indicators") and has("matches")' case/hits.jsonl >/dev/null || fail "row 29"; }
row_31() { grep -q 'not given' case/report.html || fail "row 31"; }
row_32() { grep -qi 'relate only to the items examined' case/report.html || fail "row 32"; }
row_35() {
  (cd case && sha256sum -c --quiet manifest.sha256) || fail "row 35: sha256sum"
  [ "$(cd case && find . -type f ! -name 'manifest.sha256' ! -name log.jsonl -printf '%P\n' | sort)" = "$(cut -c67- case/manifest.sha256 | sort)" ] || fail "row 35: files"
  status 0 "$TRIAGE" verify case
}
row_39() {
  grep -E 'AF_INET|AF_NETLINK' trace.txt && fail "row 39: an internet socket"
  grep -q AF_UNIX trace.txt || grep -q openat trace.txt || fail "row 39: strace saw nothing"
  unshare -rn true 2>/dev/null || { echo "SKIPPED: row 39: no network namespaces here"; return; }
  unshare -rn "$TRIAGE" scan -q -o nonet sample.E01 || [ $? -eq 1 ] || fail "row 39: without a network"
  same case/hits.jsonl nonet/hits.jsonl
}
row_40() {
  for part in summary-h glossary-h; do grep -q "id=\"$part\"" case/report.html || fail "row 40: $part"; done
  mkdir evil && python3 "$E2E/make_hostile.py" evil >/dev/null
  "$TRIAGE" scan -q -o hostile evil
  python3 - <<'EOP' || fail "row 40: names"
import json, os, re
shown = {json.loads(line)['path'] for line in open('hostile/hits.jsonl', encoding='utf-8')}
C = {b'n': b'\n', b't': b'\t', b'\\': b'\\'}
back = {re.sub(rb'\\(?:x([0-9a-f]{2})|(.))', lambda m: bytes.fromhex(m[1].decode()) if m[1] else C[m[2]], p.encode()) for p in shown}
real = {os.path.join(folder, name)[len(b'evil'):] for folder, _, names in os.walk(b'evil') for name in names}
assert back == real and len(real) > 200, (len(back ^ real), sorted(back ^ real)[:3])
EOP
}

if [ $# -gt 0 ]; then
  for n in "$@"; do "row_$n"; done
  finish
fi
for n in $(seq 40); do
  line=$(grep "^| $n |" "$table") || { fail "the table has no row $n"; continue; }
  has_own=no
  grep -qE "(^|[^0-9])row $n([^0-9]|$)" <<<"$line" && has_own=yes
  [ "$(type -t row_$n)" = function ] && [ $has_own = no ] && fail "row $n is checked here, which the table does not say"
  [ "$(type -t row_$n)" != function ] && [ $has_own = yes ] && fail "the table names a check of row $n, which is not here"
  named=$(grep -oE 'tests/[A-Za-z0-9_/.]+[A-Za-z0-9]' <<<"$line")
  [ $has_own = yes ] || [ -n "$named" ] || fail "row $n of the table names no check"
  for file in $named; do [ -f "$TRIAGE_SOURCE/$file" ] || fail "row $n names $file, which is not there"; done
  [ $has_own = no ] || "row_$n"
done
[ "$(grep -cE '^\| [0-9]+ \|' "$table")" -eq 40 ] || fail "the table has not 40 rows"
finish
