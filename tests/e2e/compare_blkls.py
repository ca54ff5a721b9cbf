#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_blkls.py TRIAGE RULES WORK IMAGE...
compare_blkls.py TRIAGE RULES WORK --all DIRECTORY...

Free blocks and slack, as 'blkls' and 'blkls -s' give them, are fed to 'yara'; every match there must
be a match of triage at the same byte of the media. Not held against triage are matches that blkls
makes by putting blocks side by side that do not lie side by side on the disk; they are counted.

--all: of every image below the directories (all_images.py); what blkls cannot read is listed with
what it said, and an image in an archive is examined there too: in the member triage must count as
many matches as yara does in the file that another tool unpacked.

Of each case the accounts must close ('triage info CASE', accounts_close.py), and a volume that mmls
lists must have the length that mmls says."""
import json
import os
import re
import subprocess
import sys

import accounts_close
import all_images
from all_images import output


def yara(rules, path):
    """(identifier, offset, length) of every match."""
    text = output('yara', '-s', '-L', rules, path, seconds=600).decode('utf-8', 'replace')
    for line in text.splitlines():
        match = re.match(r'0x([0-9a-f]+):(\d+):(\$\w+): ', line)
        if match:
            yield match.group(3), int(match.group(1), 16), int(match.group(2))


def file_systems(info):
    """Offset, length and name of each file system that triage sees, once."""
    found = {}
    for match in re.finditer(r'^volume \d+: offset (\d+), length (\d+), file system (\w+)', info, re.M):
        if match.group(3) != 'none':
            found.setdefault((int(match.group(1)), match.group(3)), int(match.group(2)))
    return [(offset, length, fs) for (offset, fs), length in found.items()]


class Blkls:
    """blkls on one file system; libtsk asks for the kind where it sees several. options: None where it opens none."""

    def __init__(self, reader, offset, fs):
        self.reader, self.options, self.said = reader, None, ''
        place = ['-o', str(offset // 512)]
        choices = [place] + [place + ['-f', kind] for kind in (fs, fs.rstrip('0123456789')) if fs]
        if fs == 'apfs':
            told = output('pstat', '-P', 'apfs', *place, reader).decode('utf-8', 'replace')
            choices = [place + ['-P', 'apfs', '-B', block] for block in re.findall(r'APSB Block Number: (\d+)', told)]
        for options in choices:
            tried = subprocess.run(['blkls', '-l', *options, reader], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            self.said = tried.stderr.decode('utf-8', 'replace').strip().split('\n')[0]
            # of a cut image it lists what is there, and ends with an error
            if tried.returncode == 0 or re.search(rb'^\d+\|f', tried.stdout, re.M):
                self.options = options
                return

    def write(self, path, *more):
        with open(path, 'wb') as f:
            subprocess.run(['blkls', *more, *self.options, self.reader], stdout=f, stderr=subprocess.DEVNULL, check=False)

    def free_blocks(self):
        return [int(line.split(b'|')[0]) for line in output('blkls', '-l', '-A', *self.options, self.reader).splitlines()
                if re.match(rb'\d+\|f', line)]


def read_hits(case):
    with open(os.path.join(case, 'hits.jsonl'), encoding='utf-8') as f:
        return [json.loads(line) for line in f]


def seen(case):
    """Where triage saw matches: exact places, and per volume and identifier how many by state."""
    places, counts, bytes_seen = set(), {}, set()
    for hit in read_hits(case):
        for match in hit['matches']:
            key = (int(hit['volume_offset']), match['identifier'])
            if hit['state'] == 'slack' or '/$Metadata/' in hit['path']:
                counts[key] = counts.get(key, 0) + 1
            if hit['image_offset'] not in (None, ''):
                places.add((match['identifier'], int(hit['image_offset']) + int(match['offset']) - int(hit['first_offset'])))
            if hit['state'] in ('deleted', 'orphan'):
                bytes_seen.add(key)
        if int(hit['match_count']) > len(hit['matches']) and hit['state'] != 'allocated':
            print(f"{hit['path']}: {hit['match_count']} matches, not all listed: the rules are too common for this test")
            sys.exit(1)
    return places, counts, bytes_seen


class Sum:
    def __init__(self):
        self.images = self.file_systems = self.matches = self.artefacts = self.pieces = self.accounts = self.members = 0


def scan(triage, rules, case, evidence):
    subprocess.run(['rm', '-rf', case], check=True)
    return subprocess.run([triage, 'scan', '-q', '--digest', 'none', '--timeout', '20', '-r', rules, '-o', case, evidence], check=False).returncode


def check_accounts(triage, case, image, systems, total):
    """The accounts close, none is missing, and lengths are those of the table."""
    with open(case + '.accounts', 'w', encoding='utf-8') as f:
        subprocess.run([triage, 'info', case], stdout=f, check=True)
    bad, n = accounts_close.check(case + '.accounts')
    total.accounts += n
    if n < len(systems):
        bad.append(f'{len(systems)} file systems, {n} accounts')
    table = output('mmls', '-a', image.reader).decode('utf-8', 'replace')
    lengths = {int(start) * 512: int(length) * 512 for start, length in re.findall(r'^\d+: +[\d:-]+ +(\d+) +\d+ +(\d+)', table, re.M)}
    for offset, length, fs in systems:
        if lengths.get(offset, length) != length and offset > 0:
            bad.append(f'{fs} at {offset}: {length} bytes long, {lengths[offset]} in the table')
    return bad


def compare_free(rules, work, blkls, offset, fs, seen_there, total):
    places, _, fragments = seen_there
    free = os.path.join(work, 'free')
    blkls.write(free)
    blocks = blkls.free_blocks()
    size = os.path.getsize(free)
    # of a cut image blkls lists blocks that it does not give
    block = next((b for b in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536) if b * len(blocks) >= size), 1)
    if size > block * len(blocks) or size % block:
        yield f'{fs} at {offset}: {size} bytes in {len(blocks)} blocks'
        return
    for identifier, at, length in yara(rules, free):
        first, last = at // block, (at + length - 1) // block
        if blocks[last] - blocks[first] != last - first:
            total.artefacts += 1
            continue
        total.matches += 1
        place = offset + blocks[first] * block + at % block
        if (identifier, place) not in places:
            # content of a deleted entry in several pieces has no one place
            if (offset, identifier) in fragments:
                total.pieces += 1
            else:
                yield f'{fs} at {offset}: {identifier} in free block {blocks[first]}, byte {place} of the media'


def compare_slack(rules, work, blkls, offset, fs, seen_there, total):
    slack = os.path.join(work, 'slack')
    blkls.write(slack, '-s')
    in_slack = {}
    for identifier, _, _ in yara(rules, slack):
        in_slack[identifier] = in_slack.get(identifier, 0) + 1
    for identifier, count in in_slack.items():
        total.matches += count
        if seen_there[1].get((offset, identifier), 0) < count:
            yield f'{fs} at {offset}: {identifier} {count} times in slack, triage {seen_there[1].get((offset, identifier), 0)} times'


def compare_member(triage, rules, work, image, total):
    """The image where it came from: as many matches in the member as in the unpacked file."""
    case = os.path.join(work, 'blkls-archive')
    if scan(triage, rules, case, image.archive) > 1:
        yield 'its archive cannot be scanned'
        return
    wanted, got = {}, {}
    for line in output('yara', '-s', rules, image.reader, seconds=600).decode('utf-8', 'replace').splitlines():
        match = re.match(r'(\w+) ', line)
        if line.startswith('0x'):
            wanted[rule] = wanted.get(rule, 0) + 1
        elif match:
            rule = match.group(1)
    for hit in read_hits(case):
        if hit['member'] == image.member and hit['view'] == 'raw':
            got[hit['rule']] = int(hit['match_count'])
    total.members += 1
    if wanted != got:
        yield f'in its archive: yara {wanted}, triage {got}'


def compare(triage, rules, work, image, total):
    case = os.path.join(work, 'blkls-case')
    status = scan(triage, rules, case, image.path)
    if status > 1:
        return [f'exit status {status}']
    seen_there = seen(case)
    info = output(triage, 'info', image.path).decode('utf-8', 'replace')
    systems = file_systems(info)
    bad = check_accounts(triage, case, image, systems, total)
    for offset, _, fs in systems:
        blkls = Blkls(image.reader, offset, fs)
        if blkls.options is None:
            print(f'left out: {image.shown}, {fs} at {offset}: blkls: {blkls.said}')
            continue
        total.file_systems += 1
        bad += compare_free(rules, work, blkls, offset, fs, seen_there, total)
        bad += compare_slack(rules, work, blkls, offset, fs, seen_there, total)
    if not systems:
        refused = Blkls(image.reader, 0, '')
        print(f'left out: {image.shown}: no file system; blkls: {refused.said}')
        if refused.options is not None:
            bad.append('blkls opens a file system that triage does not')
    if image.archive is not None:
        bad += compare_member(triage, rules, work, image, total)
    return bad


def main():
    triage, rules, work = sys.argv[1:4]
    if sys.argv[4] == '--all':
        images = all_images.find(triage, work, sys.argv[5:], lambda shown, reason: print(f'left out: {shown}: {reason}'))
    else:
        images = (all_images.Image(os.path.basename(path), path, path) for path in sys.argv[4:])
    total, failed = Sum(), 0
    for image in images:
        bad = compare(triage, rules, work, image, total)
        for problem in bad:
            print(f'FAILED: {image.shown}: {problem}', flush=True)
        failed += bool(bad)
        total.images += 1
    print(f'{total.images} images, {total.file_systems} file systems: {total.matches} matches in free blocks and slack held against '
          f'triage; {total.pieces} of them lie in deleted entries of several pieces; {total.artefacts} across blocks that do not lie '
          f'side by side; {total.members} images examined in their archives too; {total.accounts} accounts, {failed} images failed')
    return 1 if failed or total.matches == 0 or total.accounts == 0 else 0


sys.exit(main())
