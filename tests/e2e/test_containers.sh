#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_containers.sh - one disk in the containers that qemu-img and affconvert write: VHDX of each kind, VMDK in one
# file and in several, QCOW2 of both versions, plain and compressed: every byte, and the same hits.
# What depends on another file or is encrypted is refused by its name; what is damaged is said.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v qemu-img >/dev/null || skip "no qemu-img"

ext4_image disk.dd 24M
digest=$(sha256sum <disk.dd | cut -d' ' -f1)
status 0 "$TRIAGE" scan -q -o raw disk.dd
expected=$(tail -n +2 raw/hits.csv | cut -d, -f3- | sort)
[ -n "$expected" ] || fail "the disk itself has no hits"

digest_of() { # CASE
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["evidence"][0]["sha256"])' "$1/manifest.json"
}
same_disk() { # FORMAT OPTIONS FILE WORD
  rm -rf case
  qemu-img convert -f raw -O "$1" $2 disk.dd "$3" || { fail "qemu-img: $3"; return; }
  status 0 "$TRIAGE" scan -q -o case "$3"
  [ "$(digest_of case)" = "$digest" ] || fail "$3: not the bytes of the disk"
  [ "$(tail -n +2 case/hits.csv | cut -d, -f3- | sort)" = "$expected" ] || fail "$3: other hits"
  status 0 "$TRIAGE" info "$3"
  grep -q "^format: $4$" stdout || { fail "$3: not said to be $4"; cat stdout; }
}
same_disk vhdx '-o subformat=dynamic,block_size=1M' dynamic.vhdx vhdx
same_disk vhdx '-o subformat=fixed' fixed.vhdx vhdx
same_disk vmdk '-o subformat=monolithicSparse' sparse.vmdk vmdk
same_disk vmdk '-o subformat=twoGbMaxExtentSparse' split.vmdk vmdk
same_disk vmdk '-o subformat=twoGbMaxExtentFlat' flat.vmdk vmdk
same_disk vmdk '-o subformat=streamOptimized' stream.vmdk vmdk
same_disk qcow2 '-o compat=0.10' old.qcow2 qcow
same_disk qcow2 '-c -o compat=1.1' packed.qcow2 qcow

if command -v affconvert >/dev/null; then
  ln disk.dd disk.raw # it goes by names
  affconvert -q -o disk.aff disk.raw >affconvert.log 2>&1 && affconvert -q -x -o stored.aff disk.raw >>affconvert.log 2>&1 ||
    { cat affconvert.log; fail affconvert; }
  for name in disk stored; do
    rm -rf case
    status 0 "$TRIAGE" scan -q -o case $name.aff
    [ "$(digest_of case)" = "$digest" ] || fail "$name.aff: not the bytes of the disk"
    [ "$(tail -n +2 case/hits.csv | cut -d, -f3- | sort)" = "$expected" ] || fail "$name.aff: other hits"
    grep -q '"digest_status": "match"' case/manifest.json || fail "$name.aff: its digests are not compared"
  done
  # a page that does not inflate, one that is not there, a file that breaks off; an older signature
  python3 - <<'PY'
data = open("disk.aff", "rb").read()
first, second = data.index(b"page0"), data.index(b"page1")
bad = bytearray(data)
for at in range(first + 3000, first + 3100):
    bad[at] ^= 0xff
open("bad.aff", "wb").write(bad)
gone = bytearray(data)
gone[second + 4:second + 5] = b"9"
open("gone.aff", "wb").write(gone)
open("short.aff", "wb").write(data[:second + 100])
PY
  for name in bad:corrupt gone:read-error; do
    status 1 "$TRIAGE" scan -q -o ${name%:*} "${name%:*}.aff"
    has ${name%:*}/coverage.csv "r['reason'] == '${name#*:}' and 'cannot be had' in r['detail']"
    grep -q '"digest_status": "mismatch"' ${name%:*}/manifest.json || fail "${name%:*}.aff: its digests are said to match"
  done
  status 2 "$TRIAGE" scan -q -o short short.aff
  says "does not say its size"
fi

refused() { # FILE TEXT
  status 2 "$TRIAGE" scan -q -o never "$1"
  says "$2"
  [ ! -e never ] || fail "$1: a case was written"
}
qemu-img create -q -f qcow2 -b old.qcow2 -F qcow2 child.qcow2
refused child.qcow2 "backing file"
qemu-img create -q -f qcow2 --object secret,id=s,data=x -o encrypt.format=aes,encrypt.key-secret=s locked.qcow2 4M
refused locked.qcow2 "encrypted (AES)"
qemu-img create -q -f vmdk -b sparse.vmdk -F vmdk child.vmdk
refused child.vmdk "snapshot"
mkdir alone && cp split.vmdk alone/
refused alone/split.vmdk "split-s001.vmdk"

# a VHDX cut short, one whose block lies behind its end, one zeroed block whose old content is still
# there, one that was not closed
python3 - <<'PY'
import struct
data = bytearray(open("dynamic.vhdx", "rb").read())
table = next(struct.unpack("<Q", data[196608 + 32 + i * 32:196608 + 40 + i * 32])[0] for i in range(2)
             if data[196608 + 16 + i * 32:196608 + 20 + i * 32].hex() == "6677c22d")
block = [struct.unpack("<Q", data[table + i * 8:table + i * 8 + 8])[0] for i in range(24)]
used = next(i for i in range(1, 24) if block[i] & 7 == 6 and any(data[(block[i] >> 20) << 20:((block[i] >> 20) + 1) << 20]))
def variant(name, entry):
    changed = bytearray(data)
    changed[table + used * 8:table + used * 8 + 8] = struct.pack("<Q", entry)
    open(name, "wb").write(changed)
variant("far.vhdx", 1 << 40 | 6)
variant("zeroed.vhdx", block[used] & ~7 | 2)
open("cut.vhdx", "wb").write(data[:len(data) * 7 // 10])
def crc32c(bytes_):
    value = 0xffffffff
    for byte in bytes_:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value ^ 0xffffffff
for header in (65536, 131072):
    data[header + 48] = 1
    data[header + 4:header + 8] = bytes(4)
    data[header + 4:header + 8] = struct.pack("<I", crc32c(data[header:header + 4096]))
open("open.vhdx", "wb").write(data)
raw = bytearray(open("disk.dd", "rb").read())
raw[used << 20:used + 1 << 20] = bytes(1 << 20)
open("zeroed.dd", "wb").write(raw)
PY
for name in far cut; do
  status 1 "$TRIAGE" scan -q -o $name $name.vhdx
  has $name/coverage.csv "r['reason'] == 'read-error' and 'cannot be had' in r['detail']"
done
"$TRIAGE" scan -q -o zeroed zeroed.vhdx
[ "$(digest_of zeroed)" = "$(sha256sum <zeroed.dd | cut -d' ' -f1)" ] || fail "the old content of a zeroed block is taken for the disk's"
status 1 "$TRIAGE" info open.vhdx
grep -q "not closed properly" stdout || fail "an open log is not said"
finish
