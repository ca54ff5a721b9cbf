#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Snapshots of an APFS volume are not walked: each is named in coverage, and nothing else changes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_shared
image=$TRIAGE_EVIDENCE/real/dfvfs/apfs.raw

python3 "$E2E/make_apfs_snapshot.py" "$image" snapped.raw $'one\x1b of\t2023' || fail "no snapshot was made"
block=$(pstat snapped.raw | sed -n 's/.*APSB Block Number: \([0-9]*\).*/\1/p')
fsstat -P apfs -B "$block" snapped.raw | grep -q "2023-11-14 22:13:20" || fail "the Sleuth Kit does not see the snapshot either"

"$TRIAGE" scan -q --entries --digest none -o plain "$image" 2>stderr
[ $? -le 1 ] || fail "$(cat stderr)"
status 1 "$TRIAGE" scan -q --entries --digest none -o case snapped.raw
[ "$(rows plain/coverage.csv '"snapshot" in r["detail"]')" -eq 0 ] || fail "a snapshot where there is none"
listed=$(rows case/coverage.csv 'r["reason"] == "unsupported-filesystem" and r["fs_type"] == "apfs" and "one\\x1b of\\t2023" in r["detail"] and "2023-11-14T22:13:20.000000000Z" in r["detail"]')
[ "$listed" = 1 ] || fail "the snapshot is not listed: $(cat case/coverage.csv)"
names() {
  python3 -c '
import csv, sys
print(sorted((r["path"], r["meta_addr"]) for r in csv.DictReader(open(sys.argv[1], newline="")) if not r["path"].startswith("$")))' "$1"
}
[ "$(names plain/entries.csv)" = "$(names case/entries.csv)" ] || fail "other entries than without the snapshot"
finish
