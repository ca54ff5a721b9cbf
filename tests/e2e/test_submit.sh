#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_submit.sh - triage submit without a cluster: its scripts, run by a sbatch of the test's own
# that loses a node on the way, give the bytes of one scan; names of evidence meet no shell.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir bin queue
cat >bin/sbatch <<'SBATCH'
#!/usr/bin/env bash
# Runs what it is given at once: the tasks of an array one after the other, the second of them on a
# node that is lost. Refuses what sbatch refuses.
set -u
queue=$FAKE_QUEUE
printf '%s\n' "$@" >>"$queue/said"
script=${*: -1}
! grep -q $'\r' "$script" || { echo "Batch script contains DOS line breaks" >&2; exit 1; }
[ ! -e "$queue/refuse.$(basename "$script")" ] || { echo "invalid account" >&2; exit 1; }
id=$(($(cat "$queue/id" 2>/dev/null || echo 40) + 2)) && echo $id >"$queue/id"
export SLURM_JOB_ID=$id SLURM_CPUS_ON_NODE=2
array=$(sed -n 's/^#SBATCH .*--array=1-\([0-9]*\).*/\1/p' "$script")
if [ -z "$array" ]; then
  case " $* " in *" --dependency=afterok:$((id - 2)) "*) ;; *) echo "no dependency" >&2; exit 1 ;; esac
  [ ! -e "$queue/failed" ] || { echo "$id"; exit 0; } # its dependency is never satisfied
  cp "$FAKE_CASE/slurm/shards/1/case.db" "$FAKE_CASE/case.db" # an earlier merge was cut off
  bash "$script" || touch "$queue/failed"
else
  for k in $(seq "$array"); do
    export SLURM_ARRAY_TASK_ID=$k SLURM_RESTART_COUNT=0
    if [ "$k" = 2 ]; then
      TRIAGE_TEST_FAULT=hang:last setsid bash "$script" &
      pid=$!
      for _ in $(seq 200); do [ -e "$FAKE_CASE/slurm/shards/2/case.db" ] && break; sleep 0.05; done
      sleep 0.5
      kill -9 -- -$pid
      wait $pid 2>/dev/null
      SLURM_RESTART_COUNT=1
    fi
    bash "$script" || touch "$queue/failed"
  done
fi
echo "$id;lab"
SBATCH
printf '#!/usr/bin/env bash\necho "scancel $*" >>"$FAKE_QUEUE/said"\n' >bin/scancel
chmod +x bin/*
export FAKE_QUEUE=$work/queue

# evidence as nobody should name it
odd=$'a\'b"c$(touch pwned)`touch pwned`;%A\r\n#SBATCH --array=9\n*\\x41'
for name in "$odd" -rf $'not\xffutf8' plain; do
  mkdir -- "$name" && script >"$name/a.vbs" && script "b$RANDOM" >"$name/b.vbs" && script last >"$name/last.vbs"
done
(cd plain && zip -q -P secret locked.zip a.vbs)
evidence=(-- "$odd" -rf $'not\xffutf8' plain gone)
mkdir gone
case_dir="c'\$(touch pwned) a%a"
export FAKE_CASE=$work/$case_dir
real_path=$PATH
nice_path=$work/bin:$PATH

status 1 "$TRIAGE" scan -q --entries -b "$TRIAGE_SOURCE/samples/site.yaml" -o whole "${evidence[@]}"
[ "$(rows whole/hits.csv True)" -ge 12 ] || fail "the evidence has no hits"

# nothing is submitted, and nothing needs Slurm
PATH=$real_path status 0 "$TRIAGE" submit --slurm --dry-run --shard-bytes 300 --nodes 2 --hash-all -o dry plain "$odd"
[ ! -e queue/said ] || fail "--dry-run has submitted"
grep -qE '^#SBATCH --array=1-[2-9]%2 --exclusive$' dry/slurm/scan.sh || { fail "sized by bytes"; cat dry/slurm/scan.sh; }
grep -q '^#SBATCH .*--requeue' dry/slurm/scan.sh || fail "no requeue"
LC_ALL=C grep -q '[^ -~]' dry/slurm/scan.sh dry/slurm/merge.sh && fail "a script is not plain text"
printf '%s\0' --hash-all -- plain "$odd" >expected
same expected dry/slurm/arguments
status 0 "$TRIAGE" status dry
grep -q 'not submitted' stdout || fail "status of a dry run"

PATH=$nice_path status 0 "$TRIAGE" submit --slurm -j 1 --shards 3 --entries -b "$TRIAGE_SOURCE/samples/site.yaml" --sbatch=--account=lab -o "$case_dir" "${evidence[@]}"
grep -q '^array job 42: 3 shards' stdout && grep -q '^merge job 44: ' stdout || { fail "job ids"; cat stdout; }
grep -q '"array": "42"' "$case_dir/slurm/plan.json" && grep -q '"cluster": "lab"' "$case_dir/slurm/plan.json" || fail "job ids are not recorded"
grep -q '"event":"slurm-submitted","array":"42","merge":"44"' "$case_dir/log.jsonl" || fail "the log does not tell of the jobs"
[ "$(grep -cx -- --account=lab queue/said)" -eq 2 ] || fail "--sbatch is not passed on"
[ ! -e queue/failed ] || { fail "a job has failed"; cat "$case_dir"/slurm/logs/*; }
grep -q 'restart 1' "$case_dir/slurm/logs/scan-2.log" || fail "no node was lost"
for file in hits.csv hits.jsonl coverage.csv entries.csv timeline.body; do same "whole/$file" "$case_dir/$file"; done
(cd "$case_dir" && sha256sum -c --quiet manifest.sha256) || fail "the manifest does not hold"
where=() # a case keeps paths as they can be printed
for name in "${evidence[@]:1}"; do where+=("--evidence=$name"); done
status 0 "$TRIAGE" verify "${where[@]}" "$case_dir"
[ -z "$(find . -name pwned)" ] || fail "a name was run as a command"

# status: Slurm's word beside the stores', where there is Slurm
PATH=$work/none status 0 "$TRIAGE" status "$case_dir"
grep -q '^Slurm: cannot be asked: squeue is not installed here' stdout || { fail "no squeue"; cat stdout; }
grep -q '^shards: 3 of 3 complete, 0 begun' stdout && grep -q '^complete$' stdout || { fail "shards"; cat stdout; }
printf '#!/bin/sh\ncat "$FAKE_QUEUE/squeue.json"\n' >bin/squeue && chmod +x bin/squeue
cat >queue/squeue.json <<'JSON'
{"jobs": [{"job_id": 42, "array_job_id": 42, "array_task_string": "4-9%2,12", "job_state": "PENDING", "restart_cnt": 0, "nodes": ""},
 {"job_id": 45, "array_job_id": {"set": true, "number": 42}, "array_task_string": "", "job_state": ["RUNNING"], "restart_cnt": 2, "nodes": "w1"},
 {"job_id": 46, "array_job_id": 42, "array_task_string": "", "job_state": "COMPLETED", "restart_cnt": 0, "nodes": "w2"},
 {"job_id": 7, "array_job_id": 7, "array_task_string": "", "job_state": "RUNNING", "nodes": "w9"},
 {"job_id": 44, "array_job_id": 0, "job_state": "PENDING"}]}
JSON
PATH=$nice_path status 0 "$TRIAGE" status "$case_dir"
grep -q '^Slurm: array job 42: 7 waiting, 1 running on w1, 0 between; 2 restarts$' stdout && grep -q '^Slurm: merge job 44: PENDING$' stdout || { fail "the queue"; cat stdout; }

# a merge that cannot be submitted takes its array with it; --resume submits again
rm bin/squeue
touch queue/refuse.merge.sh
status 2 "$TRIAGE" merge -q -o "$case_dir" "$case_dir"/slurm/shards/*
says "exists already"
export FAKE_CASE=$work/again
PATH=$nice_path status 3 "$TRIAGE" submit --slurm --shards 2 --entries -b "$TRIAGE_SOURCE/samples/site.yaml" -o again "${evidence[@]}"
says "invalid account"
grep -qx 'scancel 46' queue/said || fail "the array is left alone"
rm queue/refuse.merge.sh
# a merge that is at work elsewhere is left alone
echo theirs >again/case.db
printf '%s\n' "$(uname -n)" 1 2026-01-01T00:00:00Z >again/.lock
mkfifo held
python3 -c 'import fcntl, sys; f = open("again/.lock", "r+"); fcntl.lockf(f, fcntl.LOCK_EX); open("held", "w").close(); sys.stdin.read()' < <(sleep 60 & echo $! >sleeper; wait) &
read -r _ <held
cp -r "$case_dir"/slurm/shards/. again/slurm/shards/
status 2 "$TRIAGE" merge -q -o again again/slurm/shards/*
says "is being written by triage"
grep -qx theirs again/case.db || fail "another merge's store is removed"
status 0 "$TRIAGE" status again
grep -q '^running: process 1 on host .* (merge)$' stdout || { fail "status of a merge"; cat stdout; }
kill "$(cat sleeper)"
wait %% 2>/dev/null
rm -rf again/slurm/shards/*
PATH=$nice_path status 0 "$TRIAGE" submit --slurm --resume -o again
for file in hits.csv hits.jsonl coverage.csv entries.csv timeline.body; do same "whole/$file" "again/$file"; done
PATH=$nice_path status 2 "$TRIAGE" submit --slurm --resume -o again
says "is complete already"

# refused, with nothing made
PATH=$work/none status 2 "$TRIAGE" submit --slurm -o none plain
says "sbatch is not installed"
for wrong in "--shard 1/2" "--log l" "--sign k" "--shards -1" "--shard-bytes 0" "-r missing.yar"; do
  # shellcheck disable=SC2086
  PATH=$nice_path status 2 "$TRIAGE" submit --slurm $wrong -o none plain
done
PATH=$nice_path status 2 "$TRIAGE" submit -o none plain
PATH=$nice_path status 2 "$TRIAGE" submit --slurm --resume -o whole
PATH=$nice_path status 2 "$TRIAGE" submit --slurm -o whole plain
[ ! -e none ] || fail "a case was made all the same"
finish
