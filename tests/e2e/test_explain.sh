#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_explain.sh - the grounds of a verdict are told; a second site's facts flip the verdicts that
# depend on them and no other; no password reaches any file of the case.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
sample=$TRIAGE_SOURCE/samples/sample.E01
"$TRIAGE" scan -q -o case -b "$TRIAGE_SOURCE/samples/site.yaml" "$sample"
[ $? -eq 1 ] || fail "scan of the sample"
id_of() { # PATH
  python3 -c 'import csv, sys
print(next(r["hit_id"] for r in csv.DictReader(open("case/hits.csv", encoding="utf-8", newline=""))
           if r["path"] == sys.argv[1]))' "$1"
}
tells() { grep -qF -- "$1" stdout || { fail "explain does not say '$1':"; cat stdout; }; }

status 0 "$TRIAGE" explain case "$(id_of /Scripts/Reports/nightly_report.vbs)"
tells "verdict: known-benign (scheduled-report)"
tells "[corroborated]"
tells "/Windows/System32/Tasks/Corp/Nightly Report of sample.E01, SHA-256 "
status 0 "$TRIAGE" explain case "$(id_of /Users/Public/Scripts/Reports/nightly_report.vbs)"
tells "[outside-server]"
tells "[namesake]"
status 2 "$TRIAGE" explain case H-0000000000000000
says "no hit of this case"
status 2 "$TRIAGE" explain nowhere H-0000000000000000

# The other site: what was its own is now outside; everything else stays as it was.
sed 's/corp\.example/nord.example/' "$TRIAGE_SOURCE/samples/site.yaml" >other.yaml
"$TRIAGE" scan -q -o other -b other.yaml "$sample"
python3 - <<'PY' || failures=$((failures + 1))
import csv
def read(case):
    rows = csv.DictReader(open(case + "/hits.csv", encoding="utf-8", newline=""))
    return {(r["hit_id"], r["rule"]): r for r in rows}
one, two = read("case"), read("other")
assert one.keys() == two.keys()
flipped = {k for k in one if one[k]["verdict"] != two[k]["verdict"]}
benign = {k for k in one if one[k]["verdict"] in ("known-benign", "likely-benign")}
for k in flipped ^ benign:
    print("not as its relay says:", one[k]["path"], one[k]["verdict"], two[k]["verdict"])
for k in benign:
    if two[k]["verdict"] != "suspicious":
        print("not suspicious at the other site:", one[k]["path"], two[k]["reason"])
assert benign and flipped == benign and all(two[k]["verdict"] == "suspicious" for k in benign)
PY

cat >pw.vbs <<'VBS'
Set m = CreateObject("CDO.Message")
m.Configuration.Fields("http://schemas.microsoft.com/cdo/configuration/sendpassword") = "hunter2-secret"
m.To = "x@example.org"
m.Send
VBS
status 0 "$TRIAGE" scan -q -o secret pw.vbs
if grep -rlF hunter2 secret; then fail "a password stands in the case"; fi
[ "$(rows secret/hits.csv '"*****" in r["excerpt"]')" -eq 1 ] || fail "the excerpt is not blotted"
finish
