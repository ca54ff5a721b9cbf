#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_apfs_snapshot.py IMAGE.raw OUT.raw NAME PATH FILE: writes one snapshot into the newest volume superblock's
empty snapshot tree, and deletes PATH (in the root directory) from the live volume, as macOS does: a new copy
of the catalogue without it, under a newer number in the object map. Before, FILE becomes its content.
(Apple File System Reference: j_snap_metadata_key, omap_key, a catalogue that is one leaf.)"""
import struct
import sys

BLOCK, NODE_HEAD, FIXED, DENTRY = 4096, 0x38, 4, 9
image = bytearray(open(sys.argv[1], 'rb').read())
name = sys.argv[3].encode() + b'\0'


def u64(at):
    return struct.unpack_from('<Q', image, at)[0]


def seal(number, node):
    """The checksum of an object: Fletcher 64 over all behind it."""
    low = high = 0
    for word in struct.unpack(f'<{(BLOCK - 8) // 4}I', node[8:]):
        low = (low + word) % 0xFFFFFFFF
        high = (high + low) % 0xFFFFFFFF
    first = 0xFFFFFFFF - (low + high) % 0xFFFFFFFF
    struct.pack_into('<Q', node, 0, (0xFFFFFFFF - (low + first) % 0xFFFFFFFF) << 32 | first)
    image[number * BLOCK:(number + 1) * BLOCK] = node


class Leaf:
    """A root node without children."""

    def __init__(self, number):
        self.number, self.node = number, bytearray(image[number * BLOCK:(number + 1) * BLOCK])
        flags, level, n = struct.unpack_from('<HHI', self.node, 0x20)
        assert flags & 3 == 3 and level == 0, 'the tree is not one leaf'
        offset, length = struct.unpack_from('<HH', self.node, 0x28)
        self.is_fixed, self.toc, self.area = flags & FIXED, NODE_HEAD + offset, NODE_HEAD + offset + length
        self.entry = '<HH' if self.is_fixed else '<HHHH'
        step = struct.calcsize(self.entry)
        self.entries = [struct.unpack_from(self.entry, self.node, self.toc + i * step) for i in range(n)]

    def parts(self, entry):
        key, value = entry[0], entry[1] if self.is_fixed else entry[2]
        n_key, n_value = (16, 16) if self.is_fixed else (entry[1], entry[3])
        at, end = self.area + key, BLOCK - 40 - value
        return bytes(self.node[at:at + n_key]), bytes(self.node[end:end + n_value])

    def add(self, key, value):
        free, room = struct.unpack_from('<HH', self.node, 0x2C)
        at, end = self.area + free, self.area + free + room
        assert room >= len(key) + len(value)
        self.node[at:at + len(key)] = key
        self.node[end - len(value):end] = value
        back = BLOCK - 40 - (end - len(value))
        self.entries.append((free, back) if self.is_fixed else (free, len(key), back, len(value)))
        struct.pack_into('<HH', self.node, 0x2C, free + len(key), room - len(key) - len(value))

    def write(self):
        for i, entry in enumerate(self.entries):
            struct.pack_into(self.entry, self.node, self.toc + i * struct.calcsize(self.entry), *entry)
        struct.pack_into('<I', self.node, 0x24, len(self.entries))
        struct.pack_into('<QQ', self.node, BLOCK - 16, len(self.entries), 1)  # of the tree: keys, nodes
        seal(self.number, self.node)


supers, at = [], image.find(b'APSB')
while at >= 0:
    supers.append((u64(at - 32 + 16), at - 32))
    at = image.find(b'APSB', at + 4)
when, newest = max(supers)
omap, root, _, snapshots = struct.unpack_from('<QQQQ', image, newest + 0x80)

objects = Leaf(u64(omap * BLOCK + 0x30))
old, place = [(struct.unpack('<QQ', key)[1], struct.unpack('<IIQ', value)[2])
              for key, value in map(objects.parts, objects.entries) if struct.unpack('<QQ', key)[0] == root][-1]
assert old < when
tree = Leaf(snapshots)
time = 1700000000 * 10**9
tree.add(struct.pack('<Q', old | 1 << 60),
         struct.pack('<QQQQQIIH', 0, snapshots, time, time, 0, 0x40000002, 0, len(name)) + name)
tree.write()

catalogue = Leaf(place)
records = [(entry, *catalogue.parts(entry)) for entry in catalogue.entries]
file = [struct.unpack_from('<Q', value)[0] for _, key, value in records
        if key[7] >> 4 == DENTRY and key[12:-1] == sys.argv[4].encode()][0]
content = open(sys.argv[5], 'rb').read()
extent = 0
for _, key, value in records:
    if struct.unpack_from('<Q', key)[0] == file | 8 << 60:
        extent = struct.unpack_from('<Q', value, 8)[0]
assert extent > 0
image[extent * BLOCK:extent * BLOCK + len(content)] = content

free = next(i for i in range(newest // BLOCK + 500, len(image) // BLOCK) if not any(image[i * BLOCK:(i + 1) * BLOCK]))
live = Leaf(place)
live.number = free
live.entries = [entry for entry, key, value in records
                if struct.unpack_from('<Q', key)[0] & (1 << 60) - 1 != file
                and not (key[7] >> 4 == DENTRY and struct.unpack_from('<Q', value)[0] == file)]
struct.pack_into('<Q', live.node, 16, when)
live.write()
objects.add(struct.pack('<QQ', root, when), struct.pack('<IIQ', 0, BLOCK, free))
struct.pack_into('<Q', objects.node, 16, when)
objects.write()
open(sys.argv[2], 'wb').write(image)
