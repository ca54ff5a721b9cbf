#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_expected.py TRIAGE SHARED EVIDENCE WORK [TABLE...]

Holds entries.csv of a scan against the tables that independent tools (fls, icat, istat) made of the
same images: each entry there - path, metadata address, state, size, digest - must have been seen.
Differences listed in expected_differences.tsv beside this script, each with its reason, are known;
every other one fails, and so does a listed one that no longer occurs."""
import csv, fnmatch, glob, json, os, re, subprocess, sys, tarfile, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
csv.field_size_limit(1 << 30)


def unescape(name):
    """A name as both sides can agree on: fls shows control and other letters as '^'."""
    return re.sub(r'\\x[0-9a-f]{2}|\\[nt\\]|[^\x20-\x7e]|\^', '', name)


def first(patterns):
    for pattern in patterns:
        for found in sorted(glob.glob(pattern, recursive=True)):
            return found
    return None


def resolve(image, real, work):
    """The file an expected table speaks of; some were unpacked from what lies in the set."""
    path = os.path.join(real, image)
    if os.path.exists(path):
        return path
    if not image.startswith('unpacked/'):
        return None
    _, kind, rest = image.split('/', 2)
    target = os.path.join(work, 'unpacked', kind, rest)
    if kind == 'qcow':
        return first([f'{real}/{d}/{rest[:-4]}' for d in ('dfvfs', 'plaso')])
    if os.path.exists(target):
        return target
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if kind == 'dftt':
        archive = first([f'{real}/**/{rest.split("/")[0]}.zip'])
        if archive:
            zipfile.ZipFile(archive).extractall(os.path.join(work, 'unpacked', kind))
    elif kind == 'plaso':
        archive = first([f'{real}/plaso/{rest}.tar'])
        if archive:
            tarfile.open(archive).extractall(os.path.dirname(target))
    elif kind == 'nps':
        archive = first([f'{real}/**/{rest.rsplit(".", 1)[0]}.zip'])
        if archive:
            zipfile.ZipFile(archive).extractall(os.path.dirname(target))
    elif kind == 'debian':
        packed = f'/usr/share/forensics-samples/{rest}.xz'
        if os.path.exists(packed):
            with open(target, 'wb') as out:
                subprocess.run(['xz', '-dc', packed], stdout=out, check=True)
    return target if os.path.exists(target) else first([os.path.join(work, 'unpacked', kind, '**', os.path.basename(rest))])


def expected_rows(table):
    with open(table, encoding='utf-8', errors='surrogateescape', newline='') as f:
        lines = [line for line in f if not line.startswith('# ')]
    return list(csv.DictReader(lines, delimiter='\t', quoting=csv.QUOTE_NONE))


def seen_rows(case):
    with open(os.path.join(case, 'entries.csv'), encoding='utf-8', newline='') as f:
        return [r for r in csv.DictReader(f) if r['member'] == '' and r['kind'] != 'area']


def gaps(case):
    with open(os.path.join(case, 'coverage.csv'), encoding='utf-8', newline='') as f:
        return list(csv.DictReader(f))


def compare(table, case):
    """Differences of one table: (path, meta, what)."""
    seen = {}
    # blocks in use again: the stock tools give the new owner's bytes as the deleted entry's
    overwritten = {(int(g['volume_offset']), g['meta_addr']) for g in gaps(case) if 'in use again' in g['detail']}
    for r in seen_rows(case):
        seen.setdefault((int(r['volume_offset']), r['meta_addr'], unescape(r['path'])), []).append(r)
    for e in expected_rows(table):
        offset = int(e['fs_offset_sectors']) * 512
        path = unescape(re.sub(' -> .*', '', e['path']) if e['mode'][2:3] == 'l' or e['mode'][:1] == 'l' else e['path'])
        found = seen.get((offset, e['meta_addr'], path))
        if not found:
            near = [k for k in seen if k[0] == offset and k[1] == e['meta_addr']]
            yield e['path'], e['meta_addr'], 'not seen' + (f'; that address is at {near[0][2]}' if near else '')
            continue
        if e['state'] not in ('deleted-realloc', 'realloc') and not any(r['state'] == e['state'] for r in found):
            yield e['path'], e['meta_addr'], f"state {found[0]['state']}, expected {e['state']}"
        if e['mode'][2:3] == 'd' or e['mode'][:1] in 'dV':
            continue
        if not any(r['size'] == e['size'] for r in found):
            yield e['path'], e['meta_addr'], f"size {found[0]['size']}, expected {e['size']}"
        if (offset, e['meta_addr']) in overwritten:
            continue
        # nothing stored (a hole, an entry without content) has no digest here and that of no bytes there
        if e['icat_bytes'] == '0' and not any(r['sha256'] for r in found):
            continue
        if e['sha256'] and not any(r['sha256'] == e['sha256'] for r in found):
            yield e['path'], e['meta_addr'], f"digest {found[0]['sha256'][:12] or 'none'}, expected {e['sha256'][:12]} of {e['icat_bytes']} bytes"


def main():
    triage, shared, evidence, work = sys.argv[1:5]
    wanted = sys.argv[5:]
    known = list(csv.DictReader(open(os.path.join(HERE, 'expected_differences.tsv'), encoding='utf-8'), delimiter='\t', quoting=csv.QUOTE_NONE))
    used, bad, n_rows, n_tables, skipped = set(), 0, 0, 0, []
    for line in open(os.path.join(shared, 'expected', 'SUMMARY.jsonl')):
        summary = json.loads(line)
        if wanted and summary['out'] not in wanted:
            continue
        images = summary['img'] if isinstance(summary['img'], list) else json.loads(summary['img'].replace("'", '"'))
        path = resolve(images[0], os.path.join(evidence, 'real'), work)
        if path is None:
            skipped.append(summary['out'])
            continue
        case = os.path.join(work, 'case-' + summary['out'])
        status = subprocess.run([triage, 'scan', '-q', '--entries', '--hash-all', '-o', case, path]).returncode
        if status > 1:
            print(f"{summary['out']}: exit status {status}")
            bad += 1
            continue
        n_tables += 1
        table = os.path.join(shared, 'expected', summary['out'])
        n_rows += len(expected_rows(table))
        for fs in summary['fs']:
            # what the stock tools cannot open must be open here, or listed
            if fs.get('fs') is None and not any(int(g['volume_offset'] or 0) == fs['offset'] * 512 for g in gaps(case)) \
                    and not any(int(r['volume_offset']) == fs['offset'] * 512 for r in seen_rows(case)):
                print(f"{summary['out']}: the volume at sector {fs['offset']} is neither examined nor listed")
                bad += 1
        for name, meta, what in compare(table, case):
            for i, k in enumerate(known):
                if fnmatch.fnmatchcase(summary['out'], k['table']) and fnmatch.fnmatchcase(name, k['path']) and \
                        fnmatch.fnmatchcase(meta, k['meta']) and fnmatch.fnmatchcase(what, k['what']):
                    used.add(i)
                    break
            else:
                print(f"{summary['out']}\t{name}\t{meta}\t{what}")
                bad += 1
    for i, k in enumerate(known):
        if i not in used and not wanted and not any(fnmatch.fnmatchcase(s, k['table']) for s in skipped):
            print(f"listed as a known difference, but does not occur: {k}")
            bad += 1
    print(f"{n_rows} entries of {n_tables} tables held against entries.csv: {bad} unexplained; known kinds of difference: {len(used)}; tables whose image is not here: {' '.join(skipped) or 'none'}")
    return 1 if bad else 0


sys.exit(main())
