#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill_points.py TRIAGE SHIM POINTS EVIDENCE...: disturbs a scan at seeded points - SIGKILL of the
coordinator and of workers, a full disk, read errors of the evidence, SIGINT - goes on with --resume,
and compares all data files with those of an undisturbed scan. Exit status 1 where one differs."""
import filecmp
import os
import random
import shutil
import signal
import subprocess
import sys
import time

FILES = ['hits.csv', 'hits.jsonl', 'coverage.csv', 'entries.csv', 'timeline.body']
KINDS = ['kill', 'full', 'eio', 'worker', 'interrupt', 'spool']


def scan(triage, evidence, *options, **environment):
    return subprocess.Popen([triage, 'scan', '-q', '--entries', '--jobs', '2', *options, '-o', 'case', *evidence],
                            env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True)


def ended(process):
    _, said = process.communicate()
    return process.returncode, said


def kill_worker(coordinator, seconds, random_):
    end = time.monotonic() + 5
    time.sleep(seconds)
    while coordinator.poll() is None and time.monotonic() < end:
        listed = subprocess.run(['pgrep', '-P', str(coordinator.pid)], capture_output=True, text=True).stdout.split()
        if listed:
            try:
                os.kill(int(random_.choice(listed)), signal.SIGKILL)
            except ProcessLookupError:
                pass
            return


def disturb(kind, random_, triage, shim, evidence, writes, seconds):
    """One disturbed scan; returns its status and what it said, and checks both."""
    shim_at = {'LD_PRELOAD': shim, 'FAULT_PATH': os.path.basename(os.getcwd()) + '/case', 'FAULT_PROGRAM': 'triage'}
    at = str(random_.randint(1, writes))
    if kind == 'kill':
        status, said = ended(scan(triage, evidence, **shim_at, FAULT_KIND='kill', FAULT_AT=at))
        return status in (-signal.SIGKILL, 0, 1), said # a run with fewer writes than that one comes to its end
    if kind == 'full':
        status, said = ended(scan(triage, evidence, **shim_at, FAULT_KIND='full', FAULT_AT=at))
        return status in (0, 1) or (status in (2, 3) and ('disk is full' in said or 'No space left' in said or
                                                          'cannot be' in said)), said
    if kind == 'spool': # of a worker: content too large for its memory
        shim_at['FAULT_PROGRAM'] = 'triage-worker'
        status, said = ended(scan(triage, evidence, **shim_at, FAULT_KIND='full', FAULT_AT='1', TRIAGE_TEST_FULL_DISK='1'))
        return status == 3 and 'the disk is full' in said, said
    if kind == 'eio':
        shim_at['FAULT_PATH'] = os.path.basename(random_.choice(evidence))
        del shim_at['FAULT_PROGRAM']
        status, said = ended(scan(triage, evidence, **shim_at, FAULT_KIND='eio', FAULT_SEED=str(random_.randint(1, 1 << 30)),
                                  FAULT_PPM=str(random_.choice([300, 3000, 30000, 1000000]))))
        return status in (0, 1, 3), said
    process = scan(triage, evidence)
    if kind == 'worker':
        kill_worker(process, random_.random() * seconds, random_)
        status, said = ended(process)
        return status in (0, 1), said
    time.sleep(random_.random() * seconds)
    process.send_signal(signal.SIGINT)
    status, said = ended(process)
    return status in (0, 1, 3, -signal.SIGINT), said # before it listens, or when it has ended


def resume(triage, evidence, wanted):
    options = ['--resume'] if os.path.isdir('case') else []
    status, said = ended(scan(triage, evidence, *options))
    if status != wanted:
        return f'--resume: status {status} instead of {wanted}: {said}'
    different = [f for f in FILES if not filecmp.cmp(f'whole/{f}', f'case/{f}', shallow=False)]
    if different:
        return 'differ: ' + ', '.join(different)
    check = subprocess.run(['sha256sum', '-c', '--quiet', 'manifest.sha256'], cwd='case', capture_output=True, text=True)
    return check.stdout if check.returncode else ''


def main():
    triage, shim, points, evidence = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    started = time.monotonic()
    wanted, said = ended(scan(triage, evidence, LD_PRELOAD=shim, FAULT_KIND='count', FAULT_PROGRAM='triage',
                              FAULT_PATH=os.path.basename(os.getcwd()) + '/case', FAULT_COUNT=os.path.abspath('count')))
    seconds = time.monotonic() - started
    if wanted not in (0, 1):
        sys.exit(f'the undisturbed scan: status {wanted}: {said}')
    os.rename('case', 'whole')
    with open('count', encoding='ascii') as file:
        writes = int(file.read())
    failed, took_effect = 0, {kind: 0 for kind in KINDS}
    for point in range(points):
        random_ = random.Random(point)
        kind = KINDS[point % len(KINDS)]
        shutil.rmtree('case', ignore_errors=True)
        ok, said = disturb(kind, random_, triage, shim, evidence, writes, seconds)
        finished = os.path.exists('case/manifest.sha256')
        took_effect[kind] += not finished or any(not filecmp.cmp(f'whole/{f}', f'case/{f}', shallow=False) for f in FILES)
        problem = resume(triage, evidence, wanted) if ok else f'the disturbed scan: {said}'
        if problem:
            failed += 1
            print(f'point {point} ({kind}): {problem}')
    print(f'{points} points over {writes} writes, {failed} failed; with an effect:',
          ', '.join(f'{kind} {n}' for kind, n in took_effect.items()))
    sys.exit(failed > 0)


main()
