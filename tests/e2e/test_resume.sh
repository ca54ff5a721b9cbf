#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_resume.sh - whatever stops a scan, and wherever: --resume gives the bytes of an undisturbed one.
# A dozen seeded points; TRIAGE_KILL_POINTS=200 for the long run.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
nm "$TRIAGE" 2>/dev/null | grep __asan_init >/dev/null && skip "needs a build without sanitizers: it preloads a library of its own"

cc -shared -fPIC -O1 -o shim.so "$E2E/fault_shim.c" || fail "the shim does not compile"
ext4_image disk.dd 8M
mkdir tree && for i in $(seq 6); do script "user$i" >"tree/$i.vbs"; done
(cd tree && zip -q all.zip ./*.vbs && tar czf all.tgz ./*.vbs all.zip)
{ head -c 20M /dev/zero | tr '\0' x && script; } >tree/large.bin # more than a worker keeps in memory
mkfs.fat -C -F 12 floppy.img 1440 >/dev/null && mcopy -i floppy.img tree/1.vbs tree/all.zip ::/ && e01 floppy.img floppy
python3 "$E2E/kill_points.py" "$TRIAGE" "$work/shim.so" "${TRIAGE_KILL_POINTS:-12}" disk.dd floppy.E01 tree || fail "kill points"

# a share that hangs where it is read, while the run computes elsewhere: what was lost to that is read again
"$TRIAGE" scan -q --entries -o straight disk.dd
at=$(rows straight/hits.csv 'print(r["image_offset"]) if r["path"] == "/d3/s3.vbs" else 0' | head -n 1)
LD_PRELOAD=$work/shim.so FAULT_PATH=disk.dd FAULT_KIND=hang FAULT_AT=$at FAULT_PROGRAM=triage-worker \
  status 1 "$TRIAGE" scan -q --entries --timeout 2 -o hung disk.dd
has hung/coverage.csv 'r["path"] == "/d3/s3.vbs" and r["reason"] == "read-error" and "did not come to an end" in r["detail"]'
has_no hung/hits.csv 'r["path"] == "/d3/s3.vbs"'
has hung/hits.csv 'r["path"] == "/d4/s4.vbs"'
status 0 "$TRIAGE" scan -q --entries --timeout 2 --resume -o hung disk.dd
for file in hits.csv hits.jsonl coverage.csv entries.csv timeline.body; do same straight/$file hung/$file; done
rm -rf straight hung

# a piece of evidence that is not there when the case is gone on with does not stop the others
mkdir away
printf 'path\ndisk.dd\ntree\n' >list.csv
"$TRIAGE" scan -q --entries -o straight --evidence-list list.csv
TRIAGE_TEST_FAULT=hang:large.bin "$TRIAGE" scan -q --entries -o listed --evidence-list list.csv 2>/dev/null &
pid=$!
for _ in $(seq 100); do
  [ "$(sqlite3 -readonly listed/case.db "select count(*) from meta where key = 'evidence_1_finished'" 2>/dev/null)" = 1 ] && break
  sleep 0.1
done
kill -INT $pid
wait $pid
[ $? -eq 3 ] || fail "SIGINT does not give status 3"
mv disk.dd away/
status 3 "$TRIAGE" scan -q --entries --resume -o listed --evidence-list list.csv
says "go on with --resume when it is there again"
mv away/disk.dd .
status 0 "$TRIAGE" scan -q --entries --resume -o listed --evidence-list list.csv
for file in hits.csv hits.jsonl coverage.csv entries.csv timeline.body; do same "straight/$file" "listed/$file"; done
sqlite3 listed/case.db 'select sha256 from evidence where no = 1' | grep -qx "$(sha256sum disk.dd | cut -c1-64)" || fail "the digest is lost"
status 2 "$TRIAGE" scan -q --entries --resume -o listed tree disk.dd
truncate -s +1M disk.dd
status 2 "$TRIAGE" scan -q --entries --resume -o listed --evidence-list list.csv
says "other evidence than disk.dd is now"
finish
