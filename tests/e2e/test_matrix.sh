#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One script in every encoding in every container, alone and in NTFS and ext4 images, there and
# deleted: all found, each with its way in and its view. The same of a script that is no hit: nothing.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
for tool in python3 7z mkntfs ntfscp mke2fs debugfs; do
  command -v $tool >/dev/null || skip "no $tool"
done

for kind in hit miss; do
  python3 "$E2E/make_matrix.py" $kind || fail "the $kind matrix cannot be made"
done
"$TRIAGE" scan -q -o case hit hit.ntfs hit.ext4 2>stderr
[ $? -le 1 ] || fail "scan of the hits: $(cat stderr)"
"$TRIAGE" scan -q -o case_miss miss miss.ntfs miss.ext4 2>stderr
[ $? -le 1 ] || fail "scan of the near-misses: $(cat stderr)"

python3 - <<'PY' || failures=$((failures + 1))
import collections, csv, sys
csv.field_size_limit(1 << 30)
with open('hit.tsv', encoding='ascii') as file:
    rows = [line.rstrip('\n').split('\t') for line in file]
with open('case/hits.csv', encoding='utf-8', newline='') as file:
    hits = list(csv.DictReader(file))
def key(evidence, state, path, member, view):
    return evidence, state, path.rsplit('/', 1)[-1], member, view
found = {key(h['evidence'], h['state'], h['path'], h['member'], h['view']) for h in hits}
# What lost its name is told by its way in.
nameless = collections.Counter((h['member'], h['view']) for h in hits
                               if h['evidence'] == 'hit.ext4' and h['state'] in ('deleted', 'orphan'))
wanted = collections.Counter()
bad = 0
def miss(what):
    global bad
    bad += 1
    if bad <= 20:
        print('  not found:', *what)
for file, is_deleted, member, view in rows:
    for place in ((('hit', 'allocated')), ('hit.ext4', 'allocated'),
                  ('hit.ntfs', 'deleted' if is_deleted == '1' else 'allocated')):
        if key(*place, file, member, view) not in found:
            miss((*place, file, member, view))
    wanted[member, view] += 1
for what, n in wanted.items():
    if nameless[what] < n:
        miss(('hit.ext4', 'deleted', f'{nameless[what]} of {n}', *what))
print(f'{len(rows)} combinations, {len(hits)} hits')
if len(rows) < 300:
    miss(('300 combinations',))
with open('case_miss/hits.csv', encoding='utf-8', newline='') as file:
    for h in csv.DictReader(file):
        bad += 1
        print('  near-miss found:', h['evidence'], h['path'], h['member'], h['view'])
sys.exit(1 if bad else 0)
PY
finish
