#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_damage.sh - seeded damage (flip, zero, cut) in NTFS, ext4, FAT, HFS+ and E01 images: the run
# never ends but as 0 or 1, in bounded time, the accounts of its volumes close, and coverage says what
# was lost; damage.py states what that means where a raw image has no checksums.
# TRIAGE_DAMAGE_ROUNDS places each (default 4; 200 is the long run).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in mkntfs mkfs.vfat mcopy mmd mdel mke2fs debugfs ewfacquire ifind blkstat; do command -v $tool >/dev/null || skip "no $tool"; done

mkdir -p tree/sub/deep && script >tree/a.vbs && head -c 200000 /dev/urandom >tree/noise && script b >tree/sub/b.vbs &&
  { head -c 30000 /dev/zero | tr '\0' x && script c; } >tree/sub/deep/c.vbs && script gone >gone.vbs && head -c 5000 /dev/urandom >>gone.vbs
truncate -s 4M ext4.dd && mke2fs -q -t ext4 -F -d tree ext4.dd && debugfs -w -R "write gone.vbs gone.vbs" ext4.dd >/dev/null 2>&1 &&
  debugfs -w -R "rm gone.vbs" ext4.dd >/dev/null 2>&1 || fail "ext4"
truncate -s 3M fat.dd && mkfs.vfat fat.dd >/dev/null && mmd -i fat.dd ::sub ::sub/deep && mcopy -i fat.dd tree/a.vbs tree/noise gone.vbs :: &&
  mcopy -i fat.dd tree/sub/b.vbs ::sub && mcopy -i fat.dd tree/sub/deep/c.vbs ::sub/deep && mdel -i fat.dd ::gone.vbs || fail "FAT"
truncate -s 6M ntfs.dd && mkntfs -q -F -f -p 0 ntfs.dd >/dev/null 2>&1
PYTHONPATH=$TRIAGE_SOURCE/samples python3 - <<'PY' || fail "NTFS"
from ntfs_volume import NtfsVolume
with NtfsVolume('ntfs.dd') as volume:
    for name in ('a.vbs', 'noise', 'sub/b.vbs', 'sub/deep/c.vbs'):
        volume.write('/' + name, open('tree/' + name, 'rb').read())
    volume.write('/gone.vbs', open('gone.vbs', 'rb').read())
    volume.delete('/gone.vbs')
PY
e01 ext4.dd image 1.4GiB fast
images=(ext4.dd fat.dd ntfs.dd image.E01)
# No tool of Debian fills an HFS+ volume without mounting it: one that a Mac made.
hfs=${TRIAGE_EVIDENCE:-}/real/dfvfs/hfsplus.raw
if [ -f "$hfs" ]; then
  cp "$hfs" hfs.dd && images+=(hfs.dd)
else
  echo "SKIPPED: damage in HFS+ (no TRIAGE_EVIDENCE)"
fi
python3 "$E2E/damage.py" "$TRIAGE" "${TRIAGE_DAMAGE_ROUNDS:-4}" "${images[@]}" || fail "something is lost without a word"
finish
