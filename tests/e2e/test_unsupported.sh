#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_unsupported.sh - what triage has no reader for, made by its own tools where Debian has them: each
# is listed by its name, alone and as a partition, and its bytes are examined all the same.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
echo 'rule plant { strings: $a = "planted in free space" condition: $a }' >plant.yar

# listed NAME REASON TEXT: ./image is listed so, and what is planted in its last sector is found there
listed() {
  rm -rf case
  size=$(stat -c %s image)
  printf 'planted in free space' | dd of=image bs=1 seek=$((size - 512)) conv=notrunc status=none
  status 1 "$TRIAGE" scan -q -r plant.yar -o case image
  [ "$(rows case/coverage.csv True)" -eq 1 ] || fail "$1: not one row"
  has case/coverage.csv "r['reason'] == '$2' and '$3' in r['detail'] and r['size'] == '$size'" "$1"
  has case/hits.csv "r['fs_type'] == '' and r['state'] == 'unallocated' and r['image_offset'] == '$((size - 512))'" "$1"
  "$TRIAGE" info case >stdout
  grep -q "no file system  *$size bytes" stdout || fail "$1: the account does not close"
}
# made NAME REASON TEXT SIZE COMMAND...: by its own tool
made() {
  local name=$1 reason=$2 text=$3
  rm -f image && truncate -s "$4" image
  shift 4
  command -v "$1" >/dev/null || { echo "not tested: $name (no $1)"; return; }
  "$@" >made.log 2>&1 || { tail -n 3 made.log; fail "$name: $1"; return; }
  [ "$(stat -c %s image)" -ge 65536 ] || truncate -s 64K image # some tools make as small a file as will do
  listed "$name" "$reason" "$text"
}
# marked NAME REASON TEXT OFFSET BYTES: its mark alone, as its documentation has it
marked() {
  rm -f image && truncate -s 2M image
  # shellcheck disable=SC2059 # the bytes are escapes
  printf -- "$5" | dd of=image bs=1 seek="$4" conv=notrunc status=none
  listed "$1" "$2" "$3"
}

mkdir -p tree && echo text >tree/file
none=unsupported-filesystem
made btrfs $none 'a btrfs file system' 110M mkfs.btrfs -q image
made f2fs $none 'an F2FS file system' 52M mkfs.f2fs -q image
made jfs $none 'a JFS file system' 17M mkfs.jfs -q image
made reiserfs $none 'a ReiserFS file system' 34M mkreiserfs -q -f -f image
made udf $none 'a UDF file system' 4M mkudffs image
made swap $none 'Linux swap space' 1M mkswap image
made cramfs $none 'a cramfs file system' 1M mkfs.cramfs tree image
made squashfs $none 'a squashfs file system' 0 mksquashfs tree image -noappend -quiet
made erofs $none 'an EROFS file system' 0 mkfs.erofs image tree
made luks2 encrypted 'LUKS volume of version 2' 20M bash -c \
  'printf secret | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 image -'
marked refs $none 'a ReFS file system' 3 'ReFS\0\0\0\0\0'
marked raid-1.2 $none 'a Linux software RAID member' 4096 '\xfc\x4e\x2b\xa9\1'
marked raid-1.1 $none 'a Linux software RAID member' 0 '\xfc\x4e\x2b\xa9\1'
marked zfs $none 'a ZFS pool member' 16404 '\0\0\0\7version'
marked bcachefs $none 'a bcachefs file system' 4120 '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef'
marked nilfs2 $none 'a NILFS2 file system' 1024 '\2\0\0\0\0\0\x34\x34'
marked vmfs $none 'a VMFS volume' 1048576 '\x0d\xd0\x01\xc0'
marked ldm $none 'a Windows dynamic disk' 3072 'PRIVHEAD'
marked hfs $none 'an HFS (Mac OS Standard) file system' 1024 \
  'BD\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\7\320\0\0\2\0\0\0\0\0\0\20\0\0\0\0\0\0\4Disk'
marked mfs $none 'an MFS (Macintosh 400K) file system' 1024 \
  '\xd2\xd7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x87\0\0\4\0\0\0\0\0\0\20\0\0\0\0\0\0\4Disk'
marked bitlocker encrypted 'a BitLocker volume' 3 '-FVE-FS-'

# what looks like nothing at all (VeraCrypt does): no name, but no silence either
head -c 2M /dev/urandom >image
rm -rf case
"$TRIAGE" scan -q -r plant.yar -o case image
echo "random bytes: a file of its own, $(rows case/coverage.csv True) rows"
if command -v sfdisk >/dev/null; then # as a partition it is a volume
  truncate -s 4M image
  printf 'label: dos\nstart=2048,size=4096,type=83\n' | sfdisk -q image >/dev/null 2>&1
  head -c 2M /dev/urandom | dd of=image bs=512 seek=2048 conv=notrunc status=none
  rm -rf case
  status 1 "$TRIAGE" scan -q -r plant.yar -o case image
  has case/coverage.csv "r['volume'] == '1' and r['reason'] == '$none' and 'no file system that triage can read' in r['detail']"
fi
finish
