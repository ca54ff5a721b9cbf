#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_registry.sh - registry hives made by hivexregedit: scripts kept in values are found under their keys, the Task
# Scheduler's cache corroborates and tells the last run; on NTFS, tasks that did not live long.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in hivexregedit hivexml mkntfs; do
  command -v "$tool" >/dev/null || skip "no $tool"
done
report() { # FILE
  mkdir -p "$(dirname "$1")"
  cat >"$1" <<'VBS'
Set m = CreateObject("CDO.Message")
m.Configuration.Fields.Item("http://schemas.microsoft.com/cdo/configuration/smtpserver") = "mail.corp.example"
m.From = "job@corp.example"
m.To = "finance@corp.example"
m.Send
VBS
}
cat >site.yaml <<'YAML'
format: triage-benign/1
site:
  mail-domains: [corp.example]
  relays: [mail.corp.example]
YAML

report tree/Scripts/cached.vbs
report tree/Scripts/both.vbs
report tree/Scripts/nobody.vbs
mkdir -p tree/Windows/System32/Tasks tree/Windows/System32/config
cat >tree/Windows/System32/Tasks/Both <<'XML'
<?xml version="1.0"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
<Actions><Exec><Command>C:\Scripts\both.vbs</Command></Exec></Actions></Task>
XML
python3 - "$TRIAGE_SOURCE" <<'PY' || fail "making the hive"
import struct, subprocess, sys
TASKS = r'Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tasks' + '\\'
def text(t):
    data = t.encode('utf-16-le')
    return struct.pack('<I', len(data)) + data
def put(name, data):
    with open(name, 'wb') as out:
        out.write(data)
    return name
def actions(program, arguments):
    return (struct.pack('<H', 3) + text('Author') + struct.pack('<H', 0x6666) + text('') + text(program)
            + text(arguments) + text('') + struct.pack('<H', 0))
filetime = lambda days: (days + 154525) * 864000000000  # since 2024-01-29
info = struct.pack('<IQQIIQ', 3, filetime(0), filetime(10) + 1234567, 0, 0, 0)
script = 'Set m = CreateObject("CDO.Message")\r\n' * 600
half = script.encode()[:20000]
CONFIG = 'tree/Windows/System32/config/'
def hive(name, *values):
    arguments = [text for row in values for text in (row[0], row[1], str(row[2]), row[3])]
    subprocess.run(['python3', sys.argv[1] + '/tests/unit/unpack/make_hive.py', CONFIG + name, *arguments], check=True)
hive('SOFTWARE',
        (TASKS + '{A}', 'Actions', 3, put('v1', actions('cscript.exe', r'//B "C:\Scripts\cached.vbs"'))),
        (TASKS + '{A}', 'DynamicInfo', 3, put('v2', info)),
        (TASKS + '{B}', 'Actions', 3, put('v3', actions(r'C:\Scripts\both.vbs', ''))),
        (TASKS + '{B}', 'DynamicInfo', 3, put('v4', info)),
        ('Classes', 'wide', 1, put('v5', script.encode('utf-16-le'))),
        ('Classes', 'narrow', 1, put('v8', script.encode() + b'\0')),
        ('Classes', 'packed', 3, put('v6', half)),
        ('Classes', 'list', 7, put('v7', 'a\0Set m = CreateObject("CDO.Message")\0\0'.encode('utf-16-le'))))
hive('DRIVERS', ('Big', 'script', 3, put('w0', b'A' * 40)), ('Big', 's1', 3, put('w1', half[:16344])),
     ('Big', 's2', 3, put('w2', half[16344:].ljust(3700, b'x'))), ('Big', 'li', 3, put('w3', bytes(8))),
     ('Big', 'de', 3, put('w4', bytes(12))))
# hivex writes a large value in one piece; Windows cuts it into pieces of 16344 bytes behind a list ("db").
h = bytearray(open(CONFIG + 'DRIVERS', 'rb').read())
def value(name):
    at = h.find(b'vk' + struct.pack('<H', len(name)))
    while h[at + 20:at + 20 + len(name)] != name:
        at = h.find(b'vk' + struct.pack('<H', len(name)), at + 1)
    return at
cell = {name: struct.unpack_from('<I', h, value(name) + 8)[0] for name in (b's1', b's2', b'li', b'de')}
struct.pack_into('<II', h, 4096 + cell[b'li'] + 4, cell[b's1'], cell[b's2'])
struct.pack_into('<2sHI', h, 4096 + cell[b'de'] + 4, b'db', 2, cell[b'li'])
struct.pack_into('<II', h, value(b'script') + 4, 20000, cell[b'de'])
struct.pack_into('<I', h, 24, 5) # the version that does so
checksum = 0
for (word,) in struct.iter_unpack('<I', h[:508]):
    checksum ^= word
struct.pack_into('<I', h, 508, checksum)
open(CONFIG + 'DRIVERS', 'wb').write(h)
PY
rm -f tree/Windows/System32/config/*.reg
status 0 "$TRIAGE" scan -q --digest none -o case -b site.yaml tree
in_hive() { # MEMBER BYTES: a hit in that value of the hive, with the digest of these bytes
  has case/hits.csv "'/config/' in r['path'] and r['member'] == '$1' and r['sha256'] == '$(sha256sum "$2" | cut -d' ' -f1)' and r['times_kind'] == 'registry-key-utc'" "$1"
}
iconv -f utf-16le -t utf-8 v5 >v5.txt
iconv -f utf-16le -t utf-8 v7 | tr '\0' '\n' | head -c -2 >v7.txt
cp v6 whole
in_hive Classes/wide v5.txt
in_hive Classes/packed v6
head -c -1 v8 >v8.txt
in_hive Classes/narrow v8.txt
in_hive Classes/list v7.txt
in_hive Big/script whole
[ "$(hivexml tree/Windows/System32/config/SOFTWARE | grep -c 'key="packed"')" -eq 1 ] || fail "hivexml does not see it"
while read -r name verdict; do
  has case/hits.csv "r['path'] == '/Scripts/$name.vbs' and r['verdict'] == '$verdict'" "$name is not $verdict"
done <<'TABLE'
cached known-benign
both known-benign
nobody likely-benign
TABLE
python3 - <<'PY' || fail "corroboration by the registry"
import hashlib, json
hits = {h['path']: h for h in map(json.loads, open('case/hits.jsonl', encoding='utf-8'))}
cached, = hits['/Scripts/cached.vbs']['corroboration']
assert 'TaskCache/Tasks/{A}/Actions of tree, SHA-256 ' + hashlib.sha256(open('v1', 'rb').read()).hexdigest() in cached, cached
assert 'registered 2024-01-29' in cached and 'last run 2024-02-08T00:00:00.1234567Z' in cached, cached
both = hits['/Scripts/both.vbs']['corroboration']
assert len(both) == 2 and both[0].startswith('/Windows/System32/Tasks/Both of tree') and 'last run 2024-02-08' in both[1], both
PY
truncate -s 20000 tree/Windows/System32/config/SOFTWARE
status 1 "$TRIAGE" scan -q --digest none -o cut tree
has cut/coverage.csv "r['path'].endswith('/SOFTWARE') and r['reason'] == 'truncated'"

truncate -s 4M ntfs.dd && mkntfs -q -Q -F -s 512 -c 4096 ntfs.dd >mkntfs.log 2>&1 || fail mkntfs
PYTHONPATH=$TRIAGE_SOURCE/samples python3 - <<'PY' || fail "writing into NTFS"
from ntfs_volume import NtfsVolume
script = open('tree/Scripts/nobody.vbs', 'rb').read()
def task(name, date):
    # longer than its entry in the MFT, which the next file may take
    return (f'<?xml version="1.0"?>\n<Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"><RegistrationInfo>'
            f'<Date>{date}</Date><Author>CORP\\adm</Author></RegistrationInfo><Actions><Exec><Command>cscript.exe</Command>'
            f'<Arguments>C:\\Scripts\\{name}.vbs</Arguments></Exec></Actions></Task>\n' + '<!-- -->' * 300).encode()
NOW, YEAR = 1717400000, 365 * 86400  # 2024-06-03
with NtfsVolume('ntfs.dd') as volume:
    for name, date, age in (('quick', '2024-06-03T07:00:00', 0), ('settled', '2022-01-03T07:00:00', 0),
                            ('trace', '2024-06-03T07:00:00', YEAR), ('kept', '2024-06-03T07:00:00', 0)):
        volume.write(f'/Scripts/{name}.vbs', script + f"' {name}\r\n".encode() * 100)
        volume.set_times(f'/Scripts/{name}.vbs', NOW, NOW, NOW)
        volume.write(f'/Windows/System32/Tasks/{name}', task(name, date))
        volume.set_times(f'/Windows/System32/Tasks/{name}', NOW - YEAR, NOW - age, NOW - age)
    for gone in ('/Scripts/quick.vbs', '/Scripts/settled.vbs', '/Windows/System32/Tasks/trace'):
        volume.delete(gone)
# The times of the entries' last change are those of this run; they are set to what the others say.
import struct
with open('ntfs.dd', 'r+b') as f:
    image = bytearray(f.read())
    for at in range(0, len(image), 512):
        if image[at:at + 5] == b'FILE0' and struct.unpack_from('<H', image, at + 20)[0] < 100:
            value = at + struct.unpack_from('<H', image, at + 20)[0]
            value += struct.unpack_from('<H', image, value + 20)[0]
            created, modified = struct.unpack_from('<QQ', image, value)
            struct.pack_into('<Q', image, value + 16, max(created, modified))
    f.seek(0)
    f.write(image)
PY
"$TRIAGE" scan -q --digest none -o lives -b site.yaml ntfs.dd 2>stderr
[ $? -le 1 ] || fail "scan of the lives of tasks"
python3 - <<'PY' || fail "lives of tasks"
import json
hits = {h['path'].rsplit('/', 1)[1].split('.')[0]: h for h in map(json.loads, open('lives/hits.jsonl', encoding='utf-8'))
        if h['path'].endswith('.vbs') and h['state'] in ('allocated', 'deleted')}
assert set(hits) == {'quick', 'settled', 'trace', 'kept'}, set(hits)
assert hits['quick']['verdict'] == 'suspicious' and 'a task to run it was made' in hits['quick']['reason'], hits['quick']['reason']
assert hits['settled']['verdict'] == 'suspicious' and 'a task to run it' not in hits['settled']['reason'], hits['settled']['reason']
assert hits['kept']['verdict'] == 'known-benign', hits['kept']['reason']
PY
finish
