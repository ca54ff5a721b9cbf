#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_apfs_snapshot.py IMAGE.raw OUT.raw NAME: writes one snapshot record into the empty snapshot tree of
each volume superblock's (Apple File System Reference: j_snap_metadata_key and _val in a root leaf)."""
import struct
import sys

BLOCK = 4096
image = bytearray(open(sys.argv[1], 'rb').read())
name = sys.argv[3].encode() + b'\0'
done = set()
at = image.find(b'APSB')
while at >= 0:
    tree = struct.unpack_from('<Q', image, at - 32 + 0x98)[0]
    if tree not in done:
        done.add(tree)
        start = tree * BLOCK
        node = image[start:start + BLOCK]
        flags, level, keys = struct.unpack_from('<HHI', node, 0x20)
        assert flags & 3 == 3 and level == 0 and keys == 0, 'the tree is not an empty root leaf'
        room = struct.unpack_from('<HH', node, 0x28)
        key = struct.pack('<Q', 2 | 1 << 60)
        value = struct.pack('<QQQQQIIH', 0, tree, 1700000000 * 10**9, 1700000000 * 10**9, 0, 0x40000002, 0, len(name)) + name
        toc, area, end = 0x38 + room[0], 0x38 + room[0] + room[1], BLOCK - 40
        struct.pack_into('<HHHH', node, toc, 0, len(key), len(value), len(value))
        node[area:area + len(key)] = key
        node[end - len(value):end] = value
        struct.pack_into('<I', node, 0x24, 1)
        struct.pack_into('<HH', node, 0x2C, len(key), end - len(value) - area - len(key))
        struct.pack_into('<QQ', node, BLOCK - 16, 1, 1)  # of the tree: keys, nodes
        # The checksum of an object: Fletcher 64 over all behind it.
        low = high = 0
        for word in struct.unpack(f'<{(BLOCK - 8) // 4}I', node[8:]):
            low = (low + word) % 0xFFFFFFFF
            high = (high + low) % 0xFFFFFFFF
        first = 0xFFFFFFFF - (low + high) % 0xFFFFFFFF
        struct.pack_into('<Q', node, 0, (0xFFFFFFFF - (low + first) % 0xFFFFFFFF) << 32 | first)
        image[start:start + BLOCK] = node
    at = image.find(b'APSB', at + 4)
open(sys.argv[2], 'wb').write(image)
