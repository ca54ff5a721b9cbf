#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ewf_verdicts.py TRIAGE N STEM...

N seeded mutants of E01 sets (STEM.E01 ...; flipped, zeroed, cut, a segment removed, untouched). Held against each
other for each of them:
- the verdict of triage, by the reasons in coverage.csv, and that of ewfverify, by what it prints: sound, incomplete
  (something of the set is not there: a segment, or its end with the digest) or damaged (all is there, not all holds);
- the chunks that triage names by their bytes of the media, the sectors that ewfverify names, and the chunks that are
  really lost: where they lie is read from the tables of the undamaged set, and the bytes that stand there now are
  inflated or summed by zlib. Each of those is named. Of a damaged set triage names what ewfverify names; of an
  incomplete one, where ewfverify gives up all sectors of it, no chunk that still holds."""
import csv
import glob
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import zlib

CHUNK = 32768
csv.field_size_limit(1 << 30)


def mutate(stem, seed, target):
    """What was done, and to which file."""
    rand = random.Random(seed)
    shutil.rmtree(target, ignore_errors=True)
    os.mkdir(target)
    for name in sorted(glob.glob(stem + '.E0?')):
        shutil.copy(name, target)
    victim = os.path.join(target, os.path.basename(rand.choice(sorted(glob.glob(stem + '.E0?')))))
    size = os.path.getsize(victim)
    kind = rand.choice(['flip', 'flip', 'flip', 'zero', 'cut', 'remove', 'none'])
    if kind == 'remove' and victim.endswith('.E01'):
        kind = 'flip'
    with open(victim, 'r+b') as f:
        if kind == 'flip':
            for _ in range(rand.choice([1, 1, 3])):
                at = rand.randrange(size)
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ (1 << rand.randrange(8))]))
        elif kind == 'zero':
            f.seek(rand.randrange(max(1, size - 4096)))
            f.write(bytes(rand.randrange(1, 4096)))
        elif kind == 'cut':
            f.truncate(rand.randrange(size))
    if kind == 'remove':
        os.remove(victim)
    return f'{kind} {os.path.basename(victim)}'


def layout(stem):
    """(file, start, end, is packed) of each chunk, by the sections of the undamaged set."""
    chunks = []
    for name in sorted(glob.glob(stem + '.E0?')):
        data = open(name, 'rb').read()
        at = 13
        while True:
            kind = data[at:at + 16].rstrip(b'\0')
            after, = struct.unpack_from('<Q', data, at + 16)
            if kind == b'table':
                n, = struct.unpack_from('<I', data, at + 76)
                base, = struct.unpack_from('<Q', data, at + 84)
                entries = struct.unpack_from(f'<{n}I', data, at + 100)
                places = [base + (entry & 0x7fffffff) for entry in entries] + [at]
                chunks += [(os.path.basename(name), places[i], places[i + 1], entries[i] >> 31 == 1) for i in range(n)]
            if after <= at:
                break
            at = after
    return chunks


def holds(chunk, want, mutant, originals):
    """True where the bytes at the chunk's place are a chunk that can be believed."""
    name, start, end, packed = chunk
    if not os.path.exists(os.path.join(mutant, name)):
        return False
    with open(os.path.join(mutant, name), 'rb') as f:
        f.seek(start)
        data = f.read(end - start)
    if data == originals[name][start:end]:
        return True
    if packed:
        try:
            return len(zlib.decompressobj().decompress(data)) == want
        except zlib.error:
            return False
    return len(data) >= want + 4 and zlib.adler32(data[:want]) == struct.unpack_from('<I', data, want)[0]


def ours(triage, evidence, case):
    """Verdict, and the chunks named."""
    shutil.rmtree(case, ignore_errors=True)
    run = subprocess.run([triage, 'scan', '-q', '--areas', 'allocated', '-o', case, evidence], stderr=subprocess.PIPE, check=False)
    said = run.stderr.decode('utf-8', 'replace')
    if run.returncode == 2 and said.strip():
        return 'nothing can be read', None
    if run.returncode > 1:
        return f'exit status {run.returncode}: {said}', None
    named, reasons = set(), set()
    with open(os.path.join(case, 'coverage.csv'), encoding='utf-8', newline='') as f:
        for row in csv.DictReader(f):
            if row['path'] or row['meta_addr']:
                continue
            reasons.add(row['reason'])
            place = re.match(r'bytes (\d+) to (\d+) of the media', row['detail'])
            if place:
                start, end = int(place.group(1)), int(place.group(2))
                named |= set(range(start // CHUNK, (end + CHUNK - 1) // CHUNK))
    if run.returncode == 0:
        return 'sound', named
    return 'incomplete' if reasons & {'missing-segment', 'truncated'} else 'damaged', named


def theirs(evidence, n):
    """The same of ewfverify, which has no words for it: where the end of the set is not there, neither is the digest."""
    try:
        run = subprocess.run(['ewfverify', '-q', evidence], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return 'no answer', set(range(n))
    said = run.stdout.decode('utf-8', 'replace')
    named = set()
    for start, end in re.findall(r'at sector\(s\): (\d+) - (\d+)', said):
        named |= set(range(int(start) * 512 // CHUNK, int(end) * 512 // CHUNK + 1))
    if run.returncode == 0:
        return 'sound', named
    if 'nable to open' in said:
        return 'nothing can be read', None
    return 'incomplete' if re.search(r'stored in file:\s+N/A', said) else 'damaged', named


def judge(mine, other, bad):
    """What is wrong between the two and the truth."""
    verdict, named = mine
    if verdict != other[0]:
        yield f'triage says {verdict}, ewfverify {other[0]}'
    if named is None:
        return
    if bad - named:
        yield f'lost and not named: chunks {sorted(bad - named)}'
    if verdict == 'damaged' and other[0] == 'damaged' and named != other[1]:
        yield f'triage names chunks {sorted(named)}, ewfverify {sorted(other[1])}'
    if named - bad:
        yield f'named, but sound: chunks {sorted(named - bad)}'


def main():
    triage, n, stems = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    layouts = {stem: layout(stem) for stem in stems}
    originals = {os.path.basename(path): open(path, 'rb').read() for stem in stems for path in glob.glob(stem + '.E0?')}
    verdicts, n_chunks, failed = {}, 0, 0
    for seed in range(1, n + 1):
        stem = stems[seed % len(stems)]
        chunks = layouts[stem]
        what = mutate(stem, seed, 'mutant')
        bad = {i for i, chunk in enumerate(chunks) if not holds(chunk, CHUNK, 'mutant', originals)}
        evidence = f'mutant/{os.path.basename(stem)}.E01'
        mine = ours(triage, evidence, 'case')
        problems = list(judge(mine, theirs(evidence, len(chunks)), bad))
        for problem in problems:
            print(f'FAILED: mutant {seed} ({what}): {problem}', flush=True)
        failed += bool(problems)
        verdicts[mine[0]] = verdicts.get(mine[0], 0) + 1
        n_chunks += len(bad)
    print(f'{n} mutants: ' + ', '.join(f'{count} {verdict}' for verdict, count in sorted(verdicts.items())) +
          f'; {n_chunks} bad chunks, each named with its offset; {failed} mutants failed')
    return 1 if failed or len(verdicts) < 3 else 0


sys.exit(main())
