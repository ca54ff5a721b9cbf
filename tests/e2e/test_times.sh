#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_times.sh - the times of hits: both records of NTFS against istat, with files whose times were
# set by hand; FAT's local times; those of archive members against zipinfo, 7z and bsdtar.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in mkntfs istat fls mkfs.vfat mcopy zip zipinfo 7z bsdtar; do
  command -v "$tool" >/dev/null || skip "no $tool"
done

truncate -s 4M ntfs.dd && mkntfs -q -Q -F -s 512 -c 4096 ntfs.dd >mkntfs.log 2>&1 || fail mkntfs
PYTHONPATH=$TRIAGE_SOURCE/samples python3 - <<'PY' || fail "writing into NTFS"
import datetime, struct, time
from ntfs_volume import NtfsVolume

TEXT = b'Set m = CreateObject("CDO.Message")\r\nm.To = "%s@corp.example"\r\nm.Send\r\n'
NAMES = ('plain', 'byhand', 'tool', 'copied', 'installed', 'moved', 'unpacked', 'ancient', 'nothing')
with NtfsVolume('ntfs.dd') as volume:
    for name in NAMES:
        volume.write(f'/s/{name}.vbs', TEXT % name.encode())
    volume.write('/s/byhand.vbs', TEXT % b'stream', 'hidden')
    volume.delete('/s/copied.vbs')

def ticks(year, fraction=0):
    days = datetime.date(year, 3, 1).toordinal() - datetime.date(1601, 1, 1).toordinal()
    return (days * 86400 + 10 * 3600 + 20 * 60 + 30) * 10_000_000 + fraction

now = int(time.time() * 10_000_000) + 116444736000000000
SET = {  # created, modified, changed, accessed; None: as it is
    'byhand': (ticks(2012), ticks(2012), None, ticks(2012)),
    'tool': (ticks(2012),) * 4,
    'copied': tuple(ticks(2013, 1234567 + i) for i in range(4)),
    'installed': (ticks(2014), ticks(2014), None, None),
    'moved': (ticks(2015, 7654321), ticks(2015, 1), None, None),
    'unpacked': (None, ticks(2016), None, None),
    'ancient': (ticks(1650, 5), ticks(2400, 5), None, None),
    'nothing': (0, None, None, None),
}
with open('ntfs.dd', 'r+b') as f:
    image = bytearray(f.read())
    for name, times in SET.items():
        wide = (name + '.vbs').encode('utf-16-le')
        at = image.find(b'FILE0')
        while at >= 0:
            if image.find(wide, at, at + 512) >= 0:
                break
            at = image.find(b'FILE0', at + 512)
        assert at >= 0, name
        attribute = at + struct.unpack_from('<H', image, at + 20)[0]
        assert struct.unpack_from('<I', image, attribute)[0] == 0x10
        value = attribute + struct.unpack_from('<H', image, attribute + 20)[0]
        for i, time_set in enumerate(times):
            if time_set is not None:
                struct.pack_into('<Q', image, value + 8 * i, time_set)
    f.seek(0)
    f.write(image)
PY

truncate -s 2M fat.dd && mkfs.vfat -F 12 fat.dd >/dev/null || fail mkfs.vfat
script fat >onfat.vbs && touch -d '2021-07-01T13:14:15Z' onfat.vbs
TZ=UTC mcopy -m -i fat.dd onfat.vbs :: || fail mcopy

# The same volume inside an archive: the members' own records count.
mkdir inner && zip -q inner/disk.zip ntfs.dd || fail "zip of an image"

mkdir files && script ops >files/a.vbs && touch -d '2020-02-29T23:58:57.123456700Z' files/a.vbs
mkdir archives
(
  cd files || exit 1
  export TZ=Asia/Kolkata
  zip -q ../archives/unix.zip a.vbs && zip -q -X ../archives/dos.zip a.vbs
  7z a -bd -tzip ../archives/ntfs.zip -mtc=on -mta=on -mtm=on a.vbs && 7z a -bd ../archives/seven.7z a.vbs
  bsdtar -c --format zip -f ../archives/bsd.zip a.vbs
  bsdtar -c --format pax -f ../archives/pax.tar a.vbs && bsdtar -c --format ustar -f ../archives/ustar.tar a.vbs
) >/dev/null || fail "making archives"
python3 - <<'PY' || fail "a zip without its directory"
data = open('archives/unix.zip', 'rb').read()
open('archives/cut-unix.zip', 'wb').write(data[:data.index(b'PK\1\2')])
data = open('archives/dos.zip', 'rb').read()
open('archives/cut-dos.zip', 'wb').write(data[:data.index(b'PK\1\2')])
PY

for zone in UTC America/New_York; do
  TZ=$zone "$TRIAGE" scan -q -o "case-${zone%%/*}" ntfs.dd fat.dd archives inner 2>stderr
  [ $? -le 1 ] || { fail "scan under $zone"; head -n 5 stderr; }
done
for file in hits.csv hits.jsonl timeline.body; do same "case-UTC/$file" "case-America/$file"; done

TZ=UTC python3 - <<'PY' || fail "times"
import csv, json, re, subprocess, zipfile, datetime
csv.field_size_limit(1 << 30)
rows = list(csv.DictReader(open('case-UTC/hits.csv', encoding='utf-8', newline='')))
lines = {l['hit_id']: l for l in map(json.loads, open('case-UTC/hits.jsonl', encoding='utf-8'))}
FOUR = ('created', 'modified', 'changed', 'accessed')
def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout

# NTFS: what istat says of both records, to 100 ns; what no 32 bits hold is ours alone.
seen = {}
for row in rows:
    if row['evidence'] != 'ntfs.dd' or not row['path'].startswith('/s/') or row['state'] not in ('allocated', 'deleted'):
        continue
    name = row['path'][3:].split('.')[0] + (':' if ':' in row['path'] else '')
    seen[name] = row
    text = run('istat', 'ntfs.dd', row['meta_addr'].split('-')[0])
    parts = [part.split('Attribute', 1)[0] for part in re.split(r'\$(?:STANDARD_INFORMATION|FILE_NAME) Attribute Values', text)[1:]]
    line = lines[row['hit_id']]
    for part, key, column, source in zip(parts, ('object_times', 'file_name_times'), ('', 'name_'),
                                         ('ntfs-standard-information', 'ntfs-file-name')):
        for label, field in zip(('Created', 'File Modified', 'MFT Modified', 'Accessed'), FOUR):
            stated = re.search(label + r':\t(\S+) (\S+) \(UTC\)', part)
            ours = row[column + field]
            assert ours == (line[key][field] or ''), (name, field)
            if column == '' and ours:
                assert line['object_times_kind'][field] == source
            if name == 'ancient' and column == '' and field in ('created', 'modified') or ours == '':
                continue
            assert f'{stated[1]}T{stated[2][:-2]}Z' == ours, (name, key, field, stated[0], ours)
assert set(seen) == {'plain', 'byhand', 'byhand:', 'tool', 'copied', 'installed', 'moved', 'unpacked', 'ancient', 'nothing'}, set(seen)
assert seen['ancient']['created'] == '1650-03-01T10:20:30.0000005Z' and seen['ancient']['modified'] == '2400-03-01T10:20:30.0000005Z'
assert seen['nothing']['created'] == ''
stomped = {name for name, row in seen.items() if row['timestomped'] == 'yes'}
assert stomped == {'byhand', 'byhand:', 'tool', 'copied'}, stomped
assert {row['timestomped'] for row in seen.values()} == {'yes', 'no'}
signs = {name: lines[row['hit_id']]['timestomp_signs'] for name, row in seen.items()}
assert signs['tool'] == ['entry-before-name', 'whole-seconds', 'created-before-name'], signs
assert signs['moved'] == ['created-before-name'] and signs['plain'] == [], signs
assert not any(row[f].startswith('1970') for row in rows for f in FOUR)

nested = {row['member'].rsplit('/', 1)[1]: row for row in rows if row['evidence'] == 'inner' and '/s/' in row['member']
          and row['member'].endswith('.vbs')}
for name in ('plain', 'byhand', 'tool', 'installed', 'moved'):
    row = nested[name + '.vbs']
    same = ('created', 'modified', 'name_created', 'name_accessed', 'timestomped', 'times_kind')
    assert [row[c] for c in same] == [seen[name][c] for c in same], (name, row)

# FAT: as written, no zone; of the access the day alone.
fat, = [row for row in rows if row['evidence'] == 'fat.dd' and row['path'] == '/onfat.vbs']
text = run('istat', 'fat.dd', fat['meta_addr'])
written = re.search(r'Written:\t(\S+) (\S+)', text)
assert fat['modified'] == f'{written[1]}T{written[2]}' == '2021-07-01T13:14:14', fat['modified']
assert re.fullmatch(r'\d{4}-\d\d-\d\d', fat['accessed']) and fat['times_kind'] == 'fat-local', fat
assert fat['timestomped'] == fat['name_created'] == ''

# Archives.
members = {row['path'][1:]: row for row in rows if row['evidence'] == 'archives' and row['member']}
kinds = {name: row['times_kind'] for name, row in members.items()}
assert kinds == {'unix.zip': 'zip-unix-utc', 'dos.zip': 'zip-dos-local', 'ntfs.zip': 'zip-ntfs-utc', 'bsd.zip': 'zip-unix-utc',
                 'cut-unix.zip': 'zip-unix-utc', 'cut-dos.zip': 'zip-dos-local', 'seven.7z': 'archive-utc',
                 'pax.tar': 'archive-utc', 'ustar.tar': 'archive-utc'}, kinds
def zipinfo(name, what):
    found = re.search(what + r':\s+(\d+ \w+ \d+ [\d:]+)', run('zipinfo', '-v', f'archives/{name}'))
    return datetime.datetime.strptime(found[1], '%Y %b %d %H:%M:%S').isoformat()
assert members['unix.zip']['modified'] == zipinfo('unix.zip', r'UT extra field modtime\)') + 'Z' == '2020-02-29T23:58:57Z'
assert members['dos.zip']['modified'] == zipinfo('dos.zip', r'DOS date/time\)') == '2020-03-01T05:28:58'
assert members['cut-unix.zip']['modified'] == members['unix.zip']['modified'], members['cut-unix.zip']
assert members['cut-dos.zip']['modified'] == members['dos.zip']['modified'], members['cut-dos.zip']
def seven(name):
    return re.search(r'^Modified = (\S+) (\S+)', run('7z', 'l', '-slt', f'archives/{name}'), re.M)
for name in ('ntfs.zip', 'seven.7z'):
    found = seven(name)
    assert members[name]['modified'] == f'{found[1]}T{found[2]}Z' == '2020-02-29T23:58:57.1234567Z', (name, found[0], members[name]['modified'])
assert members['pax.tar']['modified'] == '2020-02-29T23:58:57.1234567Z', members['pax.tar']['modified']
assert members['ustar.tar']['modified'] == '2020-02-29T23:58:57Z'
for name, row in members.items():
    assert row['changed'] == '' or name in ('pax.tar',), (name, row['changed'])

page = open('case-UTC/report.html', encoding='utf-8').read()
for words in ('ntfs-file-name', 'Timestomped', 'day alone, zone not recorded', 'zip-dos-local'):
    assert words in page, words
PY
finish
