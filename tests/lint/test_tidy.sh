#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy, as .clang-tidy says, over the product's own sources (not the tests'). The analyzer follows
# each function for TRIAGE_TIDY_NODES steps: a tenth of its own default; a longer look is
# TRIAGE_TIDY_NODES=225000.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
need clang-tidy
database=${TRIAGE_BUILD:?}/compile_commands.json
if [ ! -e "$database" ]; then
  echo "SKIPPED: $database is missing (CMAKE_EXPORT_COMPILE_COMMANDS)"
  exit 77
fi
mapfile -t files < <(project_files 'triage/*.c' 'reports/*.c')
[ ${#files[@]} -gt 0 ]
# One process for each file, as many at once as there are processors; what is clean prints nothing.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy --quiet -p "$TRIAGE_BUILD" --extra-arg=-Wno-unknown-warning-option \
  --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes="${TRIAGE_TIDY_NODES:-22500}" 2> >(grep -v ' warnings\? generated' >&2)
echo "${#files[@]} files"
