#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_same_bytes.sh - the same evidence gives the same bytes, whatever --jobs, time zone or locale.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ext4_image disk.dd 16M
mkdir tree && for i in $(seq 30); do script "user$i" >"tree/$i.vbs"; done
(cd tree && zip -q all.zip ./*.vbs && tar czf all.tgz ./*.vbs all.zip && 7z a -bso0 all.7z ./*.tgz)
evidence=(disk.dd tree "$TRIAGE_SOURCE/samples/sample.E01")
one() { # CASE ENVIRONMENT... -- OPTION...
  local case=$1 got
  shift
  "$@" scan -q --entries --hash-all -o "$case" "${evidence[@]}" 2>stderr
  got=$?
  [ $got -le 1 ] || { fail "$case: exit status $got"; cat stderr; }
}
one first "$TRIAGE"
status=0
for jobs in 1 4; do
  "$TRIAGE" scan -q --entries --hash-all --jobs $jobs -o "jobs$jobs" "${evidence[@]}" || status=$?
  [ $status -le 1 ] || fail "--jobs $jobs: exit status $status"
done
one zone env TZ=Asia/Kolkata LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 "$TRIAGE"
formats=timesketch,timesketch-csv,dfxml,case,stix,ecs,sentinel,kql
for case in first jobs1 jobs4 zone; do
  status 0 "$TRIAGE" report $case --format $formats
  # Of STIX the run's own times are all that may differ: it demands them.
  sed -E 's/"(created|modified|valid_from|first_observed|last_observed)":"[^"]*"/"\1":""/g' $case/stix.json >$case.stix
done
for other in jobs1 jobs4 zone; do
  same first.stix $other.stix
  for file in hits.csv hits.jsonl coverage.csv entries.csv timeline.body timesketch.jsonl timesketch.csv dfxml.xml case.jsonld ecs.jsonl sentinel.jsonl hunt.kql; do
    [ -s "first/$file" ] || fail "first/$file is empty"
    same "first/$file" "$other/$file"
  done
done
(cd first && sha256sum -c --quiet manifest.sha256) || fail "the manifest does not hold"
cp first/hits.csv before.csv
"$TRIAGE" report first || fail "report again"
same before.csv first/hits.csv
(cd first && sha256sum -c --quiet manifest.sha256) || fail "the manifest does not hold after 'triage report'"
finish
