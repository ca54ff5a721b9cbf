#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_rar5.py FILE MEMBER OUT: a RAR 5 archive that stores FILE as MEMBER with its BLAKE2sp sum and no CRC (rar -htb -m0).
No free program writes RAR; the layout is that of rarlab's technote, the sum that of hashlib's BLAKE2s in tree mode."""
import hashlib
import struct
import sys
import zlib

from make_rar_secret import number


def blake2sp(data):
    def node(content, offset, depth, is_last):
        return hashlib.blake2s(content, fanout=8, depth=2, leaf_size=0, node_offset=offset, node_depth=depth, inner_size=32,
                               last_node=is_last).digest()
    lanes = [b''.join(data[at:at + 64] for at in range(64 * i, len(data), 512)) for i in range(8)]
    return node(b''.join(node(lane, i, 0, i == 7) for i, lane in enumerate(lanes)), 0, 1, True)


def block(kind, body, extra=b'', data=None):
    flags = (1 if extra else 0) | (2 if data is not None else 0)
    rest = number(kind) + number(flags) + (number(len(extra)) if extra else b'')
    rest += (number(len(data)) if data is not None else b'') + body + extra
    head = number(len(rest)) + rest
    return struct.pack('<I', zlib.crc32(head)) + head + (data or b'')


def main():
    with open(sys.argv[1], 'rb') as file:
        data = file.read()
    name = sys.argv[2].encode()
    record = number(2) + number(0) + blake2sp(data)
    body = number(0) + number(len(data)) + number(0x20) + number(0) + number(1) + number(len(name)) + name
    with open(sys.argv[3], 'wb') as out:
        out.write(b'Rar!\x1a\x07\x01\x00' + block(1, number(0)) + block(2, body, number(len(record)) + record, data) +
                  block(5, number(0)))


main()
