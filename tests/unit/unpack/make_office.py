#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_office.py: writes documents that carry payload.vbs (read from here) into this directory:
OLE2 files built byte by byte, VBA source packed after [MS-OVBA], RTF, flat XML, Outlook's RTF."""
import base64
import hashlib
import io
import random
import struct
import subprocess
import zipfile
import zlib

FREE, END, FATSECT, NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
SOURCE = b'Attribute VB_Name = "Module1"\r\nSub Auto_Open()\r\n' \
         b'Set message = CreateObject("CDO.Message")\r\nEnd Sub\r\n' + b"' padding of some length\r\n" * 400
MSI = bytes.fromhex('84100c0000000000c000000000000046')


def lzw(data, early=1):
    """As a PDF packs it; early: codes grow one code before they must."""
    table = {bytes([i]): i for i in range(256)}
    bits, width, following, word = f'{256:09b}', 9, 258, b''
    for i in range(len(data)):
        if word + data[i:i + 1] in table:
            word += data[i:i + 1]
            continue
        bits += f'{table[word]:0{width}b}'
        table[word + data[i:i + 1]] = following
        following += 1
        width = max(width, (following + early - 1).bit_length())
        if following == 4093:
            bits += f'{256:0{width}b}'
            table, width, following = {bytes([i]): i for i in range(256)}, 9, 258
        word = data[i:i + 1]
    bits += f'{table[word]:0{width}b}'
    width = max(width, (following + 1 + early - 1).bit_length())
    bits += f'{257:0{width}b}'
    return int(bits + '0' * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8, 'big')


def runs(data):
    return b''.join(bytes([len(part) - 1]) + part for part in (data[i:i + 100] for i in range(0, len(data), 100))) + b'\x80'


def predicted(data, width, sample):
    """PNG's five kinds of rows, in turn; the last row may be short."""
    def guess(kind, left, up, corner):
        near = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))
        return [0, left, up, (left + up) // 2, near[2]][kind]
    out, above = bytearray(), bytes(width)
    for i in range(0, len(data), width):
        row, kind = data[i:i + width], i // width % 5
        out += bytes([kind] + [(row[j] - guess(kind, row[j - sample] if j >= sample else 0, above[j],
                                               above[j - sample] if j >= sample else 0)) & 255 for j in range(len(row))])
        above = row
    return bytes(out)


def pdf(*objects):
    """Of (dictionary, stream), numbered from 1."""
    return b'%PDF-1.7\n' + b''.join(b'%d 0 obj\n<<%s>>\nstream\n%s\nendstream\nendobj\n' % (i + 1, *pair)
                                   for i, pair in enumerate(objects)) + b'%%EOF\n'


def ovba(data, greedy=True):
    """Compressed container; greedy: with copy tokens, else literals alone."""
    out = bytearray(b'\1')
    for start in range(0, len(data), 4096):
        chunk, body, i = data[start:start + 4096], bytearray(), 0
        while i < len(chunk):
            flags, group = 0, bytearray()
            for bit in range(8):
                if i >= len(chunk):
                    break
                bits = max(4, (i - 1).bit_length()) if i else 4
                longest, back = 0, 0
                if greedy and i:
                    most = min((0xFFFF >> bits) + 3, len(chunk) - i)
                    for length in range(most, 2, -1):
                        at = chunk.rfind(chunk[i:i + length], 0, i + length - 1)
                        if at >= 0:
                            longest, back = length, i - at
                            break
                        if length > 64:
                            continue
                if longest >= 3:
                    flags |= 1 << bit
                    group += struct.pack('<H', (back - 1) << (16 - bits) | longest - 3)
                    i += longest
                else:
                    group.append(chunk[i])
                    i += 1
            body.append(flags)
            body += group
        out += struct.pack('<H', 0xB000 | len(body) - 1) + body
    return bytes(out)


def record(kind, data):
    return struct.pack('<HI', kind, len(data)) + data


def project_dir(modules):
    out = record(1, struct.pack('<I', 3)) + struct.pack('<HIIH', 9, 4, 1, 2) + record(0x0F, struct.pack('<H', len(modules)))
    for name, offset in modules:
        out += record(0x19, name.encode()) + record(0x1A, name.encode()) + record(0x32, name.encode('utf-16le'))
        out += record(0x31, struct.pack('<I', offset)) + struct.pack('<HI', 0x21, 0) + struct.pack('<HI', 0x2B, 0)
    return out + struct.pack('<HI', 0x10, 0)


def entry(name, kind, left=NONE, right=NONE, child=NONE, start=END, size=0, clsid=bytes(16)):
    raw = name if isinstance(name, bytes) else name.encode('utf-16le')
    return (raw[:62].ljust(64, b'\0') + struct.pack('<HBBIII', min(len(raw), 62) + 2, kind, 1, left, right, child) +
            clsid + struct.pack('<IQQIQ', 0, 0, 132223104000000000, start, size))


def assemble(entries, sectors, chains, cutoff=0):
    """Directory, streams' sectors and tables as a file; chains: lists of sector numbers."""
    while len(entries) % 4:
        entries.append(bytes(128))
    data = b''.join(entries)
    first = len(sectors)
    sectors = sectors + [data[i:i + 512] for i in range(0, len(data), 512)]
    chains = chains + [list(range(first, len(sectors)))]
    n_fat = 1
    while True:
        n_difat = max(0, (n_fat - 109 + 126) // 127)
        if n_fat * 128 >= len(sectors) + n_fat + n_difat:
            break
        n_fat += 1
    fat = [FREE] * (n_fat * 128)
    for chain in chains:
        for here, after in zip(chain, chain[1:] + [END]):
            fat[here] = after
    at = list(range(len(sectors), len(sectors) + n_fat))
    for sector in at:
        fat[sector] = FATSECT
    difat = b''
    for k in range(n_difat):
        part = at[109 + 127 * k:109 + 127 * (k + 1)]
        fat[len(sectors) + n_fat + k] = 0xFFFFFFFC
        after = len(sectors) + n_fat + k + 1 if k + 1 < n_difat else END
        difat += struct.pack('<128I', *(part + [FREE] * (127 - len(part)) + [after]))
    header = bytes.fromhex('d0cf11e0a1b11ae1') + bytes(16) + struct.pack(
        '<HHHHHHIIIIIIIIII', 0x3E, 3, 0xFFFE, 9, 6, 0, 0, 0, n_fat, first, 0, cutoff, END, 0,
        len(sectors) + n_fat if n_difat else END, n_difat)
    header += struct.pack('<109I', *(at[:109] + [FREE] * (109 - len(at[:109]))))
    return header + b''.join(s.ljust(512, b'\0') for s in sectors) + struct.pack(f'<{len(fat)}I', *fat) + difat


def cfb(streams, clsid=bytes(16), unlinked=()):
    """streams: {path: bytes}; all in sectors of their own, none in the mini stream."""
    names, children, sectors, chains = [()], {(): []}, [], []
    for path in streams:
        parts = tuple(path.split('/')) if isinstance(path, str) else (path,)
        for n in range(1, len(parts) + 1):
            if parts[:n] not in names:
                names.append(parts[:n])
                children.setdefault(parts[:n - 1], []).append(parts[:n])
                children.setdefault(parts[:n], [])
    entries = []
    for name in names:
        below = [k for k in children[name] if k not in unlinked]
        child = names.index(below[0]) if below else NONE
        beside = children.get(name[:-1], []) if name else []
        beside = [k for k in beside if k not in unlinked]
        after = beside[beside.index(name) + 1:] if name in beside else []
        right = names.index(after[0]) if after else NONE
        path = '/'.join(name) if name and isinstance(name[0], str) else (name[0] if name else '')
        if name and path in streams:
            data = streams[path]
            start = len(sectors)
            sectors += [data[i:i + 512] for i in range(0, len(data), 512)]
            chains.append(list(range(start, len(sectors))))
            entries.append(entry(name[-1], 2, right=right, start=start if data else END, size=len(data)))
        else:
            entries.append(entry(name[-1] if name else 'Root Entry', 1 if name else 5, right=right, child=child,
                                 clsid=bytes(16) if name else clsid))
    return assemble(entries, sectors, chains)


def msi_name(text):
    letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._'
    units, i = [], 0
    while i < len(text):
        if text[i] == '!' and i == 0:
            units.append(0x4840)
            i += 1
        elif i + 1 < len(text):
            units.append(0x3800 + letters.index(text[i]) + 64 * letters.index(text[i + 1]))
            i += 2
        else:
            units.append(0x4800 + letters.index(text[i]))
            i += 1
    return struct.pack(f'<{len(units)}H', *units)


def package(name, data):
    return (struct.pack('<H', 2) + name + b'\0C:\\x\\' + name + b'\0' + struct.pack('<HHI', 0, 3, 4) + b'tmp\0' +
            struct.pack('<I', len(data)) + data + b'\0\0')


def ole1(kind, data):
    return struct.pack('<III', 0x501, 2, len(kind) + 1) + kind + b'\0' + struct.pack('<III', 0, 0, len(data)) + data


def lzfu(data, known=11):
    """Literals, and one reference to the first known bytes of what every dictionary begins with."""
    start = (b'{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript '
             b'\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par '
             b'\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx')
    assert data.startswith(start[:known])
    tokens = [struct.pack('>H', known - 2)] if known else []
    tokens += [data[i:i + 1] for i in range(known, len(data))]
    tokens.append(struct.pack('>H', (len(start) + len(data)) % 4096 << 4))
    body = b''
    for i in range(0, len(tokens), 8):
        group = tokens[i:i + 8]
        body += bytes([sum(1 << k for k, t in enumerate(group) if len(t) == 2)]) + b''.join(group)
    return struct.pack('<II4sI', len(body) + 12, len(data), b'LZFu', 0) + body


def aes(key, iv, data):
    """By openssl, not by the code under test; iv None: each block by itself."""
    kind = f'-aes-{8 * len(key)}-' + ('ecb' if iv is None else 'cbc')
    command = ['openssl', 'enc', kind, '-K', key.hex(), '-nopad'] + ([] if iv is None else ['-iv', iv.hex()])
    return subprocess.run(command, input=data + bytes(-len(data) % 16), stdout=subprocess.PIPE, check=True).stdout


def spun(kind, salt, password, spins):
    value = hashlib.new(kind, salt + password.encode('utf-16le')).digest()
    for i in range(spins):
        value = hashlib.new(kind, struct.pack('<I', i) + value).digest()
    return value


def agile(package, password, kind='sha512', bits=256, spins=1000):
    """[MS-OFFCRYPTO] 2.3.4.10 to 15."""
    salt, package_salt, secret, check = (bytes(range(k, k + n)) for k, n in ((1, 16), (50, 16), (90, bits // 8), (7, 16)))
    base = spun(kind, salt, password, spins)
    key = lambda block: hashlib.new(kind, base + bytes.fromhex(block)).digest().ljust(64, b'\x36')[:bits // 8]
    text = lambda data: base64.b64encode(data).decode()
    cipher = (f'saltSize="16" blockSize="16" keyBits="{bits}" hashSize="{hashlib.new(kind).digest_size}" '
              f'cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="{kind.upper()}"')
    fields = (('encryptedVerifierHashInput', 'fea7d2763b4b9e79', check),
              ('encryptedVerifierHashValue', 'd7aa0f6d3061344e', hashlib.new(kind, check).digest()),
              ('encryptedKeyValue', '146e0be7abacd0d6', secret))
    place = 'http://schemas.microsoft.com/office/2006/'
    info = (f'<?xml version="1.0"?><encryption xmlns="{place}encryption" xmlns:p="{place}keyEncryptor/password">'
            f'<keyData {cipher} saltValue="{text(package_salt)}"/>'
            f'<dataIntegrity encryptedHmacKey="{text(bytes(16))}" encryptedHmacValue="{text(bytes(16))}"/><keyEncryptors>'
            f'<keyEncryptor><p:encryptedKey spinCount="{spins}" {cipher} saltValue="{text(salt)}" ' +
            ' '.join(f'{name}="{text(aes(key(block), salt, data))}"' for name, block, data in fields) +
            '/></keyEncryptor></keyEncryptors></encryption>')
    body = b''.join(aes(secret, hashlib.new(kind, package_salt + struct.pack('<I', i)).digest()[:16],
                        package[4096 * i:4096 * (i + 1)]) for i in range((len(package) + 4095) // 4096))
    # So long that other tools look for it in sectors of its own, as cfb() stores it.
    return cfb({'EncryptionInfo': b'\4\0\4\0\x40\0\0\0' + info.encode().ljust(4096),
                'EncryptedPackage': struct.pack('<Q', len(package)) + body})


def standard(package, password):
    """[MS-OFFCRYPTO] 2.3.4.5 to 9, AES-128."""
    salt, check = bytes(range(16)), bytes(range(60, 76))
    base = hashlib.sha1(spun('sha1', salt, password, 50000) + bytes(4)).digest()
    half = lambda pad: hashlib.sha1(bytes(a ^ b for a, b in zip(base.ljust(64, b'\0'), pad * 64))).digest()
    key = (half(b'\x36') + half(b'\x5c'))[:16]
    header = struct.pack('<IIIIIIII', 0x24, 0, 0x660E, 0x8004, 128, 0x18, 0, 0) + 'AES provider\0'.encode('utf-16le')
    info = struct.pack('<HHII', 4, 2, 0x24, len(header)) + header + struct.pack('<I', 16) + salt + \
        aes(key, None, check) + struct.pack('<I', 20) + aes(key, None, hashlib.sha1(check).digest())
    return cfb({'EncryptionInfo': info.ljust(4096, b'\0'),
                'EncryptedPackage': struct.pack('<Q', len(package)) + aes(key, None, package)})


def put(name, data):
    with open(name, 'wb') as file:
        file.write(data)


def main():
    payload = open('payload.vbs', 'rb').read()
    put('source', SOURCE)
    module = b'\x16\x03\0performance cache' + ovba(SOURCE)
    plain = b'Sub odd()\r\nEnd Sub \'' + b'no attribute at all, and literals alone ' * 3
    vba = {'VBA/dir': ovba(project_dir([('Module1', len(module) - len(ovba(SOURCE))), ('Odd', 7)])),
           'VBA/Module1': module, 'VBA/Odd': b'skipped' + ovba(plain, greedy=False), 'VBA/_VBA_PROJECT': b'\xcc\x61'}
    project = cfb(vba)
    put('odd', plain)
    put('vbaProject.bin', project)
    put('macro.doc', cfb({'WordDocument': b'\xec\xa5' + bytes(600), **{'Macros/' + k: v for k, v in vba.items()},
                          'ObjectPool/_1/\1Ole10Native': struct.pack('<I', 9) + package(b'payload.vbs', payload)}))
    put('package.bin', cfb({'\1Ole10Native': struct.pack('<I', 9) + package(b'payload.vbs', payload)}))
    # The directory is gone: only the signature leads to the module.
    damaged = bytearray(project)
    at = project.index('Root Entry'.encode('utf-16le'))
    damaged[at:at + 512 * ((5 + 3) // 4)] = random.Random(7).randbytes(512 * 2)
    put('damaged.bin', bytes(damaged))
    put('headless.bin', b'x' + project)
    put('unlinked.bin', cfb({'VBA/Module1': module, 'other': b'o' * 40}, unlinked=[('VBA',)]))
    put('installer.msi', cfb({msi_name('!Binary'): b'\1\0' * 40, msi_name('Binary.Script'): payload}, clsid=MSI))
    storage = cfb(vba)
    packed = zlib.compress(storage)
    put('slides.ppt', cfb({'PowerPoint Document': b'\x0f\0\xe8\3\x08\0\0\0' + bytes(8) +
                           struct.pack('<HHII', 0x10, 0x1011, len(packed) + 4, len(storage)) + packed +
                           struct.pack('<HHI', 0, 0x1011, len(storage)) + storage}))
    packed = zlib.compress(cfb({'payload': payload}))
    put('package.ppt', cfb({'PowerPoint Document': struct.pack('<HHII', 0x10, 0x1011, len(packed) + 4, 0) + packed}))
    wide = lambda text: text.encode('utf-16le')
    put('mail.msg', cfb({'__substg1.0_0037001F': wide('subject of the mail'),
                         '__substg1.0_1000001F': wide('Set message = CreateObject("CDO.Message") in a body'),
                         '__substg1.0_10090102': lzfu(b'{\\rtf1\\ansi ' + payload[:3000].replace(b'\\', b'') + b'}'),
                         '__attach_version1.0_#00000000/__substg1.0_3704001F': wide('PAYLOA~1.VBS'),
                         '__attach_version1.0_#00000000/__substg1.0_3707001F': wide('payload.vbs'),
                         '__attach_version1.0_#00000000/__substg1.0_37010102': payload}))
    put('payload.lzfu', lzfu(payload, 0))
    put('rtf.lzfu', lzfu(b'{\\rtf1\\ansi ' + payload[:3000].replace(b'\\', b'') + b'}'))
    put('encrypted.docx', cfb({'EncryptionInfo': b'\4\0\4\0' + bytes(60), 'EncryptedPackage': bytes(600)}))
    package_zip = io.BytesIO()
    with zipfile.ZipFile(package_zip, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('word/vbaProject.bin', project)
        archive.writestr('word/noise', random.Random(3).randbytes(9000))
    put('agile.docm', agile(package_zip.getvalue(), 'geheim\u00e4'))
    put('agile1.docm', agile(package_zip.getvalue(), 'VelvetSweatshop', 'sha1', 128))
    put('standard.docm', standard(package_zip.getvalue(), 'infected'))
    put('package.docm', package_zip.getvalue())
    digits = ole1(b'Package', package(b'payload.vbs', payload)).hex().encode()
    odd = b''.join(digits[i:i + 60] + (b'\r\n', b' ', b'{\\*\\bogus }', b"\\'41", b'\\ignored12 ')[i // 60 % 5]
                   for i in range(0, len(digits), 60))
    put('object.rtf', b'{\\rt{\\object\\objemb{\\*\\objdata123 ' + odd + b'}}{\\object{\\*\\objdata ' +
        ole1(b'Word.Document.8', project).hex().encode() + b'}}}')
    put('package.rtf', b'{\\rtf1{\\object\\objemb{\\*\\objdata ' + digits + b'}}}')
    part = '<pkg:part pkg:name="/word/%s"><pkg:binaryData>%s</pkg:binaryData></pkg:part>'
    put('flat.xml', ('<?xml version="1.0"?><pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">' +
                     part % ('payload.vbs', base64.encodebytes(payload).decode()) +
                     part % ('vbaProject.bin', base64.b64encode(project).decode()) + '</pkg:package>').encode())
    put('payload.xml', ('<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">' +
                        part % ('payload.vbs', base64.b64encode(payload).decode()) + '</pkg:package>').encode())
    mso = b'ActiveMime\0\0\1\xf0' + bytes(0x32 - 14) + zlib.compress(project)
    put('editdata.mso', mso)
    put('payload.mso', b'ActiveMime\0\0\1\xf0' + bytes(0x32 - 14) + zlib.compress(payload))
    put('word2003.xml', ('<?xml version="1.0"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml">'
                         '<w:docSuppData><w:binData w:name="editdata.mso">' + base64.encodebytes(mso).decode() +
                         '</w:binData></w:docSuppData></w:wordDocument>').encode())
    stream = base64.a85encode(zlib.compress(payload), adobe=True)[2:]
    script = zlib.compress(b'app.alert("CDO.Message")')
    put('payload.pdf', b'%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n7 0 obj\n'
        b'<< /Type /EmbeddedFile /Filter [ /ASCII85Decode /FlateDecode ] /Length 9 >>\nstream\r\n' + stream +
        b'\nendstream\nendobj\n8 0 obj <</Filter/FlateDecode>>stream\n' + script + b'\nendstream endobj\n'
        b'9 0 obj <</Subtype /Image /Filter /DCTDecode>> stream\nxxxx\nendstream endobj\n%%EOF\n')
    # A view of the whole is a PDF again, with all streams further on: each comes once.
    twice = b'%PDF-1.7\n1 0 obj (' + b'\\x43\\x44\\x4f\\x2e\\x4d' * 3 + b') endobj\n7 0 obj\n' \
        b'<</Filter /FlateDecode>>\nstream\n'
    put('twice.pdf', twice + zlib.compress(payload) + b'\nendstream\nendobj\n' + twice[9:].replace(b'7 0', b'8 0') +
        zlib.compress(b'another ' + payload) + b'\nendstream\nendobj\n%%EOF\n')
    put('filters.pdf', pdf(
        (b'/Filter /LZWDecode', lzw(payload)), (b'/Filter /LZWDecode /DecodeParms <</EarlyChange 0>>', lzw(payload, 0)),
        (b'/Filter [/ASCIIHexDecode/LZWDecode]', b'800B6050220C0C8501>'), (b'/Filter/RunLengthDecode', runs(payload)),
        (b'/F#69lter /Fl#61teDecode', zlib.compress(payload)),
        (b'/Filter [/AHx /Fl] /DecodeParms [null <</Predictor 15 /Columns 50 /Colors 3>>]',
         zlib.compress(predicted(payload, 150, 3)).hex().encode() + b'>'),
        (b'/Filter /FlateDecode /X (' + b'x' * 5000 + b')', zlib.compress(payload))))
    put('unread.pdf', pdf(
        (b'/Filter /JBIG2Decode', b'xxxx'), (b'/Subtype /Image /Filter /JBIG2Decode', b'xxxx'),
        (b'/Filter [/FlateDecode /Crypt]', zlib.compress(payload)), (b'/Filter 12 0 R', zlib.compress(payload)),
        (b'/Filter /LZWDecode', lzw(payload)[:-20]), (b'/Filter /FlateDecode /DecodeParms 9 0 R', zlib.compress(payload)),
        (b'/Filter /FlateDecode /DecodeParms <</Predictor 2 /BitsPerComponent 4>>', zlib.compress(payload))))
    put('plain.pdf', b'%PDF-1.7\n7 0 obj\n<</Filter /FlateDecode>>\nstream\n' + zlib.compress(payload) +
        b'\nendstream\nendobj\n%%EOF\n')
    # Hostile: a chain that bites its tail, streams that share sectors, very many siblings, deep storages.
    put('circle.ole', assemble([entry('Root Entry', 5, child=1), entry('loop', 2, start=0, size=1 << 30)],
                               [b'a' * 512, b'b' * 512], [[0, 1, 0]]))
    sectors = [bytes([65 + i % 26]) * 512 for i in range(256)]
    put('shared.ole', assemble([entry('Root Entry', 5, child=1)] +
                               [entry('s%05d' % i, 2, right=i + 1, start=0, size=512 * 256) for i in range(1, 2000)],
                               sectors, [list(range(256))]))
    put('siblings.ole', assemble([entry('Root Entry', 5, child=1)] +
                                 [entry('s%06d' % i, 2, left=i + 1) for i in range(1, 100000)], [], []))
    put('deep.ole', assemble([entry('Root Entry', 5, child=1)] +
                             [entry('d', 1, child=i + 1) for i in range(1, 20000)] +
                             [entry('leaf', 2, start=0, size=5)], [b'hello'], [[0]]))
    fake = b'\1\x0b\xb0\0Attribut\1\1'
    put('modules.bin', fake * 70000)


if __name__ == '__main__':
    main()
