#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_shards.sh - a scan in parts, joined, is the scan in one: one large image, many pieces of
# evidence, a part that was killed; and what does not fit together is refused.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FILES="hits.csv hits.jsonl coverage.csv entries.csv timeline.body"
ext4_image disk.dd 16M
mkdir tree && for i in $(seq 12); do script "user$i" >"tree/$i.vbs"; done
(cd tree && zip -q all.zip ./*.vbs && zip -q -P secret locked.zip 1.vbs)
ln tree/1.vbs tree/again.vbs
head -c 3000000 "$TRIAGE_SOURCE/samples/sample.E01" >cut.E01 # damaged: rows about the evidence as a whole

sharded() { # N OPTION... -- EVIDENCE...: compares with one scan
  local n=$1 options=() k pids=() parts=()
  shift
  while [ "$1" != -- ]; do options+=("$1") && shift; done
  shift
  rm -rf whole part.* merged
  "$TRIAGE" scan -q --entries "${options[@]}" -o whole "$@" 2>said
  local expected=$? got
  [ $expected -le 1 ] || { fail "the whole: status $expected"; cat said; }
  for k in $(seq "$n"); do
    "$TRIAGE" scan -q --jobs 1 --entries "${options[@]}" --shard "$k/$n" -o "part.$k" "$@" 2>"said.$k" &
    pids+=($!)
    parts=("part.$k" "${parts[@]}")
  done
  for k in $(seq "$n"); do
    wait "${pids[k - 1]}"
    got=$?
    [ $got -le 1 ] || { fail "shard $k/$n: status $got"; cat "said.$k"; }
    [ ! -e "part.$k/hits.csv" ] || fail "a shard reports"
  done
  status $expected "$TRIAGE" merge -q -o merged "${parts[@]}"
  for file in $FILES; do same "whole/$file" "merged/$file"; done
  (cd merged && sha256sum -c --quiet manifest.sha256) || fail "the manifest does not hold"
  for file in whole merged; do # what each run noted of the evidence, but for the times of access and of the run
    "$TRIAGE" status $file | sed 's/, [0-9.]* s$//' >$file.status
    jq -c '.evidence[].files[] | del(.accessed, .accessed_after)' $file/manifest.json >>$file.status
  done
  same whole.status merged.status
  local tables="select 'evidence', no, name, sha256, digest_status from evidence order by no; select 'account', evidence, volume, what, bytes from account order by evidence, volume, no; select * from evidence_property; select 'left', count(*) from object where work <> 1; select 'done', count(*) from result"
  sqlite3 whole/case.db "$tables" >whole.txt
  sqlite3 merged/case.db "$tables" >merged.txt
  same whole.txt merged.txt
}
sharded 3 -- disk.dd
for k in 1 2 3; do # each has done some of the work
  [ "$(sqlite3 part.$k/case.db 'select count(*) from result')" -gt 3 ] || fail "shard $k has nothing to do"
done
status 0 "$TRIAGE" verify merged
grep -q 'The case holds' stdout || { fail "the merged case does not verify"; cat stdout; }
sharded 2 --hash-all -b "$TRIAGE_SOURCE/samples/site.yaml" -- "$TRIAGE_SOURCE/samples/sample.E01" tree disk.dd cut.E01
has merged/hits.csv 'r["verdict"] == "known-benign"' "corroborated across shards"
cp -r part.1 other.1

# more shards than objects; one of them killed on the way, and resumed
mkdir few && script >few/a.vbs && script b >few/b.vbs
sharded 5 -- few
for k in 1 2 3 4 5; do sqlite3 part.$k/case.db 'select count(*) from hit'; done >found.txt
[ "$(grep -cx 1 found.txt)" -eq 2 ] || fail "the two scripts are not found by two shards"
rm -rf part.2 merged
TRIAGE_TEST_FAULT=hang:vbs "$TRIAGE" scan -q --entries --shard 1/5 -o part.killed few 2>/dev/null &
pid=$!
for _ in $(seq 300); do
  [ -n "$(sqlite3 -readonly part.killed/case.db "select 1 from meta where key = 'shard'" 2>/dev/null)" ] && break
  sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null
status 2 "$TRIAGE" merge -q -o merged part.killed part.3 part.4 part.5
says "has not been finished"
status 2 "$TRIAGE" scan -q --entries --resume --shard 2/5 -o part.killed few
says "was begun as shard 1/5"
status 2 "$TRIAGE" scan -q --entries --resume -o part.killed few
status 0 "$TRIAGE" scan -q --entries --resume --shard 1/5 -o part.killed few
"$TRIAGE" scan -q --entries --shard 2/5 -o part.2 few
status 0 "$TRIAGE" merge -q -o merged part.killed part.2 part.3 part.4 part.5
for file in $FILES; do same "whole/$file" "merged/$file"; done

rm -rf merged
refused() { # MESSAGE SHARD...
  status 2 "$TRIAGE" merge -q -o merged "${@:2}"
  says "$1"
  [ ! -e merged ] || fail "a case was made all the same"
}
refused "these are missing: 2, 5" part.1 part.4 part.3
refused "second of its number" part.1 part.killed
refused "shard of another scan" part.1 other.1
refused "is no shard" part.1 whole
status 2 "$TRIAGE" report part.1
says "is one shard of a scan; 'triage merge'"
status 2 "$TRIAGE" verify part.1
says "is one shard of a scan; 'triage merge'"
# One that saw other entries is found when rows are joined already: nothing of it stays.
cp -r part.3 strange && sqlite3 strange/case.db "update object set size = size + 1 where seq = (select max(seq) from object)"
refused "has seen other entries" part.killed part.2 strange part.4 part.5
# A change of the evidence that another shard noticed than the one that read all of it.
cp -r part.4 later && sqlite3 later/case.db "insert into meta values('evidence_1_changed', 'few changed while it was examined: size'); insert into gap(evidence, volume, meta, state, size, examined, reason, detail, member) values(1, 0, '', 0, 1, 0, 'corrupt', 'few changed while it was examined: size', '')"
status 1 "$TRIAGE" merge -q -o changed part.killed part.2 part.3 later part.5
[ "$(grep -c 'changed while it was examined' changed/coverage.csv)" -eq 1 ] || fail "a change that one shard saw is lost"
for wrong in 0/2 3/2 2 x/2 2/x 2/0 /2 2/ 2/2x; do status 2 "$TRIAGE" scan -q --shard $wrong -o none few; done
[ ! -e none ] || fail "a case was made all the same"
finish
