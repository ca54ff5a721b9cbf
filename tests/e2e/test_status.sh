#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_status.sh - a run tells where it is: triage status, --log, --metrics.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir one two && for i in 1 2 3; do script "user$i" >"one/$i.vbs"; done
script other >two/hangs.vbs && script >two/a.vbs
status 2 "$TRIAGE" scan -q --log none/events.jsonl -o unlogged one
says "none/events.jsonl: cannot be written"
status 2 "$TRIAGE" scan -q --metrics none/run.prom -o unlogged one
says "none/run.prom: cannot be written"
[ ! -e unlogged ] || fail "a case without its log was begun"
TRIAGE_TEST_FAULT=hang:hangs.vbs "$TRIAGE" scan -q --jobs 1 --log events.jsonl --metrics run.prom -o case one two gone.dd 2>/dev/null ||
  [ $? -eq 2 ] || fail "evidence that is not there"
TRIAGE_TEST_FAULT=hang:hangs.vbs "$TRIAGE" scan -q --jobs 1 --log events.jsonl --metrics run.prom -o case one two 2>/dev/null &
pid=$!
for _ in $(seq 200); do
  sqlite3 -readonly case/case.db 'select count(*) from object where evidence = 2' 2>/dev/null | grep -qx 2 && [ -s run.prom ] && break
  sleep 0.05
done
status 0 "$TRIAGE" status case
grep -q "^running: process $pid on host $(uname -n), since 2" stdout || { fail "who runs"; cat stdout; }
grep -q '^1 one: fully examined, 3 of 3 objects, 3 hits, 0 rows of coverage, [0-9.]* s$' stdout || { fail "one"; cat stdout; }
grep -q '^2 two: being examined, [01] of 2 objects' stdout || { fail "two"; cat stdout; }
grep -qx 'triage_running 1' run.prom || { fail "the metrics of a run"; cat run.prom; }
kill -9 $pid
wait $pid 2>/dev/null
status 0 "$TRIAGE" status case
grep -q '^stopped without a word' stdout || { fail "killed"; cat stdout; }
status 0 "$TRIAGE" scan -q --resume --log events.jsonl --metrics run.prom -o case one two
status 0 "$TRIAGE" status case
grep -qx 'complete' stdout || { fail "complete"; cat stdout; }
grep -q '^together: 5 of 5 objects, 5 hits, 0 rows of coverage$' stdout || { fail "together"; cat stdout; }
python3 - <<'PY' || fail "log or metrics"
import json, re
events = [json.loads(line) for line in open("events.jsonl", encoding="utf-8")]
case = [json.loads(line) for line in open("case/log.jsonl", encoding="utf-8")]
names = [e["event"] for e in events]
assert names[0] == "run-started" and "run-resumed" in names and names.count("evidence-opened") >= 3, names
assert set(names) <= {e["event"] for e in case}
lines = open("run.prom", encoding="utf-8").read().splitlines()
for line in lines:
    assert re.fullmatch(r'# (HELP|TYPE) triage_\w+ .+|triage_\w+(\{name="[^"]*"\})? \d+', line), line
values = dict(l.rsplit(" ", 1) for l in lines if not l.startswith("#"))
assert values["triage_running"] == "0" and int(values["triage_objects_examined"]) >= 1 and values["triage_evidence_pieces"] == "2", values
PY
status 2 "$TRIAGE" status one
finish
