#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_truth.sh - the generated evidence with a truth table: every expected hit with its verdict, and
# no other. Where triage says more than the table, later_kinds.tsv tells which and why.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_shared
truth=$TRIAGE_EVIDENCE/truth

# The table names a disk; the evidence is its file or its first segment.
evidence=()
while read -r image; do
  for path in "$truth/$image" "$truth/$image".{E01,001,dd,img,iso}; do
    [ ! -e "$path" ] || break
  done
  [ -e "$path" ] || fail "no such evidence: $image"
  evidence+=("$path")
done < <(cut -f2 "$truth/truth.tsv" | tail -n +2 | sort -u)
"$TRIAGE" scan -q -b "$TRIAGE_SOURCE/tests/site/corp.example.yaml" -o case "${evidence[@]}"
[ $? -eq 1 ] || fail "encrypted and cut members, but no exit status 1"
python3 "$TRIAGE_SHARED/check/compare_truth.py" "$truth/truth.tsv" case -v --verdicts >report.txt
# Every line is either a known kind or a failure; a kind that does not occur is one too.
python3 - "$E2E/later_kinds.tsv" report.txt <<'PY' || failures=$((failures + 1))
import csv, fnmatch, sys
kinds = list(csv.DictReader(open(sys.argv[1]), delimiter="\t", quoting=csv.QUOTE_NONE))
bad, met = 0, set()
for line in open(sys.argv[2], errors="surrogateescape"):
    line = line.rstrip("\n")
    if line.startswith("truth: "):
        print(line)
        continue
    known = [k["line"] for k in kinds if fnmatch.fnmatchcase(line, k["line"])]
    met.update(known)
    if not known:
        print("  " + line)
        bad += 1
for kind in kinds:
    if kind["line"] not in met:
        print("  listed as a known kind, but does not occur: " + kind["line"])
        bad += 1
sys.exit(1 if bad else 0)
PY
# What no row of the table says, but holds for all of them: nothing was stomped (a false alarm would show here), every
# time has its kind, and nothing but a live file or an approved digest is known.
has_no case/hits.csv "r['timestomped'] == 'yes'"
has case/hits.csv "r['timestomped'] == 'no' and r['name_created'].endswith('Z')"
has_no case/hits.csv "(r['created'] + r['modified'] + r['changed'] + r['accessed'] == '') != (r['times_kind'] == '')"
has_no case/hits.csv "r['verdict'] == 'known-benign' and (r['state'] != 'allocated' or r['member'] or r['view'] != 'raw')"
# One finding for the same bytes: no byte of the media is where two objects' matches begin, but for
# the names of one file. (A deleted entry's bytes are not found again in the free blocks.)
python3 - <<'PY' || fail "the same bytes are two findings"
import json, sys
seen, bad, n = {}, 0, 0
for line in open("case/hits.jsonl", encoding="utf-8"):
    hit = json.loads(line)
    if hit["member"] or hit["view"] != "raw" or hit["image_offset"] in (None, ""):
        continue
    for match in hit["matches"]:
        place = int(hit["image_offset"]) + int(match["offset"]) - int(hit["first_offset"])
        key = (hit["evidence"], hit["volume"], hit["rule"], match["identifier"], place)
        other = seen.setdefault(key, hit)
        n += 1
        if other is not hit and (other["meta_addr"] != hit["meta_addr"] or other["state"] != hit["state"]):
            bad += 1
            print(f"byte {place}: {other['path']} ({other['state']}) and {hit['path']} ({hit['state']})")
print(f"{n} matches with a place on the media, {len(seen)} places")
sys.exit(bad > 0 or n < 100)
PY
finish
