#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Snapshots of an APFS volume: a script that was deleted since is found in the snapshot that keeps it,
# by its name there and at its place; what the live volume still holds is examined there alone.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_shared
image=$TRIAGE_EVIDENCE/real/dfvfs/apfs.raw

script >inside.vbs
python3 "$E2E/make_apfs_snapshot.py" "$image" snapped.raw $'one\x1b of\t2023/24' passwords.txt inside.vbs || fail "no snapshot was made"
block=$(pstat snapped.raw | sed -n 's/.*APSB Block Number: \([0-9]*\).*/\1/p')
id=$(fsstat -P apfs -B "$block" snapped.raw | sed -n 's/^\[\([0-9]*\)\] 2023-11-14 22:13:20.*/\1/p')
[ -n "$id" ] || fail "the Sleuth Kit does not see the snapshot either"
fls -r -P apfs -B "$block" snapped.raw >live.fls
fls -r -P apfs -B "$block" -S "$id" snapped.raw >kept.fls
grep -q passwords.txt kept.fls && ! grep -q passwords.txt live.fls || fail "the Sleuth Kit lists other files: $(cat live.fls kept.fls)"

"$TRIAGE" scan -q --entries --digest none -o plain "$image" 2>stderr
[ $? -le 1 ] || fail "$(cat stderr)"
status 0 "$TRIAGE" scan -q --entries --digest none -o case snapped.raw
has_no plain/entries.csv '"Snapshot" in r["path"]'
# shellcheck disable=SC2016 # the dollar is the path's own
root='/$Snapshot1 2023-11-14T22:13:20.000000000Z one\\x1b of\\t2023:24/'
[ "$(rows case/hits.csv True)" = 1 ] || fail "not one hit: $(cat case/hits.csv)"
place=$(($(grep -obaF -m 1 "$(head -c 40 inside.vbs)" snapped.raw | head -n 1 | cut -d: -f1) + 22))
has case/hits.csv "r['path'] == '${root}passwords.txt' and r['state'] == 'allocated' and r['volume'] == '1' and r['image_offset'] == '$place'"
# every entry of the snapshot is listed; those that are the same as live are not examined again
names() { # CSV PREFIX: paths of entries without what no entry stands for
  python3 -c '
import csv, sys
prefix = sys.argv[2]
print(sorted({(r["path"][len(prefix) - 1:], r["meta_addr"]) for r in csv.DictReader(open(sys.argv[1], newline="")) if r["path"].startswith(prefix) and "/$" not in r["path"][len(prefix) - 1:]}))' "$1" "$2"
}
[ "$(names plain/entries.csv /)" = "$(names case/entries.csv "${root//\\\\/\\}")" ] || fail "other entries in the snapshot than before the deletion"
has_no case/entries.csv "r['path'] == '/passwords.txt'"
has case/entries.csv "r['path'] == '${root}a_directory/a_file' and r['examined'] == 'no' and r['kind'] == 'file'"
has case/entries.csv "r['path'] == '/a_directory/a_file' and r['examined'] == 'yes'"
has_no case/entries.csv "'Snapshot' in r['path'] and '/\$' in r['path'][2:]" # its free blocks are the live volume's
"$TRIAGE" info case >stdout
python3 - stdout <<'PY' || fail "the accounts do not close"
import re, sys
volumes = re.findall(r'length (\d+),.*?together +(\d+) bytes', open(sys.argv[1]).read(), re.S)
sys.exit(0 if len(volumes) == 2 and all(length == together for length, together in volumes) else print(volumes) or 1)
PY
status 0 "$TRIAGE" verify case
# as a partition, the volumes are numbered after it
truncate -s "$(($(stat -c %s snapped.raw) + 2097152))" disk.dd
sfdisk -q disk.dd <<<$'label: gpt\nstart=2048,type=7C3457EF-0000-11AA-AA11-00306543ECAC' 2>/dev/null
dd if=snapped.raw of=disk.dd bs=1M seek=1 conv=notrunc status=none
status 0 "$TRIAGE" scan -q --digest none -o disk disk.dd
[ "$(rows disk/hits.csv True)" = 1 ] || fail "not one hit in the partition: $(cut -d, -f1-10 disk/hits.csv)"
has disk/hits.csv "r['path'] == '${root}passwords.txt' and r['image_offset'] == '$((place + 1048576))'"
finish
