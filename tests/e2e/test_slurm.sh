#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_slurm.sh - triage submit on a real cluster of its own: munged, slurmctld and two slurmds on
# loopback, one of which is killed at work. Minutes, as Slurm waits before it runs a lost job
# again: so only where Slurm is installed (tests/setup slurm) and root runs it.
# TRIAGE_SLURM_IMAGES (5): how many images there are; TRIAGE_SLURM_IMAGE_MIB (8): of what size.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for program in munged slurmctld slurmd sbatch squeue; do
  command -v $program >/dev/null || skip "$program is not installed (tests/setup slurm): no real cluster was tried"
done
[ "$(id -u)" -eq 0 ] || skip "not root: no cluster of its own can be started"

declare -A daemon=()
job_processes() { # ID: processes of this cluster's job, the step's own daemon first
  python3 - "$1" "$SLURM_CONF" <<'PY'
import os, sys
found = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        environ = open(f"/proc/{pid}/environ", "rb").read().split(b"\0")
        if {f"SLURM_JOB_ID={sys.argv[1]}".encode(), f"SLURM_CONF={sys.argv[2]}".encode()} <= set(environ):
            parent = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1]
            if open(f"/proc/{parent}/cmdline", "rb").read().startswith(b"slurmstepd"):
                found.insert(0, parent)
            found.append(pid)
    except OSError:
        pass
print(*found, sep="\n")
PY
}
end_all() {
  [ ! -e "$work/slurm.conf" ] || scancel -u root 2>/dev/null
  sleep 1
  for name in w1 w2 controller munge; do
    [ -z "${daemon[$name]:-}" ] || kill -9 "${daemon[$name]}" 2>/dev/null
  done
  rm -rf "$work"
}
trap end_all EXIT
mkdir run log state spool.w1 spool.w2 munge && chmod 755 . munge
read -r port port1 port2 < <(python3 -c '
import socket
s = [socket.socket() for _ in range(3)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])')
host=$(uname -n)
cat >slurm.conf <<CONF
ClusterName=triage
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket,cred_expire=15
CredType=cred/munge
SlurmctldPort=$port
SlurmctldPidFile=$work/run/slurmctld.pid
SlurmdPidFile=$work/run/slurmd.%n.pid
SlurmctldLogFile=$work/log/slurmctld.log
SlurmdLogFile=$work/log/slurmd.%n.log
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=5
MessageTimeout=5
SlurmdTimeout=10
SchedulerParameters=bf_interval=2
NodeName=w1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$port1 CPUs=2 RealMemory=1000
NodeName=w2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$port2 CPUs=2 RealMemory=1000
PartitionName=triage Nodes=w1,w2 Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf
head -c 1024 /dev/urandom >munge/key && chmod 600 munge/key
munged -F --force --key-file="$work/munge/key" --socket="$work/munge/socket" --log-file="$work/log/munged.log" \
  --pid-file="$work/run/munged.pid" --seed-file="$work/munge/seed" 2>log/munged.err &
daemon[munge]=$!
sleep 1
slurmctld -D -c 2>log/controller.err &
daemon[controller]=$!
slurmd -D -N w1 2>log/w1.err &
daemon[w1]=$!
slurmd -D -N w2 2>log/w2.err &
daemon[w2]=$!
for _ in $(seq 60); do [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" -eq 2 ] && break; sleep 0.5; done
[ "$(sinfo -h -N -t idle -o %N | wc -l)" -eq 2 ] || { fail "the cluster does not start"; tail -n 5 log/*; finish; }

# One object hangs its worker until its time is over, in the single run as well: the task that has
# it is at work long enough to lose its node.
images=()
for i in $(seq "${TRIAGE_SLURM_IMAGES:-5}"); do
  ext4_image "disk$i.dd" "${TRIAGE_SLURM_IMAGE_MIB:-8}M" && images+=("disk$i.dd")
done
mkdir slow && script >slow/hangs.vbs && script slow >slow/a.vbs
export TRIAGE_TEST_FAULT=hang:hangs.vbs
options=(--entries --timeout 12)
"$TRIAGE" scan -q "${options[@]}" -o whole "${images[@]}" slow
[ $? -eq 1 ] || fail "the single run"
status 0 "$TRIAGE" submit --slurm -q --nodes 2 --shards 4 "${options[@]}" -o case "${images[@]}" slow
cat stdout
lost=
for _ in $(seq 300); do # the task that holds the slow one, and its node
  shard=$(grep -l '"event":"committed"\|"event":"evidence-opened"' case/slurm/shards/*/log.jsonl 2>/dev/null |
    while read -r log; do d=$(dirname "$log"); sqlite3 -readonly "$d/case.db" "select 1 from object o join evidence e on e.no = o.evidence where e.name = 'slow' limit 1" 2>/dev/null | grep -q 1 && basename "$d"; done | head -n 1)
  [ -n "$shard" ] && lost=$(squeue -h -r -t running -o '%K %A %N' | awk -v k="$shard" '$1 == k { print $2, $3 }')
  [ -n "$lost" ] && break
  sleep 0.2
done
[ -n "$lost" ] || { fail "no task was met at work"; squeue; tail -n 5 case/slurm/logs/*; finish; }
read -r job node <<<"$lost"
"$TRIAGE" status case >stdout
grep -q '^Slurm: array job [0-9]*: .* running on ' stdout && grep -q '^Slurm: merge job [0-9]*: PENDING' stdout || { fail "status"; cat stdout; }
echo "killing $node with job $job (shard $shard)"
mapfile -t processes < <(job_processes "$job")
kill -9 "${daemon[$node]}"
[ "${#processes[@]}" -ge 3 ] || fail "the task's processes are not found"
kill -9 "${processes[@]}" 2>/dev/null
for _ in $(seq 400); do [ -e case/manifest.sha256 ] && break; sleep 1; done
[ -e case/manifest.sha256 ] || { fail "the case was not merged"; squeue; sinfo -N; tail -n 20 case/slurm/logs/*; finish; }
for _ in $(seq 30); do [ -z "$(squeue -h)" ] && break; sleep 1; done
grep -h . "case/slurm/logs/scan-$shard.log"
grep -q 'restart 1' "case/slurm/logs/scan-$shard.log" || fail "the lost task was not run again"
for file in hits.csv hits.jsonl coverage.csv entries.csv timeline.body; do same "whole/$file" "case/$file"; done
[ "$(rows case/hits.csv True)" -ge "${#images[@]}" ] || fail "no hits"
status 0 "$TRIAGE" status case
grep -q '^shards: 4 of 4 complete' stdout && grep -q '^Slurm: merge job [0-9]*: not in the queue' stdout || { fail "status at the end"; cat stdout; }
finish
