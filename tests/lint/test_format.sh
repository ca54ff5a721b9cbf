#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every C file is formatted as .clang-format says. To mend: clang-format -i FILE.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
need clang-format
mapfile -t files < <(project_files '*.c' '*.h')
[ ${#files[@]} -gt 0 ]
clang-format --dry-run -Werror "${files[@]}"
echo "${#files[@]} files"
