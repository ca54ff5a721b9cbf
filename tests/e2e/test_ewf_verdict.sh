#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_ewf_verdict.sh - damaged E01 sets: triage finds fault where ewfverify does, and nowhere else.
# TRIAGE_EWF_MUTANTS (default 12) seeded mutants; the long run is 300.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v ewfverify >/dev/null || skip "no ewfverify"
ext4_image disk.dd 3M
e01 disk.dd plain 1MiB
e01 disk.dd packed 1MiB fast
cat >mutate.py <<'PY'
import glob, os, random, shutil, sys
stem, seed, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
random.seed(seed)
shutil.rmtree(target, ignore_errors=True)
os.mkdir(target)
names = sorted(glob.glob(stem + ".E0?"))
for name in names:
    shutil.copy(name, target)
victim = os.path.join(target, os.path.basename(random.choice(names)))
size = os.path.getsize(victim)
kind = random.choice(["flip", "flip", "flip", "zero", "cut", "remove", "none"])
if kind == "remove" and victim.endswith(".E01"):
    kind = "flip"
with open(victim, "r+b") as f:
    if kind == "flip":
        for _ in range(random.choice([1, 1, 3])):
            at = random.randrange(size)
            f.seek(at); b = f.read(1)[0]; f.seek(at); f.write(bytes([b ^ (1 << random.randrange(8))]))
    elif kind == "zero":
        f.seek(random.randrange(max(1, size - 4096))); f.write(bytes(random.randrange(1, 4096)))
    elif kind == "cut":
        f.truncate(random.randrange(size))
if kind == "remove":
    os.remove(victim)
print(kind, os.path.basename(victim))
PY
agree=0 differ=0
for seed in $(seq "${TRIAGE_EWF_MUTANTS:-12}"); do
  stem=plain
  [ $((seed % 2)) -eq 0 ] || stem=packed
  what=$(python3 mutate.py $stem "$seed" mutant)
  # ewfverify waits for nothing, but it hangs on some damage
  timeout 20 ewfverify -q "mutant/$stem.E01" >verify.log 2>&1
  theirs=$?
  [ "$theirs" -eq 0 ] || theirs=1
  rm -rf case
  "$TRIAGE" scan -q --areas allocated -o case "mutant/$stem.E01" 2>stderr
  ours=$?
  [ "$ours" -le 2 ] || fail "mutant $seed ($what): exit status $ours"
  [ "$ours" -eq 0 ] || ours=1
  if [ "$ours" -eq "$theirs" ]; then
    agree=$((agree + 1))
  else
    differ=$((differ + 1))
    echo "mutant $seed ($stem, $what): ewfverify $theirs, triage $ours"
    tail -n 3 verify.log | sed 's/^/    /'
    [ ! -f case/coverage.csv ] || sed -n 2,4p case/coverage.csv | cut -c1-200 | sed 's/^/    /'
  fi
done
echo "$agree verdicts agree, $differ differ"
[ "$differ" -eq 0 ] || fail "$differ verdicts differ"
finish
