#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_bad_input.sh - bad input gets one clear sentence and the right exit status; exit status 2
# leaves nothing behind.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

nothing_written() { [ ! -e case ] || { fail "a case directory was made: $1"; rm -rf case; }; }

status 2 "$TRIAGE" scan -o case missing.dd
says "missing.dd"
nothing_written "missing evidence"

status 2 "$TRIAGE" scan missing.dd
says "-o CASE"
status 2 "$TRIAGE" scan -o case
says "evidence"
status 2 "$TRIAGE" frobnicate
says "frobnicate"
# Help is what was asked for: on standard output, naming the command as it is called.
for command in $("$TRIAGE" --help | sed -n 's/^  triage \([a-z][a-z-]*\).*/\1/p'); do
  for option in --help -h; do
    status 0 "$TRIAGE" "$command" $option
    grep -q "triage $command" stdout && [ ! -s stderr ] || fail "triage $command $option"
  done
done
status 2 "$TRIAGE" scan -o case --jobs 0 "$0"
says "--jobs"
for zone in Mars/Base ../UTC tzdata.zi Europe ''; do
  status 2 "$TRIAGE" scan -o case --timezone "$zone" "$0"
  says "--timezone"
done
nothing_written "wrong options"

: >empty.dd
status 2 "$TRIAGE" scan -o case empty.dd
says "empty.dd"
nothing_written "empty file"
[ "$(wc -l <stderr)" -eq 1 ] || fail "an empty file takes more than one line to refuse"

script >not-an-image.vbs
status 0 "$TRIAGE" scan -q -o case not-an-image.vbs
has case/hits.csv 'r["path"].endswith("not-an-image.vbs") and r["strings"] == "$c1"' "a single file is examined as one"
rm -rf case
for zone in Europe/Berlin UTC +02:00; do
  status 0 "$TRIAGE" scan -q -o case --timezone "$zone" not-an-image.vbs
  rm -rf case
done

printf 'rule broken {\n  strings: $a = "x\n  condition: $a\n}\n' >broken.yar
status 2 "$TRIAGE" scan -o case -r broken.yar not-an-image.vbs
says "broken.yar:3" # libyara, as yara itself, names the line after the open string
nothing_written "rules that do not compile"
status 2 "$TRIAGE" check-rules broken.yar
grep -q 'broken.yar:3: error' stdout || fail "check-rules does not name file and line"
status 0 "$TRIAGE" check-rules "$TRIAGE_SOURCE/rules/network_smtp_vb.yar"
# a case goes on only under the terms it was begun with
status 0 "$TRIAGE" scan -q -o case not-an-image.vbs
status 0 "$TRIAGE" scan -q --resume -o case not-an-image.vbs
status 2 "$TRIAGE" scan -q --resume --areas allocated -o case not-an-image.vbs
says "was begun with other"
echo "secret" >passwords
status 2 "$TRIAGE" scan -q --resume --password-file passwords -o case not-an-image.vbs
status 2 "$TRIAGE" scan -q --resume -b "$TRIAGE_SOURCE/samples/site.yaml" -o case not-an-image.vbs
rm -rf case
status 2 "$TRIAGE" scan -o case -r none.yar not-an-image.vbs
says "none.yar"
printf 'profiles:\n  - id: [\n' >broken.yaml
status 2 "$TRIAGE" scan -o case -b broken.yaml not-an-image.vbs
says "broken.yaml"
nothing_written "wrong inputs"

mkdir case && echo mine >case/keep
status 2 "$TRIAGE" scan -o case not-an-image.vbs
says "exists"
[ "$(ls case)" = keep ] || fail "an existing directory was touched"
rm -rf case

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
  mkdir -m 700 closed && script >closed/a.vbs
  chmod 755 "$work"
  mkdir -m 777 open
  status 2 setpriv --reuid 65534 --regid 65534 --clear-groups "$TRIAGE" scan -o open/case closed
  says "closed"
  # one directory of many that may not be entered is a row, not the end
  mkdir -p tree/closed tree/open && script >tree/open/a.vbs && chmod 700 tree/closed
  status 1 setpriv --reuid 65534 --regid 65534 --clear-groups "$TRIAGE" scan -q -o open/case tree
  has open/case/hits.csv 'r["path"] == "/open/a.vbs"'
  has open/case/coverage.csv 'r["path"] == "/closed" and r["reason"] == "unreadable"'
  rm -rf open/case
fi

# one bad piece of evidence among good ones costs only itself
status 1 "$TRIAGE" scan -q -o case empty.dd not-an-image.vbs
has case/hits.csv 'r["evidence"] == "not-an-image.vbs"'
has case/coverage.csv 'r["evidence"] == "empty.dd"'
rm -rf case

ext4_image disk.dd 8M
e01 disk.dd cut
head -c $(($(stat -c %s cut.E01) / 2)) cut.E01 >half.E01
status 1 "$TRIAGE" scan -q -o case half.E01
has case/coverage.csv 'r["reason"] in ("truncated", "missing-segment", "corrupt", "bad-checksum")' "cut E01"
rm -rf case
head -c 3000 cut.E01 >head.E01
status 2 "$TRIAGE" scan -o case head.E01
says "head.E01"
nothing_written "an E01 of headers alone"

e01 disk.dd segmented 1MiB
rm segmented.E02
status 1 "$TRIAGE" scan -q -o case segmented.E01
has case/coverage.csv 'r["reason"] == "missing-segment"'
[ "$(head -c 14 case/report.html | tr 'A-Z' 'a-z')" = '<!doctype html' ] || [ -s case/report.html ] || fail "no report"
rm -rf case

# a disk cut behind its first partition is still a disk: libtsk gives up on the table as a whole
truncate -s 24M whole.dd
printf 'label: dos\nstart=2048,size=20480,type=83\nstart=24576,size=8192,type=5\nstart=26624,size=4096,type=83\n' | sfdisk -q whole.dd >/dev/null 2>&1 || fail "sfdisk"
ext4_image part.dd 10M
dd if=part.dd of=whole.dd bs=1M seek=1 conv=notrunc status=none
head -c 11534337 whole.dd >cut.dd
status 1 "$TRIAGE" scan -q -o case cut.dd
[ "$(rows case/hits.csv 'r["fs_type"] == "ext4" and r["volume_offset"] == "1048576"')" -eq 6 ] || fail "the whole partition of a cut disk was not walked"
has case/coverage.csv 'r["reason"] == "truncated" and r["volume_offset"] == "12582912"' "the lost partition"
rm -rf case

# a file system too damaged to be opened is no plain file
truncate -s 4M ntfs.dd && mkntfs -F -q ntfs.dd >/dev/null 2>&1 || fail "mkntfs"
python3 -c 'import sys
with open("ntfs.dd", "r+b") as f: f.seek(0x30); f.write(bytes(16))'
status 1 "$TRIAGE" scan -q -o case ntfs.dd
has case/coverage.csv 'r["reason"] == "corrupt" and "NTFS" in r["detail"]' "an NTFS that cannot be opened"
rm -rf case

# a full disk: the case directory is a tiny tmpfs
if [ "$(id -u)" -eq 0 ] && mkdir tiny && mount -t tmpfs -o size=192k tmpfs tiny 2>/dev/null; then
  mkdir many
  for i in $(seq 400); do script "user$i" >"many/$i.vbs"; done
  status 3 "$TRIAGE" scan -o tiny/case many
  says "full"
  umount tiny
fi
status 2 "$TRIAGE" scan -o /dev/full/case not-an-image.vbs
says "/dev/full/case"
finish
