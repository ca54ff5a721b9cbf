#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Archives in several files side by side (7z -v, zip -s, RAR volumes, files merely cut): in a
# directory, a file system and an archive they are opened as the whole, with the members that other
# tools see; where a part lacks, that is said.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
for tool in python3 7z zip mke2fs bsdtar; do
  command -v $tool >/dev/null || skip "no $tool"
done

mkdir -p plain whole
python3 -c 'import random; random.seed(7); open("noise.bin", "wb").write(random.randbytes(150000))'
printf 'Set m = CreateObject("CDO.Message")\r\nm.Subject = "rota"\r\nm.Send\r\n' >a.vbs
7z a -bd -v70k plain/seven.7z noise.bin a.vbs >/dev/null
7z a -bd -tzip -v70k plain/cut.zip noise.bin a.vbs >/dev/null
zip -q -9 -s 64k plain/split.zip noise.bin a.vbs
bsdtar -czf whole.tgz noise.bin a.vbs && split -b 60000 -d -a 3 --numeric-suffixes=1 whole.tgz plain/tape.tgz.
# The first part ends within the object's name.
python3 "$TRIAGE_SOURCE/tests/unit/unpack/make_rar.py" a.vbs a.vbs 26 plain/new.part{1,2,3}.rar
python3 "$TRIAGE_SOURCE/tests/unit/unpack/make_rar.py" a.vbs a.vbs 26 plain/old.{rar,r00}
tar -cf plain/in.tar -C plain --exclude in.tar .
mke2fs -q -t ext4 -d plain disk.ext4 8M 2>/dev/null
mkdir lacking
cp plain/seven.7z.00[13] plain/split.z02 plain/split.zip plain/new.part[13].rar plain/cut.zip.002 lacking/
mkdir fooled # names that say more than the bytes hold
cp a.vbs fooled/notes.002 && cp a.vbs fooled/notes.001
zip -q fooled/x.zip noise.bin && zip -q fooled/inner.zip a.vbs && mv fooled/inner.zip fooled/x.z01
python3 "$TRIAGE_SOURCE/tests/unit/unpack/make_rar.py" a.vbs a.vbs 26 fooled/y.rar
python3 "$TRIAGE_SOURCE/tests/unit/unpack/make_rar.py" a.vbs inside.vbs 26 fooled/y.r00

status 0 "$TRIAGE" scan -q --entries --hash-all -o case plain disk.ext4
LEADS='seven.7z.001 cut.zip.001 split.zip tape.tgz.001 new.part1.rar old.rar'
want=$(sha256sum a.vbs | cut -d' ' -f1)
for lead in $LEADS; do
  for evidence in plain disk.ext4; do
    n=$(rows case/hits.csv "(r['evidence'] == '$evidence' and r['path'] == '/$lead' and r['member'] == 'a.vbs' and
        r['sha256'] == '$want')")
    [ "$n" = 1 ] || fail "$evidence: a.vbs in $lead was found $n times"
  done
  n=$(rows case/hits.csv "r['path'] == '/in.tar' and r['member'] == './$lead!/a.vbs'")
  [ "$n" = 2 ] || fail "a.vbs in $lead in the tar was found $n times"
done
# Once each, and what the other tool unpacks: the noise is the same everywhere.
noise=$(sha256sum noise.bin | cut -d' ' -f1)
for lead in seven.7z.001 cut.zip.001 split.zip tape.tgz.001; do
  n=$(rows case/entries.csv "r['path'] == '/$lead' and r['member'] == 'noise.bin' and r['sha256'] == '$noise'")
  [ "$n" = 2 ] || fail "noise.bin in $lead was unpacked $n times"
done
n=$(rows case/hits.csv "r['member'].endswith('a.vbs')")
[ "$n" = 24 ] || fail "$n members hit instead of 24: parts were opened by themselves too"
hit=$(python3 -c '
import csv
print(next(r["hit_id"] for r in csv.DictReader(open("case/hits.csv", encoding="utf-8"))
           if r["path"] == "/split.zip" and r["member"] == "a.vbs"))')
status 0 "$TRIAGE" extract case "$hit" -o one.zip
7z e -bd -y -pinfected -oout one.zip >/dev/null
cmp -s "out/$hit.bin" a.vbs || fail "the member of a split zip is extracted wrongly"
status 0 "$TRIAGE" verify case

status 1 "$TRIAGE" scan -q --entries -o case_lacking lacking
for file in seven.7z.001 seven.7z.003 split.zip split.z02 new.part1.rar new.part3.rar cut.zip.002; do
  n=$(rows case_lacking/coverage.csv "r['path'] == '/$file' and r['member'] == '' and r['reason'] == 'missing-segment'")
  [ "$n" -ge 1 ] || fail "$file: that parts of it lack is not said"
done

# Named by its first part, as a cut image is; a set of another kind is one file, and says what to name.
status 0 "$TRIAGE" scan -q --entries -o case_first plain/seven.7z.001
has case_first/hits.csv "r['path'] == '/seven.7z.001' and r['member'] == 'a.vbs' and r['sha256'] == '$want'"
status 0 "$TRIAGE" verify case_first
for file in split.zip new.part1.rar old.rar; do
  status 1 "$TRIAGE" scan -q -o "case_$file" "plain/$file"
  has "case_$file/coverage.csv" "r['reason'] == 'missing-segment' and 'name the directory' in r['detail']" "$file alone"
done

# One entry of its directory leads nowhere: the parts are searched for members all the same.
mkdir broken
zip -q -9 -s 64k broken/b.zip a.vbs noise.bin
python3 - broken/b.zip <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    at = f.read().rfind(b"PK\1\2")
    f.seek(at + 34)
    f.write(b"\x63\0")
PY
status 1 "$TRIAGE" scan -q --entries --hash-all -o case_broken broken
for file in a.vbs noise.bin; do
  n=$(rows case_broken/entries.csv "r['path'] == '/b.zip' and r['member'] == '$file' and r['sha256'] == '$(sha256sum $file | cut -d' ' -f1)'")
  [ "$n" = 1 ] || fail "$file of a split zip with a broken directory was unpacked $n times"
done
n=$(rows case_broken/coverage.csv "r['path'] == '/b.zip' and 'cannot be joined' in r['detail']")
[ "$n" = 1 ] || fail "that the directory is broken is not said"

"$TRIAGE" scan -q --entries -o case_fooled fooled 2>stderr
for what in "notes.001," "notes.002," "x.z01,a.vbs"; do
  n=$(rows case_fooled/hits.csv "r['path'] == '/${what%,*}' and r['member'] == '${what#*,}'")
  [ "$n" = 1 ] || fail "${what%,*}: hidden by its name"
done
n=$(rows case_fooled/entries.csv "r['path'] == '/y.r00' and r['member'] == 'inside.vbs'")
[ "$n" = 1 ] || fail "an archive of its own, named as a later part, was not opened"

if [ -n "${TRIAGE_EVIDENCE:-}" ]; then
  real=$TRIAGE_EVIDENCE/real/libarchive
  mkdir torn
  cp "$real"/test_rar_multivolume_multiple_files.part?.rar torn/
  printf '\001' | dd of=torn/test_rar_multivolume_multiple_files.part2.rar bs=1 conv=notrunc status=none
  "$TRIAGE" scan -q --entries -o case_torn torn 2>stderr
  n=$(rows case_torn/entries.csv "r['member'] == 'LibarchiveAddingTest.html'")
  [ "$n" -ge 1 ] || fail "parts behind a damaged one were not opened"
  mkdir cab
  cp "$real"/test_read_format_cab_multi.p?.cab cab/
  status 1 "$TRIAGE" scan -q -o case_cab cab
  for i in 1 2; do
    has case_cab/coverage.csv "r['path'].endswith('.p$i.cab') and r['member'] == 'ones' and r['size'] == '512' and r['reason'] == 'missing-segment'"
    has case_cab/coverage.csv "r['path'].endswith('.p$i.cab') and 'test_read_format_cab_multi.p$((3 - i)).cab' in r['detail']"
  done
  mkdir rar
  cp "$real"/test_rar_multivolume_{multiple_files,single_file}.part?.rar "$real"/test_read_format_rar5_multiarchive*.rar rar/
  "$TRIAGE" scan -q --entries --hash-all -o case_rar rar 2>stderr
  for set in test_rar_multivolume_multiple_files.part1 test_rar_multivolume_single_file.part1 \
    test_read_format_rar5_multiarchive.part01 test_read_format_rar5_multiarchive_solid.part01; do
    cat rar/"${set%.part*}".part*.rar >joined.rar
    rm -rf joined && mkdir joined && bsdtar -xf joined.rar -C joined
    (cd joined && find . -type f -printf '%P\n' | sort | while IFS= read -r f; do
      printf '%s %s\n' "$f" "$(sha256sum <"$f" | cut -d' ' -f1)"
    done) >wanted
    python3 - "$set" >got <<'PY'
import csv, sys
for r in sorted((r["member"], r["sha256"]) for r in csv.DictReader(open("case_rar/entries.csv", encoding="utf-8"))
                if r["path"] == f"/{sys.argv[1]}.rar" and r["member"] and "!/" not in r["member"]):
    print(*r)
PY
    [ -s wanted ] || fail "$set: bsdtar unpacks nothing"
    cmp -s wanted got || { fail "$set: not the members that bsdtar unpacks"; diff wanted got | head -5; }
  done
  n=$(rows case_rar/coverage.csv "r['reason'] != 'encrypted'")
  [ "$n" = 0 ] || fail "complete RAR sets have $n coverage rows"
fi
# thousands of parts by their names, far down: each of them told of all the others would be millions
python3 - <<'PY' || fail "no tree"
import os
os.mkdir("many"), os.chdir("many")
for _ in range(13):
    os.mkdir("d" * 250), os.chdir("d" * 250)
for i in range(1, 4001):
    open("x.part%04d.rar" % i, "w").write("Rar! %d" % i)
PY
status 0 timeout 60 "$TRIAGE" scan -q --jobs 1 -o thousands many
rm -rf many
finish
