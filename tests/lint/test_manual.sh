#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The manual and the program name the same options of scan and the same commands.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
page=triage/cli/triage.1.scd
options() { grep -oE -- '(^|[^-[:alnum:]])--[a-z][a-z-]+' | grep -oE -- '--[a-z-]+' | grep -vxE -- '--help(-all)?' | LC_ALL=C sort -u; }
documented=$(sed -n '/^# OPTIONS OF SCAN/,/^# FILES OF A CASE/p' "$page" | grep '^\*-' | options)
# Options that are only there to be refused stand elsewhere in the page.
told=$("${TRIAGE:?}" scan --help | grep -v 'Not in this version' | options)
bad=0
if ! diff <(printf '%s\n' "$told") <(printf '%s\n' "$documented"); then
  echo "'triage scan --help' (<) and $page (>) name different options"
  bad=1
fi
for command in $(sed -n '/^# COMMANDS/,/^# OPTIONS/p' "$page" | grep -oE '^\*[a-z][a-z-]+\*' | tr -d '*'); do
  if ! "$TRIAGE" "$command" --help >/dev/null 2>&1; then
    echo "$page names the command $command, which 'triage $command --help' does not know"
    bad=1
  fi
done
exit $bad
