#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# report.html holds what the case holds, links lead somewhere, hostile names and excerpts run nothing;
# in a browser (where chromium is installed): no console message, no request, the list works, 100,000 hits stay
# workable, every section is on paper.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

status 1 "$TRIAGE" scan -q -o case "$TRIAGE_SOURCE/samples/sample.E01"
python3 "$E2E/check_report.py" case || fail "the sample's report"

# The commands that the report gives with each hit come to the same digests by other tools.
for tool in icat img_cat bsdtar bsdcat iconv yara xxd; do command -v "$tool" >/dev/null || missing=$tool; done
if [ -n "${missing:-}" ]; then
  echo "SKIPPED: checking by hand: $missing is not installed (tests/setup evidence)"
else
  mkdir hand
  (cd hand && python3 "$E2E/check_by_hand.py" ../case "$TRIAGE_SOURCE/samples" "$TRIAGE_SOURCE/rules/network_smtp_vb.yar") ||
    fail "the commands of the report"
fi

# A folder of hostile names, each file a script that the rule matches and that is hostile itself.
mkdir evil
python3 - <<'EOF'
import os
parts = ['<script>document.title="OWNED"</script>', '<img src=x onerror=document.title="OWNED">',
         '"><svg onload=document.title="OWNED">', "' onfocus='x", '=cmd|calc', '+1', '-1', '@x', '&lt;b&gt;',
         '\x1b[2J', '\x1b]0;x\x07', '\u202egpj', '\u200b', 'a\nb', '\t', '{{7*7}}', '%s%n', ']]>', '-->', 'javascript:x']
n = 0
for a in parts:
    for b in parts[:11]:
        name = (a + b + str(n)).replace('/', '\u2215').encode('utf-8')[:250]
        with open(os.path.join(b'evil', name), 'wb') as file:
            file.write(b'Set m = CreateObject("CDO.Message")\r\nm.To = "' + (a + b).encode() + b'"\r\n</pre>' + a.encode())
        n += 1
with open(os.path.join(b'evil', b'\xff\xfe<b>.vbs'), 'wb') as file:
    file.write(b'CDO.Message \xff\xfe<script>')
EOF
status 0 "$TRIAGE" scan -q -o hostile evil
[ "$(rows hostile/hits.csv True)" -eq 221 ] || fail "not all of 221 hostile files are hits"
python3 "$E2E/check_report.py" hostile || fail "the report over hostile names"

# The same case again gives the same page; another run differs in the run's section alone.
cp case/report.html before.html
status 0 "$TRIAGE" report case
same before.html case/report.html
cp "$TRIAGE_SOURCE/samples/sample.E01" .
status 1 "$TRIAGE" scan -q -j 1 -o other sample.E01
without_run() { python3 -c '
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
print(re.sub(r"<section id=\"run\".*?</section>", "", text, flags=re.S))' "$1"; }
without_run case/report.html >one
without_run other/report.html >two
same one two

# Notes that the page saved come back into the case, the page and notes.csv, and change no other file.
cp -r case noted
mkdir data && cp noted/{hits.csv,hits.jsonl,coverage.csv,timeline.body} data
python3 - <<'EOF'
import csv, json
ids = [r['hit_id'] for r in csv.DictReader(open('case/hits.csv', encoding='utf-8', newline=''))]
def save(name, notes):
    json.dump({'triage_notes': 1, 'report': 'R-0', 'notes': notes}, open(name, 'w'))
save('first.json', [{'hit_id': ids[0], 'tag': 'relevant', 'note': 'old'}, {'hit_id': ids[1], 'tag': 'done', 'note': ''},
                    {'hit_id': 'H-0000000000000000', 'tag': '', 'note': 'nobody'}])
save('second.json', [{'hit_id': ids[0], 'tag': 'follow up', 'note': '=1+1 <script>document.title="OWNED"</script>\n\x1b[2J'},
                     {'hit_id': ids[1], 'tag': '', 'note': ''}, {'hit_id': ids[2], 'tag': 'harmless', 'note': 'of the site'}])
open('no.json', 'w').write('{"notes": []}')
EOF
status 2 "$TRIAGE" report noted --notes no.json
sum=$(sha256sum <noted/case.db)
status 2 "$TRIAGE" report noted --notes first.json --notes no.json
status 2 "$TRIAGE" report noted --notes first.json --format none
[ "$(sha256sum <noted/case.db)" = "$sum" ] || fail "a refused report has changed the case"
status 0 "$TRIAGE" report noted --notes first.json --notes second.json
grep -q '2 notes taken, 1 left out' stderr || fail "the notes are not counted: $(cat stderr)"
for file in data/*; do same "$file" "noted/${file#data/}"; done
python3 - <<'EOF' || fail "notes.csv and the page do not hold the notes"
import csv
rows = list(csv.DictReader(open('noted/notes.csv', encoding='utf-8', newline='')))
ids = [r['hit_id'] for r in csv.DictReader(open('case/hits.csv', encoding='utf-8', newline=''))]
assert sorted((r['hit_id'], r['tag']) for r in rows) == sorted([(ids[0], 'follow up'), (ids[2], 'harmless')]), rows
note = next(r['note'] for r in rows if r['hit_id'] == ids[0])
assert note.startswith("'=1+1") and note.endswith('\\n\\x1b[2J'), note
page = open('noted/report.html', encoding='utf-8').read()
assert '=1+1 &lt;script&gt;' in page and 'of the site' in page and 'nobody' not in page
EOF
status 0 "$TRIAGE" verify noted

# The formats of other tools, over hostile names too: each line is one object with what its reader needs.
for dir in case hostile; do
  status 0 "$TRIAGE" report "$dir" --format timesketch,ecs,sentinel,kql
  python3 - "$dir" <<'EOF' || fail "formats of other tools ($dir)"
import csv, json, re, sys
case = sys.argv[1]
csv.field_size_limit(1 << 30)
rows = list(csv.DictReader(open(f'{case}/hits.csv', encoding='utf-8', newline='')))
def lines(name):
    return [json.loads(line) for line in open(f'{case}/{name}', encoding='utf-8').read().splitlines()]
stamp = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$')
ids = sorted(r['hit_id'] for r in rows)
sketch, ecs, sentinel = lines('timesketch.jsonl'), lines('ecs.jsonl'), lines('sentinel.jsonl')
times = sum(r[c].endswith('Z') for r in rows for c in ('created', 'modified', 'changed', 'accessed'))
assert len(sketch) == times, (len(sketch), times)
assert all(stamp.match(l['datetime']) and l['message'] and l['timestamp_desc'] for l in sketch)
assert sorted(l['event']['id'] for l in ecs) == ids == sorted(l['HitId'] for l in sentinel)
assert all(stamp.match(l.get('@timestamp', '2000-01-01T00:00:00Z')) for l in ecs)
digests = {l['file']['hash']['sha256'] for l in ecs}
assert digests == {r['sha256'] for r in rows}
found = set(re.findall(r'"([0-9a-f]{64})"', open(f'{case}/hunt.kql').read()))
assert found == {r['sha256'] for r in rows if r['verdict'] in ('suspicious', 'unexplained') and r['view'] == 'raw'}
EOF
done

command -v chromium >/dev/null || command -v chromium-browser >/dev/null || {
  status 2 "$TRIAGE" report case --format pdf
  grep -q 'Chromium, which prints it, is not installed' stderr || fail "report.pdf without Chromium: $(cat stderr)"
  echo "SKIPPED: the browser's part: chromium is not installed (tests/setup look)"
  finish
}
cp -r case many
python3 "$E2E/many_hits.py" many 100000
status 0 "$TRIAGE" report many --format html
export TRIAGE_AXE=${TRIAGE_AXE:-$TRIAGE_SOURCE/build/axe/axe.min.js}
python3 "$E2E/check_browser.py" case hostile many || fail "the page in a browser"
# The same case printed again gives the same bytes; the manifest holds them, nothing is left behind.
status 0 "$TRIAGE" report noted --format pdf,html
mv noted/report.pdf printed.pdf
status 0 env TMPDIR="$work" "$TRIAGE" report noted --format pdf
same printed.pdf noted/report.pdf
ls -d "$work"/triage-pdf-* 2>/dev/null && fail "the printing left its directory behind"
status 0 "$TRIAGE" verify noted
status 2 env PATH=/nowhere "$TRIAGE" report noted --format pdf
grep -q 'Chromium, which prints it, is not installed' stderr || fail "report.pdf without Chromium: $(cat stderr)"
if ! command -v pdftotext >/dev/null; then
  echo "SKIPPED: the page on paper: pdftotext is not installed (tests/setup look)"
  finish
fi
ids=$(rows case/hits.csv True)
for paper in script plain printed; do
  pdftotext -layout "$paper.pdf" "$paper.txt"
  for words in Summary Hits Suspicious Unexplained Coverage Evidence Case Method 'Known limitations' 'This run' \
    Validation 'Error rates' 'Time zones and clocks' 'Limitations of every format' 'Appendix: list of hits' 'Where on the evidence' \
    Glossary 'End of report' 'page 1 of' 'Check it by hand' 'Digests of the content'; do
    grep -qi -- "$words" "$paper.txt" || fail "not on paper ($paper): $words"
  done
  [ "$(grep -oE 'H-[0-9a-f]{16}' "$paper.txt" | sort -u | wc -l)" -eq "$ids" ] || fail "not every hit is on paper ($paper)"
done
finish
