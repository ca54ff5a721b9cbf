#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_ewf_verdict.sh - damaged E01 sets: triage calls each sound, damaged or incomplete as ewfverify
# does, and names every bad chunk by its place on the media, and no other (ewf_verdicts.py).
# TRIAGE_EWF_MUTANTS (default 12) seeded mutants; the long run is 300.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v ewfverify >/dev/null || skip "no ewfverify"
ext4_image disk.dd 3M
e01 disk.dd plain 1MiB
e01 disk.dd packed 1MiB fast
python3 "$E2E/ewf_verdicts.py" "$TRIAGE" "${TRIAGE_EWF_MUTANTS:-12}" plain packed || fail "verdicts or chunks differ"
finish
