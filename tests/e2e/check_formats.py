#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_formats.py CASE: the files for other tools hold the hits of hits.csv, each as its format wants it, and nothing in
them attacks whoever opens or prints them. Formats are read by readers that know nothing of triage."""
import csv
import json
import os
import re
import sys
import uuid
import xml.etree.ElementTree as ET

case = sys.argv[1]
problems = []
csv.field_size_limit(1 << 30)
FORMULA = re.compile('^[=+\\-@\t\r＝＋－＠]')
# C0 but for the line's end, C1, bidirectional and invisible characters: none may reach a terminal.
UNSAFE = re.compile('[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]')
UTC = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$')
STIX_TIME = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$')
OASIS = uuid.UUID('00abedb4-aa42-466c-9c01-fed23315a9b7')


def expect(condition, what):
    if not condition:
        problems.append(what)


def text(name):
    with open(os.path.join(case, name), encoding='utf-8', newline='') as file:
        return file.read()


def table(name):
    lines = list(csv.reader(text(name).splitlines(True), strict=True))
    for number, row in enumerate(lines, 1):
        expect(len(row) == len(lines[0]), f'{name}: row {number} has {len(row)} cells')
        for cell in row:
            expect(not FORMULA.match(cell), f'{name}: row {number}: a cell begins like a formula: {cell[:40]!r}')
    return [dict(zip(lines[0], row)) for row in lines[1:]]


def unique(pairs):
    expect(len(dict(pairs)) == len(pairs), f'a key twice in {pairs[:3]}')
    return dict(pairs)


def lines_of(name):
    return [json.loads(line, object_pairs_hook=unique) for line in text(name).splitlines()]


def strip(cell):
    """Without the apostrophe that keeps a spreadsheet from running it."""
    return cell[1:] if re.match("^'[=+\\-@\t\r＝＋－＠]", cell) else cell


def whole_path(row):
    return row['path'] + ('!/' + row['member'] if row['member'] else '')


hits = lines_of('hits.jsonl')
rows = table('hits.csv')
ids = sorted(h['hit_id'] for h in hits)
expect(ids == sorted(r['hit_id'] for r in rows), 'hits.csv and hits.jsonl name different hits')
expect(all(i in text('report.html') for i in ids[:2000]), 'report.html leaves a hit out')
open_hits = [h for h in hits if h['verdict'] in ('suspicious', 'unexplained')]


def check_harmless():
    for name in sorted(os.listdir(case)):
        if name == 'case.db' or name.startswith('manifest.') and name.endswith(('p7s', 'tsq', 'tsr')):
            continue
        found = UNSAFE.search(text(name).replace('\r\n', '\n'))
        expect(found is None, f'{name}: {found and found.group()!r} at {found and found.start()}')
        if name.endswith(('.jsonl', '.json', '.jsonld')):
            expect(name == 'log.jsonl' or text(name) != '', f'{name} is empty')


def check_timesketch():
    sketch = lines_of('timesketch.jsonl')
    events = table('timesketch.csv')
    expect(list(events[0] if events else {})[:3] in ([], ['message', 'datetime', 'timestamp_desc']), 'timesketch.csv: columns')
    for key in ('message', 'datetime', 'timestamp_desc', 'hit_id', 'sha256_hash', 'path'):
        expect([strip(e[key]) for e in events] == [line[key] for line in sketch], f'timesketch: {key} differs between CSV and JSON lines')
    expect(all(UTC.match(e['datetime']) for e in events), 'timesketch.csv: a time is none')
    times = sum(1 for h in hits for t in h['times'].values() if t and t.endswith('Z'))
    expect(len(events) == times, f'timesketch.csv: {len(events)} events of {times} times')


def check_dfxml():
    space = '{http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML}'
    root = ET.fromstring(text('dfxml.xml'))
    objects = list(root.iter(space + 'fileobject'))
    listed = {o.findtext(space + 'id') for o in objects}
    expect(listed <= set(ids), 'dfxml.xml: an identifier is no hit')
    names = {(o.findtext(space + 'filename'), o.findtext(f"{space}hashdigest[@type='sha256']")) for o in objects}
    wanted = {(whole_path(h) + ('' if h['view'] == 'raw' else f" [{h['view']}]"), h['sha256']) for h in hits}
    expect(names == wanted, f'dfxml.xml: {sorted(names ^ wanted)[:3]}')
    for o in objects:
        run = o.find(f'{space}byte_runs/{space}byte_run')
        hit = next(h for h in hits if h['hit_id'] == o.findtext(space + 'id'))
        expect((run is not None) == (hit['image_offset'] is not None), f"dfxml.xml: the place of {hit['hit_id']}")
        if run is not None:
            expect(run.get('img_offset') == str(hit['image_offset']), f"dfxml.xml: the place of {hit['hit_id']} differs")


def check_stix():
    bundle = json.loads(text('stix.json'), object_pairs_hook=unique)
    expect(set(bundle) == {'type', 'id', 'objects'} and bundle['type'] == 'bundle', 'stix.json: no bundle')
    known = {o['id']: o for o in bundle['objects']}
    expect(len(known) == len(bundle['objects']), 'stix.json: an identifier twice')
    required = {
        'identity': {'created', 'modified', 'name', 'identity_class'},
        'indicator': {'created', 'modified', 'created_by_ref', 'name', 'description', 'indicator_types', 'pattern', 'pattern_type', 'valid_from'},
        'observed-data': {'created', 'modified', 'created_by_ref', 'first_observed', 'last_observed', 'number_observed', 'object_refs'},
        'sighting': {'created', 'modified', 'created_by_ref', 'description', 'count', 'sighting_of_ref', 'observed_data_refs',
                     'where_sighted_refs', 'labels'},
        'file': {'hashes', 'size', 'name', 'parent_directory_ref'},
        'directory': {'path'},
    }
    targets = {'created_by_ref': 'identity', 'sighting_of_ref': 'indicator', 'observed_data_refs': 'observed-data',
               'where_sighted_refs': 'identity', 'object_refs': 'file', 'parent_directory_ref': 'directory'}
    for o in bundle['objects']:
        kind = o['type']
        expect(set(o) == required[kind] | {'type', 'spec_version', 'id'}, f'stix.json: properties of {kind}: {sorted(o)}')
        expect(o['spec_version'] == '2.1' and re.match(rf'^{kind}--[0-9a-f]{{8}}-[0-9a-f]{{4}}-5[0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}$', o['id']),
               f"stix.json: identifier {o['id']}")
        for key, value in o.items():
            if key in ('created', 'modified', 'valid_from', 'first_observed', 'last_observed'):
                expect(STIX_TIME.match(value), f'stix.json: {key} {value}')
            if key in targets:
                for ref in value if isinstance(value, list) else [value]:
                    expect(known.get(ref, {}).get('type') == targets[key], f'stix.json: {key} leads to {ref}')
        if kind == 'indicator':
            expect(re.match(r"^\[file:hashes\.'SHA-256' = '[0-9a-f]{64}'\]$", o['pattern']) and o['pattern_type'] == 'stix', o['pattern'])
        if kind in ('file', 'directory'):  # identifiers as the standard makes them
            own = {'path': o['path']} if kind == 'directory' else {
                'hashes': dict([next((k, o['hashes'][k]) for k in ('MD5', 'SHA-1', 'SHA-256') if k in o['hashes'])]),
                'name': o['name'], 'parent_directory_ref': o['parent_directory_ref']}
            made = uuid.uuid5(OASIS, json.dumps(own, sort_keys=True, separators=(',', ':'), ensure_ascii=False))
            expect(o['id'] == f'{kind}--{made}', f"stix.json: {o['id']} is not made of its properties")
    patterns = {o['pattern'] for o in bundle['objects'] if o['type'] == 'indicator'}
    expect(patterns == {f"[file:hashes.'SHA-256' = '{h['sha256']}']" for h in open_hits}, 'stix.json: indicators of other contents')
    expect(sum(o['type'] == 'sighting' for o in bundle['objects']) == len({h['hit_id'] for h in open_hits}), 'stix.json: sightings')


def check_lines():
    fields = {'@timestamp', 'ecs.version', 'event.id', 'event.kind', 'event.module', 'event.reason', 'event.outcome', 'rule.name', 'rule.ruleset',
              'file.path', 'file.inode', 'file.size', 'file.created', 'file.mtime', 'file.ctime', 'file.accessed', 'file.hash.sha256',
              'file.hash.sha1', 'file.hash.md5', 'file.hash.ssdeep'}  # of ECS 8.11; what is ours stands below "triage"

    def flat(value, prefix=''):
        for key, inner in value.items():
            yield from flat(inner, f'{prefix}{key}.') if isinstance(inner, dict) else [(prefix + key, inner)]
    for line in lines_of('ecs.jsonl'):
        for key, value in flat(line):
            expect(key in fields or key.startswith('triage.'), f'ecs.jsonl: {key} is no field of ECS')
            expect(isinstance(value, int if key == 'file.size' else str), f'ecs.jsonl: {key} is a {type(value)}')
        expect(line['event']['kind'] in ('alert', 'event') and line['event']['outcome'] in ('success', 'failure', 'unknown'), 'ecs.jsonl: event')
    for line in lines_of('sentinel.jsonl'):
        for key, value in line.items():  # names and types of a custom table's columns
            expect(re.match(r'^[A-Za-z][A-Za-z0-9_]{0,44}$', key) and isinstance(value, str) and len(value) <= 32768 * 4, f'sentinel.jsonl: {key}')
        expect('TimeGenerated' not in line or UTC.match(line['TimeGenerated']), 'sentinel.jsonl: TimeGenerated')
    body = text('hunt.kql')
    strings = re.findall(r'"([^"\n]*)"', body)
    expect(body.count('"') == 2 * len(strings) and all(re.match(r'^[A-Za-z0-9 ._]*$', s) for s in strings), 'hunt.kql: strings')
    found = {s for s in strings if re.match('^[0-9a-f]{64}$', s)}
    expect(found == {h['sha256'] for h in open_hits if h['view'] == 'raw'}, 'hunt.kql: digests')


def check_graph():
    try:
        import rdflib
    except ImportError:
        print('SKIPPED: the JSON-LD graph: python3-rdflib is not installed (tests/setup evidence)')
        return
    graph = rdflib.Graph()
    graph.parse(os.path.join(case, 'case.jsonld'), format='json-ld')
    uco = 'https://ontology.unifiedcyberontology.org/uco/'
    case_space = 'https://ontology.caseontology.org/case/investigation/'
    allowed = {uco + t for t in (
        'core/name', 'core/description', 'core/hasFacet', 'core/source', 'core/target', 'core/kindOfRelationship', 'core/isDirectional',
        'action/instrument', 'action/object', 'action/result', 'observable/fileName', 'observable/filePath', 'observable/allocationStatus',
        'observable/sizeInBytes', 'observable/observableCreatedTime', 'observable/modifiedTime', 'observable/metadataChangeTime',
        'observable/accessedTime', 'observable/hash', 'types/hashMethod', 'types/hashValue', 'tool/version')}
    allowed.add(str(rdflib.RDF.type))
    expect({str(p) for p in graph.predicates()} <= allowed, f'case.jsonld: {({str(p) for p in graph.predicates()} - allowed)}')

    def of_type(name):
        return set(graph.subjects(rdflib.RDF.type, rdflib.URIRef(name)))

    def one(subject, name):
        return graph.value(subject, rdflib.URIRef(uco + name))
    files = of_type(uco + 'observable/File')
    expect(sorted(str(one(f, 'core/name')) for f in files) == sorted(set(ids)), 'case.jsonld: files are not the hits')
    action = of_type(case_space + 'InvestigativeAction')
    expect(len(action) == 1 and set(graph.objects(next(iter(action)), rdflib.URIRef(uco + 'action/result'))) == files, 'case.jsonld: results')
    paths = {(str(one(f, 'observable/filePath'))) for f in of_type(uco + 'observable/FileFacet')}
    expect(paths == {whole_path(h) for h in hits}, f'case.jsonld: {sorted(paths ^ {whole_path(h) for h in hits})[:3]}')
    held = {str(one(h, 'types/hashValue')) for h in of_type(uco + 'types/Hash') if str(one(h, 'types/hashMethod')) == 'SHA256'}
    expect({h['sha256'] for h in hits} <= {v.lower() for v in held}, 'case.jsonld: digests')
    for relation in of_type(uco + 'observable/ObservableRelationship'):
        expect(one(relation, 'core/source') in files and one(relation, 'core/target') is not None, 'case.jsonld: a relationship leads nowhere')
    for literal in (o for o in graph.objects() if isinstance(o, rdflib.Literal)):
        expect(not literal.ill_typed if hasattr(literal, 'ill_typed') else True, f'case.jsonld: {literal!r}')


check_harmless()
check_timesketch()
check_dfxml()
check_stix()
check_lines()
check_graph()
for problem in problems[:20]:
    print(problem)
print(f'{case}: {len(hits)} hits, {len(problems)} problems')
sys.exit(1 if problems or not hits else 0)
