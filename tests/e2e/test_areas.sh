#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_areas.sh - slack, free blocks, gaps, volumes without a file system, lost partitions, blocks in
# use again; and what --areas leaves out.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in sfdisk mke2fs debugfs mkfs.vfat mcopy mdel; do command -v $tool >/dev/null || skip "no $tool"; done

put() { # FILE OFFSET TEXT
  printf '%s' "$3" | dd of="$1" bs=1M oflag=seek_bytes seek="$2" conv=notrunc status=none
}

# volume 1: ext4 with slack and a free block; 2: no file system; a FAT in no table; gaps
tree=$work/tree
mkdir tree && head -c 700 /dev/zero | tr '\0' x >tree/host.txt && script >tree/whole.vbs
truncate -s 16M ext4.dd
mke2fs -q -t ext4 -b 4096 -F -d tree ext4.dd || fail mke2fs
host=$(debugfs -R 'blocks host.txt' ext4.dd 2>/dev/null | tr -d ' ')
free=$(debugfs -R 'ffb 1 2000' ext4.dd 2>/dev/null | grep -o '[0-9]*' | head -n 1)
put ext4.dd $((host * 4096 + 2000)) 'in slack: CDO.Message'
put ext4.dd $((free * 4096 + 100)) 'in a free block: CDO.Message'
truncate -s 4M lost.dd && mkfs.vfat lost.dd >/dev/null && mcopy -i lost.dd tree/whole.vbs ::lost.vbs
truncate -s 64M disk.dd
printf 'label: dos\nstart=2048,size=32768,type=83\nstart=40960,size=8192,type=7f\n' | sfdisk -q disk.dd || fail sfdisk
dd if=ext4.dd of=disk.dd bs=1M seek=1 conv=notrunc status=none
dd if=lost.dd of=disk.dd bs=1M seek=30 conv=notrunc status=none
put disk.dd $((40960 * 512 + 777)) 'in no file system: CDO.Message'
gap=$((34 * 1048576)) # behind the lost FAT
put disk.dd $((gap + 1048576 - 5)) 'CDO.Message across the border of two objects'
put disk.dd $((gap + 1048576 + 70000)) 'CDO.Message'
put disk.dd $((gap + 2 * 1048576)) 'CDO.Message'
put disk.dd 600 'behind the table: CDO.Message'

status 1 "$TRIAGE" scan -q --entries -o all disk.dd
at() { # OFFSET CONDITION: exactly one hit names this byte of the media
  [ "$(rows all/hits.csv "r['image_offset'] == '$1'")" -eq 1 ] || fail "not one hit at byte $1"
  has all/hits.csv "r['image_offset'] == '$1' and $2" "$2"
}
base=1048576
at $((base + host * 4096 + 2010)) "r['state'] == 'slack' and r['path'] == '/host.txt' and r['meta_addr'] and r['volume'] == '1'"
at $((base + free * 4096 + 117)) "r['state'] == 'unallocated' and r['path'].startswith('/\$Unallocated/') and not r['meta_addr']"
at $((40960 * 512 + 796)) "r['state'] == 'unallocated' and r['volume'] == '2' and r['path'] == '/\$Unknown/0-2047'"
at $((gap + 1048576 - 5)) "r['volume'] == '0' and r['match_count'] == '1' and r['path'] == '/\$Unpartitioned/69632-71679'"
at $((gap + 1048576 + 70000)) "r['match_count'] == '1'"
at $((gap + 2 * 1048576)) "r['match_count'] == '1'"
at 618 "r['path'] == '/\$Unpartitioned/0-2047'"
has all/hits.csv "r['path'] == '/lost.vbs' and r['state'] == 'allocated' and r['volume_offset'] == '31457280'" "lost partition"
has all/hits.csv "r['path'] == '/whole.vbs'"
[ "$(rows all/hits.csv True)" -eq 9 ] || { fail "not nine hits"; cut -d, -f3-10 all/hits.csv; }
has all/coverage.csv "r['volume'] == '2' and r['reason'] == 'unsupported-filesystem'"

# where the bytes went: of each volume all of them
status 0 "$TRIAGE" info all
grep -q 'still to do [1-9]' stdout && fail "objects are left over"
python3 - stdout <<'PY' || fail "the accounts do not close"
import re, sys
text = open(sys.argv[1]).read()
volumes = re.findall(r'offset (\d+), length (\d+),.*?together +(\d+) bytes', text, re.S)
sys.exit(0 if len(volumes) == 4 and all(length == together for _, length, together in volumes) else print(text) or 1)
PY

# every choice alone gives its own hits, and together they give all of them
n=0
for area in allocated deleted orphan slack unallocated gaps; do
  rm -rf case
  "$TRIAGE" scan -q --entries --areas $area -o case disk.dd
  n=$((n + $(rows case/hits.csv True)))
  case $area in
  slack) has_no case/hits.csv "r['state'] != 'slack'" ;;
  unallocated) has_no case/hits.csv "r['state'] != 'unallocated' or r['volume'] == '0'" ;;
  gaps) has_no case/hits.csv "r['volume'] != '0'" ;;
  *) has_no case/hits.csv "r['state'] != '$area'" ;;
  esac
  grep -q "\"$area\"" case/manifest.json || grep -rqa "$area" case/case.db || fail "--areas $area is not recorded"
done
[ "$n" -eq 9 ] || fail "the areas one by one give $n hits instead of nine"
rm -rf case
status 2 "$TRIAGE" scan -q --areas slack,everything -o case disk.dd
says "--areas takes"

# a deleted entry is found as such, not as free blocks too; one whose blocks are in use again is
# listed, and what stands there now is not called its content
truncate -s 2M fat.dd && mkfs.vfat -F 12 -s 1 fat.dd >/dev/null
script gone >gone.vbs
head -c 512 /dev/zero | tr '\0' y >small.txt
: >empty
mcopy -i fat.dd empty ::PLACE.TXT && mcopy -i fat.dd small.txt ::OLD.TXT && mcopy -i fat.dd gone.vbs ::GONE.VBS
mdel -i fat.dd ::GONE.VBS ::OLD.TXT ::PLACE.TXT
rm -rf case
status 0 "$TRIAGE" scan -q -o case fat.dd
[ "$(rows case/hits.csv "r['state'] == 'deleted'")" -eq 1 ] || fail "the deleted script is not one hit"
[ "$(rows case/hits.csv True)" -eq 1 ] || fail "the deleted script is found twice"
mcopy -i fat.dd gone.vbs ::NEW.VBS # takes the name's place of PLACE.TXT and the block of OLD.TXT
rm -rf case
"$TRIAGE" scan -q --entries -o case fat.dd
has case/hits.csv "r['path'] == '/NEW.VBS' and r['state'] == 'allocated'"
has_no case/hits.csv "r['path'] == '/_LD.TXT'"
has case/coverage.csv "r['path'] == '/_LD.TXT' and r['reason'] == 'overwritten' and r['examined_bytes'] == '0'"
finish
