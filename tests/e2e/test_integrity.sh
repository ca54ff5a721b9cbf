#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_integrity.sh - the evidence stays what it was, and where it does not, that is the first thing
# the report says: size and times before and after, a change during the run, a stored digest that
# does not match.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
ext4_image disk.dd 4M

# equal before and after, and recorded
touch -d '2020-01-02T03:04:05.123456789Z' disk.dd
before=$(stat -c '%s %.Y %.Z %.X' disk.dd)
status 0 "$TRIAGE" scan -q -o case disk.dd
[ "$(stat -c '%s %.Y %.Z %.X' disk.dd)" = "$before" ] || fail "the scan touched the evidence"
python3 - <<'PY' || fail "the manifest does not record the evidence's file"
import json, os
(file,) = json.load(open("case/manifest.json"))["evidence"][0]["files"]
assert file["size"] == file["size_after"] == str(os.path.getsize("disk.dd")), file
assert file["modified"] == file["modified_after"] == "2020-01-02T03:04:05.123456789Z", file
assert file["changed"] == file["changed_after"], file
PY
grep -q 'same before and after' case/report.html || fail "the report does not say that the file is unchanged"
e01 disk.dd set 1MiB
status 0 "$TRIAGE" scan -q -o set set.E01
python3 -c '
import json
files = json.load(open("set/manifest.json"))["evidence"][0]["files"]
assert len(files) > 1 and all(f["size"] == f["size_after"] for f in files), files' || fail "not every segment is recorded"

# first MESSAGE CASE: it stands before everything else that the report says of its results
first() {
  python3 - "$1" "$2/report.html" <<'PY' || fail "the report does not say it first: $1"
import re, sys
body = open(sys.argv[2], encoding="utf-8").read().split("<main", 1)[-1]
alert = body.find('class="alert"')
at = body.find(sys.argv[1], alert)
sys.exit(not (0 <= alert < at and at - alert < 600 and alert < (body.find('class="counts"') % (1 << 40))))
PY
}

# touched while it is examined: said first, exit status 1, in coverage
cp disk.dd busy.dd && truncate -s 64M busy.dd
"$TRIAGE" scan -q -j 1 -o busy busy.dd &
pid=$!
for _ in $(seq 1000); do
  [ -s busy/case.db ] && break
  sleep 0.01
done
touch busy.dd
wait $pid
[ $? -eq 1 ] || fail "evidence that changed: not exit status 1"
has busy/coverage.csv "r['reason'] == 'corrupt' and 'changed while it was examined' in r['detail']"
first 'was changed while it was examined' busy

# a stored digest that is not the content's
e01 disk.dd sealed
python3 - <<'PY' || fail "no stored digest was changed"
import zlib
data, n = bytearray(open("sealed.E01", "rb").read()), 0
for name, length in ((b"digest\0", 76), (b"hash\0", 32)):
    at = data.rfind(name + bytes(16 - len(name)))
    if at < 0:
        continue
    body = at + 76
    data[body] ^= 0xFF
    data[body + length:body + length + 4] = zlib.adler32(bytes(data[body:body + length])).to_bytes(4, "little")
    n += 1
open("sealed.E01", "wb").write(data)
assert n
PY
status 1 "$TRIAGE" scan -o lied sealed.E01
says "does NOT match the one stored in it"
python3 -c 'import json; e = json.load(open("lied/manifest.json"))["evidence"][0]; assert e["digest_status"] == "mismatch", e' || fail "no mismatch in the manifest"
first 'does not match the digest stored with it' lied

# both digests stored, one of them not the content's, and all three asked for
ewfacquire -u -q -t both -f encase6 -d sha1 -S 1.4GiB -c none -C 1 -D d -E 1 -e e -N n -m fixed -M physical disk.dd >ewf.log 2>&1 || fail ewfacquire
cp both.E01 both-sha1.E01
python3 - <<'PY' || fail "no stored SHA-1 was changed"
import hashlib, zlib
data = bytearray(open("both-sha1.E01", "rb").read())
body = data.rfind(b"digest\0") + 76
assert data[body + 16:body + 36] == hashlib.sha1(open("disk.dd", "rb").read()).digest()
data[body + 16] ^= 0xFF
data[body + 76:body + 80] = zlib.adler32(bytes(data[body:body + 76])).to_bytes(4, "little")
open("both-sha1.E01", "wb").write(data)
PY
status 0 "$TRIAGE" scan -q --digest md5,sha1,sha256 -o agrees both.E01
grep -q 'class="alert"' agrees/report.html && fail "an alarm where every digest holds"
status 1 "$TRIAGE" scan -q --digest md5,sha1,sha256 -o lied-sha1 both-sha1.E01
python3 - <<'PY' || fail "the digests of the case are not those of the content"
import hashlib, json
content = open("disk.dd", "rb").read()
for case, wanted in (("agrees", "match"), ("lied-sha1", "mismatch")):
    e = json.load(open(case + "/manifest.json"))["evidence"][0]
    assert e["digest_status"] == wanted, e
    for name in ("md5", "sha1", "sha256"):
        assert e[name] == hashlib.new(name, content).hexdigest(), (case, name, e)
PY
first 'does not match the digest stored with it' lied-sha1

# none is said
status 0 "$TRIAGE" scan -q --digest none -o none disk.dd
grep -q 'not computed in this run' none/report.html || fail "the report does not say that no digest was computed"
finish
