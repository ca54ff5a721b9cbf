#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_rar_secret.py SOURCE.rar PASSWORD OUT.rar [names] [volumes=BYTES] [wrong] [service]: the RAR archive of one member SOURCE
(version 3 or 5, not encrypted) encrypted as WinRAR does, after rarlab's technotes: its member, or all headers with
"names"; with volumes cut into OUT.part1.rar ... of so many bytes of data;
with a wrong checksum (version 5); or with an encrypted service block behind the member's part in each volume, as that of
quick open is. No free program encrypts RAR; openssl does the AES."""
import hashlib
import hmac
import os
import struct
import subprocess
import sys
import zlib

CYCLES = 10


def aes(key, iv, data):
    data += bytes(-len(data) % 16)
    return subprocess.run(['openssl', 'enc', f'-aes-{len(key) * 8}-cbc', '-K', key.hex(), '-iv', iv.hex(), '-nopad'],
                          input=data, stdout=subprocess.PIPE, check=True).stdout


def number(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def take(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


class New:
    """RAR 5."""
    signature = b'Rar!\x1a\x07\x01\x00'
    is_wrong = has_service = False

    def __init__(self, password, names):
        self.names, self.salt, self.iv = names, b'0123456789abcdef', b'ABCDEFGHIJKLMNOP'
        self.key, self.hash_key, value = (hashlib.pbkdf2_hmac('sha256', password.encode(), self.salt, (1 << CYCLES) + more)
                                          for more in (0, 16, 32))
        check = bytes(value[i] ^ value[i + 8] ^ value[i + 16] ^ value[i + 24] for i in range(8))
        self.check = check + hashlib.sha256(check).digest()[:4]

    @staticmethod
    def member(data):
        at = 8
        while True:
            size, start = take(data, at + 4)
            kind, p = take(data, start)
            flags, p = take(data, p)
            extra, p = take(data, p) if flags & 1 else (0, p)
            n, p = take(data, p) if flags & 2 else (0, p)
            end = start + size
            if kind == 2:
                return data[p:end - extra], data[end - extra:end], data[end:end + n]
            at = end + n

    def block(self, kind, flags, body, extra=b'', data=None, plain=False):
        flags |= (1 if extra else 0) | (2 if data is not None else 0)
        rest = number(kind) + number(flags) + (number(len(extra)) if extra else b'')
        rest += (number(len(data)) if data is not None else b'') + body + extra
        head = number(len(rest)) + rest
        head = struct.pack('<I', zlib.crc32(head)) + head
        if self.names and not plain:
            iv = os.urandom(16)
            head = iv + aes(self.key, iv, head)
        return head + (data or b'')

    def volume(self, member, part, i, is_last, is_single):
        body, extra, _ = member
        flags, p = take(body, 0)
        _, p = take(body, p)
        _, p = take(body, p)
        p += 4 if flags & 2 else 0
        iv, data = self.iv, part
        if flags & 4 and not self.names:
            crc = bytes(4) if self.is_wrong else body[p:p + 4] if is_last else struct.pack('<I', zlib.crc32(data))
            mac = hmac.new(self.hash_key, crc, 'sha256').digest()
            words = struct.unpack('<8I', mac)
            value = 0
            for word in words:
                value ^= word
            body = body[:p] + struct.pack('<I', value) + body[p + 4:]
        record = number(1) + number(0) + number(1 if self.names else 3) + bytes([CYCLES]) + self.salt + iv + self.check
        extra = number(len(record)) + record + extra
        out = self.signature
        if self.names:
            out += self.block(4, 0, number(0) + number(1) + bytes([CYCLES]) + self.salt + self.check, plain=True)
        main = number(0) if is_single else number(1 if i == 0 else 3) + (number(i) if i > 0 else b'')
        out += self.block(1, 0, main)
        out += self.block(2, (8 if i > 0 else 0) | (0 if is_last else 16), body, extra, data)
        if self.has_service:
            service = bytes(50)
            record = number(1) + number(0) + number(1) + bytes([CYCLES]) + self.salt + bytes(16) + self.check
            out += self.block(3, 4, number(0) + number(len(service)) + number(0) * 3 + number(2) + b'QO',
                              number(len(record)) + record, aes(self.key, bytes(16), service))
        return out + self.block(5, 0, number(0 if is_last else 1))


class Old:
    """RAR 3."""
    signature = b'Rar!\x1a\x07\x00'
    has_service = False

    def __init__(self, password, names):
        self.names, self.password, self.salt = names, password, b'saltsalt'
        seed, sum_, self.iv = password.encode('utf-16-le') + self.salt, hashlib.sha1(), b''
        for i in range(0x40000):
            sum_.update(seed + struct.pack('<I', i)[:3])
            if i % 0x4000 == 0:
                self.iv += sum_.digest()[19:20]
        digest = sum_.digest()
        self.key = b''.join(digest[i:i + 4][::-1] for i in range(0, 16, 4))

    @staticmethod
    def member(data):
        at = 7
        while True:
            _, kind, flags, size = struct.unpack_from('<HBHH', data, at)
            n = struct.unpack_from('<I', data, at + 7)[0] if flags & 0x8000 else 0
            if kind == 0x74:
                return data[at:at + size], flags, data[at + size:at + size + n]
            at += size + n

    def block(self, kind, flags, rest, data=b'', plain=False):
        head = struct.pack('<BHH', kind, flags, 7 + len(rest)) + rest
        head = struct.pack('<H', zlib.crc32(head) & 0xFFFF) + head
        if self.names and not plain:
            head = self.salt + aes(self.key, self.iv, head)
        return head + data

    def volume(self, member, part, i, is_last, is_single):
        head, flags, _ = member
        data = part
        n_name, = struct.unpack_from('<H', head, 26)
        rest = bytearray(head[7:32 + n_name] + self.salt + head[32 + n_name:])
        struct.pack_into('<I', rest, 0, len(data))
        if not is_last:
            struct.pack_into('<I', rest, 9, zlib.crc32(data))
        flags = flags & ~3 | 4 | 0x400 | (1 if i > 0 else 0) | (0 if is_last else 2)
        main = (0 if is_single else 0x11 | (0x100 if i == 0 else 0)) | (0x80 if self.names else 0)
        service = b''
        if self.has_service:
            entry = struct.pack('<IIBIIBBHI', 48, 40, 2, 0, 0x58A55000, 29, 0x30, 3, 0x20) + b'CMT' + self.salt
            service = self.block(0x7A, 0x8000 | 4 | 0x400, entry, aes(self.key, self.iv, bytes(40)))
        return (self.signature + self.block(0x73, main, bytes(6), plain=True) + self.block(0x74, flags, bytes(rest), data) +
                service + self.block(0x7B, 0x4000 | (0 if is_last else 1), b''))


def main():
    source, password, out, *options = sys.argv[1:]
    with open(source, 'rb') as given:
        data = given.read()
    kind = New if data.startswith(New.signature) else Old
    writer, member = kind(password, 'names' in options), kind.member(data)
    writer.is_wrong, writer.has_service = 'wrong' in options, 'service' in options
    size = next((int(o.split('=')[1]) for o in options if o.startswith('volumes=')), 0)
    packed = aes(writer.key, writer.iv, member[2])  # goes on from volume to volume
    parts = [packed[i:i + size] for i in range(0, len(packed), size)] if size else [packed]
    for i, part in enumerate(parts):
        name = out.replace('.rar', f'.part{i + 1}.rar') if size else out
        with open(name, 'wb') as given:
            given.write(writer.volume(member, part, i, i + 1 == len(parts), not size))


if __name__ == '__main__':
    main()
