#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_bitlocker.sh - BitLocker with a recovery key, a password, a clear key, with none and wrong ones;
# alone and as a partition of an E01. What make_bitlocker.py makes is held against cryptsetup, which knows
# the format, and where it is installed against dislocker, which decrypts it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v cryptsetup >/dev/null || skip "no cryptsetup"
command -v mkntfs >/dev/null && command -v mcopy >/dev/null || skip "no ntfs-3g or mtools"
recovery=471207-278498-422125-177177-561902-537405-468006-693451
script >inside.vbs
truncate -s 2M fat.dd && mkfs.vfat -F 12 fat.dd >/dev/null && mcopy -i fat.dd inside.vbs :: || fail "no FAT"
truncate -s 3M ntfs.dd && mkntfs -Q -q -F -c 4096 ntfs.dd 2>/dev/null && ntfscp -q ntfs.dd inside.vbs /inside.vbs || fail "no NTFS"

bitlocker() { # PLAIN FILE METHOD PROTECTOR...
  python3 "$E2E/make_bitlocker.py" "$@" || fail "$2: not made"
  cryptsetup bitlkDump "$2" >dump || fail "$2: cryptsetup does not know it"
}
decrypts() { # PLAIN FILE OPTION: by another reader
  command -v dislocker-file >/dev/null || { echo "not decrypted by dislocker, which is missing: $2"; return; }
  rm -f other.dd
  dislocker-file -V "$2" "$3" -- other.dd >/dev/null 2>&1 && cmp -s "$1" other.dd || fail "$2: dislocker reads something else"
}
found() { # CASE FS
  has "$1/hits.csv" "r['path'] == '/inside.vbs' and r['fs_type'] == '$2' and r['state'] == 'allocated' and r['image_offset'] == ''"
  has_no "$1/coverage.csv" "r['reason'] == 'encrypted'"
}
closed() { # CASE TEXT
  [ "$(rows "$1/coverage.csv" "r['reason'] == 'encrypted'")" -eq 1 ] || fail "$1: not one row"
  has "$1/coverage.csv" "r['reason'] == 'encrypted' and 'a BitLocker volume' in r['detail'] and '$2' in r['detail']"
  has_no "$1/hits.csv" True
}

# the shape of a laptop: a partition that takes a recovery key (and here a password), and the TPM
bitlocker fat.dd volume.dd xts-128 "recovery=$recovery" 'password=open sesame' tpm
decrypts fat.dd volume.dd "-p$recovery"
mapfile -t ids < <(sed -n '/VMK$/{n;s/.*GUID: *\t*//p}' dump | tr a-f A-F)
[ ${#ids[@]} -eq 3 ] || fail "cryptsetup does not name three keys: $(cat dump)"
truncate -s 5M disk.dd
sfdisk -q disk.dd <<<$'label: gpt\nstart=2048,size=4096,type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7' || fail sfdisk
dd if=volume.dd of=disk.dd bs=1M seek=1 conv=notrunc status=none
e01 disk.dd disk
status 1 "$TRIAGE" scan -q -j 1 --digest none -o shut disk.E01
closed shut "recovery key {${ids[0]}}, password {${ids[1]}}, TPM {${ids[2]}}); no password or recovery key was given"
echo "${recovery/471207/471218}" >wrong
status 1 "$TRIAGE" scan -q -j 1 --digest none --password-file wrong -o wrongly disk.E01
closed wrongly 'none of 1 given passwords or recovery keys opens it'
echo "$recovery" >recovery
status 0 "$TRIAGE" scan -q -j 1 --digest none --password-file recovery -o opened disk.E01
found opened fat12
has opened/hits.csv "r['volume'] == '2' and r['volume_offset'] == '1048576'"
status 0 "$TRIAGE" verify --password-file recovery opened
echo 'open sesame' >password
status 0 "$TRIAGE" scan -q -j 1 --digest none --password-file password -o spoken volume.dd
found spoken fat12

# protection that was suspended: the key lies beside
bitlocker ntfs.dd clear.dd cbc-256 clear
decrypts ntfs.dd clear.dd -c
status 0 "$TRIAGE" scan -q -o clear clear.dd
found clear ntfs

# a stick: BitLocker To Go, the older cipher
bitlocker ntfs.dd stick.dd go-cbc-128 'password=open sesame'
decrypts ntfs.dd stick.dd '-uopen sesame'
status 0 "$TRIAGE" scan -q --password-file password -o stick stick.dd
found stick ntfs

# with the TPM alone nothing is tried
bitlocker ntfs.dd tpm.dd xts-128 tpm
status 1 "$TRIAGE" scan -q --password-file password -o tpm tpm.dd
closed tpm 'none of the given secrets is of a kind that opens it'

# what the library cannot open is not called a wrong password
bitlocker ntfs.dd long.dd xts-256 'password=open sesame'
status 1 "$TRIAGE" scan -q --password-file password -o long long.dd
closed long 'AES-XTS and 256 bits'
finish
