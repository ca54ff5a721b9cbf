#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# With and without the prefilter the case is the same, byte for byte: the shipped rule, a public rule set, and generated
# sets of more than a thousand rules, one whole (there it must stay off), one of what is proved alone (there it works).
# TRIAGE_PREFILTER_ALL=1: over all of the shared evidence (hours: libyara alone takes 15 MB/s with
# a thousand rules, and some files run into their time limit) instead of a part of it.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_shared

E2E_WORDS=(/bin/ls "$TRIAGE_EVIDENCE/truth/floppy.img")
python3 "$E2E/make_rules.py" 7 1300 "${E2E_WORDS[@]}" >mixed.yar
"$TRIAGE" check-rules -v mixed.yar >mixed.txt || fail "the generated rules do not compile: $(grep -m 3 error mixed.txt)"
grep -q '^prefilter: off: of [0-9]* of 1300 rules it is not proved' mixed.txt || fail "mixed rules: $(grep ^prefilter mixed.txt)"
python3 "$E2E/pick_rules.py" mixed.yar <mixed.txt >proved.yar
[ "$(grep -c '^\(private \|global \)\?rule ' proved.yar)" -ge 1000 ] || fail "fewer than 1000 generated rules are proved"

if "$TRIAGE" --version | grep -q '^hyperscan '; then
  state='"prefilter": "on: '
else
  state='"prefilter": "off: this build'
fi
n_hits=0
compare() { # STATE RULES EVIDENCE...
  local wanted=$1 rules=$2 file
  shift 2
  rm -rf with without
  "$TRIAGE" scan -q --digest none -r "$rules" -o with "$@" 2>stderr || [ $? = 1 ] || fail "scan of $*: $(head -n 3 stderr)"
  "$TRIAGE" scan -q --digest none --no-prefilter -r "$rules" -o without "$@" 2>stderr || [ $? = 1 ] || fail "scan of $* without: $(head -n 3 stderr)"
  for file in hits.csv hits.jsonl coverage.csv timeline.body; do
    same "with/$file" "without/$file"
  done
  grep -qF "$wanted" with/manifest.json || fail "$rules: $(grep '"prefilter"' with/manifest.json)"
  grep -qF '"prefilter": "off: not wanted"' without/manifest.json || fail "--no-prefilter is not in the manifest"
  n_hits=$((n_hits + $(wc -l <with/hits.jsonl)))
}

shipped=$TRIAGE_SOURCE/rules/network_smtp_vb.yar
public=$TRIAGE_EVIDENCE/real/rules/capabilities/capabilities.yar
off='"prefilter": "off: of '
truth=$TRIAGE_EVIDENCE/truth
if [ -n "${TRIAGE_PREFILTER_ALL:-}" ]; then
  images=("$truth"/*.dd "$truth"/*.img "$truth"/*.iso "$truth/nas01.001" "$truth/srv01.E01" "$truth/corrupt" "$truth/loose")
  for rules in "$shipped" "$public" proved.yar; do
    compare "$state" "$rules" "$TRIAGE_EVIDENCE/real"
    compare "$state" "$rules" "${images[@]}"
  done
  compare "$off" mixed.yar "$TRIAGE_EVIDENCE/real"
  compare "$off" mixed.yar "${images[@]}"
else
  some=("$truth/floppy.img" "$truth/loose" "$TRIAGE_EVIDENCE/real/oletools" "$TRIAGE_EVIDENCE/real/yara")
  compare "$state" "$shipped" "${some[@]}"
  compare "$state" "$public" "${some[@]}"
  compare "$state" proved.yar "$TRIAGE_EVIDENCE/real/yara" "$truth/floppy.img"
  compare "$off" mixed.yar "$TRIAGE_EVIDENCE/real/yara"
fi
echo "$n_hits hits compared"
[ "$n_hits" -ge 500 ] || fail "only $n_hits hits: this proves little"
finish
