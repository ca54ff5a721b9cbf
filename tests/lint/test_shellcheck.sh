#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every shell script passes shellcheck.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
need shellcheck
mapfile -t files < <({ project_files '*.sh'; project_scripts sh; } | LC_ALL=C sort -u)
[ ${#files[@]} -gt 0 ]
shellcheck --severity=warning "${files[@]}"
echo "${#files[@]} scripts"
