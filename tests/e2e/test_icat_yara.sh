#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_icat_yara.sh - for files picked across the images, 'icat | yara' and triage agree on matched
# strings and offsets.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in icat yara; do command -v $tool >/dev/null || skip "no $tool"; done
rule=$TRIAGE_SOURCE/rules/network_smtp_vb.yar
images=("$TRIAGE_SOURCE/samples/sample.E01")
[ -d "${TRIAGE_EVIDENCE:-}" ] && images+=("$TRIAGE_EVIDENCE"/truth/{usb01.dd,card01.dd,floppy.img,srv01.E01,nas01.001,nas01.dd.001})
n=0
for image in "${images[@]}"; do
  [ -e "$image" ] || continue
  rm -rf case
  "$TRIAGE" scan -q -o case "$image"
  python3 - "$image" "$rule" <<'PY' || failures=$((failures + 1))
import json, subprocess, sys
image, rule = sys.argv[1:3]
checked, bad = 0, 0
for line in open("case/hits.jsonl", encoding="utf-8"):
    hit = json.loads(line)
    if hit["member"] or hit["view"] != "raw" or not hit["meta_addr"] or checked >= 20:
        continue
    offset = str(int(hit["volume_offset"]) // 512)
    data = subprocess.run(["icat", "-o", offset, image, hit["meta_addr"]], capture_output=True).stdout
    if len(data) != int(hit["size"]):
        # icat gives up on a hole longer than the file system; what it left out cannot be compared
        print(f"{image} {hit['path']}: icat gives {len(data)} of {hit['size']} bytes, not compared")
        continue
    open("content", "wb").write(data)
    out = subprocess.run(["yara", "-s", rule, "content"], capture_output=True, text=True).stdout.splitlines()[1:]
    want = sorted((int(l.split(":")[0], 16), l.split(":")[1]) for l in out)
    got = sorted((int(m["offset"]), m["identifier"]) for m in hit["matches"])
    checked += 1
    if want != got:
        bad += 1
        print(f"{image} {hit['path']}: yara {want}, triage {got}")
print(f"{image}: {checked} files agree" if not bad else f"{bad} differ")
open("count", "a").write(f"{checked}\n")
sys.exit(1 if bad else 0)
PY
done
n=$(paste -sd+ count | bc 2>/dev/null || awk '{s+=$1} END {print s}' count)
[ "$n" -ge 5 ] || fail "only $n files were compared"
[ "${#images[@]}" -eq 1 ] || [ "$n" -ge 20 ] || fail "only $n files were compared"
finish
