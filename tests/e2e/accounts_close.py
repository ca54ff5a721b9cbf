#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""accounts_close.py FILE: in what 'triage info CASE' printed, the bytes of each volume that has a length
and was walked sum up to that length. Prints what does not; exit status 1 then."""
import re
import sys


def check(path):
    """What does not close, and how many accounts there were."""
    with open(path, encoding='utf-8') as f:
        text = f.read()
    bad, n = [], 0
    for part in re.split(r'^(?=evidence \d+, volume )', text, flags=re.M):
        head = re.match(r'evidence \d+, volume (\d+): offset \d+, length (\d+), file system (.*)', part)
        together = re.search(r'^  together +(\d+) bytes', part, re.M)
        if not head or not together or 'its walk has not ended' in part:
            continue
        # volume 0 of a disk stands for what is in no partition, and so does a single file or a directory
        if not re.search(r'^  \S.* \d+ bytes', part.replace(together.group(0), ''), re.M):
            continue
        n += 1
        if head.group(2) != together.group(1):
            bad.append(f'volume {head.group(1)}, {head.group(3)}: {head.group(2)} bytes, accounted {together.group(1)}')
    return bad, n


def main():
    bad, _ = check(sys.argv[1])
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
