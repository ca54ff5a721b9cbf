#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_lvm.sh - groups that LVM2's own tools make, on several physical volumes: extended, striped, RAID 0 and 1,
# mirrored, cached, snapshots, thin ones. Their contents are written where 'lvs' says that they lie; physical volumes
# that lack, are there twice, or whose metadata is damaged.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v pvcreate >/dev/null || skip "no LVM2 tools"
[ "$(id -u)" -eq 0 ] && losetup -f >/dev/null 2>&1 || skip "no loop devices here: LVM2's tools need them"

export LVM_SUPPRESS_FD_WARNINGS=1
config='activation{udev_sync=0 udev_rules=0 verify_udev_operations=0}
devices{use_devicesfile=0 obtain_device_list_from_udev=0 external_device_info_source="none" issue_discards=0}
backup{backup=0 archive=0} global{use_lvmpolld=0 event_activation=0}'
loops=()
trap 'for l in "${loops[@]}"; do losetup -d "$l"; done; rm -rf "$work"' EXIT
lvm() { # COMMAND ARGUMENT...
  local command=$1
  shift
  "$command" --driverloaded n --devices "$devices" --config "$config" "$@" 2>>lvm.log
}
made() {
  lvm "$@" >>lvm.log || { cat lvm.log; skip "LVM2's tools do not work here: $*"; }
}

for i in 1 2 3; do
  truncate -s 32M pv$i.img
  loops+=("$(losetup -f --show pv$i.img)") || skip "no loop device can be had"
done
devices=$(IFS=,; echo "${loops[*]}")
# The second keeps two copies of the description, the third none.
made pvcreate --metadatasize 508k --dataalignment 1m "${loops[0]}"
made pvcreate --metadatasize 508k --dataalignment 1m --metadatacopies 2 "${loops[1]}"
made pvcreate --dataalignment 1m --metadatacopies 0 "${loops[2]}"
made vgcreate -s 512k --vgmetadatacopies all srv-data "${loops[@]}"
create() { # PV,PV... OPTION...
  local where=${1//,/ }
  shift
  # shellcheck disable=SC2086 # a list
  made lvcreate -an -Zn -Wn "$@" srv-data $where
}
one=${loops[0]} two=${loops[1]} three=${loops[2]}
create "$one" -n root -l 8
create "$one" -n between -l 8
made lvextend -l +8 srv-data/root "$two"
made lvextend -l +8 srv-data/root "$one"
create "$one,$two,$three" -n stripes -i 3 -I 64 -l 12
create "$one,$two" -n zero --type raid0 -i 2 -I 128 -l 12
for name in ra sa slow fast; do create "$two" -n $name -l 8; done
for name in rb sb cow tdata; do create "$three" -n $name -l 8; done
for name in rma rmb tmeta fmeta; do create "$three" -n $name -l 4; done

# What is made with the kernel's device mapper alone is written into the description; LVM2's own tool checks it.
made vgcfgbackup -f vg.conf srv-data
cat >edit.py <<'PY'
import re
text = open("vg.conf").read()
def hide(name, becomes):
    global text
    text, n = re.subn(rf'\n(\t+){name} {{\n(.*?), "VISIBLE"\]', rf'\n\1{becomes} {{\n\2]', text, count=1, flags=re.S)
    assert n == 1, name
def lv(name, segment, visible=True):
    ident = name.ljust(6, "A")[:6]
    return f"""
		{name} {{
			id = "{ident}-abcd-abcd-abcd-abcd-abcd-{ident}"
			status = ["READ", "WRITE"{', "VISIBLE"' if visible else ''}]
			flags = []
			creation_time = 1400000000
			creation_host = "host"
			segment_count = 1

			segment1 {{
				start_extent = 0
				extent_count = 8
				{segment}
			}}
		}}
"""
for name, becomes in {"ra": "copies_rimage_0", "rb": "copies_rimage_1", "rma": "copies_rmeta_0", "rmb": "copies_rmeta_1",
                      "sa": "mirrored_mimage_0", "sb": "mirrored_mimage_1", "tdata": "pool_tdata", "tmeta": "pool_tmeta",
                      "slow": "cached_corig", "fast": "fast_cdata", "fmeta": "fast_cmeta"}.items():
    hide(name, becomes)
new = lv("copies", 'type = "raid1"\ndevice_count = 2\nregion_size = 1024\n'
         'raids = ["copies_rmeta_0", "copies_rimage_0", "copies_rmeta_1", "copies_rimage_1"]')
new += lv("mirrored", 'type = "mirror"\nmirror_count = 2\nregion_size = 1024\nmirrors = ["mirrored_mimage_0", 0, "mirrored_mimage_1", 0]')
new += lv("pool", 'type = "thin-pool"\nmetadata = "pool_tmeta"\npool = "pool_tdata"\ntransaction_id = 1\nchunk_size = 128\ndiscards = "passdown"\nzero_new_blocks = 1', False)
new += lv("thin", 'type = "thin"\nthin_pool = "pool"\ntransaction_id = 0\ndevice_id = 1')
new += lv("snapshot0", 'type = "snapshot"\nchunk_size = 8\norigin = "between"\ncow_store = "cow"', False)
new += lv("fast", 'type = "cache-pool+METADATA_FORMAT"\ndata = "fast_cdata"\nmetadata = "fast_cmeta"\nchunk_size = 128\nmetadata_format = 2\ncache_mode = "writethrough"\npolicy = "smq"', False)
new += lv("cached", 'type = "cache"\ncache_pool = "fast"\norigin = "cached_corig"')
at = re.search(r"logical_volumes \{\n", text).end()
open("vg.conf", "w").write(text[:at] + new + text[at:])
PY
python3 edit.py || fail "the description cannot be edited"
made vgcfgrestore --force -y -f vg.conf srv-data
lvm pvs --noheadings -o pv_name,pv_uuid >pvs || fail pvs
lvm lvs -a --noheadings --nosuffix --units b --separator '|' -o lv_name,segtype,seg_start,seg_size,stripe_size,devices --segments srv-data |
  tr -d ' []' >segments || fail lvs
uuid() { grep "$1 " pvs | grep -o '[^ ]*$' | tr -d -; }
missing2=$(uuid "$two") missing3=$(uuid "$three")

# The contents, written where LVM2 says that they lie.
names=(root between stripes zero copies mirrored cached)
for name in "${names[@]}"; do
  mkdir -p "tree/$name"
  script "$name" >"tree/$name/$name.vbs" && head -c 900000 /dev/urandom >"tree/$name/noise"
  truncate -s "$(awk -F'|' -v n="$name" '$1 == n { s += $4 } END { print s }' segments)" "$name.dd"
  mke2fs -q -t ext4 -b 1024 -O ^has_journal -F -d "tree/$name" "$name.dd" || fail mke2fs
done
script raw >raw.dd
cat >write.py <<'PY'
import re, sys
START, EXTENT = 1 << 20, 512 << 10
pvs = {loop: open(f"pv{i + 1}.img", "r+b") for i, loop in enumerate(sys.argv[1:])}
lvs = {}
for line in open("segments"):
    name, kind, start, size, stripe, devices = line.strip().split("|")
    where = [(m[1], int(m[2])) for m in re.finditer(r"([^,(]+)\((\d+)\)", devices)]
    lvs.setdefault(name, []).append((kind, int(start), int(size), int(stripe), where))
def put(area, offset, data):
    device, extent = area
    if device in pvs:
        pvs[device].seek(START + extent * EXTENT + offset)
        pvs[device].write(data)
    else:
        write(device, extent * EXTENT + offset, data)
def write(name, offset, data):
    for kind, start, size, stripe, where in lvs[name]:
        part = data[max(start - offset, 0):max(start + size - offset, 0)]
        at = max(offset - start, 0)
        if kind in ("raid1", "mirror", "cache"):
            for area in where:
                put(area, at, part)
        elif len(where) == 1:
            put(where[0], at, part)
        else:
            assert at == 0 and len(part) % stripe == 0
            for i in range(len(part) // stripe):
                put(where[i % len(where)], i // len(where) * stripe, part[i * stripe:(i + 1) * stripe])
for name in "root", "between", "stripes", "zero", "copies", "mirrored", "cached":
    write(name, 0, open(name + ".dd", "rb").read())
for name in "pool_tdata", "fast_cdata":
    write(name, 100000, open("raw.dd", "rb").read())
PY
for l in "${loops[@]}"; do losetup -d "$l"; done
python3 write.py "${loops[@]}" || fail "the contents cannot be written"
loops=()

disk() { # FILE PV...: partitions in that order
  local file=$1 i at=1
  shift
  truncate -s $((33 * $# + 2))M "$file"
  for ((i = 0; i < $#; i++)); do
    echo "start=$((33 * i + 1))MiB, size=32MiB, type=lvm"
  done | sfdisk -q --label gpt "$file" || fail sfdisk
  for i in "$@"; do
    dd if="$i" of="$file" bs=1M seek=$at conv=notrunc,sparse status=none
    at=$((at + 33))
  done
}
scanned() { # STATUS FILE OPTION...
  rm -rf case
  status "$1" "$TRIAGE" scan -q --digest none --hash-all --entries -o case "${@:2}"
}
hits() { # CONDITION EXPECTED
  [ "$(rows case/hits.csv "$1")" -eq "$2" ] || { fail "not $2 hits with $1"; cut -d, -f3-6,10 case/hits.csv; cat case/coverage.csv; }
}
gaps() { # CONDITION EXPECTED
  [ "$(rows case/coverage.csv "$1")" -eq "$2" ] || { fail "not $2 rows with $1"; cat case/coverage.csv; }
}
whole() { # NAME...: every file of them is as the file system's own tools read it
  local name file sum
  for name in "$@"; do
    hits "r['path'] == '/$name.vbs' and r['fs_type'] == 'ext4' and r['state'] == 'allocated' and r['mail_to'] == '$name@corp.example'" 1
    for file in "$name.vbs" noise; do
      sum=$(icat "$name.dd" "$(fls -p "$name.dd" | awk -v f="$file" '$3 == f { sub(":", "", $2); print $2 }')" | sha256sum | cut -d' ' -f1)
      has case/entries.csv "r['path'] == '/$file' and r['sha256'] == '$sum' and r['examined'] == 'yes'" "$name"
    done
  done
}
disk all.dd pv1.img pv2.img pv3.img
scanned 1 all.dd
whole "${names[@]}"
# the other copies, the pool's and the cache's bytes are found where they lie
hits "r['path'].startswith('/\$Unknown/')" 4
hits True 11
gaps "r['reason'] == 'unsupported-filesystem' and 'srv-data/thin' in r['detail'] and 'type thin' in r['detail']" 1
gaps "r['reason'] == 'unsupported-filesystem' and 'srv-data/cow' in r['detail'] and 'snapshot of between' in r['detail']" 1
gaps "r['reason'] == 'unsupported-filesystem' and 'srv-data/cached' in r['detail'] and 'cache' in r['detail']" 1
gaps True 3
closes case
status 0 "$TRIAGE" verify case
mv case first
scanned 1 -j 1 all.dd
same first/hits.csv case/hits.csv
same first/coverage.csv case/coverage.csv
same first/entries.csv case/entries.csv

# without the third: what lies on the two others
disk two.dd pv1.img pv2.img
scanned 1 two.dd
whole root between zero copies mirrored cached
gaps "r['reason'] == 'missing-segment' and '$missing3' in r['detail'] and 'another image' in r['detail']" 1
gaps "r['reason'] == 'missing-segment' and 'srv-data/stripes' in r['detail']" 1
closes case

# without the second, in another order: the other copies, and a volume of which the middle lacks
disk other.dd pv3.img pv1.img
scanned 1 other.dd
whole between copies mirrored
gaps "r['reason'] == 'missing-segment' and '$missing2' in r['detail']" 1
gaps "r['reason'] == 'missing-segment' and 'srv-data/root 4194304 of 12582912' in r['detail'].replace('volume ', '') and '4194304-8388608' in r['detail']" 1
closes case

# the label's checksum, one of three descriptions, a physical volume that is there twice
cat >damage.py <<'PY'
import struct, sys
path, kinds = sys.argv[1], sys.argv[2:]
with open(path, "r+b") as f:
    def put(at, data):
        f.seek(at)
        f.write(data)
    def get(at, form):
        f.seek(at)
        return struct.unpack(form, f.read(struct.calcsize(form)))
    if "label" in kinds:
        put(512 + 32 + 32, b"\xff")
    at, areas, seen = 512 + 32 + 40, [], 0
    while seen < 2:
        place, size = get(at, "<QQ")
        seen += place == 0
        if place and seen:
            areas.append((place, size))
        at += 16
    for area, size in areas if "all" in kinds else []:
        put(area + 512, bytes(size - 512))
    for area, _ in areas if "text" in kinds else []:
        put(area + get(area + 40, "<Q")[0] + 64, b"\0damaged")
    for area, _ in areas if "header" in kinds else []:
        put(area + 4, b"damaged")
PY
for i in 1 2 3; do cp --sparse=always pv$i.img bad$i.img; done
python3 damage.py bad1.img text && python3 damage.py bad3.img label || fail damage.py
disk bad.dd bad1.img pv2.img bad3.img pv3.img
scanned 1 bad.dd
whole "${names[@]}"
gaps "r['reason'] == 'bad-checksum' and 'metadata area 1 of 1' in r['detail'] and 'another copy' in r['detail']" 1
gaps "r['reason'] == 'bad-checksum' and '$missing3' in r['detail'] and 'label' in r['detail']" 1
gaps "r['reason'] == 'corrupt' and '$missing3' in r['detail'] and 'another one' in r['detail']" 1

# all descriptions damaged: an older one, in which what was made last is not; then nothing but the bytes
python3 damage.py bad2.img text header || fail damage.py
disk old.dd bad1.img bad2.img pv3.img
scanned 1 old.dd
whole root between stripes zero
gaps "r['reason'] == 'bad-checksum' and 'an earlier description' in r['detail']" 2
hits "r['path'] == '/copies.vbs' and r['fs_type'] == 'ext4'" 2 # the copies, before they were one volume
python3 damage.py bad1.img all && python3 damage.py bad2.img all || fail damage.py
disk none.dd bad1.img bad2.img pv3.img
scanned 1 none.dd
hits "r['path'].startswith('/\$Unknown/')" 11
hits True 11
gaps "r['reason'] == 'corrupt' and 'no other description' in r['detail'] and 'examined as they are' in r['detail']" 2
gaps "r['reason'] == 'unsupported-filesystem' and 'no group in this evidence names' in r['detail']" 1
finish
