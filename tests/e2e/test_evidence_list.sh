#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_evidence_list.sh - many exhibits in one case: a list with numbers, notes and profiles; one that
# cannot be opened is listed; an index leads to a page for each; what is found is what each gives alone.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir ours theirs
for i in 1 2 3; do script "user$i" >"ours/$i.vbs"; done
cp ours/1.vbs theirs/ && script other >theirs/x.vbs && echo text >theirs/t.txt
cp "$TRIAGE_SOURCE/tests/site/corp.example.yaml" site.yaml
cat >list.csv <<'CSV'
path,Evidence Number,notes,site_profile
ours,E-17/1,"found in ""room 4"", <b>desk</b>",
theirs,E-17/2,,site.yaml
gone.dd,E-17/3,,
CSV
status 1 "$TRIAGE" scan -q --evidence-list list.csv -o case
has case/coverage.csv 'r["evidence"] == "gone.dd" and r["reason"] == "unreadable"'
[ "$(rows case/coverage.csv True)" -eq 1 ] || fail "other rows in coverage.csv"
# as each exhibit alone, with its own profiles
status 0 "$TRIAGE" scan -q -o one ours
status 0 "$TRIAGE" scan -q -b site.yaml -o two theirs
{ cat one/hits.csv && tail -n +2 two/hits.csv; } >expected.csv
same expected.csv case/hits.csv
[ "$(rows case/hits.csv 'r["path"] == "/1.vbs" and "recipients are of the site" in r["reason"]')" -eq 1 ] ||
  fail "the profile of one exhibit is not that of it alone"
python3 - <<'PY' || fail "the pages"
import csv, html, json, re
page = open("case/exhibits.html", encoding="utf-8").read()
assert "<script" not in page and "<b>desk" not in page and "room 4" in page
rows = re.findall(r"<tr><td>(.*?)</td></tr>", page, re.S)
assert len(rows) == 3, len(rows)
by = {re.search(r"exhibit-(\d)\.html", r).group(1): html.unescape(re.sub(r"<[^>]*>", " ", r)) for r in rows}
assert set(by) == set("123")
assert "could not be opened" in by["3"] and "E-17/3" in by["3"] and "fully examined" in by["1"], by
hits = list(csv.DictReader(open("case/hits.csv", encoding="utf-8")))
for no, name in (("1", "ours"), ("2", "theirs")):
    cells = [c for c in re.findall(r'<td class="number">([^<]*)</td>', next(r for r in rows if f"exhibit-{no}." in r))]
    words = ["suspicious", "unexplained", "likely-benign", "known-benign"]
    assert cells[:4] == [str(sum(h["evidence"] == name and h["verdict"] == v for h in hits)) for v in words], (name, cells)
    alone = open(f"case/exhibit-{no}.html", encoding="utf-8").read()
    for h in hits:
        assert (h["hit_id"] in alone) == (h["evidence"] == name), h["hit_id"]
inputs = json.load(open("case/manifest.json"))["inputs"]
assert sum(i["kind"] == "profile" and "site.yaml" in i["name"] for i in inputs) == 1
PY
sqlite3 case/case.db "select value from evidence_property where evidence = 1 and name = 'Notes'" | grep -qF 'found in "room 4", <b>desk</b>' || fail "the notes are not recorded"
(cd case && sha256sum -c --quiet manifest.sha256) || fail "the manifest does not hold"
status 0 "$TRIAGE" verify case # what could not be opened then need not be there now, what could has to be
mv theirs away && status 2 "$TRIAGE" verify case
says "theirs: cannot be opened"
status 0 "$TRIAGE" verify --evidence ours --evidence away --evidence gone.dd case
mv away theirs
grep -q 'exhibit-3.html' case/manifest.sha256 || fail "the pages are not in the manifest"
cp case/exhibits.html case/exhibit-1.html . && status 0 "$TRIAGE" report case
same exhibits.html case/exhibits.html
same exhibit-1.html case/exhibit-1.html
[ ! -e one/exhibits.html ] || fail "an index of one exhibit"

wrong() { # MESSAGE LINE...
  printf '%s\n' "${@:2}" >wrong.csv
  status 2 "$TRIAGE" scan -q --evidence-list wrong.csv -o none
  says "$1"
  [ ! -e none ] || fail "a case was made all the same"
}
wrong "names no column path" notes,evidence_number x,y
wrong "has a column 'colour'" path,colour ours,red
wrong "row 3 names no path" path,notes ours,a ,b
wrong "lists no evidence" path,notes
wrong "wrong.csv: row 2" path,notes 'ours,"never ends'
wrong "gone2.dd" path gone2.dd # not one can be opened
status 2 "$TRIAGE" scan -q --evidence-list list.csv -o none ours
finish
