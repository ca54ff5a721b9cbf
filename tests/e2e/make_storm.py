#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_storm.py IMAGE loop|holes|extents: every free inode of an ext2 or ext4 image becomes a deleted
file of a terabyte: of a block of pointers to itself, of few blocks and holes, or of an extent tree
that is its own child. Prints how many there are."""
import struct
import sys

HEAD = '<HHIIIIIHHII4x'  # mode uid size atime ctime mtime dtime gid links blocks flags


def main():
    path, kind = sys.argv[1:3]
    with open(path, 'r+b') as f:
        f.seek(1024)
        super_block = f.read(1024)
        inodes, blocks = struct.unpack_from('<II', super_block)
        first, = struct.unpack_from('<I', super_block, 20)
        size = 1024 << struct.unpack_from('<I', super_block, 24)[0]
        per_group, = struct.unpack_from('<I', super_block, 40)
        inode_size, = struct.unpack_from('<H', super_block, 88)
        loop, n_children = blocks - 2, (size - 12) // 12
        f.seek(loop * size)
        if kind == 'extents':
            f.write(struct.pack('<HHHHI', 0xF30A, n_children, n_children, 4, 0))
            f.write(b''.join(struct.pack('<IIHH', i, loop, 0, 0) for i in range(n_children)))
        else:
            f.write(struct.pack('<I', loop) * (size // 4))
        count = 0
        for group in range(inodes // per_group):
            f.seek((first + 1) * size + group * 32)
            table = struct.unpack_from('<I', f.read(32), 8)[0]
            for index in range(per_group):
                number = group * per_group + index + 1
                if number < 20:
                    continue
                if kind == 'extents':
                    body = struct.pack('<HHHHI', 0xF30A, 4, 4, 5, 0)
                    body += b''.join(struct.pack('<IIHH', i, loop, 0, 0) for i in range(4))
                elif kind == 'loop':
                    body = struct.pack('<15I', *[loop] * 15)
                else:
                    body = struct.pack('<15I', *[loop - 1 - (i + number) % 50 for i in range(12)], 0, 0, 0)
                claim = (1 << 40) + number
                f.seek(table * size + index * inode_size)
                f.write(struct.pack(HEAD, 0o100644, 0, claim & 0xFFFFFFFF, 1600000000, 1600000000, 1600000000, 1600000001,
                                    0, 0, 8, 0x80000 if kind == 'extents' else 0) + body)
                f.write(struct.pack('<IIII', 0, 0, claim >> 32, 0))
                count += 1
    print(count)


main()
