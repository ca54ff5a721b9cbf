#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh SECONDS [ROW...] - fuzzes unpackers, one after the other, each from seeds made here by the
# tests' own generators. Build first:
#   cmake -S . -B build/fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DTRIAGE_FUZZ=ON
#   ninja -C build/fuzz unpack_fuzz
# libarchive asks for as much memory as a damaged header claims and takes a refusal well; a worker's
# memory is limited, here only what is really used counts.
# ROW is a row of 'triage formats', "all" (the default), or "views"; set TRIAGE_EVIDENCE for a seed
# of pst. What it finds lies in build/fuzz/found/; inputs worth keeping stay in build/fuzz/corpus/ROW.
# A finding does not end the run: some are the libraries' (FINDINGS.md) and would hide what lies behind.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${FUZZ_BUILD:-$root/build/fuzz}
seconds=${1:?how many seconds for each row}
shift
rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(all)
mkdir -p "$build/found"
TRIAGE_FUZZ_REAL=1 bash "$root/tests/fuzz/make_seeds.sh" "$build/seeds" >"$build/seeds.log" 2>&1
export ASAN_OPTIONS=allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
status=0
for row in "${rows[@]}"; do
  corpus=$build/corpus/$row
  mkdir -p "$corpus"
  echo "== $row"
  before=$(find "$build/found" -type f | wc -l)
  TRIAGE_FUZZ_ROW=$row nice "$build/tests/unpack_fuzz" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 \
    -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2560 -malloc_limit_mb=1048576 -max_len=300000 \
    -artifact_prefix="$build/found/$row-" -print_final_stats=1 "$corpus" "$build/seeds" || status=1
  [ "$(find "$build/found" -type f | wc -l)" = "$before" ] || status=1
done
exit $status
