#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_by_hand.py CASE EVIDENCE_FOLDER RULES: runs the commands that report.html gives with each hit,
as its reader would, and compares what they print. Exit status 1 where another tool comes to something
else. EVIDENCE_FOLDER is only read: the commands run in the current folder, on links to its files."""
import html
import os
import re
import subprocess
import sys

case, folder, rules = sys.argv[1:4]
source = open(os.path.join(case, 'report.html'), encoding='utf-8').read()
for name in os.listdir(folder):
    if not os.path.lexists(name):
        os.symlink(os.path.abspath(os.path.join(folder, name)), name)
if not os.path.lexists(os.path.basename(rules)):
    os.symlink(os.path.abspath(rules), os.path.basename(rules))
blocks = re.findall(r'<article class="place" id="(H-[0-9a-f]+)">.*?<pre class="commands">(.*?)</pre>', source, re.S)
wrong = run = dry = 0
for hit, text in blocks:
    commands = html.unescape(text)
    expected = re.findall(r'^sha256sum \S+ +# ([0-9a-f]{64})$', commands, re.M)
    if not expected:
        dry += 1
        continue
    done = subprocess.run(['bash', '-c', commands], capture_output=True, timeout=120)
    output = done.stdout.decode('utf-8', 'replace')
    run += 1
    if expected[0] not in output or not re.search(r'^0x[0-9a-f]+:\$', output, re.M):
        wrong += 1
        print(f'{hit}:\n{commands}{output}{done.stderr.decode("utf-8", "replace")}')
print(f'{len(blocks)} hits: {run} checked by hand, {dry} have no digest command, {wrong} differ')
sys.exit(1 if wrong or not run else 0)
