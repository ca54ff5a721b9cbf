#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_nested_images.sh - a disk image inside an archive, a directory or another image is opened as an
# image: live and deleted entries of it are members with their paths.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ext4_image inner.dd 8M
script gone >gone.vbs
debugfs -w -R "write gone.vbs gone.vbs" inner.dd >/dev/null 2>&1 && debugfs -w -R "rm gone.vbs" inner.dd >/dev/null 2>&1 || fail "debugfs"
e01 inner.dd inner
# a disk with two partitions, one of them FAT
truncate -s 24M disk.dd
printf 'label: dos\nstart=2048,size=20480,type=83\nstart=24576,size=16384,type=6\n' | sfdisk -q disk.dd >/dev/null 2>&1 || fail "sfdisk"
dd if=inner.dd of=disk.dd bs=1M seek=1 conv=notrunc status=none
mkfs.vfat -F 16 -s 1 -C fat.dd 8192 >/dev/null && script fat >fat.vbs && mcopy -i fat.dd fat.vbs ::FAT.VBS && dd if=fat.dd of=disk.dd bs=1M seek=12 conv=notrunc status=none || fail "FAT"
mkdir tree && zip -q tree/vm.zip inner.dd disk.dd && 7z a -bso0 tree/e01.7z inner.E01 && cp disk.dd tree/vm.img
status 0 "$TRIAGE" scan -q --entries -o case tree
expect() { # PATH MEMBER
  [ "$(rows case/hits.csv "r['path'] == '$1' and r['member'] == '$2' and r['view'] == 'raw'")" -eq 1 ] || fail "no hit at $1 $2"
}
for n in 1 2 3 4 5 6; do
  expect /vm.zip "inner.dd!/d$n/s$n.vbs"
  expect /e01.7z "inner.E01!/d$n/s$n.vbs"
  expect /vm.zip "disk.dd!/(volume 1)/d$n/s$n.vbs"
  expect /vm.img "(volume 1)/d$n/s$n.vbs"
done
expect /vm.zip "inner.dd!/(deleted)/gone.vbs"
expect /vm.zip "disk.dd!/(volume 2)/FAT.VBS"
expect /vm.img "(volume 2)/FAT.VBS"
status 0 "$TRIAGE" verify case

# the budget is one for all files of the image: what one takes the next has not
mkdir holes && truncate -s 40M holes/a holes/b && script end | tee -a holes/a >>holes/b && truncate -s 8M sparse.dd && mke2fs -q -t ext4 -F -d holes sparse.dd || fail "mke2fs"
mkdir bomb && mv sparse.dd bomb/
status 1 "$TRIAGE" scan -q --max-expanded 60000000 -o budget bomb
[ "$(rows budget/coverage.csv 'r["reason"] == "size-limit" and r["path"] == "/sparse.dd"')" -eq 1 ] || fail "the second sparse file is not over the budget"

# inside another image, and in a set of which one segment is all there is
truncate -s 40M outer.dd && mke2fs -q -t ext4 -F -d tree outer.dd || fail "mke2fs"
status 0 "$TRIAGE" scan -q -o outer outer.dd
has outer/hits.csv 'r["path"] == "/vm.zip" and r["member"] == "disk.dd!/(volume 2)/FAT.VBS"'
e01 inner.dd part 3MiB
mkdir alone && cp part.E01 alone/
status 1 "$TRIAGE" scan -q -o lost alone
has lost/coverage.csv 'r["path"] == "/part.E01" and r["reason"] == "missing-segment"'
# damaged beyond opening: said, and its bytes are searched
head -c 2000000 inner.E01 | tail -c 1000000 >body && { head -c 100 inner.E01; cat body; } >alone/part.E01
status 1 "$TRIAGE" scan -q -o broken alone
has broken/coverage.csv 'r["path"] == "/part.E01"'
finish
