#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_worker_loss.sh - a worker that dies, hangs, eats memory or babbles costs the object it was on;
# everything else is as if nothing had happened.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
nm "$TRIAGE" 2>/dev/null | grep __asan_init >/dev/null && skip "needs a build without sanitizers"

ext4_image disk.dd 8M
status 0 "$TRIAGE" scan -q --entries -o whole disk.dd

lost() { # FAULT REASON [OPTION...]
  local fault=$1 reason=$2
  shift 2
  rm -rf case
  TRIAGE_TEST_FAULT=$fault:/d3/s3.vbs status 1 "$TRIAGE" scan -q --entries -o case "$@" disk.dd
  has case/coverage.csv "r['path'] == '/d3/s3.vbs' and r['reason'] == '$reason'" "$fault"
  # the file's slack is an object of its own under the same path
  has_no case/coverage.csv "r['path'] != '/d3/s3.vbs'"
  [ "$(grep -c "\"event\":\"worker-lost\".*\"reason\":\"$reason\"" case/log.jsonl)" -ge 2 ] ||
    fail "$fault: the lost workers (two tries) are not in the action log"
  # The one to blame is known at once, whatever the worker had not sent yet: the file and its slack,
  # twice each, and no other.
  grep '"event":"worker-lost"' case/log.jsonl | grep -o '"object":"[^"]*"' | sort | uniq -c >blamed
  [ "$(wc -l <blamed)" -le 2 ] && [ "$(awk '$1 != 2' blamed | wc -l)" -eq 0 ] ||
    fail "$fault: others were blamed: $(tr '\n' ' ' <blamed)"
  [ "$(rows case/hits.csv True)" -eq 5 ] || fail "$fault: not all other hits are there"
  grep -v '/d3/s3.vbs' whole/hits.csv >expected.csv
  same expected.csv case/hits.csv
}
lost segv worker-crash
lost kill worker-crash --jobs 1
lost garbage worker-crash
lost memory out-of-memory
lost hang timeout --timeout 2

# one that dies and says that it was at another object: it costs a few workers, not one for each
mkdir lies && for i in $(seq 100 299); do echo "text $i" >lies/f$i.txt; done && script >lies/f299.vbs && echo x >lies/a0.txt
status 0 "$TRIAGE" scan -q --jobs 1 -o honest lies
TRIAGE_TEST_FAULT=lie:a0.txt status 1 "$TRIAGE" scan -q --jobs 1 -o liar lies
has liar/coverage.csv 'r["path"] == "/a0.txt" and r["reason"] == "worker-crash"'
[ "$(rows liar/coverage.csv True)" -eq 1 ] || fail "a liar: others are listed"
same honest/hits.csv liar/hits.csv
lost=$(grep -c '"event":"worker-lost"' liar/log.jsonl)
[ "$lost" -ge 2 ] && [ "$lost" -le 4 ] || fail "a liar cost $lost workers"
rm -rf lies liar honest

# one that does not listen: no end of waiting until it does
mkdir deaf && cp "$TRIAGE" deaf/triage && ln -s "$(dirname "$(realpath "$TRIAGE")")/rules" deaf/rules && printf '#!/bin/sh\nexec sleep 300\n' >deaf/triage-worker && chmod +x deaf/triage-worker
{ echo 'rule big { strings:'; for i in $(seq 20000); do echo "  \$s$i = \"some long text $i\""; done; echo ' condition: any of them }'; } >big.yar
timeout 20 deaf/triage scan -q --timeout 2 -r big.yar -o case/deaf disk.dd 2>stderr
[ $? -lt 124 ] || fail "one that does not listen is waited for without end"
says "cannot be sent to a worker"
rm -rf deaf

# one that names a file elsewhere as a part of the image: what the user has not named is not touched
echo x >"$work/elsewhere" && mkdir beside && cp disk.dd beside/
for stray in "$work/elsewhere" beside/../elsewhere elsewhere /etc/hostname; do
  rm -rf case
  TRIAGE_TEST_FAULT=stray:$stray status 2 "$TRIAGE" scan -q -o case beside/disk.dd
  says "a worker sent a wrong description of the evidence"
  [ ! -e case ] || fail "a case was made of $stray"
done
if command -v strace >/dev/null; then
  TRIAGE_TEST_FAULT=stray:/etc/hostname strace -e trace=%file -o trace.txt "$TRIAGE" scan -q -o case beside/disk.dd 2>/dev/null
  grep -q 'beside/disk.dd' trace.txt && ! grep -q '"/etc/hostname"' trace.txt || fail "a file that a worker named was touched"
fi
rm -rf case beside

# lost while the volumes are opened: less is opened, the bytes are examined all the same
e2e_fault() { # FAULT
  rm -rf case
  TRIAGE_TEST_FAULT=$1 status 1 "$TRIAGE" scan -q -o case --timeout 5 disk.dd
  has case/coverage.csv 'r["reason"] == "worker-crash"' "$1"
}
e2e_fault "segv:(volumes)"
[ "$(rows case/hits.csv 'r["state"] == "unallocated" and r["match_count"] != "0"')" -ge 1 ] || fail "the bytes were not examined"
mkntfs -F -q -Q ntfs.dd 8192 >/dev/null 2>&1 || { truncate -s 8M ntfs.dd && mkntfs -F -q -Q ntfs.dd >/dev/null 2>&1; }
"$TRIAGE" scan -q --entries -o ntfs ntfs.dd
rm -rf case
TRIAGE_TEST_FAULT="hang:(derived volumes)" status 1 "$TRIAGE" scan -q --entries --timeout 2 -o case ntfs.dd
has case/coverage.csv 'r["reason"] == "worker-crash" and "shadow copies" in r["detail"]'
same ntfs/entries.csv case/entries.csv

# every place of a walk costs a worker its life: the walk is given up, its bytes are examined
rm -rf case
TRIAGE_TEST_FAULT="kill:(walk)" status 1 "$TRIAGE" scan -q --entries -o case disk.dd
has case/coverage.csv 'r["reason"] == "worker-crash" and "given up after 65 place(s)" in r["detail"]'
[ "$(rows case/coverage.csv 'r["reason"] == "worker-crash" and "costs the worker its life" in r["detail"]')" -eq 64 ] || fail "not each place is listed"
python3 - <<'PY' || fail "not every script is found in the bytes of a volume whose walk was given up"
import json
def places(case):
    return {int(h["image_offset"]) + int(m["offset"]) - int(h["first_offset"])
            for h in map(json.loads, open(case + "/hits.jsonl")) for m in h["matches"]}
assert places("whole") and places("whole") == places("case"), (places("whole"), places("case"))
PY
"$TRIAGE" info case >stdout
grep -q 'still to do [1-9]' stdout && fail "objects are left over"
python3 "$E2E/accounts_close.py" stdout || fail "the accounts do not close after a walk that was given up"

# lost while it lists, when others have examined much of what it listed: all of that counts no more,
# whether the walk begins again in the same run or in one that goes on after the coordinator was killed
python3 - <<'PY'
import os
for i in range(9000):
    os.makedirs(f"many/{i // 3000}", exist_ok=True)
    open(f"many/{i // 3000}/f{i}.txt", "w").write(f"text {i}\n")
PY
script >many/0/f0.vbs && script >many/1/f1.vbs && script >many/2/f2.vbs
(cd many/0 && zip -q -s 64k split.zip f0.vbs "$TRIAGE" && ls split.z01 >/dev/null) || fail "no split archive"
rm -rf case
"$TRIAGE" scan -q --entries --jobs 1 -o whole_many many
early() { # LOG: objects were examined before the walk was lost
  python3 -c 'import itertools, json, sys
before = itertools.takewhile(lambda e: e["event"] != "worker-lost", map(json.loads, open(sys.argv[1])))
sys.exit(0 if any(int(e["objects"]) for e in before if e["event"] == "committed") else 1)' "$1"
}
same_many() { # WHAT
  for file in hits.csv hits.jsonl coverage.csv entries.csv timeline.body; do same whole_many/$file case/$file; done
  sqlite3 case/case.db 'select (select count(*) from object where work = 0) - (select count(*) from result)' | grep -qx 0 || fail "$1: objects are left over"
}
"$TRIAGE" scan -q --entries --jobs 2 -o case many
same_many "two workers"
rm -rf case
TRIAGE_TEST_FAULT="hang:(object 8500)" "$TRIAGE" scan -q --entries --jobs 2 --timeout 4 -o case many
grep -q '"event":"worker-lost".*"job":"listing"' case/log.jsonl || fail "the walk was not disturbed"
early case/log.jsonl || fail "nothing was examined while the walk ran"
same_many "a walk that hung"
rm -rf case
TRIAGE_TEST_FAULT="hang:(object 8500)" "$TRIAGE" scan -q --entries --jobs 2 --metrics many.prom -o case many &
pid=$!
for _ in $(seq 200); do
  [ "$(sqlite3 -readonly case/case.db 'select count(*) from result' 2>/dev/null || echo 0)" -gt 0 ] && break
  sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null
[ "$(sqlite3 case/case.db 'select count(*) from result where not (select is_enumerated from volume)')" -gt 0 ] || fail "nothing was examined before the kill"
awk '{ value[$1] = $2 } END { exit !(value["triage_bytes_examined"] > 0 && value["triage_bytes_known"] >= value["triage_bytes_examined"]) }' many.prom || fail "more is examined than is known"
"$TRIAGE" scan -q --entries --jobs 2 --resume -o case many
same_many "killed while the walk ran"
rm -rf many whole_many case

# killed from outside, once: tried again, nothing is missing and nothing is listed
head -c 60M /dev/zero | tr '\0' 'x' >big.bin
script >>big.bin
mkdir tree && mv big.bin tree/ && script >tree/a.vbs
rm -rf case
"$TRIAGE" scan -q -o undisturbed tree
"$TRIAGE" scan -q -o case tree &
pid=$!
killed=0
for _ in $(seq 100); do
  sleep 0.05
  workers=$(pgrep -P $pid -f triage-worker)
  if [ -n "$workers" ] && [ -d case ]; then
    # One that opened the evidence to look at it may be gone by now: then the next.
    # shellcheck disable=SC2086
    kill -9 $workers 2>/dev/null && killed=1 && break
  fi
done
wait $pid
[ "$killed" -eq 1 ] || fail "no worker was there to kill"
same undisturbed/hits.csv case/hits.csv
same undisturbed/coverage.csv case/coverage.csv

# the coordinator killed, then resumed
rm -rf case && mkdir case
"$TRIAGE" scan -q --entries --resume -o case tree disk.dd
same_both() { for file in hits.csv hits.jsonl coverage.csv entries.csv timeline.body; do same "both/$file" "case/$file"; done; }
"$TRIAGE" scan -q --entries -o both tree disk.dd
same_both
for delay in 0.1 0.3 0.6 1.0; do
  rm -rf case
  "$TRIAGE" scan -q --entries -o case tree disk.dd &
  pid=$!
  sleep "$delay"
  kill -9 $pid 2>/dev/null
  wait $pid 2>/dev/null
  sleep 0.1
  pgrep -f "triage-worker.*$work" >/dev/null && fail "workers outlive their coordinator"
  # A directory alone, killed before the case stands in it, is gone on with too.
  if [ -d case ] && [ ! -f case/manifest.sha256 ]; then
    "$TRIAGE" scan -q --entries --resume -o case tree disk.dd 2>stderr
    got=$?
    [ $got -le 1 ] || { fail "resume after $delay s: exit status $got"; cat stderr; }
  elif [ ! -d case ]; then
    "$TRIAGE" scan -q --entries -o case tree disk.dd
  fi
  same_both
done
finish
