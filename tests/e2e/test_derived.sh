#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_derived.sh - volumes made from others: LUKS with and without its passphrase, a logical volume,
# one inside the other, XFS in one, shadow copies.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v cryptsetup >/dev/null || skip "no cryptsetup"

tree=$work/tree
mkdir tree && script >tree/inside.vbs && head -c 100000 /dev/urandom >tree/noise
truncate -s 4M plain.dd
mke2fs -q -t ext4 -F -d tree plain.dd || fail mke2fs

# luks PLAIN FILE: a LUKS volume around it, as the kernel would write it
luks() {
  rm -f master "$2"
  truncate -s 8M "$2"
  printf 'open sesame' >key
  if ! cryptsetup -q luksFormat --type luks1 --cipher aes-xts-plain64 --key-size 256 --pbkdf-force-iterations 1000 "$2" key 2>luks.log ||
    ! cryptsetup -q luksDump --dump-volume-key --volume-key-file master --key-file key "$2" >/dev/null 2>>luks.log; then
    cat luks.log
    return 1
  fi
  python3 - "$1" "$2" <<'PY'
import ctypes, ctypes.util, struct, sys
crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
crypto.EVP_CIPHER_CTX_new.restype = crypto.EVP_aes_128_xts.restype = ctypes.c_void_p
key, plain = open("master", "rb").read(), open(sys.argv[1], "rb").read()
with open(sys.argv[2], "r+b") as f:
    f.seek(104)
    start = struct.unpack(">I", f.read(4))[0] * 512
    f.seek(start)
    for sector in range(len(plain) // 512):
        context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
        crypto.EVP_EncryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_128_xts()), None, key, struct.pack("<QQ", sector, 0))
        out, n = ctypes.create_string_buffer(512), ctypes.c_int()
        crypto.EVP_EncryptUpdate(context, out, ctypes.byref(n), plain[sector * 512:sector * 512 + 512], 512)
        crypto.EVP_CIPHER_CTX_free(context)
        f.write(out.raw)
    f.truncate(start + len(plain))
PY
}

# lvm PLAIN FILE: a physical volume with one logical volume in one piece, an extent further on than its data area
# (what LVM's own tools make is in test_lvm.sh)
lvm() {
  python3 - "$1" "$2" <<'PY'
import struct, sys
def crc(data):
    value = 0xf597a6cf
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xedb88320 if value & 1 else 0)
    return value
plain = open(sys.argv[1], "rb").read()
extent, data = 1 << 20, 1 << 20
half = len(plain) // 2
n = half // extent
uuid = b"AAAAAABBBBCCCCDDDDEEEEFFFFGGGGGG"
dashed = lambda u: "-".join([u[:6], u[6:10], u[10:14], u[14:18], u[18:22], u[22:26], u[26:]])
pv = dashed(uuid.decode())
text = f'''vg {{
id = "{pv.replace('A', 'H')}"
seqno = 2
format = "lvm2"
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
extent_size = {extent // 512}
max_lv = 0
max_pv = 0
metadata_copies = 0

physical_volumes {{

pv0 {{
id = "{pv}"
device = "/dev/sdx"

status = ["ALLOCATABLE"]
flags = []
dev_size = {(data + len(plain) + extent) // 512}
pe_start = {data // 512}
pe_count = {len(plain) // extent + 1}
}}
}}

logical_volumes {{

root {{
id = "{pv.replace('A', 'K')}"
status = ["READ", "WRITE", "VISIBLE"]
flags = []
creation_time = 1400000000
creation_host = "host"
segment_count = 1

segment1 {{
start_extent = 0
extent_count = {2 * n}

type = "striped"
stripe_count = 1

stripes = [
"pv0", 1
]
}}
}}
}}
}}
# Generated
contents = "Text Format Volume Group"
version = 1

description = ""

creation_host = "host"
creation_time = 1400000000

'''.encode() + b"\0"
size = data + len(plain) + extent
disk = bytearray(size)
mda, mda_size = 4096, data - 4096
header = uuid + struct.pack("<Q", size) + struct.pack("<QQQQ", data, 0, 0, 0) + struct.pack("<QQQQ", mda, mda_size, 0, 0)
body = struct.pack("<I", 32) + b"LVM2 001" + header
body += bytes(512 - 20 - len(body))
disk[512:1024] = b"LABELONE" + struct.pack("<QI", 1, crc(body)) + body
locn = struct.pack("<QQII", 512, len(text), crc(text), 0) + bytes(24)
head = b" LVM2 x[5A%r0N*>" + struct.pack("<IQQ", 1, mda, mda_size) + locn
head += bytes(508 - len(head))
disk[mda:mda + 512] = struct.pack("<I", crc(head)) + head
disk[mda + 512:mda + 512 + len(text)] = text
disk[data + extent:data + extent + 2 * half] = plain
disk[data + 5000:data + 5011] = b"CDO.Message"
open(sys.argv[2], "wb").write(disk)
PY
}

hits_in() { # CASE CONDITION EXPECTED
  [ "$(rows "$1/hits.csv" "$2")" -eq "$3" ] || { fail "$1: not $3 hits with $2"; cut -d, -f3-6,10 "$1/hits.csv"; cat "$1/coverage.csv"; }
}
luks plain.dd luks.dd || skip "cryptsetup cannot make a LUKS1 volume here"
status 1 "$TRIAGE" scan -q -o closed luks.dd
has closed/coverage.csv "r['reason'] == 'encrypted' and 'LUKS' in r['detail']"
hits_in closed True 0
printf 'wrong\nopen sesame\n' >passwords
status 0 "$TRIAGE" scan -q --password-file passwords -o opened luks.dd
hits_in opened "r['path'] == '/inside.vbs' and r['fs_type'] == 'ext4' and r['image_offset'] == ''" 1
hits_in opened True 1
closes opened
printf 'wrong\n' >wrong
status 1 "$TRIAGE" scan -q --password-file wrong -o wrongly luks.dd
has wrongly/coverage.csv "r['reason'] == 'encrypted'"

lvm plain.dd lvm.dd
status 0 "$TRIAGE" scan -q -o logical lvm.dd
hits_in logical "r['path'] == '/inside.vbs' and r['volume'] == '1'" 1
hits_in logical "r['state'] == 'unallocated' and r['path'].startswith('/\$Unknown/')" 1
hits_in logical True 2
closes logical

lvm plain.dd inner.dd
luks inner.dd both.dd
status 0 "$TRIAGE" scan -q --password-file passwords -o both both.dd
hits_in both "r['path'] == '/inside.vbs'" 1
hits_in both True 2

# what a server of Red Hat's has: XFS in a logical volume
if command -v mkfs.xfs >/dev/null; then
  printf '%s\n' x '0 0' 'd--755 0 0' "inside.vbs ---644 0 0 tree/inside.vbs" '$' >proto
  truncate -s 20M xfs.dd
  TEST_DIR=1 TEST_DEV=1 QA_CHECK_FS=1 mkfs.xfs -q -f -p proto xfs.dd || fail mkfs.xfs
  lvm xfs.dd lvmxfs.dd
  status 0 "$TRIAGE" scan -q -o inxfs lvmxfs.dd
  hits_in inxfs "r['path'] == '/inside.vbs' and r['fs_type'] == 'xfs' and r['image_offset'] == ''" 1
  hits_in inxfs True 2
  closes inxfs
fi

vss=${TRIAGE_EVIDENCE:-}/real/plaso/vsstest.qcow2
if [ -e "$vss" ]; then
  # shellcheck disable=SC2016 # the rule's own dollars
  echo 'rule old { strings: $a = "FILE0" condition: $a at 0 }' >mft.yar
  status 0 "$TRIAGE" scan -q --entries -r mft.yar -o shadow "$vss"
  closes shadow
  has shadow/entries.csv "r['path'].startswith('/\$ShadowCopy1 2013-12-03T06:35:09.7363787Z/') and r['examined'] == 'yes'"
  has shadow/entries.csv "r['path'].startswith('/\$ShadowCopy2 2013-12-03T06:37:48.9190583Z/') and r['examined'] == 'yes'"
  has shadow/entries.csv "r['path'].startswith('/\$ShadowCopy1 ') and r['examined'] == 'no' and int(r['size']) > 0" # the same as live
  hits_in shadow "r['path'].startswith('/\$ShadowCopy') and r['path'].endswith('/\$MFT')" 2
else
  echo "the shadow copies were not tested: no $vss"
fi
finish
