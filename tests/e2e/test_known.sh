#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_known.sh - files whose content is in a list are left unscanned and listed, whatever form the
# list has; all others are examined. Digests are made by coreutils and hashdeep's form by hand.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir tree && for i in $(seq 9); do script "user$i" >"tree/$i.vbs"; done
cp tree/3.vbs tree/copy.vbs
(cd tree && zip -q archive.zip 3.vbs)
python3 - <<'PY'
import hashlib, sqlite3
d = {i: open(f"tree/{i}.vbs", "rb").read() for i in range(1, 10)}
h = lambda kind, i: hashlib.new(kind, d[i]).hexdigest()
w = lambda name, text: open(name, "w", newline="").write(text)
w("plain.sha256", f"# ours\n\n{h('sha256', 3)}  tree/3.vbs\n{h('sha1', 4).upper()}\n{h('md5', 5)} *x\r\n")
w("nsrl.txt", '"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"\r\n'
  + f'"{h("sha1", 3).upper()}","{h("md5", 4).upper()}","00000000","{h("md5", 5)}",12,1,"358",""\r\n'
  + f'"{h("sha1", 4).upper()}","{h("md5", 4).upper()}","00000000","say ""hi"", {h("md5", 6)}",12,1,"358",""\r\n'
  + f'"{h("sha1", 5).upper()}","{h("md5", 4).upper()}","00000000","x",12,1,"358",""\r\n')
w("deep.txt", "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /\n"
  + "".join(f"12,{h('md5', i)},{h('sha256', i)},/a,{h('md5', 7)}\n" for i in (3, 4, 5)))
db = sqlite3.connect("rds.db")
db.execute("create table VERSION(version, build_set)")
db.execute("create table METADATA(object_id, sha256, sha1, md5, crc32)")
db.execute("create view FILE as select * from METADATA")
for i in (3, 4, 5):
    db.execute("insert into METADATA values(?, ?, ?, ?, '')",
               (i, h("sha256", i).upper() if i != 5 else "", h("sha1", i).upper(), h("md5", i)))
db.commit()
w("many.txt", "".join(hashlib.sha1(b"%d" % i).hexdigest() + "\n" for i in range(200000)) + h("sha1", 3) + "\n"
  + h("sha1", 4) + "\n" + h("sha1", 5) + "\n" + h("sha1", 3) + "\n")
w("wrong.txt", h("sha256", 3) + "\nnonsense\n")
PY
status 0 "$TRIAGE" scan -q -o whole tree
known() { # FILE: what is left out, and nothing else
  rm -rf case
  status 1 "$TRIAGE" scan -q --known "$1" -o case tree
  for i in 3 4 5; do
    has case/coverage.csv "r['path'] == '/$i.vbs' and r['reason'] == 'known-file' and '${1%.idx}' in r['detail'] and r['examined_bytes'] == '0'" "$1"
  done
  has case/coverage.csv "r['path'] == '/copy.vbs'" "$1"
  [ "$(rows case/coverage.csv True)" -eq 4 ] || { fail "$1: other rows"; cat case/coverage.csv; }
  grep -vE ',/([345]|copy)\.vbs,,' whole/hits.csv >expected.csv # the archive's member is examined
  same expected.csv case/hits.csv
  python3 -c '
import hashlib, json, sys
inputs = json.load(open("case/manifest.json"))["inputs"]
wanted = hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()
sys.exit(not any(i["kind"] == "known" and i["sha256"] == wanted for i in inputs))' "$1" || fail "$1: not in the manifest"
}
for form in plain.sha256 nsrl.txt deep.txt rds.db many.txt; do known "$form"; done
status 0 "$TRIAGE" index-known many.txt -o many.txt.idx
grep -qx '0 SHA-256, 200003 SHA-1, 0 MD5' stdout || { fail "index-known counts wrongly"; cat stdout; }
known many.txt.idx
# every digest of the list is found in the index: many files, one after the other
mkdir numbers && for i in 0 1 2 77777 199999 200000; do printf %s "$i" >"numbers/$i"; done
status 1 "$TRIAGE" scan -q --known many.txt.idx -o numbered numbers
[ "$(rows numbered/coverage.csv 'r["reason"] == "known-file"')" -eq 5 ] || fail "not the five numbers of the list"

# several lists; a resumed case wants the same ones
script 7 >tree/7.vbs
sha256sum tree/7.vbs >seven.txt
rm -rf case
status 1 "$TRIAGE" scan -q --known seven.txt --known plain.sha256 -o case tree
has case/coverage.csv 'r["path"] == "/7.vbs" and "seven.txt" in r["detail"]'
status 2 "$TRIAGE" scan -q --resume --known seven.txt -o case tree
says "with other evidence, rules or options"
status 0 "$TRIAGE" verify case
grep -q 'The case holds' stdout || { fail "the case does not verify"; cat stdout; }

status 2 "$TRIAGE" scan -q --known wrong.txt -o none tree
says "wrong.txt:2: is no SHA-256, SHA-1 or MD5"
[ ! -e none ] || fail "a case was made all the same"
truncate -s -1 many.txt.idx
status 2 "$TRIAGE" scan -q --known many.txt.idx -o none tree
says "damaged index"
head -c 65536 /dev/urandom >random.bin
status 2 "$TRIAGE" scan -q --known random.bin -o none tree
finish
