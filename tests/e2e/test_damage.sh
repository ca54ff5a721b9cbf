#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_damage.sh - seeded damage (flip, zero, cut) in NTFS, ext4, FAT, HFS+ and E01 images: the run
# never ends but as 0 or 1, in bounded time, and the accounts of its volumes close.
# TRIAGE_DAMAGE_ROUNDS places each (default 4; 200 is the long run).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in mkntfs ntfscp mkfs.vfat mcopy mke2fs ewfacquire; do command -v $tool >/dev/null || skip "no $tool"; done
rounds=${TRIAGE_DAMAGE_ROUNDS:-4}

mkdir tree && script >tree/a.vbs && head -c 200000 /dev/urandom >tree/noise && script b >tree/b.vbs
truncate -s 4M ext4.dd && mke2fs -q -t ext4 -F -d tree ext4.dd
truncate -s 3M fat.dd && mkfs.vfat fat.dd >/dev/null && mcopy -i fat.dd tree/a.vbs tree/noise tree/b.vbs ::
truncate -s 6M ntfs.dd && mkntfs -q -F -f -p 0 ntfs.dd >/dev/null 2>&1
for file in a.vbs noise b.vbs; do ntfscp ntfs.dd tree/$file $file >/dev/null 2>&1; done
e01 ext4.dd image 1.4GiB fast
images=(ext4.dd fat.dd ntfs.dd image.E01)
# No tool of Debian fills an HFS+ volume without mounting it: one that a Mac made.
hfs=${TRIAGE_EVIDENCE:-}/real/dfvfs/hfsplus.raw
if [ -f "$hfs" ]; then
  cp "$hfs" hfs.dd && images+=(hfs.dd)
else
  echo "SKIPPED: damage in HFS+ (no TRIAGE_EVIDENCE)"
fi

mutate() { # FROM TO SEED
  python3 - "$@" <<'PY'
import random, sys
data = bytearray(open(sys.argv[1], "rb").read())
rand = random.Random(f"{sys.argv[1]} {sys.argv[3]}")
# metadata lies at the front: half of all places are there
at = rand.randrange(len(data) // 16 if rand.random() < 0.5 else len(data))
kind = rand.choice(["flip", "zero", "cut"])
if kind == "flip":
    for i in range(at, min(at + rand.choice([1, 4, 64]), len(data))):
        data[i] ^= 1 << rand.randrange(8)
elif kind == "zero":
    n = min(rand.choice([16, 512, 4096]), len(data) - at)
    data[at:at + n] = bytes(n)
else:
    del data[max(at, 1024):]
open(sys.argv[2], "wb").write(data)
PY
}

n=0
for image in "${images[@]}"; do
  for seed in $(seq "$rounds"); do
    mutant=mutant.${image##*.}
    mutate "$image" "$mutant" "$seed"
    rm -rf case
    timeout 120 "$TRIAGE" scan -q --digest none --timeout 20 -o case "$mutant" 2>stderr
    got=$?
    n=$((n + 1))
    # 2: nothing of it can be opened at all, said in one message
    if [ $got -gt 2 ] || { [ $got -eq 2 ] && [ ! -s stderr ]; }; then
      fail "$image, seed $seed: exit status $got"
      head -n 3 stderr
      continue
    fi
    [ -d case ] || continue
    "$TRIAGE" info case >stdout || fail "$image, seed $seed: no accounts"
    grep -q 'still to do [1-9]' stdout && fail "$image, seed $seed: objects are left over"
    python3 "$E2E/accounts_close.py" stdout || fail "$image, seed $seed: the accounts do not close"
  done
done
echo "$n damaged images examined"
finish
