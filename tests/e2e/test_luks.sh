#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_luks.sh - LUKS 1 and 2 volumes that cryptsetup itself encrypts (reencrypt needs no device mapper):
# key derivations, ciphers, long keys, large sectors, several slots; damaged headers, costly ones, and
# a volume whose encryption was interrupted.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v cryptsetup >/dev/null || skip "no cryptsetup"

tree=$work/tree
mkdir tree && script >tree/inside.vbs && head -c 100000 /dev/urandom >tree/noise
truncate -s 2M plain.dd
mke2fs -q -t ext4 -b 4096 -O ^has_journal -F -d tree plain.dd || fail mke2fs
printf 'open sesame' >key
printf 'wrong\nopen sesame\n' >passwords
pbkdf2=(--pbkdf pbkdf2 --pbkdf-force-iterations 1000)
argon=(--pbkdf-memory 32768 --pbkdf-force-iterations 4 --pbkdf-parallel 2)

luks() { # FILE OPTION...
  local file=$1
  shift
  cp plain.dd "$file" && truncate -s 10M "$file"
  cryptsetup -q reencrypt --encrypt --type luks2 --reduce-device-size 8M --key-file key "$@" "$file" >luks.log 2>&1 ||
    { cat luks.log; skip "cryptsetup does not encrypt a file here"; }
}
luks1() { # FILE OPTION...
  luks "$@" "${pbkdf2[@]}"
  cryptsetup -q convert --type luks1 "$1" || fail "$1: not converted"
  cryptsetup luksDump "$1" >dump && grep -q '^Version:[[:space:]]*1' dump || fail "$1: not version 1"
}
opened() { # FILE
  rm -rf case
  status 0 "$TRIAGE" scan -q -j 1 --digest none --hash-all --entries --password-file passwords -o case "$1"
  has case/hits.csv "r['path'] == '/inside.vbs' and r['fs_type'] == 'ext4' and r['image_offset'] == ''" "$1"
  has case/entries.csv "r['path'] == '/noise' and r['sha256'] == '$(sha256sum <tree/noise | cut -d' ' -f1)'" "$1"
  has_no case/coverage.csv True
}
listed() { # FILE TEXT
  rm -rf case
  status 1 "$TRIAGE" scan -q -j 1 --digest none --password-file passwords -o case "$1"
  [ "$(rows case/coverage.csv "r['reason'] == 'encrypted'")" -eq 1 ] || fail "$1: not one row"
  has case/coverage.csv "r['reason'] == 'encrypted' and 'a LUKS volume' in r['detail'] and '''$2''' in r['detail']" "$1"
}

luks id.dd "${argon[@]}" # what a distribution's installer makes
opened id.dd
luks large.dd --pbkdf argon2i "${argon[@]}" --sector-size 4096
opened large.dd
luks essiv.dd "${pbkdf2[@]}" --hash sha512 --cipher aes-cbc-essiv:sha256 --key-size 256
opened essiv.dd
luks1 long.dd --key-size 512
opened long.dd
luks1 old.dd --hash sha1 --cipher aes-cbc-plain64 --key-size 128
opened old.dd

# the second slot, the copy of the header
cp id.dd slots.dd
printf 'another' >other
cryptsetup -q luksAddKey "${argon[@]}" --key-file key slots.dd other 2>/dev/null || fail luksAddKey
printf 'another\n' >passwords
opened slots.dd
dd if=/dev/zero of=slots.dd bs=512 count=1 seek=9 conv=notrunc status=none
cryptsetup isLuks slots.dd || fail "cryptsetup does not take the copy either"
opened slots.dd
dd if=/dev/zero of=slots.dd bs=512 count=1 conv=notrunc status=none
opened slots.dd
dd if=/dev/zero of=slots.dd bs=4096 count=1 seek=5 conv=notrunc status=none
dd if=id.dd of=slots.dd bs=512 count=1 conv=notrunc status=none
listed slots.dd 'both copies of whose header are damaged'
listed id.dd 'version 2 (aes-xts-plain64, 1 key slots); none of the given passphrases opens it'
has_no case/hits.csv True
printf 'wrong\nopen sesame\n' >passwords

# the same of a larger header
cp plain.dd wide.dd && truncate -s 10M wide.dd
cryptsetup -q reencrypt --encrypt --type luks2 --luks2-metadata-size 64k --reduce-device-size 8M "${pbkdf2[@]}" --key-file key wide.dd >/dev/null 2>&1 || fail "metadata-size"
dd if=/dev/zero of=wide.dd bs=4096 count=1 conv=notrunc status=none
opened wide.dd

# what a header claims is not paid at any price
python3 - id.dd <<'PY'
import hashlib, sys
image = bytearray(open(sys.argv[1], "rb").read())
for name, old, new in ("memory", b'"memory":32768', b'"memory":99999'), ("time", b'"time":4', b'"time":9'):
    out = bytearray(image)
    for at in 0, 16384:
        head = bytearray(out[at:at + 16384])
        assert old in head
        if name == "memory":  # as many bytes as the padding behind gives
            head = head.replace(old, b'"memory":99999999')[:16384]
        else:
            head = head.replace(old, b'"time":2999999999')[:16384]
        head[448:512] = bytes(64)
        head[448:480] = hashlib.sha256(head).digest()
        out[at:at + 16384] = head
    open(name + ".dd", "wb").write(out)
PY
listed memory.dd 'more time or memory than is allowed'
listed time.dd 'more time or memory than is allowed'

# a header kept apart is no volume: opened, it would be taken for its own data
truncate -s 1M data.dd
for type in luks1 luks2; do
  rm -f apart.hdr
  cryptsetup -q luksFormat --type "$type" "${pbkdf2[@]}" --header apart.hdr --key-file key data.dd >/dev/null 2>&1 || fail "$type --header"
  listed apart.hdr 'the data that it opens lies elsewhere'
done

# stopped before it began: what is still plain is found as bytes
cp plain.dd half.dd && truncate -s 10M half.dd
cryptsetup -q reencrypt --encrypt --init-only --type luks2 "${argon[@]}" --reduce-device-size 8M --key-file key half.dd >/dev/null 2>&1 || fail "init-only"
listed half.dd 'its encryption was being changed'
has case/hits.csv "r['state'] == 'unallocated' and r['image_offset'] != ''"
finish
