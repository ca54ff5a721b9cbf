#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_rar.py FILE MEMBER PART_BYTES NAME...: a RAR 2.9 archive that stores FILE as MEMBER, in as many
volumes as names are given, PART_BYTES of it in each but the last; with "recovery" before FILE
a service block lies behind each; make_rar.py solid NAME: two volumes of a solid archive
one behind the other, members one and two in the first, three in the second; make_rar.py services NAME: a member with an old service block, a stored stream,
a packed one and a packed comment. No free program writes RAR; the layout is
that of unrar's technote.txt."""
import struct
import sys
import zlib


def block(kind, flags, rest, data=b''):
    head = struct.pack('<BHH', kind, flags, 7 + len(rest)) + rest
    return struct.pack('<H', zlib.crc32(head) & 0xFFFF) + head + data


def volumes(content, member, part_bytes, n, service):
    for i in range(n):
        part = content[i * part_bytes:(i + 1) * part_bytes if i + 1 < n else len(content)]
        is_last = i + 1 == n
        # The CRC is the part's own, but for the last part: that of the whole.
        crc = zlib.crc32(content if is_last else part)
        flags = 0x8000 | (0 if i == 0 else 1) | (0 if is_last else 2)
        entry = struct.pack('<IIBIIBBHI', len(part), len(content), 2, crc, 0x58A55000, 29, 0x30, len(member), 0x20)
        yield (b'Rar!\x1a\x07\0' + block(0x73, 0x11 | (0x100 if i == 0 else 0), bytes(6)) +
               block(0x74, flags, entry + member, part) + service +
               block(0x7B, 0x4000 | (0 if is_last else 1), b''))


def solid():
    def member(name, is_first):
        entry = struct.pack('<IIBIIBBHI', 4, 4, 2, zlib.crc32(name[:3] + b'!'), 0x58A55000, 29, 0x30, len(name), 0x20)
        return block(0x74, 0x8000 | (0 if is_first else 0x10), entry + name, name[:3] + b'!')
    start = b'Rar!\x1a\x07\0'
    return (start + block(0x73, 0x119, bytes(6)) + member(b'one', True) + member(b'two', False) + block(0x7B, 0x4001, b'') +
            start + block(0x73, 0x19, bytes(6)) + member(b'three', False) + block(0x7B, 0x4000, b''))


def services():
    def entry(kind, name, data, method, tail=b''):
        head = struct.pack('<IIBIIBBHI', len(data), len(data), 2, zlib.crc32(data), 0x58A55000, 29, method, len(name), 0x20)
        return block(kind, 0x8000, head + name + tail, data)

    def stream(name, data, method):
        return entry(0x7A, b'STM', data, method, (':' + name).encode('utf-16-le'))
    old = block(0x77, 0x8000, struct.pack('<IHB', 5, 0x105, 0), b'12345')
    return (b'Rar!\x1a\x07\0' + block(0x73, 0x10, bytes(6)) + entry(0x74, b'dir\\a.txt', b'text', 0x30) + old +
            stream('run.vbs', b'CDO.Message', 0x30) + stream('packed', b'?' * 9, 0x33) + entry(0x7A, b'CMT', b'?' * 7, 0x33) +
            block(0x7B, 0x4000, b''))


def main():
    if sys.argv[1] == 'services':
        with open(sys.argv[2], 'wb') as out:
            out.write(services())
        return
    if sys.argv[1] == 'solid':
        with open(sys.argv[2], 'wb') as out:
            out.write(solid())
        return
    service = b''
    if sys.argv[1] == 'recovery':
        del sys.argv[1]
        entry = struct.pack('<IIBIIBBHI', 20, 20, 2, zlib.crc32(bytes(20)), 0x58A55000, 29, 0x30, 2, 0x20)
        service = block(0x7A, 0x8000, entry + b'RR', bytes(20))
    with open(sys.argv[1], 'rb') as file:
        content = file.read()
    names = sys.argv[4:]
    for name, data in zip(names, volumes(content, sys.argv[2].encode(), int(sys.argv[3]), len(names), service)):
        with open(name, 'wb') as out:
            out.write(data)


main()
