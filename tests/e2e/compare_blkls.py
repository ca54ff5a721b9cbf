#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_blkls.py TRIAGE RULES WORK IMAGE...

Free blocks and slack, as 'blkls' and 'blkls -s' give them, are fed to 'yara'; every match there must
be a match of triage at the same byte of the media. Not held against triage are matches that blkls
makes by putting blocks side by side that do not lie side by side on the disk; they are counted."""
import json
import os
import re
import subprocess
import sys


def output(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout


def yara(rules, path):
    """(identifier, offset, length) of every match."""
    text = output('yara', '-s', '-L', rules, path).decode('utf-8', 'replace')
    for line in text.splitlines():
        match = re.match(r'0x([0-9a-f]+):(\d+):(\$\w+): ', line)
        if match:
            yield match.group(3), int(match.group(1), 16), int(match.group(2))


def file_systems(triage, image):
    """Offsets of what triage can walk and blkls too."""
    text = output(triage, 'info', image).decode('utf-8', 'replace')
    for match in re.finditer(r'^volume \d+: offset (\d+), length \d+, file system (\w+)', text, re.M):
        if match.group(2) != 'none':
            yield int(match.group(1)), match.group(2)


def seen(case):
    """Where triage saw matches: exact places, and per volume and identifier how many by state."""
    places, counts, bytes_seen = set(), {}, set()
    with open(os.path.join(case, 'hits.jsonl'), encoding='utf-8') as f:
        for line in f:
            hit = json.loads(line)
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


def compare(triage, rules, work, image):
    case = os.path.join(work, 'blkls-case')
    subprocess.run(['rm', '-rf', case], check=True)
    status = subprocess.run([triage, 'scan', '-q', '--digest', 'none', '-r', rules, '-o', case, image]).returncode
    if status > 1:
        return f'exit status {status}', 0, 0, 0
    places, counts, fragments = seen(case)
    bad, n, artefacts, by_count = [], 0, 0, 0
    for offset, fs in file_systems(triage, image):
        if fs == 'apfs':
            continue  # blkls cannot open it
        sector = str(offset // 512)
        free = os.path.join(work, 'free')
        with open(free, 'wb') as f:
            subprocess.run(['blkls', '-o', sector, image], stdout=f, stderr=subprocess.DEVNULL, check=False)
        blocks = [int(line.split(b'|')[0]) for line in output('blkls', '-l', '-A', '-o', sector, image).splitlines()
                  if re.match(rb'\d+\|f', line)]
        size = os.path.getsize(free)
        # of a cut image blkls lists blocks that it does not give
        block = next((b for b in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536) if b * len(blocks) >= size), 1)
        if size > block * len(blocks) or size % block:
            bad.append(f'{fs} at {offset}: {size} bytes in {len(blocks)} blocks')
            continue
        for identifier, at, length in yara(rules, free):
            first, last = at // block, (at + length - 1) // block
            if blocks[last] - blocks[first] != last - first:
                artefacts += 1
                continue
            n += 1
            place = offset + blocks[first] * block + at % block
            if (identifier, place) not in places:
                # content of a deleted entry in several pieces has no one place
                if (offset, identifier) in fragments:
                    by_count += 1
                else:
                    bad.append(f'{fs} at {offset}: {identifier} in free block {blocks[first]}, byte {place} of the media')
        slack = os.path.join(work, 'slack')
        with open(slack, 'wb') as f:
            subprocess.run(['blkls', '-s', '-o', sector, image], stdout=f, stderr=subprocess.DEVNULL, check=False)
        in_slack = {}
        for identifier, at, length in yara(rules, slack):
            in_slack[identifier] = in_slack.get(identifier, 0) + 1
        for identifier, count in in_slack.items():
            n += count
            if counts.get((offset, identifier), 0) < count:
                bad.append(f'{fs} at {offset}: {identifier} {count} times in slack, triage {counts.get((offset, identifier), 0)} times')
    return '\n'.join(f'{os.path.basename(image)}: {b}' for b in bad), n, artefacts, by_count


def main():
    triage, rules, work = sys.argv[1:4]
    failed, total, total_artefacts, total_pieces, images = 0, 0, 0, 0, 0
    for image in sys.argv[4:]:
        problem, n, artefacts, pieces = compare(triage, rules, work, image)
        if problem:
            print(problem)
            failed += 1
        images += 1
        total, total_artefacts, total_pieces = total + n, total_artefacts + artefacts, total_pieces + pieces
    print(f'{images} images: {total} matches in free blocks and slack held against triage; {total_pieces} of them lie in deleted '
          f'entries of several pieces; {total_artefacts} across blocks that do not lie side by side')
    return 1 if failed or total == 0 else 0


sys.exit(main())
