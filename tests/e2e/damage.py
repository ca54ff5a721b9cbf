#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""damage.py TRIAGE ROUNDS IMAGE...

ROUNDS seeded places of each image are flipped, zeroed, or the image is cut there; the mutant is scanned and held
against the undamaged image. What must hold of each:

run       exit status 0 or 1, or 2 with a message and no case; within the time; no object left over; the accounts close.
told      a row of coverage.csv about the entry (its path or metadata address), about a directory above it, or that the volume
          or the evidence as a whole cannot be read (no stretch of it).
entries   an entry of the undamaged image whose metadata address the mutant's list lacks is told, or a row says that the
          file system or the image is cut.
content   an entry whose digest differs, or that is no longer examined, is told.
hits      a hit whose bytes are as they were is found at the same byte of the media, or its object is told.
cut       an entry with blocks behind the end is told by a row of its own, and so is the file system.

E01: all of this without exception: its chunks have checksums. A raw image has none, so that nobody can tell damage from
what was meant, where the damage itself makes another thing that is right in itself. Exceptions, by what istat and blkstat
say of the damaged bytes in the undamaged image, each counted:
- in the content of an entry: its digest differs, and its hits may (no other entry's);
- in a free block: none, there the entries are the same one by one;
- in metadata: entries may lack or differ (a name's bytes, an inode's mode, a table's block), but no hit whose bytes are as
  they were: what no entry covers any more is examined as bytes."""
import csv
import json
import os
import random
import re
import subprocess
import sys

import accounts_close

csv.field_size_limit(1 << 30)
WHOLE = ('unsupported-filesystem', 'unreadable', 'timeout', 'worker-crash', 'out-of-memory')
BUDGET = 120


def table(case, name):
    with open(os.path.join(case, name), encoding='utf-8', newline='') as f:
        return list(csv.DictReader(f))


def number(meta_addr):
    return meta_addr.split('-')[0]


class Case:
    def __init__(self, triage, image, case):
        subprocess.run(['rm', '-rf', case], check=True)
        self.case, self.problems = case, []
        try:
            run = subprocess.run([triage, 'scan', '-q', '--digest', 'sha256', '--entries', '--hash-all', '--timeout', '20', '-o', case, image],
                                 stderr=subprocess.PIPE, timeout=BUDGET, check=False)
            self.status, self.said = run.returncode, run.stderr.decode('utf-8', 'replace').strip()
        except subprocess.TimeoutExpired:
            self.status, self.said = None, ''
        if self.status is None:
            self.problems.append(f'no end within {BUDGET} s')
        elif self.status > 2 or (self.status == 2 and not self.said):
            self.problems.append(f'exit status {self.status}: {self.said}')
        self.is_case = self.status in (0, 1)
        if self.is_case:
            self.read(triage)

    def read(self, triage):
        self.entries = [r for r in table(self.case, 'entries.csv') if not r['member']]
        self.files = [r for r in self.entries if r['kind'] != 'area' or r['state'] == 'slack']
        self.hits = list(self.read_hits())
        self.gaps = [r for r in table(self.case, 'coverage.csv') if not r['member']]
        self.paths = {r['path'] for r in self.gaps if r['path']}
        self.numbers = {number(r['meta_addr']) for r in self.gaps if r['meta_addr']}
        self.is_cut = any(not r['path'] and not r['meta_addr'] and r['reason'] == 'truncated' for r in self.gaps)
        self.is_told = any(not r['path'] and not r['meta_addr'] and (r['reason'] in WHOLE or 'too damaged to be opened' in r['detail'])
                           for r in self.gaps)
        with open(self.case + '.accounts', 'w', encoding='utf-8') as f:
            subprocess.run([triage, 'info', self.case], stdout=f, check=True)
        if 'still to do 0' not in open(self.case + '.accounts', encoding='utf-8').read():
            self.problems.append('objects are left over')
        self.problems += accounts_close.check(self.case + '.accounts')[0]

    def read_hits(self):
        """Every match that has a place on the media."""
        with open(os.path.join(self.case, 'hits.jsonl'), encoding='utf-8') as f:
            for hit in map(json.loads, f):
                if not hit['member'] and hit['view'] == 'raw' and hit['image_offset'] not in (None, ''):
                    for match in hit['matches']:
                        yield hit | {'place': int(hit['image_offset']) + int(match['offset']) - int(hit['first_offset'])}

    def tells_itself(self, row):
        return row['path'] in self.paths or number(row['meta_addr']) in self.numbers

    def tells(self, row):
        above = {row['path'][:i] or '/' for i, c in enumerate(row['path']) if c == '/'}
        return self.is_told or self.tells_itself(row) or bool(above & self.paths)


def output(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode('utf-8', 'replace')


class Blocks:
    """What istat and blkstat say of the undamaged image: whose the blocks are."""

    def __init__(self, image, files):
        self.image, self.known, self.last = image, {}, {}
        told = output('fsstat', image)
        size = re.search(r'^(?:Cluster|Block|Allocation Block) Size: (\d+)', told, re.M)
        self.size = 512 if re.search(r'^File System Type: FAT', told, re.M) else int(size.group(1))
        first_file = 24 if 'Type: NTFS' in told else 16 if 'Type: HFS' in told else 0
        for row in sorted(files, key=lambda r: r['kind'] == 'dir'):
            own = number(row['meta_addr'])
            if own == '' or own in self.last:
                continue
            numbers = [int(block) for line in re.findall(r'^[\d ]+$', output('istat', image, own), re.M) for block in line.split()]
            self.last[own] = (max(numbers, default=-1) + 1) * self.size
            is_content = row['kind'] not in ('dir', 'virtual') and int(own) >= first_file
            for block in numbers:
                self.known.setdefault(block, own if is_content else 'metadata')
        self.known.pop(0, None)  # a hole, or the boot sector

    def owner(self, block):
        """'free', 'metadata', or the metadata address of the file."""
        if block not in self.known:
            self.known[block] = 'free' if 'Not Allocated' in output('blkstat', self.image, str(block)) else 'metadata'
        return self.known[block]

    def owners(self, start, end):
        return {self.owner(block) for block in range(start // self.size, (end - 1) // self.size + 1)}


def mutate(image, mutant, seed):
    """Stretch of the file that is not as it was, and how."""
    with open(image, 'rb') as f:
        data = bytearray(f.read())
    before = bytes(data)
    rand = random.Random(f'{os.path.basename(image)} {seed}')
    # metadata lies at the front: half of all places are there
    at = rand.randrange(len(data) // 16 if rand.random() < 0.5 else len(data))
    kind = rand.choice(['flip', 'zero', 'cut'])
    if kind == 'flip':
        end = min(at + rand.choice([1, 4, 64]), len(data))
        for i in range(at, end):
            data[i] ^= 1 << rand.randrange(8)
    elif kind == 'zero':
        end = min(at + rand.choice([16, 512, 4096]), len(data))
        data[at:end] = bytes(end - at)
    else:
        at, end = max(at, 1024), len(data)
        del data[at:]
    with open(mutant, 'wb') as f:
        f.write(data)
    return kind, at, at if bytes(data) == before else end


def judge(whole, other, damage, counts):
    """What is lost without a word."""
    seen = {row['path'] if row['kind'] == 'virtual' else number(row['meta_addr']) for row in other.files}
    by_key = {(r['path'], r['meta_addr'], r['kind'], r['state']): r for r in other.files}
    for row in whole.files:
        if not row['meta_addr'] or row['path'] == '/$OrphanFiles' or other.tells(row):
            continue
        now = by_key.get((row['path'], row['meta_addr'], row['kind'], row['state']))
        if (row['path'] if row['kind'] == 'virtual' else number(row['meta_addr'])) not in seen:
            if other.is_cut:
                continue
            what = 'is lost without a word'
        elif row['kind'] == 'virtual':
            continue
        elif now is None:
            what = 'is another entry now'
        elif now['examined'] != row['examined'] or now['sha256'] != row['sha256']:
            what = 'has other content'
        else:
            continue
        if number(row['meta_addr']) in damage.owners and now is not None:
            counts[what] = counts.get(what, 0) + 1
        elif 'metadata' in damage.owners:
            counts[what + ' (metadata)'] = counts.get(what + ' (metadata)', 0) + 1
        else:
            yield f"{row['path']} ({row['meta_addr']}, {row['state']}) {what}"
    places = {r['place'] for r in other.hits}
    for row in whole.hits:
        at = row['place']
        if at not in places and not other.tells(row) and not damage.touches(at, row):
            yield f"the hit in {row['path']} at byte {at} is gone"


class Damage:
    def __init__(self, blocks, kind, start, end):
        self.kind, self.start, self.end, self.blocks = kind, start, end, blocks
        self.owners = blocks.owners(start, end) if blocks is not None and kind != 'cut' and end > start else set()

    def touches(self, at, row):
        """The bytes of a hit, where nothing could show it."""
        return self.blocks is not None and (number(row['meta_addr']) in self.owners or (at < self.end and at + 64 > self.start))

    def cut_off(self, whole, other):
        """Entries with content behind the end that no row of their own tells."""
        if self.kind == 'cut' and self.blocks is not None and other.files and not other.is_cut:
            yield 'no row says that the file system goes on behind the end'
        listed = {number(row['meta_addr']) for row in other.files}
        for row in whole.files:
            if number(row['meta_addr']) in listed and self.kind == 'cut' and self.blocks is not None and row['kind'] == 'file' and int(row['size']) > 0 and not other.tells_itself(row):
                if self.blocks.last.get(number(row['meta_addr']), 0) > self.start:
                    yield f"{row['path']} ({row['meta_addr']}) lies behind the end, and no row of its own says so"


def main():
    triage, rounds, images = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    n, failed, counts, statuses = 0, 0, {}, {}
    for image in images:
        whole = Case(triage, image, 'whole')
        blocks = Blocks(image, whole.files) if not image.endswith('.E01') else None
        mutant = 'mutant' + os.path.splitext(image)[1]
        for seed in range(1, rounds + 1):
            kind, start, end = mutate(image, mutant, seed)
            other, damage = Case(triage, mutant, 'case'), Damage(blocks, kind, start, end)
            problems = other.problems
            if other.is_case:
                problems += [*judge(whole, other, damage, counts), *damage.cut_off(whole, other)]
            for problem in problems[:5]:
                print(f'FAILED: {image}, seed {seed} ({kind} of bytes {start}-{end}, {sorted(damage.owners)}): {problem}', flush=True)
            statuses[other.status] = statuses.get(other.status, 0) + 1
            n += 1
            failed += bool(problems)
    told = ''.join(f'; {count} times an entry {what}' for what, count in sorted(counts.items()))
    print(f'{n} damaged images, exit statuses {dict(sorted(statuses.items(), key=str))}; where no checksum can show it:{told}; {failed} failed')
    return 1 if failed else 0


sys.exit(main())
