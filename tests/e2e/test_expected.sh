#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_expected.sh - every entry that independent tools list on the shared real images is seen, with
# the same address, size and digest; differences are listed one by one with their reasons.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_shared
python3 "$E2E/compare_expected.py" "$TRIAGE" "$TRIAGE_SHARED" "$TRIAGE_EVIDENCE" "$work" || fail "entries.csv and the expected tables differ"
finish
