#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_offrc4.py SCRIPT PASSWORD BITS: workbook.xls and document.doc, whose text is SCRIPT, encrypted with RC4 after
[MS-OFFCRYPTO] 2.3.5 (BITS 40 or 128: CryptoAPI) or 2.3.6 (BITS 0: of Office 97); workbook.plain, document.plain and
table.plain are what their streams hold. msoffcrypto-tool opens both."""
import hashlib
import struct
import sys

from make_office import cfb

SALT, VERIFIER = bytes(range(16)), bytes(range(100, 116))


def rc4(key, data):
    s, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + s[i] + key[i % len(key)]) & 255
        s[i], s[j] = s[j], s[i]
    i = j = 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + s[i]) & 255
        s[i], s[j] = s[j], s[i]
        out.append(byte ^ s[(s[i] + s[j]) & 255])
    return bytes(out)


def block_key(password, bits, block):
    number = struct.pack('<I', block)
    if bits:
        base = hashlib.sha1(SALT + password.encode('utf-16-le')).digest()
        key = hashlib.sha1(base + number).digest()[:bits // 8]
        return key.ljust(16, b'\0') if bits == 40 else key
    first = hashlib.md5(password.encode('utf-16-le')).digest()[:5]
    return hashlib.md5(hashlib.md5((first + SALT) * 16).digest()[:5] + number).digest()


def description(password, bits):
    digest = (hashlib.sha1 if bits else hashlib.md5)(VERIFIER).digest()
    secret = rc4(block_key(password, bits, 0), VERIFIER + digest)
    if not bits:
        return struct.pack('<HH', 1, 1) + SALT + secret
    provider = 'Microsoft Enhanced Cryptographic Provider v1.0\0'.encode('utf-16-le')
    header = struct.pack('<IIIIIIII', 4, 0, 0x6801, 0x8004, bits, 1, 0, 0) + provider
    return (struct.pack('<HHII', 2, 2, 4, len(header)) + header + struct.pack('<I', 16) + SALT + secret[:16] +
            struct.pack('<I', 20) + secret[16:])


def encrypt(data, password, bits, size, is_plain):
    out = b''.join(rc4(block_key(password, bits, i // size), data[i:i + size]) for i in range(0, len(data), size))
    return bytes(p if plain else c for p, c, plain in zip(data, out, is_plain))


def workbook(script, password, bits):
    info = struct.pack('<H', 1) + description(password, bits)
    records = [(0x809, bytes.fromhex('0006050011111111000000000000000000')[:16]), (0x2F, info), (0xE1, b'\xb0\x04'),
               (0x85, struct.pack('<IHBB', 0x1234, 0, 5, 0) + b'Sheet')]
    records += [(0xFC if i == 0 else 0x3C, script[i:i + 8000]) for i in range(0, len(script), 8000)] + [(0x0A, b'')]
    data, mask = b'', []
    for kind, body in records:
        data += struct.pack('<HH', kind, len(body)) + body
        n = len(body) if kind in (0x809, 0x2F, 0xE1) else 4 if kind == 0x85 else 0
        mask += [True] * (4 + n) + [False] * (len(body) - n)
    return data, encrypt(data, password, bits, 1024, mask)


def document(script, password, bits):
    info = description(password, bits)
    head = bytearray(0x44)
    struct.pack_into('<HHHHHHI', head, 0, 0xA5EC, 0xC1, 0, 0x409, 0, 0x1300, 0xBF)
    struct.pack_into('<I', head, 14, len(info))
    text = bytes(head) + script
    table = info + b'table ' * 900
    return (text, encrypt(text, password, bits, 512, [i < 0x44 for i in range(len(text))]),
            table, encrypt(table, password, bits, 512, [i < len(info) for i in range(len(table))]))


def main():
    with open(sys.argv[1], 'rb') as given:
        script = given.read()
    password, bits = sys.argv[2], int(sys.argv[3])
    book, secret_book = workbook(script, password, bits)
    text, secret_text, table, secret_table = document(script, password, bits)
    for name, data in (('workbook.plain', book), ('document.plain', text), ('table.plain', table),
                       ('workbook.xls', cfb({'Workbook': secret_book})),
                       ('document.doc', cfb({'WordDocument': secret_text, '1Table': secret_table}))):
        with open(name, 'wb') as out:
            out.write(data)


main()
