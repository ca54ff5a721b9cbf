#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_carved.sh - archives that no entry names any more: freed by ext4 (whose inodes keep no extents),
# in slack and in a gap between partitions; larger than one object of the free space, too.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in sfdisk mke2fs debugfs 7z xz gzip bzip2; do command -v $tool >/dev/null || skip "no $tool"; done

python3 - <<'PY' || fail "the archives could not be made"
import io, os, random, zipfile
word = "Set m = CreateObject(\"CDO.Message\")\r\nm.To = \"%s@corp.example\"\r\nm.Send\r\n" + "' a comment line\r\n" * 40
open("plain.vbs", "w", newline="").write(word % "ops")
plain = open("plain.vbs", "rb").read()
text = b"nothing to be found here\r\n" * 40
def pack(*members, kind=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as z:
        for name, data in members:
            z.writestr(name, data)
    return out.getvalue()
os.makedirs("tree")
def put(name, data):
    open("tree/" + name, "wb").write(data)
noise = random.Random(7)
whole = pack(("docs/readme.txt", text), ("docs/a.vbs", plain))
put("a.zip", whole)
put("b.docm", pack(("[Content_Types].xml", text), ("word/document.xml", plain), ("word/embeddings/x.zip", pack(("in.vbs", plain)))))
put("n.zip", pack(("near.txt", text)))
# two zips in one free run, one in the other as it is: its own end record is not that of the outer
put("o.zip", pack(("inner.zip", pack(("deep.vbs", plain))), ("late.vbs", plain), kind=zipfile.ZIP_STORED))
# the end is lost: what lies before is opened, and it is said
put("u.zip", pack(("first.vbs", plain), ("second.bin", noise.randbytes(9000)))[:6000])
# beginnings of nothing
put("v.bin", b"PK\3\4" + noise.randbytes(2000))
put("w.bin", b"PK\3\4\x14\0\0\0\x08\0" + noise.randbytes(8) + b"\xff\xff\xff\xff" * 2 + b"\0\0\4\0\0\0name" + b"\xff" * 900)
put("x.bin", b"\x1f\x8b\x08\0" + b"\xff" * 900)
put("y.bin", b"7z\xbc\xaf\x27\x1c\0\4" + noise.randbytes(500))
open("slack.zip", "wb").write(pack(("slack.vbs", plain)))
# larger than the stretch of free space that is one object, with what is looked for at their ends
open("big.bin", "wb").write(noise.randbytes(1500000) + plain)
put("p.zip", pack(("big.bin", noise.randbytes(1500000)), ("at-the-end.vbs", plain), kind=zipfile.ZIP_STORED))
streamed = io.BytesIO()
class Pipe(io.RawIOBase):
    def writable(self):
        return True
    def write(self, data):
        return streamed.write(data)
with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as z: # its sizes stand behind the members
    z.writestr("big.bin", noise.randbytes(1500000))
    z.writestr("streamed.vbs", plain)
put("q.zip", streamed.getvalue())
PY
gzip -nc plain.vbs >tree/c.gz && xz -c plain.vbs >tree/d.xz && bzip2 -c plain.vbs >tree/e.bz2 || fail pack
7z a -bd tree/f.7z plain.vbs >/dev/null || fail 7z
gzip -nc big.bin >tree/g.gz && xz -c big.bin >tree/h.xz && bzip2 -c big.bin >tree/i.bz2 || fail pack
cp plain.vbs in-7z.vbs && 7z a -bd -ms=off tree/j.7z big.bin in-7z.vbs >/dev/null || fail 7z
mkdir office && cp plain.vbs office/payload.vbs && (cd office && python3 "$TRIAGE_SOURCE/tests/unit/unpack/make_office.py") || fail office
cp office/installer.msi tree/k.msi
head -c 700 /dev/zero | tr '\0' x >tree/host.txt

# as the kernel does: the name goes, the blocks are free, the inode keeps no extents
truncate -s 20M ext4.dd && mke2fs -q -t ext4 -b 4096 -F -d tree ext4.dd || fail mke2fs
for path in tree/*; do
  name=${path##*/}
  [ "$name" = host.txt ] && continue
  inode=$(debugfs -R "stat $name" ext4.dd 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')
  printf 'rm %s\nclri <%s>\n' "$name" "$inode"
done >commands
debugfs -w -f commands ext4.dd >/dev/null 2>&1 || fail debugfs
host=$(debugfs -R 'blocks host.txt' ext4.dd 2>/dev/null | tr -d ' ')
dd if=slack.zip of=ext4.dd bs=512 seek=$((host * 8 + 3)) conv=notrunc status=none
truncate -s 28M disk.dd
printf 'label: dos\nstart=2048,size=40960,type=83\nstart=49152,size=4096,type=7f\n' | sfdisk -q disk.dd || fail sfdisk
dd if=ext4.dd of=disk.dd bs=1M seek=1 conv=notrunc status=none
dd if=tree/a.zip of=disk.dd bs=512 seek=44001 conv=notrunc status=none # in the gap
# over the end of one object of the area: it is the first one's, once
dd if=tree/c.gz of=disk.dd bs=512 seek=$((49152 + 2047)) conv=notrunc status=none
# what is behind it is in use: the next partition
head -c 51200 tree/j.7z | dd of=disk.dd bs=512 seek=$((49152 - 100)) conv=notrunc status=none

status 1 "$TRIAGE" scan -q --jobs 1 -o one disk.dd
status 1 "$TRIAGE" scan -q --jobs 4 -o four disk.dd
same one/hits.csv four/hits.csv
same one/coverage.csv four/coverage.csv

once() { # CONDITION
  [ "$(rows one/hits.csv "$1")" -eq 1 ] || fail "not one hit with $1"
}
free="r['state'] == 'unallocated' and '\$Unallocated' in r['path'] and '(carved at ' in r['member']"
for chain in docs/a.vbs word/document.xml word/embeddings/x.zip!/in.vbs plain.vbs inner.zip!/deep.vbs \
  late.vbs first.vbs at-the-end.vbs streamed.vbs in-7z.vbs; do
  once "$free and r['member'].endswith(')!/$chain')"
done
# two of each stream, a small one and a large one; of the installer the stream, by its name
for step in '(gunzip)' '(unxz)' '(bunzip2)'; do
  [ "$(rows one/hits.csv "$free and r['member'].endswith(')!/$step')")" -eq 2 ] || fail "not both streams: $step"
done
once "$free and r['member'].endswith(')!/Binary.Script')"
once "r['state'] == 'slack' and r['member'].endswith('!/slack.vbs') and '(carved at 836)' in r['member']"
once "r['path'].startswith('/\$Unpartitioned/') and r['member'].endswith(')!/docs/a.vbs')"
once "r['path'].startswith('/\$Unknown/') and r['member'].endswith('(carved at 1048064)!/(gunzip)')"
has_no one/hits.csv "'near.txt' in r['member'] or 'readme' in r['member']"
# what comes out of the evidence is that member
id=$(python3 -c 'import csv; print([r["hit_id"] for r in csv.DictReader(open("one/hits.csv")) if r["member"].endswith("x.zip!/in.vbs")][0])')
status 0 "$TRIAGE" extract one "$id" -o out.zip
7z x -bd -pinfected -oout out.zip >/dev/null && grep -rlq 'CDO.Message' out && find out -type f -exec cmp -s {} plain.vbs \; -print | grep -q . ||
  fail "the member does not come out as it is"
# sound archives say nothing, nor do beginnings of nothing; the broken one does
has one/coverage.csv "'(carved at ' in r['member'] and r['reason'] == 'truncated'"
has one/coverage.csv "r['path'].startswith('/\$Unpartitioned/') and '7zip archive is' in r['detail'] and r['reason'] == 'truncated'"
[ "$(rows one/coverage.csv "'(carved at ' in r['member']")" -le 3 ] || { fail "too many rows"; grep carved one/coverage.csv; }
finish
