#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Encoded text where no file is: UTF-16 and base64 scripts in the gap before a partition, in a partition
# without a file system (over the border of two pieces of it), in a file's slack and in free blocks.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python3 - <<'EOF2'
import base64, os
def text(name):
    return f"' {name}\r\nSet m = CreateObject(\"CDO.Message\")\r\nm.To = \"{name}@example.test\"\r\nm.Send\r\n"
wide = lambda name: text(name).encode("utf-16-le")
packed = lambda name: b"\n" + base64.encodebytes(text(name).encode() * 4) + b"\n"
with open("fs.img", "wb") as f:
    f.truncate(4 << 20)
os.system("mkfs.ext4 -q -F -b 1024 -O ^has_journal fs.img")
open("small.txt", "w").write("a few words\n")
os.system("debugfs -w -R 'write small.txt small.txt' fs.img >/dev/null 2>&1")
out = os.popen("debugfs -R 'blocks small.txt' fs.img 2>/dev/null").read().split()
block = int(out[0])
with open("fs.img", "r+b") as f:
    f.seek(block * 1024 + 100)
    f.write(wide("slack"))  # behind the file's twelve bytes, in its only block
    f.seek(3 * 1024 * 1024 + 17)
    f.write(wide("free"))
    f.seek(3 * 1024 * 1024 + 400 * 1024)
    f.write(packed("freepacked"))
with open("disk.dd", "wb") as f:
    f.truncate(16 << 20)
    f.seek(700 * 1024)
    f.write(wide("gap"))  # before the first partition
    f.seek((1 << 20) + (1 << 20) - 60)
    f.write(wide("border"))  # in the unknown partition, over its first MiB
    f.seek(3 << 20)
    f.write(packed("unknownpacked"))
    f.seek(8 << 20)
    f.write(open("fs.img", "rb").read())
EOF2
printf 'label: dos\nstart=2048, size=8192, type=77\nstart=16384, size=8192, type=83\n' | sfdisk -q disk.dd

"$TRIAGE" scan -q --digest none -o case disk.dd 2>stderr || [ $? -eq 1 ] || fail "$(cat stderr)"
found() { # STATE VIEW NAME
  [ "$(rows case/hits.csv "r['state'] == '$1' and r['view'].startswith('$2') and '$3@example.test' in r['excerpt'] + r['mail_to']")" -ge 1 ] ||
    fail "$3: no hit of the view $2 in $1"
}
found unallocated utf-16le gap
found unallocated utf-16le border
found unallocated base64 unknownpacked
found slack utf-16le slack
found unallocated utf-16le free
found unallocated base64 freepacked
[ "$(rows case/hits.csv "r['view'] == 'raw'")" -eq 0 ] || fail "a hit in the bytes as they lie: the plants are not encoded"
[ "$(rows case/hits.csv "'border@example.test' in r['excerpt'] + r['mail_to']")" -eq 1 ] || fail "the one over the border stands more than once"
finish
