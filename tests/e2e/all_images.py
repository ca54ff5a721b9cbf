# SPDX-License-Identifier: Apache-2.0
"""all_images.py - every disk image below some directories, as the Sleuth Kit and triage itself see
them: files, members of archives (unpacked by 7z or bsdtar) and QCOW2 images (made raw by qemu-img,
which blkls cannot read). What is left out is told, with the reason."""
import os
import re
import subprocess

SMALLEST = 4096
ARCHIVE = re.compile(r'\.(zip|7z|tar|tgz|gz|bz2|xz)$', re.I)
IMAGE = re.compile(r'\.(E01|dd|raw|img|iso|vhdx?|vmdk|qcow2|dmg|000|001)$', re.I)


class Image:
    """shown: for people; path: what triage is given; reader: what blkls and yara are given;
    archive, member: where it was unpacked from."""

    def __init__(self, shown, path, reader, archive=None, member=None):
        self.shown, self.path, self.reader = shown, path, reader
        self.archive, self.member = archive, member


def output(*argv, seconds=60):
    try:
        return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, timeout=seconds).stdout
    except subprocess.TimeoutExpired:
        return b''


def tsk_sees(path):
    """A file system or a table of partitions, told by libtsk's tools. (-t alone: fsstat never ends on some exFAT.)"""
    return output('fsstat', '-t', path).strip() != b'' or output('mmls', '-a', path).strip() != b''


def triage_sees(triage, path):
    text = output(triage, 'info', path).decode('utf-8', 'replace')
    return re.search(r'^volume \d+: .*, file system (?!none)', text, re.M) is not None


def first_segment(path):
    """Of a later segment of a set the first one, else None."""
    match = re.fullmatch(r'(.*\.)(E|e)(\d\d)', path) or re.fullmatch(r'(.*\.)()(\d\d\d)', path)
    if match is None:
        return None
    for number in ('000', '001') if match.group(2) == '' else ('01',):
        first = f'{match.group(1)}{match.group(2)}{number}'
        if first == path:
            return None
        if os.path.exists(first):
            return first
    return None


def unpack(archive, target):
    os.makedirs(target, exist_ok=True)
    tool = ['7z', 'x', '-y', '-p', '-bso0', '-bsp0', f'-o{target}', archive]
    if re.search(r'\.(tar|tgz|tar\.\w+)$', archive, re.I):
        tool = ['bsdtar', '-x', '-f', archive, '-C', target]
    limits = 'ulimit -f 400000 -v 2000000; exec "$@"'  # a bomb is no image
    try:
        subprocess.run(['bash', '-c', limits, 'unpack', *tool], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        pass


def files_below(root):
    for where, dirs, names in os.walk(root):
        dirs.sort()
        for name in sorted(names):
            path = os.path.join(where, name)
            if os.path.isfile(path) and not os.path.islink(path) and (os.path.getsize(path) >= SMALLEST or ARCHIVE.search(path)):
                yield path


def find(triage, work, roots, left_out):
    """Images below the roots; left_out takes (path, reason)."""
    n = 0
    for root in roots:
        for path in files_below(root):
            shown = os.path.relpath(path, os.path.dirname(root))
            first = first_segment(path)
            if first is not None:
                left_out(shown, f'a later segment of {os.path.basename(first)}')
                continue
            with open(path, 'rb') as f:
                magic = f.read(4)
            reader = path
            if magic == b'QFI\xfb':
                n += 1
                reader = os.path.join(work, f'qcow{n}.raw')
                subprocess.run(['qemu-img', 'convert', '-O', 'raw', path, reader], check=True)
            if tsk_sees(reader) or triage_sees(triage, path):
                yield Image(shown, path, reader)
            elif ARCHIVE.search(path):
                n += 1
                inside = os.path.join(work, f'unpacked{n}')
                unpack(path, inside)
                for inner in files_below(inside):
                    if tsk_sees(inner) or triage_sees(triage, inner):
                        member = os.path.relpath(inner, inside)
                        yield Image(f'{shown}!/{member}', inner, inner, path, member)
                subprocess.run(['rm', '-rf', inside], check=True)
            elif IMAGE.search(path):
                left_out(shown, "neither libtsk's tools nor triage see a file system or a table of partitions in it")
            if reader != path:
                os.remove(reader)
