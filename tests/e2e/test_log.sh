#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_log.sh - the action log: written as the run happens, whole after a kill at any time, continued by --resume; the
# chain is checked here by another program than triage.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat >chain.py <<'EOP'
import hashlib, json, sys
previous, events = '0' * 64, []
for n, line in enumerate(open(sys.argv[1], 'rb').read().decode().splitlines(), 1):
    o = json.loads(line, object_pairs_hook=lambda pairs: dict(pairs) if len(dict(pairs)) == len(pairs) else sys.exit(f'line {n}: a key twice'))
    stated = hashlib.sha256(line[:line.rindex(',"digest":')].encode()).hexdigest()
    if (o['previous'], o['number'], o['digest']) != (previous, n, stated):
        sys.exit(f'line {n} breaks')
    previous = o['digest']
    events.append(o['event'])
print(' '.join(events))
EOP
chain() { python3 chain.py "$1/log.jsonl" 2>&1 || { fail "the chain of $1/log.jsonl"; tail -n 2 "$1/log.jsonl"; }; }

ext4_image disk.dd 8M
status 0 "$TRIAGE" scan -q -o whole --examiner $'Dr. "X" <b>\e[2J\u202e\nnew line' disk.dd
# Other tests may slow the machine: how often work was committed is the clock's business.
events=$(chain whole | sed 's/ committed//g')
[ "$events" = "run-started inputs-read evidence-opened evidence-finished run-finished reports-written manifest-written" ] ||
  fail "events of a scan: $events"
LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f-\xff]|<' whole/log.jsonl && fail "an escape or markup in the log"
status 0 "$TRIAGE" report whole
[ "$(chain whole | awk '{ print $(NF - 1), $NF }')" = "reports-written manifest-written" ] || fail "events of a report"

# Killed at some line, once in the midst of it: what stands holds, and the next run goes on with it.
lines_of() { cat "$1/log.jsonl" 2>/dev/null | wc -l; }
for at in 1 3 4; do
  "$TRIAGE" scan -q -j 1 -o cut disk.dd & pid=$!
  for _ in $(seq 2000); do [ "$(lines_of cut)" -ge $at ] && break; sleep 0.005; done
  kill -9 $pid 2>/dev/null
  wait $pid 2>/dev/null
  chain cut >before.txt
  lines=$(lines_of cut)
  if [ -e cut/manifest.sha256 ]; then
    echo "the scan was done before it was killed at line $at"
  else
    printf '{"previous":"00' >>cut/log.jsonl
    status 0 "$TRIAGE" scan -q --resume -o cut disk.dd
    chain cut >after.txt
    [ "$(cut -d' ' -f1-"$lines" after.txt)" = "$(cat before.txt)" ] || fail "lines of before the kill are gone"
    [[ $(cat after.txt) == "$(cat before.txt) log-unfinished-line-cut run-"* ]] || fail "the unfinished line is not told: $(cat after.txt)"
    status 0 "$TRIAGE" verify cut
    same whole/hits.csv cut/hits.csv
  fi
  rm -rf cut
done

# Rules named like keys of the log, and two of one name: no key stands twice.
mkdir more && for name in digest event more/digest; do cp "$TRIAGE_SOURCE/rules/network_smtp_vb.yar" $name; done
status 0 "$TRIAGE" scan -q -r a:digest -r b:event -r c:more/digest -o named disk.dd
chain named >/dev/null
[ "$(jq -r 'select(.event == "inputs-read") | keys[]' named/log.jsonl | grep -c '^rules [123]: ')" -eq 3 ] || fail "not all rules are in the log"

# A stopped run says why; lost workers stand in the log with the object.
"$TRIAGE" scan -q -j 1 -o stopped disk.dd 2>/dev/null & pid=$!
for _ in $(seq 100); do [ -e stopped/log.jsonl ] && break; sleep 0.02; done
kill -INT $pid 2>/dev/null
wait $pid
if [ $? -eq 3 ]; then
  [ "$(chain stopped | awk '{ print $NF }')" = run-stopped ] || fail "a stop is not told"
else
  echo "the scan was done before it was stopped"
fi
finish
