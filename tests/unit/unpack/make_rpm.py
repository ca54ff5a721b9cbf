#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_rpm.py FILE OUT: a package that holds FILE as rpm 6 writes it: its sums are SHA-256, none is MD5."""
import gzip
import hashlib
import struct
import sys

STRING, STRINGS, NUMBERS = 6, 8, 4


def header(*tags):
    """Of (tag, type, count, bytes); numbers must come first, which aligns them."""
    index, store = b'', b''
    for tag, kind, count, data in tags:
        index += struct.pack('>IIII', tag, kind, len(store), count)
        store += data
    return b'\x8e\xad\xe8\1' + bytes(4) + struct.pack('>II', len(tags), len(store)) + index + store


def member(name, data):
    head = '070701' + ''.join(f'{n:08x}' for n in (1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0))
    whole = head.encode() + name + b'\0'
    return whole + bytes(-len(whole) % 4) + data + bytes(-len(data) % 4)


with open(sys.argv[1], 'rb') as file:
    data = file.read()
payload = gzip.compress(member(b'./a.txt', data) + member(b'TRAILER!!!', b''), mtime=0)
main = header((5093, NUMBERS, 1, struct.pack('>I', 8)),
              (5092, STRINGS, 1, hashlib.sha256(payload).hexdigest().encode() + b'\0'))
signature = header((273, STRING, 1, hashlib.sha256(main).hexdigest().encode() + b'\0'))
with open(sys.argv[2], 'wb') as out:
    out.write(b'\xed\xab\xee\xdb\4\0' + bytes(90) + signature + bytes(-len(signature) % 8) + main + payload)
