#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_xfs.sh - XFS made by mkfs.xfs, versions 4 and 5, small and large directories, several groups,
# holes and reserved blocks: names, times, content and places against xfs_db; plants in slack and in
# free blocks; damaged directories; features that nobody knows.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v mkfs.xfs >/dev/null && command -v xfs_db >/dev/null || skip "no xfsprogs"
export TEST_DIR=1 TEST_DEV=1 QA_CHECK_FS=1 # mkfs.xfs makes small ones only for its own tests

script >script.vbs
head -c 100000 /dev/urandom >noise
prototype() { # NAMES: in one directory
  printf '%s\n' x '0 0' 'd--755 0 0' 'inside.vbs ---644 0 0 script.vbs' 'noise ---644 0 0 noise'
  printf 'link l--777 0 0 /inside.vbs\nlong l--777 0 0 %s\n' "$(printf 'CDO.Message/%.0s' {1..70})"
  printf 'mark l--777 0 0 %s\n' "$(printf 'CDO.Message/%.0s' {1..70})"
  printf '%s\n' 'd1 d--755 0 0' 'd2 d--755 0 0' 'deep.vbs ---644 0 0 script.vbs' '$' '$' 'many d--755 0 0'
  for ((i = 0; i < $1; i++)); do echo "a-long-name-of-a-small-file-$i.vbs ---644 0 0 script.vbs"; done
  printf '%s\n' '$' '$'
}
make_xfs() { # FILE SIZE NAMES OPTION...
  local file=$1
  rm -f "$file" && truncate -s "$2" "$file" && prototype "$3" >proto
  shift 3
  mkfs.xfs -q -f -p proto "$@" "$file" >mkfs.log 2>&1 || { cat mkfs.log; skip "mkfs.xfs does not make this one"; }
}
hits() { # CASE CONDITION EXPECTED
  [ "$(rows "$1/hits.csv" "$2")" -eq "$3" ] || { fail "$1: not $3 hits with $2"; head -n 5 "$1/coverage.csv"; }
}

# Every file of the case against xfs_db: content by its list of extents, place, times.
agrees() { # CASE IMAGE
  python3 - "$1/entries.csv" "$2" <<'PY' || fail "$1: xfs_db says something else"
import csv, hashlib, re, subprocess, sys
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["meta_addr"] and r["state"] == "allocated" and r["kind"] == "file"]
image = open(sys.argv[2], "rb").read()
command = ["xfs_db", "-r", "-c", "sb 0", "-c", "print blocksize agblocks agblklog"]
for r in rows:
    command += ["-c", "inode " + r["meta_addr"], "-c", "print core.size core.mtime.sec core.mtime.nsec", "-c", "bmap"]
out = subprocess.run(command + [sys.argv[2]], capture_output=True, text=True, env={"TZ": "UTC", "PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}).stdout
block, group, log = (int(re.search(w + r" = (\d+)", out)[1]) for w in ("blocksize", "agblocks", "agblklog"))
parts = re.split(r"^core\.size = ", out, flags=re.M)[1:]
assert rows and len(parts) == len(rows), (len(parts), len(rows))
bad = 0
for r, part in zip(rows, parts):
    size = int(part.split()[0])
    data, first = bytearray(size), ""
    for at, ag, inside, n, flag in re.findall(r"data offset (\d+) startblock \d+ \((\d+)/(\d+)\) count (\d+) flag (\d)", part):
        at, place, n = int(at) * block, (int(ag) * group + int(inside)) * block, int(n) * block
        if flag == "0":
            first = first or str(place)
            data[at:at + n] = image[place:place + n]
    digest = hashlib.sha256(data[:size]).hexdigest()
    nano = int(re.search(r"mtime.nsec = (\d+)", part)[1])
    if (int(r["size"]), r["sha256"], r["first_byte"]) != (size, digest, first) or not r["modified"].endswith(f".{nano:09}Z"):
        bad += 1
        print(r["path"], r["size"], size, r["first_byte"], first, r["modified"], nano)
sys.exit(bad > 0)
PY
}

make_xfs v5.dd 64M 1200 -d agcount=4
inode=$(xfs_db -r -c 'path /noise' -c 'print v3.inumber' v5.dd | sed 's/.* = //')
place=$(xfs_db -r -c "inode $inode" -c stack v5.dd | sed -n 's/.*byte offset \([0-9]*\),.*/\1/p')
# the second file: ten blocks, a hole, ten more, and what is left reserved but never written; what
# stands there is nobody's
python3 - v5.dd "$place" <<'PY'
import struct, sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    inode = bytearray(f.read(512))
    high, low = struct.unpack(">QQ", inode[176:192])
    start, blocks = (high & 511) << 43 | low >> 21, low & (1 << 21) - 1
    record = lambda at, block, n, flag=0: struct.pack(">QQ", flag << 63 | at << 9 | block >> 43, (block & (1 << 43) - 1) << 21 | n)
    inode[176:224] = record(0, start, 10) + record(20, start + 10, 10) + record(30, start + 20, blocks - 20, 1)
    inode[56:64] = struct.pack(">Q", struct.unpack(">Q", inode[56:64])[0] + 10 * 4096)
    inode[76:80] = struct.pack(">I", 3)
    f.seek(int(sys.argv[2]))
    f.write(inode)
PY
xfs_db -x -c "inode $inode" -c 'crc -r' v5.dd >/dev/null
# mkfs.xfs writes long links without the header that the kernel gives them
place=$(($(xfs_db -r -c 'path /mark' -c bmap v5.dd | sed -n 's/.*(0\/\([0-9]*\)).*/\1/p') * 4096))
{ printf 'XSLM' && head -c 52 /dev/zero && printf 'CDO.Message/%.0s' {1..70}; } | dd of=v5.dd bs=1 seek=$place conv=notrunc status=none
inside=$(xfs_db -r -c 'path /inside.vbs' -c bmap v5.dd | sed -n 's/.*(0\/\([0-9]*\)).*/\1/p')
end=$(stat -c %s v5.dd)
printf 'CDO.Message in slack' | dd of=v5.dd bs=1 seek=$((inside * 4096 + 4000)) conv=notrunc status=none
printf 'CDO.Message when free' | dd of=v5.dd bs=1 seek=$((end - 5000)) conv=notrunc status=none

echo 'rule plant { strings: $a = "CDO.Message" condition: $a }' >plant.yar
status 0 "$TRIAGE" scan -q --entries --hash-all -r plant.yar -o v5 v5.dd
closes v5
agrees v5 v5.dd
hits v5 "r['fs_type'] == 'xfs' and r['state'] == 'allocated' and r['path'].endswith('.vbs')" 1202
hits v5 "r['path'] == '/d1/d2/deep.vbs'" 1
hits v5 "r['path'] == '/long' and r['state'] == 'allocated' and r['size'] == '840'" 1
hits v5 "r['path'] == '/inside.vbs' and r['state'] == 'slack' and r['image_offset'] == '$((inside * 4096 + 4000))'" 1
hits v5 "r['path'].startswith('/\$Unknown/') and r['state'] == 'unallocated' and r['image_offset'] == '$((end - 5000))'" 1
hits v5 "r['path'] == '/mark' and r['match_count'] == '70' and r['image_offset'] == '$((place + 56))'" 1
hits v5 True 1206
has v5/entries.csv "r['path'] == '/link' and r['size'] == '11'"
status 0 "$TRIAGE" verify v5

# directory blocks of several blocks, no types in names, old times; the tree of a large directory
make_xfs v4.dd 24M 1500 -d agcount=1 -m crc=0,finobt=0,reflink=0 -n size=4096,ftype=0 -b size=512
status 0 "$TRIAGE" scan -q --entries --hash-all -r plant.yar -o v4 v4.dd
closes v4
agrees v4 v4.dd
hits v4 True 1504

# one block of the large directory is lost: its names alone are
block=$(xfs_db -r -c 'path /many' -c bmap v4.dd | sed -n '3s/.*(0\/\([0-9]*\)).*/\1/p')
cp v4.dd lost.dd
dd if=/dev/zero of=lost.dd bs=512 seek="$block" count=1 conv=notrunc status=none
status 1 "$TRIAGE" scan -q -r plant.yar -o lost lost.dd
closes lost
has lost/coverage.csv "r['path'] == '/many' and r['reason'] == 'corrupt' and 'part(s) of the directory' in r['detail']"
has lost/coverage.csv "'the superblock counts' in r['detail']"
n=$(rows lost/hits.csv "r['path'].startswith('/many/')")
[ "$n" -gt 1400 ] && [ "$n" -lt 1500 ] || fail "$n names of the damaged directory are left"
python3 - lost/hits.csv $((1500 - n)) <<'PY' || fail "not every lost file's content is found as bytes"
import csv, sys
found = sum(int(r["match_count"]) for r in csv.DictReader(open(sys.argv[1])) if r["state"] == "unallocated")
sys.exit(found != int(sys.argv[2]) and print(found, sys.argv[2]) is None)
PY

# the last block of its names ends early, and two extents of a file lie in one place: both are told
python3 - v4.dd "$(xfs_db -r -c 'path /many' -c bmap v4.dd)" cut.dd <<'PY'
import re, struct, sys
image = bytearray(open(sys.argv[1], "rb").read())
record = lambda at, block, n: struct.pack(">QQ", at << 9 | block >> 43, (block & (1 << 43) - 1) << 21 | n)
extents = [tuple(map(int, m)) for m in re.findall(r"data offset (\d+) startblock (\d+) .*count (\d+) flag", sys.argv[2])]
at, block, n = [e for e in extents if e[0] < 1 << 26][-1]
place = image.find(record(at, block, n))
assert place > 0 and n > 1
image[place:place + 16] = record(at, block, n - 1)
open(sys.argv[3], "wb").write(image)
PY
status 1 "$TRIAGE" scan -q -r plant.yar -o cut cut.dd
closes cut
has cut/coverage.csv "r['path'] == '/many' and r['reason'] == 'corrupt' and r['detail'].startswith('1 part(s) of the directory')"
place=$(xfs_db -r -c "inode $inode" -c stack v5.dd | sed -n 's/.*byte offset \([0-9]*\),.*/\1/p')
cp v5.dd twice.dd
python3 - twice.dd "$place" <<'PY'
import struct, sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]) + 192)
    f.write(struct.pack(">Q", 5 << 9))
PY
status 1 "$TRIAGE" scan -q -r plant.yar -o twice twice.dd
closes twice
has twice/coverage.csv "r['path'] == '/noise' and r['reason'] == 'corrupt' and r['detail'].startswith('1 part(s) of what says where')"

# what a later version may bring is refused by its name, and scanned as bytes
cp v5.dd later.dd
printf '\x80' | dd of=later.dd bs=1 seek=216 conv=notrunc status=none
status 1 "$TRIAGE" scan -q -r plant.yar -o later later.dd
closes later
has later/coverage.csv "r['reason'] == 'unsupported-filesystem' and 'features that are not known (0x80000000)' in r['detail']"
hits later "r['fs_type'] == '' and r['state'] == 'unallocated'" "$(rows later/hits.csv True)"
has later/hits.csv "r['image_offset'] == '$((inside * 4096 + 4000))' or r['match_count'] != '1'"
finish
