#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What cmake --install puts in place works from there: it finds its worker, rules and profiles.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake --install "${TRIAGE_BUILD:?}" --prefix "$dir/usr" >"$dir/log"
cd "$dir"
[ -x usr/bin/triage ] && [ -x usr/libexec/triage/triage-worker ] && [ -s usr/share/triage/rules/network_smtp_vb.yar ] &&
  [ -s usr/lib/systemd/system/triage-watch.service ]
usr/bin/triage --version >version
[ -s version ]
usr/bin/triage formats >formats # no grep -q: it would end the writer
[ -s formats ]
status=0
usr/bin/triage scan -q -o case -b "${TRIAGE_SOURCE:?}/samples/site.yaml" "$TRIAGE_SOURCE/samples/sample.E01" || status=$?
[ "$status" -eq 1 ] || { echo "triage scan: status $status, not 1"; exit 1; }
"$TRIAGE_SOURCE/samples/check" case
