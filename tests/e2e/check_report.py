#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_report.py CASE: what report.html says against the case's other files. Prints each difference;
exit status 1 where there is one."""
import csv
import html.parser
import os
import re
import sqlite3
import sys

SECTIONS = ['summary', 'hits', 'suspicious', 'unexplained', 'likely-benign', 'known-benign', 'coverage',
            'evidence', 'case', 'methods', 'limitations', 'validation', 'errors', 'clock', 'formats', 'run', 'glossary', 'list']
VOID = {'meta', 'br'}
CAP = 2000


class Page(html.parser.HTMLParser):
    """Collects ids, links, the texts, and every breach of well-formedness."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.ids, self.links, self.stack, self.problems, self.texts = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == 'id':
                self.ids.append(value)
            elif name in ('href', 'src'):
                self.links.append(value)
            elif name.startswith('on') or name == 'style':
                self.problems.append(f'attribute {name}={value}')
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(f'</{tag}> at {self.getpos()} closes nothing')

    def handle_data(self, data):
        if self.stack and self.stack[-1] not in ('style', 'script'):
            self.texts.append(data)


def rows(case, name):
    with open(os.path.join(case, name), encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def unguarded(cell):
    """hits.csv puts a ' before what a spreadsheet would run."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ('=', '+', '-', '@') else cell


def unordered(case, source):
    """Within a verdict the gravest ground comes first, in the order of the documented list."""
    db = sqlite3.connect(os.path.join(case, 'case.db'))
    rank = dict(db.execute('SELECT id, min(no) FROM ground GROUP BY id'))
    for section in source.split('<section class="verdict ')[1:]:
        parts = [re.findall(r'<span class="id">([a-z0-9-]+)</span>', part) for part in section.split('class="assessment"')[1:]]
        ranks = [min((rank[i] for i in part if i in rank), default=9999) for part in parts]
        if ranks != sorted(ranks):
            yield f'{section.split(" ", 1)[0]}: hits are not by their gravest ground: {ranks[:20]}'


def main():
    csv.field_size_limit(1 << 30)
    case = sys.argv[1]
    with open(os.path.join(case, 'report.html'), encoding='utf-8') as file:
        source = file.read()
    page = Page()
    page.feed(source)
    page.close()
    problems = page.problems + [f'<{tag}> is not closed' for tag in page.stack]
    text = ' '.join(''.join(page.texts).split())
    hits, gaps = rows(case, 'hits.csv'), rows(case, 'coverage.csv')
    ids = set(page.ids)
    if len(ids) != len(page.ids):
        problems.append('an id stands twice')
    problems += [f'no section {name}' for name in SECTIONS if name not in ids]
    problems += [f'link {link} leads nowhere' for link in page.links if not link.startswith('#') or link[1:] not in ids]
    problems += unordered(case, source)
    shown = {i for i in ids if i.startswith('H-')}
    if len(hits) <= CAP and shown != {r['hit_id'] for r in hits}:
        problems.append(f'{len(shown)} hits shown, {len(hits)} in hits.csv')
    for verdict in ('suspicious', 'unexplained', 'likely-benign', 'known-benign'):
        n = sum(r['verdict'] == verdict for r in hits)
        if n and f'{n:,} {verdict.replace("-", " ")}' not in text:
            problems.append(f'the summary does not say {n:,} {verdict}')
    for row in hits[:CAP]:
        for column in ('path', 'sha256', 'meta_addr', 'reason'):
            if len(row[column]) < 4000 and ' '.join(unguarded(row[column]).split()) not in text:
                problems.append(f'{row["hit_id"]}: {column} {row[column]} is not in the report')
    if len(gaps) <= 100:
        for row in gaps:
            for column in ('path', 'detail'):
                if ' '.join(unguarded(row[column]).split()) not in text:
                    problems.append(f'coverage: {column} {row[column]} is not in the report')
    if gaps and 'was examined in full' in text:
        problems.append('claims full coverage')
    if "default-src 'none'" not in source[:600]:
        problems.append('no strict policy at the head')
    print('\n'.join(problems[:40]))
    print(f'{len(hits)} hits, {len(gaps)} gaps, {len(page.links)} links, {len(problems)} differences')
    return 1 if problems else 0


sys.exit(main())
