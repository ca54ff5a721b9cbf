#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""style.py: reads file names on standard input, prints each breach of the house's rules as
FILE:LINE: TEXT; exit status 1 where there is one."""
import os
import re
import sys

MAX_LINES = 650
BANNED = {
    'goto': 'early return and g_auto* are the one cleanup idiom',
    'strcpy': 'use g_strlcpy or GString', 'strcat': 'use GString', 'stpcpy': 'use GString',
    'sprintf': 'use g_snprintf or GString', 'vsprintf': 'use g_strdup_vprintf', 'gets': 'no bound',
    'strtok': 'keeps hidden state', 'atoi': 'hides errors', 'atol': 'hides errors',
    'alloca': 'no bound', 'system': 'starts a shell', 'popen': 'starts a shell',
    'mktemp': 'races', 'tmpnam': 'races', 'gmtime': 'static buffer', 'localtime': 'static buffer',
    'g_memdup': '32-bit length: use g_memdup2',
}
SHELL = {'system', 'popen'}  # a test may run the tools that make its evidence
# What the code of a place may include from the folders of triage/ (and reports/). Plain-data headers
# that any stage may share are named in SHARED.
MAY = [
    ('triage/base/', {'base'}),
    ('triage/evidence/', {'base', 'evidence'}),
    ('triage/unpack/', {'base', 'unpack'}),
    ('triage/scan/', {'base', 'scan'}),
    ('triage/assess/', {'base', 'assess'}),
    ('triage/store/', {'base', 'store'}),
    ('reports/', {'base', 'store', 'reports'}),
    ('triage/engine/proto', {'base', 'engine'}),
    ('triage/engine/worker', {'base', 'engine', 'evidence', 'unpack', 'scan', 'assess'}),
    ('triage/engine/coord', {'base', 'engine', 'assess', 'store', 'reports'}),
    ('triage/cli/', {'base', 'engine', 'assess', 'store', 'reports', 'cli'}),
]
SHARED = {'evidence/object.h'}
FOLDERS = {'base', 'evidence', 'unpack', 'scan', 'assess', 'store', 'engine', 'cli', 'reports'}

TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
CALL = re.compile(r'(?<![\w.>])(' + '|'.join(BANNED) + r')\b(?=\s*\(|\s+\w+\s*;)')
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
LINK = re.compile(r'\]\((?!\w+:|#)([^)#\s]+)')
# Paths of a build machine and registry hosts (spelt so that this file does not contain them).
MACHINE = re.compile(r'(?:^|[^A-Za-z0-9_.])/(?:work|farm)/|/home/(?!jdoe)\w+/|deb\.debian[.]org|registry\.npmjs', re.M)


def blank(match):
    """Comments and literals as spaces: lines keep their numbers."""
    return re.sub(r'[^\n]', ' ', match.group())


def line_of(text, at):
    return text.count('\n', 0, at) + 1


def breaches(name, text):
    if name.endswith(('.c', '.h', '.py', '.sh')) and text.count('\n') > MAX_LINES:
        yield MAX_LINES, f'longer than {MAX_LINES} lines: split it'
    for match in MACHINE.finditer(text):
        yield line_of(text, match.start()), f'path of one machine, or a registry: {match.group().strip()}'
    if name.endswith('.md'):
        for match in LINK.finditer(text):
            if not os.path.exists(os.path.join(os.path.dirname(name), match.group(1))):
                yield line_of(text, match.start()), f'link to {match.group(1)}, which is not there'
    if not name.endswith(('.c', '.h')):
        return
    code = TOKENS.sub(blank, text)
    for match in CALL.finditer(code):
        if match.group(1) in SHELL and name.startswith('tests/'):
            continue
        yield line_of(text, match.start()), f'{match.group(1)}: {BANNED[match.group(1)]}'
    allowed = next((may for prefix, may in MAY if name.startswith(prefix)), None)
    for match in INCLUDE.finditer(text):
        folder = match.group(1).split('/')[0]
        if allowed and folder in FOLDERS - allowed and match.group(1) not in SHARED:
            yield line_of(text, match.start()), f'{match.group(1)} is not for this place: see MAY in {sys.argv[0]}'


def main():
    count = found = 0
    for name in sys.stdin.read().splitlines():
        with open(name, 'rb') as file:
            data = file.read()
        if b'\0' in data:
            continue
        count += 1
        for line, what in breaches(name, data.decode('utf-8', 'surrogateescape')):
            found += 1
            print(f'{name}:{line}: {what}')
    print(f'{count} files, {found} breaches')
    return 1 if found or not count else 0


sys.exit(main())
