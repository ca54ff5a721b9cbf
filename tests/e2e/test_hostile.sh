#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_hostile.sh - structures made to exhaust whoever follows them: directories in a circle, 10,000
# of them deep, a file table of very many entries, orphans that claim terabytes, sparse files of 16
# TiB. All entries are seen or listed; time, and memory of every process, stay below a bound.
# TRIAGE_HOSTILE_ENTRIES (default 4000; the long run is 1000000), TRIAGE_HOSTILE_ORPHANS (default 4000).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in mke2fs debugfs mkntfs mkfs.vfat mcopy mmd cc; do command -v $tool >/dev/null || skip "no $tool"; done
cc -O1 -o make_ntfs "$E2E/make_ntfs.c" -lntfs-3g 2>cc.log || skip "no libntfs-3g to link with"
# A build with sanitizers pays for them in memory.
factor=1
nm "$TRIAGE" 2>/dev/null | grep -q __asan_init && factor=8

# bounded MIB SECONDS EXPECTED EVIDENCE [OPTION...]: one scan into ./case; no process of it, the
# coordinator and each worker on its own, holds more than MIB at any time; the coordinator never more
# than 300 MiB, and what of a worker's is its own, not a mapped file's, is told.
bounded() {
  local mib=$1 seconds=$2 expected=$3 evidence=$4
  shift 4
  rm -rf case
  python3 - $((mib * factor)) $((seconds * factor)) "$expected" "$TRIAGE" scan -q --digest none -o case "$@" "$evidence" <<'PY' || failures=$((failures + 1))
import glob, resource, subprocess, sys, time
mib, seconds, expected, command = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
begun = time.monotonic()
peak = {"triage": 0, "triage-worker": 0}  # MiB of their own
def sample(coordinator):
    for path in glob.glob("/proc/[0-9]*/status"):
        try:
            with open(path) as f:
                fields = dict(line.split(":", 1) for line in f if ":" in line)
        except OSError:
            continue
        if coordinator in (int(fields["Pid"]), int(fields["PPid"])) and "RssAnon" in fields:
            name = fields["Name"].strip()
            peak[name] = max(peak.get(name, 0), int(fields["RssAnon"].split()[0]) >> 10)
run = subprocess.Popen(command)
while True:
    try:
        status = run.wait(timeout=0.2)
        break
    except subprocess.TimeoutExpired:
        sample(run.pid)
    if time.monotonic() - begun > seconds:
        run.kill()
        run.wait()
        status = f"none after {seconds} s"
        break
usage = resource.getrusage(resource.RUSAGE_CHILDREN)  # the largest of all processes below
print(f"{command[-1]}: {time.monotonic() - begun:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} s of a processor, "
      f"largest process {usage.ru_maxrss >> 10} MiB; of their own: coordinator {peak['triage']} MiB, worker {peak['triage-worker']} MiB", flush=True)
bad = [f"exit status {status} instead of {expected}"] if status != expected else []
bad += [f"{usage.ru_maxrss >> 10} MiB, not below {mib}"] if usage.ru_maxrss >> 10 >= mib else []
bad += [f"coordinator {peak['triage']} MiB, not below 300"] if peak["triage"] >= 300 else []
for what in bad:
    print(f"FAILED: {command[-1]}: {what}")
sys.exit(bool(bad))
PY
}

# --- circles: a directory that holds its own ancestor; each script is found, once
mkdir -p tree/a/b/c && script >tree/a/b/c/leaf.vbs && script >tree/a/top.vbs
truncate -s 4M ext4.dd && mke2fs -q -t ext4 -F -d tree ext4.dd || fail mke2fs
inode=$(debugfs -R 'stat a' ext4.dd 2>/dev/null | grep -o '^Inode: *[0-9]*' | grep -o '[0-9]*$')
debugfs -w -R "ln <$inode> a/b/c/circle" ext4.dd 2>/dev/null
debugfs -w -R "ln <2> a/b/root" ext4.dd 2>/dev/null
truncate -s 3M fat.dd && mkfs.vfat -F 16 -s 1 fat.dd >/dev/null 2>&1
mmd -i fat.dd ::A ::A/B ::A/B/CIRCLE ::A/B/SELF && mcopy -i fat.dd tree/a/top.vbs ::A/TOP.VBS &&
  mcopy -i fat.dd tree/a/b/c/leaf.vbs ::A/B/LEAF.VBS || fail mtools
truncate -s 4M ntfs.dd && mkntfs -q -F -f -p 0 ntfs.dd >/dev/null 2>&1
./make_ntfs ntfs.dd 3 2 0 '' || fail make_ntfs
python3 - <<'PY' || fail "no circle was made"
import struct
data = bytearray(open("fat.dd", "rb").read())
start = {}
for name in (b"A          ", b"B          ", b"CIRCLE     ", b"SELF       "):
    at = data.index(name + b"\x10")
    start[name[:1]] = (at, struct.unpack_from("<H", data, at + 26)[0])
struct.pack_into("<H", data, start[b"C"][0] + 26, start[b"A"][1])  # leads to A again
struct.pack_into("<H", data, start[b"S"][0] + 26, start[b"B"][1])  # and this one to where it stands
open("fat.dd", "wb").write(data)

data = bytearray(open("ntfs.dd", "rb").read())
made = 0
name = "d1".encode("utf-16-le")
at = data.find(name)
while at >= 0:  # index entries of that name: they lead to the root directory now
    entry = at - 0x52
    if data[at - 2] == 2 and struct.unpack_from("<H", data, entry + 10)[0] == 0x42 + len(name):
        struct.pack_into("<Q", data, entry, 5 | 5 << 48)
        made += 1
    at = data.find(name, at + 1)
open("ntfs.dd", "wb").write(data)
assert made
PY
bounded 200 60 0 ext4.dd --entries
[ "$(rows case/hits.csv True)" -eq 2 ] || fail "ext4: not two hits"
has case/hits.csv 'r["path"] == "/a/b/c/leaf.vbs"'
bounded 200 60 1 fat.dd --entries
[ "$(rows case/hits.csv True)" -eq 2 ] || fail "FAT: not two hits"
for name in CIRCLE SELF; do
  has case/entries.csv "r['path'] == '/A/B/$name'" "the circle itself is listed"
  has case/coverage.csv "r['path'] == '/A/B/$name' and r['reason'] == 'corrupt'"
done
bounded 200 60 0 ntfs.dd --entries
for name in 'd0/f0' 'd2/f1'; do has case/entries.csv "r['path'] == '/$name.txt'"; done
has case/entries.csv 'r["path"] == "/d1"' "the circle itself is listed"
[ "$(rows case/entries.csv 'r["path"].startswith("/$Unnamed/") or r["path"].startswith("/$OrphanFiles/")')" -ge 2 ] ||
  fail "NTFS: what only the circle led to is not seen"

# --- 10,000 directories deep: the leaf is seen
truncate -s 96M deep.dd && mke2fs -q -t ext4 -F -N 12000 deep.dd || fail "mke2fs"
script >leaf.vbs
{
  for _ in $(seq 10000); do printf 'mkdir d\ncd d\n'; done
  echo "write leaf.vbs leaf.vbs"
} >deep.commands
debugfs -w -f deep.commands deep.dd >/dev/null 2>&1 || fail "debugfs"
bounded 300 300 0 deep.dd
has case/hits.csv 'r["path"].endswith("/leaf.vbs") and r["path"].count("/") == 10001' "the leaf of 10,000 directories"
rm -f deep.dd deep.commands

# --- a file table of very many entries, each with a name; a sparse file whose hole is larger than
# its volume, which libtsk refuses: what is stored of it is found all the same
entries=${TRIAGE_HOSTILE_ENTRIES:-4000}
truncate -s $((16 + entries * 5 / 4096 + entries / 700))M table.dd && mkntfs -q -F -f -p 0 table.dd >/dev/null 2>&1
./make_ntfs table.dd $((entries / 1000)) 1000 17592186044416 'CDO.Message at the end of 16 TiB' || fail make_ntfs
# (the table itself, 1 KiB an entry, is mapped while it is scanned)
bounded $((150 + entries / 2000 + entries / 1024)) $((120 + entries / 200)) 1 table.dd --entries
[ "$(rows case/entries.csv 'r["path"].endswith(".txt")')" -eq "$entries" ] || fail "not $entries entries"
has case/coverage.csv 'r["path"] == "/sparse.vbs" and r["reason"] == "corrupt"'
has case/hits.csv 'r["path"].startswith("/$Metadata/")' "the stored end of the sparse file"
rm -f table.dd

# --- orphans that claim a terabyte each
n_inodes=$((${TRIAGE_HOSTILE_ORPHANS:-4000} + 40))
for kind in loop holes extents; do
  type=ext2 && [ $kind = extents ] && type=ext4
  truncate -s $((4 + n_inodes / 2048))M $kind.dd
  mke2fs -q -t $type -F -b 1024 -N $n_inodes -O ^metadata_csum,^64bit $kind.dd || fail mke2fs
  n=$(python3 "$E2E/make_storm.py" $kind.dd $kind)
  bounded 200 $((60 + n_inodes / 20)) 1 $kind.dd --entries
  [ "$(rows case/entries.csv 'int(r["size"]) > 1 << 40 and r["state"] in ("deleted", "orphan")')" -ge "$n" ] || fail "$kind: not $n orphans"
  [ "$(rows case/coverage.csv 'r["reason"] in ("size-limit", "corrupt") and r["meta_addr"]')" -ge "$n" ] || fail "$kind: not all of $n orphans are told"
  "$TRIAGE" info case >stdout
  python3 "$E2E/accounts_close.py" stdout || fail "$kind: the accounts do not close"
done

# --- a file of so many extents that they need a tree is still read whole (one leaf: of more than that
# libtsk says that the content cannot be found)
rm -rf tree && mkdir tree
python3 - <<'PY'
with open("tree/pieces.vbs", "wb") as f:
    for i in range(80):
        f.seek(i * 8192)
        f.write(b"piece %d " % i * 300)
    f.write(b"CDO.Message")
PY
truncate -s 16M pieces.dd && mke2fs -q -t ext4 -b 1024 -F -d tree pieces.dd || fail mke2fs
debugfs -R 'ex /pieces.vbs' pieces.dd 2>/dev/null | grep -q '^ *[1-9]/' || fail "the extents have no level below the root"
rm -rf case
status 0 "$TRIAGE" scan -q --entries --hash-all -o case pieces.dd
sum=$(sha256sum <tree/pieces.vbs)
has case/entries.csv "r['path'] == '/pieces.vbs' and r['sha256'] == '${sum%% *}'" "the file of many extents"
has case/hits.csv "r['path'] == '/pieces.vbs'"

# --- a sparse file of 16 TiB: both of its ends are examined, at their own offsets
rm -rf tree && mkdir tree
size=$(((1 << 44) - 8192))
if truncate -s $size tree/sparse.vbs 2>/dev/null; then
  script | dd of=tree/sparse.vbs conv=notrunc status=none
  printf 'CDO.Message' | dd of=tree/sparse.vbs oflag=seek_bytes seek=$((size - 11)) conv=notrunc status=none
  truncate -s 8M sparse.dd && mke2fs -q -t ext4 -b 4096 -F -d tree sparse.dd || fail mke2fs
  bounded 200 60 1 sparse.dd
  has case/coverage.csv "r['path'] == '/sparse.vbs' and r['reason'] == 'size-limit' and r['size'] == '$size'"
  python3 - $((size - 11)) <<'PY' || fail "the hit's offsets are wrong"
import json, sys
hits = [json.loads(line) for line in open("case/hits.jsonl")]
sys.exit(len(hits) != 1 or int(sys.argv[1]) not in [int(m["offset"]) for m in hits[0]["matches"]])
PY
  status 0 "$TRIAGE" verify case
  # its last block lies nowhere: one row says both, that holes were left out and that content is lost
  python3 - <<'PY' || fail "the last extent of the sparse file was not found"
import struct
data = bytearray(open("sparse.dd", "rb").read())
at = data.find(struct.pack("<IHH", (1 << 32) - 3, 1, 0))
assert at >= 0
struct.pack_into("<I", data, at + 8, 0x7fffff00)
open("sparse.dd", "wb").write(data)
PY
  bounded 200 60 1 sparse.dd
  has case/coverage.csv "r['path'] == '/sparse.vbs' and r['reason'] == 'corrupt' and 'hole(s), which hold nothing, were left out' in r['detail'] and 'outside the file system' in r['detail']"
else
  echo "SKIPPED: a sparse file of 16 TiB (the file system here holds none)"
fi
finish
