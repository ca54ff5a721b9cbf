# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# lib.sh - what the end-to-end tests share: a scratch directory, expectations, evidence made by real
# tools. Sourced, never run.
set -uo pipefail
: "${TRIAGE:?run by ctest, or set it to the triage binary}"
TRIAGE_SOURCE=${TRIAGE_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
export E2E=$TRIAGE_SOURCE/tests/e2e
failures=0
work=$(mktemp -d "${TMPDIR:-/tmp}/triage-e2e-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

fail() {
  printf 'FAILED: %s\n' "$*"
  failures=$((failures + 1))
}

skip() {
  printf 'SKIPPED: %s\n' "$*"
  exit 77
}

finish() {
  [ "$failures" -eq 0 ] || { printf '%d expectation(s) failed\n' "$failures"; exit 1; }
  echo "all expectations hold"
  exit 0
}

need_shared() {
  [ -n "${TRIAGE_SHARED:-}" ] && [ -d "${TRIAGE_SHARED:-}" ] || skip "TRIAGE_SHARED names no shared test evidence"
  [ -n "${TRIAGE_EVIDENCE:-}" ] && [ -d "${TRIAGE_EVIDENCE:-}" ] || skip "TRIAGE_EVIDENCE names no unpacked test evidence"
}

# status EXPECTED COMMAND...: runs, keeps standard error in ./stderr and output in ./stdout.
status() {
  local expected=$1 got
  shift
  "$@" >stdout 2>stderr
  got=$?
  if [ "$got" -ne "$expected" ]; then
    fail "exit status $got instead of $expected: $*"
    sed 's/^/    /' stderr | head -n 20
  fi
}

# says TEXT: standard error of the last run holds it, in one short message.
says() {
  grep -qF -- "$1" stderr || { fail "the message does not say '$1':"; sed 's/^/    /' stderr | head -n 20; }
}

# rows FILE.csv 'python condition over r': prints how many rows it holds for.
rows() {
  python3 -c '
import csv, sys
csv.field_size_limit(1 << 30)
with open(sys.argv[1], encoding="utf-8", newline="") as f:
    print(sum(1 for r in csv.DictReader(f) if eval(sys.argv[2])))' "$1" "$2"
}

# has FILE.csv CONDITION [WHAT]: at least one row.
has() {
  [ "$(rows "$1" "$2")" -gt 0 ] || { fail "no row in $1 with $2${3:+ ($3)}"; head -n 5 "$1"; }
}

has_no() {
  [ "$(rows "$1" "$2")" -eq 0 ] || fail "unexpected row in $1 with $2"
}

same() {
  cmp -s "$1" "$2" || { fail "$1 and $2 differ"; diff "$1" "$2" | head -n 10; }
}

script() { # a script that the shipped rule matches
  printf 'Set m = CreateObject("CDO.Message")\r\nm.To = "%s@corp.example"\r\nm.Send\r\n' "${1:-ops}"
}

# ext4_image FILE SIZE: a small ext4 with files d1/s1.vbs ... and text between, made without mounting.
ext4_image() {
  local tree=$work/tree.$$
  rm -rf "$tree" && mkdir -p "$tree"
  for d in 1 2 3 4 5 6; do
    mkdir -p "$tree/d$d/sub"
    script "user$d" >"$tree/d$d/s$d.vbs"
    head -c 150000 /dev/urandom >"$tree/d$d/noise.bin"
    for n in 1 2 3 4 5; do echo "text $d $n" >"$tree/d$d/sub/t$n.txt"; done
  done
  truncate -s "$2" "$1"
  mke2fs -q -t ext4 -F -E root_owner=0:0 -d "$tree" "$1" || fail "mke2fs"
  rm -rf "$tree"
}

# e01 RAW TARGET [SEGMENT BYTES] [COMPRESSION]
e01() {
  ewfacquire -u -q -t "$2" -f encase6 -S "${3:-1.4GiB}" -c "${4:-none}" -C 1 -D d -E 1 -e e -N n -m fixed -M physical "$1" >ewf.log 2>&1 ||
    { fail "ewfacquire"; tail -n 3 ewf.log; }
}

# CASE: nothing is left to do, and each volume's bytes are told of once.
closes() {
  "$TRIAGE" info "$1" >stdout
  grep -q 'still to do [1-9]' stdout && fail "$1: objects are left over"
  python3 - stdout <<'PY' || fail "$1: the accounts do not close"
import re, sys
volumes = re.findall(r'length (\d+),.*?together +(\d+) bytes', open(sys.argv[1]).read(), re.S)
sys.exit(0 if volumes and all(length == together for length, together in volumes) else print(volumes) or 1)
PY
}
