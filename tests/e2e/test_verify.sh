#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_verify.sh - 'triage verify' notices every change of a case, of its rules and of the evidence.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ext4_image disk.dd 8M
mkdir tree && script >tree/a.vbs && (cd tree && zip -q b.zip a.vbs)
cp "$TRIAGE_SOURCE/rules/network_smtp_vb.yar" own.yar
status 0 "$TRIAGE" scan -q --entries -r own.yar -o whole disk.dd tree
# The log alone grows by a line: everything else is only read.
find whole -type f ! -name log.jsonl -exec sha256sum {} + >before
cp whole/log.jsonl log.before
status 0 "$TRIAGE" verify whole
grep -q '^The case holds' stdout || fail "verify does not say that the case holds"
grep -q '^holds: 8 hit' stdout || { fail "not all hits were read again"; cat stdout; }
sha256sum -c --quiet before || fail "verify has changed the case"
[ "$(find whole -type f | wc -l)" -eq $(($(wc -l <before) + 1)) ] || fail "verify has added a file to the case"
head -c "$(stat -c %s log.before)" whole/log.jsonl | cmp -s - log.before || fail "verify has changed the log's lines"
[ "$(tail -n +$(($(wc -l <log.before) + 1)) whole/log.jsonl | jq -r .event)" = verified ] || fail "the check is not in the log"

fresh() { rm -rf case && cp -a whole case; }
notices() { # WHAT TEXT
  status 1 "$TRIAGE" verify case
  grep -q "^FAILS: .*$2" stdout || { fail "$1: not noticed"; sed 's/^/    /' stdout; }
  grep -q '^The case does NOT hold' stdout || fail "$1: no sum"
}
seal() { # the manifest made to fit again
  (cd case && for f in [!m]* manifest.json; do [ "$f" = log.jsonl ] || sha256sum "$f"; done >manifest.sha256)
}
for file in coverage.csv entries.csv hits.csv hits.jsonl report.html timeline.body manifest.json; do
  fresh && [ -s "case/$file" ] || continue
  python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(-2, 2); b = f.read(1); f.seek(-2, 2); f.write(bytes([b[0] ^ 1]))' "case/$file"
  notices "a changed byte in $file" "$file: has changed"
done
fresh && sed -i 2d case/hits.csv && seal
notices "a removed row under a new manifest" "hits.csv: is not what case.db gives"
fresh && { sed -n 1p whole/hits.csv; sed 1d whole/hits.csv | tac; } >case/hits.csv && seal
notices "rows in another order under a new manifest" "hits.csv: is not what case.db gives"
fresh && sed -i 's/a\.vbs/c.vbs/' case/exhibit-2.html && seal
notices "another exhibit's page under a new manifest" "exhibit-2.html: is not what case.db gives"
fresh && rm case/coverage.csv && seal
notices "a removed report under a new manifest" "manifest.sha256: is not the one that log.jsonl tells of last"
fresh && sed -i 's/"command_line": "triage/"command_line": "other/' case/manifest.json && seal
notices "other words in a new manifest" "manifest.sha256: is not the one that log.jsonl tells of last"
fresh && rm case/coverage.csv
notices "a missing file" "coverage.csv: is named in the manifest"
fresh && echo x >case/notes.txt
notices "a file too many" "notes.txt: is in the case directory but not in the manifest"
# The log: every line that is changed, taken out, put in, moved or lost at the end, by its number.
lines=$(wc -l <whole/log.jsonl) pinned=$(jq .log.lines whole/manifest.json)
[ "$pinned" -ge 5 ] && [ "$lines" -gt "$pinned" ] || fail "$lines lines of log, $pinned in the manifest"
for n in 1 3 "$lines"; do
  fresh && sed -i "${n}s/\"time\":\"2/\"time\":\"3/" case/log.jsonl
  notices "a changed line of the log" "log.jsonl: line $n has changed"
done
fresh && sed -i 3d case/log.jsonl
notices "a removed line of the log" "log.jsonl: line 3 does not follow"
fresh && sed -i 2p case/log.jsonl
notices "a doubled line of the log" "log.jsonl: line 3 does not follow"
fresh && sed -i '2{h;d};3G' case/log.jsonl
notices "lines of the log in another order" "log.jsonl: line 2 does not follow"
fresh && echo '{"event":"run-started"}' >>case/log.jsonl
notices "a foreign line in the log" "log.jsonl: line $((lines + 1)) is no line of this log"
fresh && truncate -s -3 case/log.jsonl
notices "half a line in the log" "log.jsonl: line $lines is not finished"
fresh && head -n 3 whole/log.jsonl >case/log.jsonl
notices "a log cut short" "log.jsonl: line 4 is missing"
fresh && head -n "$pinned" whole/log.jsonl >case/log.jsonl
notices "a log cut short behind what the manifest knows" "log.jsonl: does not tell of a manifest"
fresh && rm case/log.jsonl
notices "a missing log" "log.jsonl: cannot be read"
# A log that was written anew from its beginning holds in itself; the manifest knows another one.
fresh && rm case/log.jsonl && "$TRIAGE" scan -q --entries -r own.yar -o again disk.dd tree && cp again/log.jsonl case/
notices "another run's log" "log.jsonl: its first $pinned lines are not those that the manifest records"

# A signature is of this manifest or it does not hold.
if command -v openssl >/dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out signer.pem -subj /CN=Examiner -days 3 2>/dev/null
  cat signer.pem >>key.pem
  fresh && "$TRIAGE" seal case --sign key.pem || fail "seal"
  status 0 "$TRIAGE" verify --verify-signature signer.pem case
  cp case/manifest.p7s other.p7s
  fresh && "$TRIAGE" report case && cp other.p7s case/manifest.p7s
  notices "a signature of another manifest" "manifest.p7s: the signature does not hold"
else
  echo "SKIPPED: the signature: openssl is not installed"
fi

# a hit that the evidence does not hold, in a case that fits together otherwise
fresh && sqlite3 case/case.db "UPDATE hit SET first_offset = first_offset + 1 WHERE id = (SELECT min(id) FROM hit)" &&
  "$TRIAGE" report case
notices "a hit at another place" "hit H-.* is not found again"

fresh && cp own.yar kept.yar && sed -i 's/CDO.Message/CDO.Massage/' own.yar
notices "changed rules" "rules own.yar: no file with the recorded SHA-256"
status 0 "$TRIAGE" verify -r kept.yar case
cp kept.yar own.yar

cp disk.dd kept.dd
printf X | dd of=disk.dd bs=1 seek=1500 conv=notrunc status=none
notices "a changed byte of the evidence" "disk.dd: the evidence has changed"
status 0 "$TRIAGE" verify --evidence kept.dd --evidence tree case
echo "nothing" >tree/a.vbs
cp kept.dd disk.dd
notices "a changed file below a directory" "hit H-.*a.vbs.* is not found again"

status 2 "$TRIAGE" verify tree
says "is no case directory"
status 2 "$TRIAGE" verify
finish
