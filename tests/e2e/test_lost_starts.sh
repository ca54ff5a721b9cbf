#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What lost its beginning: a disk whose first sector was wiped, an ext file system that libtsk does not
# take, a zip whose member's own header is damaged. Each is opened by what is left of it, or listed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin

ext4_image fs.img 4M
for wiped in '\0' '\377'; do
  truncate -s 6M disk.dd
  dd if=fs.img of=disk.dd bs=1M seek=1 conv=notrunc status=none
  head -c 512 /dev/zero | tr '\0' "$wiped" | dd of=disk.dd conv=notrunc status=none
  rm -rf case
  status 1 "$TRIAGE" scan -q --digest none -o case disk.dd
  [ "$(rows case/hits.csv "r['fs_type'] == 'ext4' and r['volume_offset'] == '1048576' and r['state'] == 'allocated' and r['path'].endswith('.vbs')")" -eq 6 ] ||
    fail "wiped with $wiped: the file system is not found"
  has case/coverage.csv "r['reason'] == 'corrupt' and 'table of partitions' in r['detail']"
done
# Zeros at the start alone make no disk.
head -c 100000 /dev/zero >zeros.bin
script >>zeros.bin
status 0 "$TRIAGE" scan -q --digest none -o case_zeros zeros.bin
[ "$(rows case_zeros/hits.csv "r['path'] == '/zeros.bin' and r['fs_type'] == ''")" -eq 1 ] || fail "a file of zeros"

mkdir tree && script bigalloc >tree/a.vbs
truncate -s 16M big.img
mke2fs -q -t ext4 -O bigalloc -d tree big.img || skip "mke2fs knows no bigalloc"
status 1 "$TRIAGE" scan -q --digest none -o case_big big.img
has case_big/coverage.csv "r['reason'] == 'unsupported-filesystem' and 'an ext file system' in r['detail']"
has case_big/hits.csv "r['state'] == 'unallocated' and 'bigalloc@' in r['mail_to']"

python3 - <<'PY'
import zipfile
with zipfile.ZipFile('cut.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr('a.vbs', 'Set m = CreateObject("CDO.Message")\r\n' * 20)
with open('cut.zip', 'r+b') as file:
    file.write(b'\0\0\0\0')
PY
status 1 "$TRIAGE" scan -q --digest none -o case_zip cut.zip
[ "$(rows case_zip/coverage.csv True)" -ge 1 ] || fail "a zip without its member's header is not listed"
finish
