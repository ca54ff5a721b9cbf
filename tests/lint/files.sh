# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the lint tests: the project's own files, one a line, relative to its root, where they then stand.
lint_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${TRIAGE_SOURCE:-$lint_dir/../..}" || exit 1

# project_files PATTERN...: what git tracks or would track; all but build output in a plain copy.
project_files() {
  if [ -e .git ] && git -c safe.directory="$PWD" rev-parse >/dev/null 2>&1; then
    git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard -- "$@"
  else
    local found=() pattern
    for pattern in "$@"; do
      found+=(-o -path "./$pattern")
    done
    find . -path ./build -prune -o -path ./samples/case -prune -o -type f \( "${found[@]:1}" \) -printf '%P\n'
  fi | LC_ALL=C sort -u | while IFS= read -r file; do
    [ ! -f "$file" ] || printf '%s\n' "$file"
  done
}

# Scripts by their first line, whatever their name.
project_scripts() { # INTERPRETER
  project_files '*' | while IFS= read -r file; do
    first=
    IFS= read -r first <"$file" 2>/dev/null || true
    case $first in "#!"*"$1"*) printf '%s\n' "$file" ;; esac
  done
}

need() {
  command -v "$1" >/dev/null && return 0
  echo "SKIPPED: $1 is not installed (tests/setup lint)"
  exit 77
}
