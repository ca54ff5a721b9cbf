#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_bitlocker.py PLAIN.dd OUT.dd METHOD PROTECTOR...: the volume as Windows 7 and later would encrypt it.
METHOD: cbc-128, cbc-256, xts-128, xts-256, and with go- in front BitLocker To Go. PROTECTOR: recovery=KEY,
password=TEXT, clear, tpm. The metadata go where 256 KiB of the plain image are zero: these must be free.
(libbde's description of the format.)"""
import hashlib
import os
import struct
import sys
import zlib

from crypto import ccm, encrypt

METHODS = {'cbc-128': (0x8002, 16), 'cbc-256': (0x8003, 32), 'xts-128': (0x8004, 32), 'xts-256': (0x8005, 64)}
SECTOR, BLOCK, HEADER, WHEN = 512, 65536, 8192, 133500000000000000
GUID = bytes.fromhex('3bd66749292ed84a8399f6a339e3d001')
nonces = iter(range(1, 1000))


def entry(kind, value, data):
    return struct.pack('<HHHH', 8 + len(data), kind, value, 1) + data


def key_entry(method, key):
    return entry(0, 1, struct.pack('<I', method) + key)


def sealed(kind, key, plain):
    nonce = struct.pack('<QI', WHEN, next(nonces))
    return entry(kind, 5, nonce + ccm(key, nonce, plain))


def stretch(initial, salt):
    last = bytes(32)
    for count in range(0x100000):
        last = hashlib.sha256(last + initial + salt + count.to_bytes(8, 'little')).digest()
    return last


def vmk_entry(protector, vmk):
    name, _, secret = protector.partition('=')
    salt, plain = os.urandom(16), key_entry(0x2003, vmk)
    if name == 'recovery':
        groups = [int(group) for group in secret.split('-')]
        assert len(groups) == 8 and all(group % 11 == 0 for group in groups)
        key = stretch(hashlib.sha256(struct.pack('<8H', *(group // 11 for group in groups))).digest(), salt)
        kind, inner = 0x0800, entry(0, 3, struct.pack('<I', 0x1000) + salt + sealed(0, vmk, key_entry(0x1000, key)))
    elif name == 'password':
        key = stretch(hashlib.sha256(hashlib.sha256(secret.encode('utf-16le')).digest()).digest(), salt)
        kind, inner = 0x2000, entry(0, 3, struct.pack('<I', 0x1000) + salt + sealed(0, vmk, key_entry(0x1000, key)))
    elif name == 'clear':
        key = os.urandom(32)
        kind, inner = 0x0000, key_entry(0x2001, key)
    else:
        key = os.urandom(32)
        return entry(2, 8, os.urandom(16) + struct.pack('<QHH', WHEN, 0, 0x0100) + entry(0, 6, os.urandom(200)))
    return entry(2, 8, os.urandom(16) + struct.pack('<QHH', WHEN, 0, kind) + inner + sealed(0, key, plain))


def main(plain_name, out_name, method, *protectors):
    plain = bytearray(open(plain_name, 'rb').read())
    is_to_go, method = method.startswith('go-'), method.removeprefix('go-')
    code, key_bytes = METHODS[method]
    fvek, vmk, size = os.urandom(key_bytes), os.urandom(32), len(plain)
    room = size // BLOCK * BLOCK - 4 * BLOCK
    while any(plain[room:room + 4 * BLOCK]):
        room -= BLOCK
    assert room > BLOCK, 'no room is free'
    blocks, header_at = [room, room + BLOCK, room + 2 * BLOCK], room + 3 * BLOCK
    entries = entry(7, 2, 'DESKTOP C: 2026-01-01\0'.encode('utf-16le'))
    entries += b''.join(vmk_entry(protector, vmk) for protector in protectors)
    entries += sealed(3, vmk, key_entry(code, fvek))
    entries += entry(15, 15, struct.pack('<QQ', header_at, HEADER))
    n = 48 + len(entries)
    head = struct.pack('<III', n, 1, 48) + struct.pack('<I', n) + os.urandom(16) + struct.pack('<IIQ', next(nonces), code, WHEN)
    total = (64 + n + 15) // 16
    block = b'-FVE-FS-' + struct.pack('<HHHHQIIQQQQ', total, 2, 4, 4, size, 0, HEADER // SECTOR, *blocks, header_at)
    block = (block + head + entries).ljust(total * 16, b'\0')
    proof = sealed(0, vmk, entry(0, 1, struct.pack('<I', 0x2005) + hashlib.sha256(block).digest()))
    block += struct.pack('<HHI', 8 + len(proof), 2, zlib.crc32(block)) + proof

    # The volume's first sectors lie elsewhere, encrypted for that place.
    plain[header_at:header_at + HEADER] = plain[:HEADER]
    out = bytearray(size)
    for at in range(0, size, SECTOR):
        if method.startswith('xts'):
            tweak = struct.pack('<QQ', at // SECTOR, 0)
            name = 'aes-128-xts' if key_bytes == 32 else 'aes-256-xts'
        else:
            tweak = encrypt(f'aes-{key_bytes * 8}-ecb', fvek, None, struct.pack('<QQ', at, 0))
            name = f'aes-{key_bytes * 8}-cbc'
        out[at:at + SECTOR] = encrypt(name, fvek, tweak, bytes(plain[at:at + SECTOR]))
    boot = bytearray(SECTOR)
    boot[:11] = b'\xeb\x58\x90-FVE-FS-'
    struct.pack_into('<HBHBHHBHHHIII', boot, 11, SECTOR, 8, 0, 0, 0, 0, 0xf8, 0x1fe0, 0x3f, 0xff, 0, 0, 0x1fe0)
    if is_to_go:
        boot[3:11] = b'MSWIN4.1'
        struct.pack_into('<I', boot, 32, size // SECTOR)
    place = 424 if is_to_go else 160
    boot[place:place + 16] = GUID
    struct.pack_into('<QQQ', boot, place + 16, *blocks)
    boot[510:] = b'\x55\xaa'
    out[:SECTOR] = boot
    for at in blocks:
        out[at:at + len(block)] = block
    open(out_name, 'wb').write(out)


main(*sys.argv[1:])
