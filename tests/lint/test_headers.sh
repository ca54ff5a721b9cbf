#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone: whoever includes it needs no other first.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
need pkg-config
mapfile -t flags < <(pkg-config --cflags glib-2.0 yara sqlite3 jansson libxml-2.0 | tr ' ' '\n' | grep .)
mapfile -t headers < <(project_files '*.h')
[ ${#headers[@]} -gt 0 ]
bad=0
for header in "${headers[@]}"; do
  "${CC:-cc}" -fsyntax-only -x c -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE \
    -D_FILE_OFFSET_BITS=64 -Iinclude -Itriage -I. "${flags[@]}" -include "$header" /dev/null || bad=1
done
echo "${#headers[@]} headers"
exit $bad
