#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_formats.sh - every format for other tools over real hits and over 250 hostile names and contents: read by xmllint,
# rdflib, csv and json readers, held against each other and against what the format's standard demands; nothing in any
# file, nor on a terminal, that acts.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python=/usr/bin/python3 # the one that Debian's python3-rdflib is for
[ -x $python ] || python=python3

status 1 "$TRIAGE" scan -q -o sample "$TRIAGE_SOURCE/samples/sample.E01"
mkdir evil
names=$(python3 "$E2E/make_hostile.py" evil)
[ "$names" -ge 200 ] || fail "only $names hostile files"
"$TRIAGE" scan -o hostile evil >out.txt 2>err.txt || fail "the scan of hostile names"
formats=$("$TRIAGE" formats | awk '$1 == "report" { print $2 }' | grep -v '^\(entries\|exhibits\|pdf\)$' | paste -sd,)
[[ $formats == *dfxml*stix* ]] || fail "triage formats lists no report writers: $formats"
for case in sample hostile; do
  status 0 "$TRIAGE" report $case --format timesketch,timesketch-csv,dfxml,case,stix,ecs,sentinel,kql
  $python "$E2E/check_formats.py" $case || fail "formats of $case"
  if command -v xmllint >/dev/null; then
    xmllint --noout --nonet --relaxng "$E2E/schema/dfxml.rng" $case/dfxml.xml 2>xml.txt || { fail "dfxml.xml of $case"; head -n 5 xml.txt; }
  else
    echo "SKIPPED: DFXML against its grammar: xmllint is not installed (tests/setup evidence)"
  fi
  (cd $case && sha256sum -c --quiet manifest.sha256) || fail "the manifest of $case"
done
[ "$(rows hostile/hits.csv True)" -eq "$names" ] || fail "not all of $names hostile files are hits"
command -v mactime >/dev/null && { mactime -b hostile/timeline.body -d >mactime.csv 2>mactime.err || fail "mactime"; }

# What goes to a terminal: verify, explain, extract's index and messages.
"$TRIAGE" verify hostile >>out.txt 2>>err.txt || fail "verify of hostile names"
"$TRIAGE" explain hostile "$(sed -n 2p hostile/hits.csv | cut -d, -f1)" >>out.txt 2>>err.txt
rm -r evil/*2J* && "$TRIAGE" verify hostile >>out.txt 2>>err.txt && fail "missing files are not noticed"
grep -q 'FAILS: hit' out.txt || fail "nothing is told about the missing files"
LC_ALL=C.UTF-8 grep -nP '[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]' out.txt err.txt && fail "an escape reached the terminal"
# a name that is itself hostile, on the command line and in the log
hostile=$'evil/\e[31m<b>"\n'
mkdir "$hostile" && script >"$hostile/a.vbs"
"$TRIAGE" scan -q -o named --examiner $'\e]0;x\a<script>' --notes '=1' "$hostile" 2>>err.txt || fail "a hostile evidence name"
python3 - <<'EOP' || fail "a hostile name in log or manifest"
import json, re
for name in ('named/log.jsonl', 'named/manifest.json'):
    text = open(name, encoding='utf-8').read()
    assert not re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f]', text), name
    [json.loads(line) for line in text.splitlines()] if name.endswith('l') else json.loads(text)
EOP
finish
