#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_tables.sh - partition tables by parted, sfdisk and by hand: DOS with logical partitions, GPT, Apple,
# BSD, against mmls; GPT with one or both copies damaged, partitions whose entries were deleted.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v parted >/dev/null && command -v sfdisk >/dev/null && command -v mmls >/dev/null || skip "no parted, sfdisk or mmls"

mkdir tree && script >tree/inside.vbs
truncate -s 2M fs.dd
mke2fs -q -t ext4 -F -d tree fs.dd || fail mke2fs

# fill IMAGE SECTOR...: the file system at each
fill() {
  local image=$1
  shift
  for sector; do dd if=fs.dd of="$image" bs=512 seek="$sector" conv=notrunc status=none; done
}
# agrees IMAGE [MMLS OPTION...]: the same partitions as mmls, the file system in each that fill put there
agrees() {
  local image=$1 expected got
  shift
  expected=$(mmls -a -B "$@" "$image" | awk '$1 ~ /^[0-9]+:$/ { print $3 * 512, $5 * 512 }' | sort)
  "$TRIAGE" info "$image" >stdout
  got=$(sed -n 's/^volume [1-9][0-9]*: offset \([0-9]*\), length \([0-9]*\),.*/\1 \2/p' stdout | sort)
  [ -n "$expected" ] && [ "$got" = "$expected" ] || { fail "$image: not what mmls lists"; diff <(echo "$expected") <(echo "$got"); }
}
# finds IMAGE HITS STATUS: the script in each of the volumes; the accounts close
finds() {
  rm -rf case
  status "$3" "$TRIAGE" scan -q -o case "$1"
  [ "$(rows case/hits.csv "r['path'] == '/inside.vbs' and r['fs_type'] == 'ext4' and r['state'] == 'allocated'")" -eq "$2" ] ||
    { fail "$1: not $2 hits"; cut -d, -f3-6,10 case/hits.csv; }
  [ "$(rows case/hits.csv True)" -eq "$2" ] || fail "$1: other hits"
  "$TRIAGE" info case | python3 -c '
import re, sys
text = sys.stdin.read()
volumes = re.findall(r"length (\d+),.*?together +(\d+) bytes", text, re.S)
sys.exit(not volumes or any(a != b for a, b in volumes) or "still to do 0" not in text)' || fail "$1: the accounts do not close"
}
table() { # IMAGE LABEL WORD: two partitions
  truncate -s 12M "$1" &&
    parted -s "$1" mklabel "$2" mkpart $3 ext2 2048s 6143s mkpart $3 ext2 8192s 12287s >parted.log 2>&1 || { cat parted.log; fail "parted: $2"; }
  fill "$1" 2048 8192
}

table gpt.dd gpt x
agrees gpt.dd
finds gpt.dd 2 0
table mac.dd mac x
agrees mac.dd
finds mac.dd 2 0
truncate -s 12M dos.dd bsd.dd
printf 'label: dos\nstart=2048,size=4096,type=83\nstart=8192,size=14336,type=5\nstart=10240,size=4096,type=83\nstart=16384,size=4096,type=83\n' |
  sfdisk -q dos.dd >sfdisk.log 2>&1 || { cat sfdisk.log; fail sfdisk; }
fill dos.dd 2048 10240 16384
agrees dos.dd
finds dos.dd 3 0

# a BSD disk label, as FreeBSD writes it in the second sector
fill bsd.dd 2048 8192
python3 - <<'PY'
import struct
label = bytearray(276)
struct.pack_into("<I", label, 0, 0x82564557)
struct.pack_into("<IIII", label, 40, 512, 63, 16, 24)
struct.pack_into("<I", label, 60, 24576)
struct.pack_into("<I", label, 132, 0x82564557)
struct.pack_into("<H", label, 138, 3)
for i, (size, start, kind) in enumerate(((4096, 2048, 7), (4096, 8192, 7), (0, 0, 0))):
    struct.pack_into("<IIIBBH", label, 148 + i * 16, size, start, 1024, kind, 8, 0)
total = 0
for i in range(0, 148 + 3 * 16, 2):
    total ^= struct.unpack_from("<H", label, i)[0]
struct.pack_into("<H", label, 136, total)
with open("bsd.dd", "r+b") as f:
    f.seek(512)
    f.write(label)
PY
agrees bsd.dd -t bsd
finds bsd.dd 2 0

# the header of the GPT is gone, its guard is not: the copy at the end serves
cp gpt.dd guard.dd
dd if=/dev/zero of=guard.dd bs=512 seek=1 count=1 conv=notrunc status=none
agrees guard.dd -t gpt
finds guard.dd 2 0
cp gpt.dd backup.dd # neither guard nor header
dd if=/dev/zero of=backup.dd bs=512 count=34 conv=notrunc status=none
agrees backup.dd -t gpt
finds backup.dd 2 0
# both copies are gone, or hold no entry, or the entries of a DOS table were deleted: what is left of
# the partitions is found, and said
dd if=/dev/zero of=guard.dd bs=512 seek=24543 count=33 conv=notrunc status=none
finds guard.dd 2 1
has case/coverage.csv "r['reason'] == 'corrupt' and 'damaged or empty' in r['detail']"
has case/hits.csv "r['volume'] == '2' and r['volume_offset'] == '4194304'"
cp gpt.dd empty.dd
dd if=/dev/zero of=empty.dd bs=512 seek=2 count=32 conv=notrunc status=none
finds empty.dd 2 1
dd if=/dev/zero of=dos.dd bs=1 seek=446 count=64 conv=notrunc status=none
finds dos.dd 3 1
# one deleted entry of two: the file system is found in the gap
parted -s gpt.dd rm 1 >parted.log 2>&1
finds gpt.dd 2 0
has case/hits.csv "r['volume_offset'] == '1048576'"
finish
