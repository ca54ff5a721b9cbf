#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sum.py RECORD [PRESET=RESULTS.xml...] --steps [FAILED STEP...]

Adds up ctest's result files. Names every failed and every skipped test, and every part that a
passing test says it skipped; the last line is the sum. Exit status 1 where anything failed, or
where nothing passed. RECORD is written as JSON for a laboratory's validation file: what was tested, where,
and each test with its result and what it left out. With TRIAGE_RECORD set, writes reports/validation.txt too,
which the next build states in its reports."""
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

# A line by which a test says that it, or a part of it, did not run.
SAID = re.compile(r'SKIPPED:.*|\[ +SKIPPED +\] (?!\d+ test)\S.*')

# A line by which a test says what it compared, for the validation statement.
FIGURES = re.compile(r'^(?:\d+ entries of \d+ tables held against [^;]*|truth: .*|\d+ combinations, .*|'
                     r'\d+ damaged images, exit statuses .*|\d+ mutants: .*|'
                     r'\d+ images, \d+ file systems: \d+ matches in free blocks and slack held against triage.*|'
                     r'\d+ hits compared|(?:sample|hostile): \d+ hits, .*)', re.M)


def read(preset, path, counts, tests):
    try:
        cases = ET.parse(path).getroot().iter('testcase')
    except (OSError, ET.ParseError) as error:
        print(f'FAILED  {preset}: no results: {error}')
        counts['failed'] += 1
        return
    for case in cases:
        name, status = f"{preset}/{case.get('name')}", case.get('status')
        output = case.findtext('system-out') or ''
        said = list(dict.fromkeys(line.strip() for line in SAID.findall(output)))
        skipped = case.find('skipped')
        tests.append({'name': name, 'seconds': float(case.get('time') or 0), 'left_out': said, 'figures': FIGURES.findall(output)})
        # A program that is missing is "notrun" too: only the agreed exit status is a skip.
        if skipped is not None and 'SKIP_RETURN_CODE' in skipped.get('message', ''):
            counts['skipped'] += 1
            tests[-1]['result'] = 'skipped'
            print(f"SKIPPED {name}: {' / '.join(said) or 'it gave no reason'}")
        elif status == 'run' and case.find('failure') is None:
            counts['passed'] += 1
            tests[-1]['result'] = 'passed'
            for line in said:
                print(f'PARTLY  {name}: {line}')
        else:
            counts['failed'] += 1
            tests[-1]['result'] = 'failed'
            print(f'FAILED  {name}')


def write_record(path, counts, tests, steps):
    git = subprocess.run(['git', 'describe', '--always', '--dirty'], capture_output=True, text=True, check=False)
    record = {'commit': git.stdout.strip(), 'machine': platform.platform(), 'counts': counts, 'failed_steps': steps, 'tests': tests}
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(record, file, indent=1)
        file.write('\n')


def write_statement(counts, tests):
    """The validation statement of the report: reports/validation.txt, built into the next build."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(root, 'CMakeLists.txt'), encoding='utf-8') as file:
        version = re.search(r'VERSION (\d+(?:\.\d+)+) LANGUAGES', file.read()).group(1)
    commit = subprocess.run(['git', '-C', root, 'describe', '--always', '--dirty'], capture_output=True, text=True, check=False).stdout.strip()
    path = os.path.join(root, 'reports', 'validation.txt')
    given = {test['name'].split('/', 1)[1] for test in tests if test['figures'] and test['name'].startswith('debug/')}
    with open(path, encoding='utf-8') as file:
        lost = {line.split(' ', 1)[0] for line in file if line.startswith(('e2e_', 'unit_'))} - given
    # A test whose output changed its words would vanish from the statement without one.
    for name in sorted(lost):
        counts['failed'] += 1
        print(f'FAILED  {name} printed no figures that the statement knows')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'version {version}\nsource {commit or "not under version control"}\n'
                   f'date {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}\n'
                   + ''.join(f'{word} {n}\n' for word, n in counts.items())
                   + ''.join(f"{test['name'].split('/', 1)[1]} {'; '.join(test['figures'])}\n"
                             for test in tests if test['figures'] and test['name'].startswith('debug/')))


def main():
    split = sys.argv.index('--steps')
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    tests = []
    for item in sys.argv[2:split]:
        read(*item.split('=', 1), counts, tests)
    for step in sys.argv[split + 1:]:
        counts['failed'] += 1
        print(f'FAILED  step {step}')
    write_record(sys.argv[1], counts, tests, sys.argv[split + 1:])
    if os.environ.get('TRIAGE_RECORD'):
        write_statement(counts, tests)
    print('tests: ' + ', '.join(f'{n} {word}' for word, n in counts.items()))
    return 1 if counts['failed'] or not counts['passed'] else 0


sys.exit(main())
