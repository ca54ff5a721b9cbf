#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make_seeds.sh DIR - small seeds for the fuzz target: a script in every container the tools at hand
# can write, and the documents and mails of the tests' generators.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../unit/unpack" && pwd)
mkdir -p "$1"
cd "$1"
printf 'Set message = CreateObject("CDO.Message")\r\nmessage.Send\r\n' >payload.vbs
cp payload.vbs a.vbs
python3 "$source/make_office.py"
python3 "$source/make_mail.py" || true
rm -f -- *.ole modules.bin
# A view's seed is the encoded script; the documents and mails above are those of PDF, OLE and MIME.
mkdir -p views
(cd views && python3 "$source/make_views.py" && rm -f views.tsv miss.*)
# Nothing in Debian writes an Outlook data file, a RAR archive or some variants of the others: those
# of the test evidence, where that is at hand.
if [ -n "${TRIAGE_EVIDENCE:-}" ]; then
  find "$TRIAGE_EVIDENCE" -name '*.pst' -size -300k -exec cp {} seed.pst \; -quit
fi
# For the fuzzer alone: over some of them libarchive runs in a circle, asks for all memory there is or reads
# what it gave back (FINDINGS.md), which the replay of the tests would call ours.
if [ -n "${TRIAGE_EVIDENCE:-}" ] && [ -n "${TRIAGE_FUZZ_REAL:-}" ]; then
  mkdir -p real
  for suffix in rar cab lzh xar rpm ar warc cpio iso.Z uu mtree; do
    find "$TRIAGE_EVIDENCE" -type f -name "*.$suffix" -size -100k -exec cp -n -t real {} +
  done
  rm -f real/test_read_format_xar_doublelink.xar real/test_read_format_iso_rockridge_ce_loop.iso.Z
fi
python3 "$source/make_hive.py" seed.hive 'Software\Inner' script 3 payload.vbs 'Software\Inner' text 1 a.vbs
rm -f seed.hive.reg
python3 "$source/make_evtx.py" seed.evtx payload.vbs 30
sqlite3 seed.db "PRAGMA page_size = 512; CREATE TABLE t(a, b); CREATE INDEX i ON t(b);
  INSERT INTO t VALUES(printf('%.*c', 3000, 'x'), 1), (zeroblob(900), 2)" || true
tar -cf seed.tar payload.vbs
python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))' <payload.vbs >seed.zlib
for tool in gzip bzip2 xz; do "$tool" -c payload.vbs >"seed.$tool"; done
xz --format=lzma -c payload.vbs >seed.lzma
zip -q seed.zip payload.vbs
zip -q -P infected secret.zip payload.vbs
7z a -bd seed.7z payload.vbs >/dev/null
7z a -bd -pinfected secret.7z payload.vbs >/dev/null
7z a -bd -pinfected -mhe=on names.7z payload.vbs >/dev/null
for format in newc odc ar xar warc iso9660; do
  bsdtar --format "$format" -cf "seed.$format" payload.vbs
done
for filter in zstd lz4 lzip compress uuencode; do
  bsdtar --format raw "--$filter" -cf "seed.$filter" payload.vbs
done
