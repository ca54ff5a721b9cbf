#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One bad chunk of an E01: the objects that lie on it are listed, those and no others, whatever the
# workers happened to read before. Who lies there is asked of ifind, block by block.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_shared
image=$TRIAGE_EVIDENCE/truth/corrupt/srv01_badchunk.E01
sound=$TRIAGE_EVIDENCE/truth/srv01.E01

for jobs in 1 2 3 4; do
  rm -rf "case$jobs"
  status 1 "$TRIAGE" scan -q --digest none -j "$jobs" -o "case$jobs" "$image"
  cmp -s case1/coverage.csv "case$jobs/coverage.csv" || fail "--jobs $jobs: another coverage.csv"
done
python3 - case1/coverage.csv "$sound" <<'EOF2' || fail "other objects than ifind names"
import csv, re, subprocess, sys
rows = [r for r in csv.DictReader(open(sys.argv[1], newline="")) if r["reason"] == "bad-checksum"]
start, end = map(int, re.search(r"bytes (\d+) to (\d+)", next(r["detail"] for r in rows if not r["meta_addr"])).groups())
volume = next(int(r["volume_offset"]) for r in rows if r["meta_addr"])
wanted = set()
for block in range((start - volume) // 4096, (end - volume + 4095) // 4096):
    said = subprocess.run(["ifind", "-o", str(volume // 512), "-d", str(block), sys.argv[2]], capture_output=True, text=True).stdout
    wanted.update(re.findall(r"^[\d-]+$", said, re.M))
listed = {r["meta_addr"] for r in rows if r["meta_addr"] and r["state"] == "allocated"}
print("listed", sorted(listed), "ifind", sorted(wanted))
sys.exit(not wanted or listed != wanted)
EOF2
finish
