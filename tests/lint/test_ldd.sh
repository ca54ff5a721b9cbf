#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The coordinator parses no evidence: its program loads none of the parsers' libraries, nor what
# those pull in. The worker, which does, shows that the list is looked for in the right way.
set -euo pipefail
parsers='lib(tsk|ewf|bfio|vhdi|vmdk|qcow|archive|yara|xml2|afflib|magic|curl|krb5|ldap|ssh2|gnutls)[.-]'
coordinator=$(ldd "${TRIAGE:?}")
worker=$(ldd "${TRIAGE_WORKER:?}")
if grep -E "$parsers" <<<"$coordinator"; then
  echo "the coordinator loads a parser's library (above)"
  exit 1
fi
if ! grep -qE 'libtsk[.-]' <<<"$worker"; then
  echo "libtsk is not among the worker's libraries: this test would see nothing"
  exit 1
fi
echo "coordinator: $(wc -l <<<"$coordinator") libraries, worker: $(wc -l <<<"$worker")"
