#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_truth.sh - the generated evidence with a truth table: every expected hit of the kinds this
# version covers, and no other. What waits for a later issue is listed by kind in later_kinds.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_shared
truth=$TRIAGE_EVIDENCE/truth

scan() { # CASE EVIDENCE...
  local case=$1
  shift
  "$TRIAGE" scan -q -b "$TRIAGE_SOURCE/tests/site/corp.example.yaml" -o "$case" "$@"
  [ $? -le 1 ] || fail "scan of $*"
}

cut -f2 "$truth/truth.tsv" | tail -n +2 | sort -u >images
while read -r image; do
  # The table names a disk; the evidence is its file or its first segment.
  for path in "$truth/$image" "$truth/$image".{E01,001,dd,img,iso}; do
    [ ! -e "$path" ] || break
  done
  [ -e "$path" ] || { fail "no such evidence: $image"; continue; }
  scan case "$path"
  python3 "$TRIAGE_SHARED/check/compare_truth.py" "$truth/truth.tsv" case --evidence "$image" -v --verdicts >report.txt
  # Every line is either a kind of a later issue or a failure.
  python3 - "$E2E/later_kinds.tsv" report.txt <<'PY' || failures=$((failures + 1))
import csv, fnmatch, sys
kinds = list(csv.DictReader(open(sys.argv[1]), delimiter="\t", quoting=csv.QUOTE_NONE))
bad = 0
for line in open(sys.argv[2], errors="surrogateescape"):
    line = line.rstrip("\n")
    if line.startswith("truth: "):
        print(line)
    elif not any(fnmatch.fnmatchcase(line, k["line"]) for k in kinds):
        print("  " + line)
        bad += 1
sys.exit(1 if bad else 0)
PY
  rm -rf case
done <images
finish
