#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every source and script names its licence in its first lines.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
mapfile -t files < <({
  project_files '*.c' '*.h' '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' '*.sql' '*.yar' '*.yaml' '*.scd'
  project_files 'reports/*.css' 'reports/*.js' 'reports/*.html' 'reports/*.css.in' 'reports/*.html.in'
  project_scripts ''
} | LC_ALL=C sort -u)
[ ${#files[@]} -gt 0 ]
bad=0
for file in "${files[@]}"; do
  if ! head -n 5 "$file" | grep -q 'SPDX-License-Identifier: [A-Z]'; then
    echo "$file: no SPDX-License-Identifier in its first five lines"
    bad=1
  fi
done
echo "${#files[@]} files"
exit $bad
