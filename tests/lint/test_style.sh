#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What clang-tidy cannot say of the house's rules: size of files, banned calls, the direction of
# includes, no path of one machine.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/files.sh"
project_files '*' | python3 "$lint_dir/style.py"
