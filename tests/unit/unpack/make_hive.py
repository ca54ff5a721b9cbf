#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_hive.py FILE [KEY VALUE TYPE FILE-WITH-DATA]...: a registry hive. An empty one is written here (hivex has none
to begin with), keys and values are added by hivexregedit; KEY is separated by '\\', no VALUE is the key's own."""
import struct
import subprocess
import sys

KEY_ROOT = 0x2C  # root of a hive, not to be deleted, name in one byte a character
WRITTEN = 133485408000000000  # 2024-01-01


def empty():
    name = b'CMI-CreateHive'
    root = struct.pack('<2sHQIIIIIIIIIIIIIIIHH', b'nk', KEY_ROOT, WRITTEN, 0, 0xFFFFFFFF, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0,
                       0xFFFFFFFF, 0x88, 0xFFFFFFFF, 0, 0, 0, 0, 0, len(name), 0) + name
    root = struct.pack('<i', -0x68) + root.ljust(0x64, b'\0')
    owner = bytes((1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0))
    descriptor = struct.pack('<BBHIIII', 1, 0, 0x8000, 20, 32, 0, 0) + owner + owner
    security = struct.pack('<2sHIIII', b'sk', 0, 0x88, 0x88, 1, len(descriptor)) + descriptor
    security = struct.pack('<i', -0x48) + security.ljust(0x44, b'\0')
    cells = root + security
    left = 4096 - 32 - len(cells)
    bin_ = struct.pack('<4sII8xQI', b'hbin', 0, 4096, WRITTEN, 0) + cells + struct.pack('<i', left) + bytes(left - 4)
    base = struct.pack('<4sIIQIIIIIII', b'regf', 1, 1, WRITTEN, 1, 3, 0, 1, 0x20, 4096, 1).ljust(508, b'\0')
    checksum = 0
    for (word,) in struct.iter_unpack('<I', base):
        checksum ^= word
    return (base + struct.pack('<I', checksum)).ljust(4096, b'\0') + bin_


def main():
    file, rest = sys.argv[1], sys.argv[2:]
    with open(file, 'wb') as out:
        out.write(empty())
    keys = {}
    for key, value, kind, data in zip(*(rest[i::4] for i in range(4))):
        name = '"' + value.replace('\\', '\\\\').replace('"', '\\"') + '"' if value else '@'
        with open(data, 'rb') as given:
            keys.setdefault(key, []).append(f'{name}=hex({int(kind):x}):{given.read().hex(",")}\n')
    text = ['Windows Registry Editor Version 5.00\n']
    for key, values in keys.items():
        steps = key.split('\\')
        text += ['\n[' + '\\'.join(['', *steps[:i]]) + ']\n' for i in range(1, len(steps))]
        text += [f'\n[\\{key}]\n', *values]
    with open(file + '.reg', 'w', encoding='utf-8') as out:
        out.writelines(text)
    subprocess.run(['hivexregedit', '--merge', file, file + '.reg'], check=True)


main()
