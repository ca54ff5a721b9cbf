#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_matrix.py KIND: one script in every encoding, in every container: files in KIND/, an NTFS image
that holds each of them (every other one deleted), an ext4 image that holds each both ways, and
KIND.tsv: file, whether the NTFS image's is deleted, member, view. KIND is hit or miss: of a miss
nothing may be found."""
import base64
import bz2
import gzip
import io
import lzma
import mailbox
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

sys.dont_write_bytecode = True
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'unit', 'unpack'))
import make_office as office  # noqa: E402
import script_encodings as se  # noqa: E402

NAMES = {'hit': 'CDO.Message', 'miss': 'CDO.Massage'}


def run(*command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


# ---- encodings: view, name of the object -> bytes ----

def text(name):
    return (f'Option Explicit\r\nSet m = CreateObject("{name}")\r\nm.Subject = "rota"\r\n'
            'm.TextBody = "Tuesday as ever, nothing new"\r\nm.Send\r\n')


def page(body):
    return f'<html><head><hta:application/></head>\r\n<script>\r\n{body}\r\n</script></html>\r\n'


def made(expression):
    return f'Option Explicit\r\nSet m = CreateObject({expression})\r\nm.Subject = "rota"\r\nm.Send\r\n'


ENCODINGS = [
    ('raw', lambda n: text(n).encode()),
    ('utf-16le', lambda n: b'\xff\xfe' + text(n).encode('utf-16-le')),
    ('utf-16le', lambda n: text(n).encode('utf-16-le')),
    ('utf-16be', lambda n: b'\xfe\xff' + text(n).encode('utf-16-be')),
    ('utf-16le', lambda n: bytes(range(128, 255)) + text(n).encode('utf-16-le') + b'\xff' * 99),
    ('utf-32', lambda n: text(n).encode('utf-32-le')),
    ('utf-7', lambda n: ('Rem\r\n' + se.utf7(text(n)) + '\r\n').encode()),
    ('vbe', lambda n: se.vbe(text(n)).encode('latin-1') + b'\r\n\0'),
    ('vbe', lambda n: page(se.vbe(text(n))).encode('latin-1')),
    ('entities', lambda n: page(se.entities(text(n))).encode()),
    ('base64', lambda n: page(se.lines(se.b64(text(n).encode()))).encode()),
    ('base64+utf-16le', lambda n: page(se.b64(text(n).encode('utf-16-le'))).encode()),
    ('powershell', lambda n: ('powershell -w hidden -enc ' + se.b64(
        text(n).encode('utf-16-le')) + '\r\n').encode()),
    ('escapes', lambda n: page(f"eval('{se.hex_escapes(text(n))}')").encode()),
    ('escapes', lambda n: page(f"eval(unescape('{se.percent(text(n))}'))").encode()),
    ('folded', lambda n: made(se.joined(n)).encode()),
    ('folded', lambda n: made(se.chars(n)).encode()),
    ('folded', lambda n: made(f'StrReverse("{n[::-1]}")').encode()),
    ('utf-16le+folded', lambda n: made(se.joined(n)).encode('utf-16-le')),
    ('vbe+folded', lambda n: se.vbe(made(se.chars(n))).encode('latin-1')),
    ('utf-16le+vbe', lambda n: b'\xff\xfe' + se.vbe(text(n)).encode('utf-16-le')),
]


# ---- containers: (inner name, bytes) -> bytes, member ----

def pack_zip(name, data, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        archive.writestr(zipfile.ZipInfo(name, (2024, 3, 5, 10, 0, 0)), data, method)
    return out.getvalue(), name


def pack_tar(mode):
    def pack(name, data):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode='w' + mode) as archive:
            info = tarfile.TarInfo('d/' + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        return out.getvalue(), 'd/' + name
    return pack


def pack_7z(name, data):
    with open(name, 'wb') as out:
        out.write(data)
    run('7z', 'a', '-bd', '-y', 'pack.7z', name)
    with open('pack.7z', 'rb') as file:
        packed = file.read()
    os.remove(name)
    os.remove('pack.7z')
    return packed, name


def mail(name, data):
    message = MIMEMultipart('mixed', boundary='=_edge')
    message['From'] = 'a@example.com'
    message['To'] = 'b@example.com'
    message['Date'] = 'Tue, 05 Mar 2024 10:00:00 +0200'
    message.attach(MIMEText('see attached'))
    part = MIMEApplication(data)
    part.add_header('Content-Disposition', 'attachment', filename=name)
    message.attach(part)
    return message


def pack_mail(name, data):
    return mail(name, data).as_bytes(), name


def pack_mbox(name, data):
    box = mailbox.mbox('pack.mbox')
    for inner in 'first.txt', name:
        message = mail(inner, data if inner == name else b'nothing')
        message.set_unixfrom('From - Tue Mar  5 10:00:00 2024')
        box.add(message)
    box.close()
    with open('pack.mbox', 'rb') as file:
        packed = file.read()
    os.remove('pack.mbox')
    return packed, 'message-2!/' + name


# ---- documents; a module's text is shown as view vba, and what is encoded in it further on ----

def pack_doc(name, data):
    return office.cfb({'WordDocument': bytes(600),
                       'Macros/VBA/dir': office.ovba(office.project_dir([('Module1', 4)])),
                       'Macros/VBA/Module1': b'p-co' + office.ovba(data)}), 'Macros/VBA/Module1', 'vba'


def pack_xls(name, data):
    place = '_VBA_PROJECT_CUR/VBA/'
    return office.cfb({'Workbook': bytes(600), place + 'dir': office.ovba(office.project_dir([('ThisWorkbook', 4)])),
                       place + 'ThisWorkbook': b'p-co' + office.ovba(data)}), place + 'ThisWorkbook', 'vba'


def pack_openxml(place):
    """docm, xlsm."""
    def pack(name, data):
        project = office.cfb({'VBA/dir': office.ovba(office.project_dir([('Module1', 4)])),
                              'VBA/Module1': b'p-co' + office.ovba(data)})
        packed, step = pack_zip(place + '/vbaProject.bin', project)
        return packed, step + '!/VBA/Module1', 'vba'
    return pack


def pack_package(name, data):
    stream = struct.pack('<I', 9) + office.package(name.encode(), data)
    return office.cfb({'ObjectPool/_1/\1Ole10Native': stream}), 'ObjectPool/_1/\\x01Ole10Native!/' + name


def pack_msg(name, data):
    place = '__attach_version1.0_#00000000/'
    return office.cfb({place + '__substg1.0_3707001F': name.encode('utf-16-le'),
                       place + '__substg1.0_37010102': data}), place + name


def pack_msi(name, data):
    return office.cfb({office.msi_name('!Binary'): b'\1\0' * 40, office.msi_name('Binary.Script'): data},
                      clsid=office.MSI), 'Binary.Script'


def pack_rtf(name, data):
    objects = office.ole1(b'Package', office.package(name.encode(), data))
    return b'{\\rtf1{\\object\\objemb{\\*\\objdata ' + objects.hex().encode() + b'}}}', \
        '(object 1) Package!/' + name


def pack_ppt(name, data):
    packed = zlib.compress(office.cfb({'x': data}))
    record = struct.pack('<HHII', 0x10, 0x1011, len(packed) + 4, 0) + packed
    return office.cfb({'PowerPoint Document': record}), 'PowerPoint Document!/(object 1)!/x'


def pack_flat(name, data):
    part = base64.encodebytes(data).decode()
    return ('<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage"><pkg:part pkg:name="/word/'
            f'{name}"><pkg:binaryData>{part}</pkg:binaryData></pkg:part></pkg:package>').encode(), 'word/' + name


def pack_pdf(name, data):
    start = b'%PDF-1.7\n7 0 obj\n<</Filter /FlateDecode>>\nstream\n'
    return start + zlib.compress(data) + b'\nendstream\nendobj\n%%EOF\n', f'(object 7 at {len(start)})'


def inside(outer, outer_name, inner):
    """inner in outer, where it has that name."""
    def pack(name, data):
        packed, member = inner(name, data)
        whole, step = outer(outer_name, packed)
        return whole, f'{step}!/{member}'
    return pack


# One row each: (inner name, bytes) -> bytes, member, and the view that shows it where that is not raw.
CONTAINERS = [
    lambda name, data: (data, ''),
    pack_zip,
    lambda name, data: pack_zip(name, data, zipfile.ZIP_STORED),
    lambda name, data: pack_zip(name, data, zipfile.ZIP_LZMA),
    pack_tar(''),
    pack_tar(':gz'),
    pack_tar(':xz'),
    lambda name, data: (gzip.compress(data, mtime=0), '(gunzip)'),
    lambda name, data: (zlib.compress(data), '(inflate)'),
    lambda name, data: (bz2.compress(data), '(bunzip2)'),
    lambda name, data: (lzma.compress(data), '(unxz)'),
    pack_7z,
    pack_mail,
    pack_mbox,
    inside(pack_zip, 'mail.eml', pack_mail),
    inside(pack_mail, 'a.zip', pack_zip),
    inside(pack_zip, 'b.tgz', pack_tar(':gz')),
    pack_doc,
    pack_xls,
    pack_openxml('word'),
    pack_openxml('xl'),
    pack_package,
    pack_msg,
    pack_msi,
    pack_rtf,
    pack_ppt,
    pack_flat,
    pack_pdf,
]


# ---- places ----

def number(data, at, size):
    return int.from_bytes(data[at:at + size], 'little')


def data_runs(record):
    """(first cluster, clusters) of the record's data, where it is not in the record itself."""
    at = number(record, 20, 2)
    while number(record, at, 4) not in (0x80, 0xFFFFFFFF):
        at += number(record, at + 4, 4)
    if number(record, at, 4) != 0x80 or record[at + 8] == 0:
        return
    at += number(record, at + 32, 2)
    cluster = 0
    while record[at] != 0:
        n_length, n_offset = record[at] & 15, record[at] >> 4
        length = number(record, at + 1, n_length)
        offset = record[at + 1 + n_length:at + 1 + n_length + n_offset]
        cluster += int.from_bytes(offset, 'little', signed=True)
        yield cluster, length
        at += 1 + n_length + n_offset


def delete_ntfs(data, names):
    """Nothing deletes without mounting. What deletion does: the record's in-use flag and its clusters'
    bits in $Bitmap go."""
    cluster_bytes = number(data, 11, 2) * data[13]
    table = number(data, 48, 8) * cluster_bytes
    bitmap = next(data_runs(data[table + 6 * 1024:table + 7 * 1024]))[0] * cluster_bytes
    n_deleted = 0
    for at in range(table + 24 * 1024, len(data) - 1024, 1024):
        record = bytes(data[at:at + 1024])
        if record[:4] != b'FILE':
            break
        if not any(name in record for name in names):
            continue
        data[at + 22] &= 0xFE
        n_deleted += 1
        for first, length in data_runs(record):
            for cluster in range(first, first + length):
                data[bitmap + cluster // 8] &= 0xFF ^ 1 << cluster % 8
    assert n_deleted == len(names), (n_deleted, len(names))


def make_ntfs(image, folder, files):
    """ntfscp writes to the root alone."""
    with open(image, 'wb') as out:
        out.truncate(24 * 1024 * 1024)
    run('mkntfs', '-F', '-q', '-s', '512', image)
    for file, _ in files:
        run('ntfscp', '-f', image, os.path.join(folder, file), file)
    with open(image, 'r+b') as disk:
        data = bytearray(disk.read())
        delete_ntfs(data, {file.encode('utf-16-le') for file, is_deleted in files if is_deleted})
        disk.seek(0)
        disk.write(data)


def make_ext4(image, folder, files):
    os.makedirs('tree/kept')
    os.makedirs('tree/gone')
    for file, _ in files:
        for place in 'kept', 'gone':
            with open(os.path.join(folder, file), 'rb') as source:
                with open(os.path.join('tree', place, file), 'wb') as out:
                    out.write(source.read())
    run('mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-N', '4096', '-d', 'tree', image, '32M')
    with open('rm.commands', 'w', encoding='ascii') as out:
        out.writelines(f'rm /gone/{file}\n' for file, _ in files)
    run('debugfs', '-w', '-f', 'rm.commands', image)
    run('rm', '-rf', 'tree', 'rm.commands')


def main():
    kind = sys.argv[1]
    os.mkdir(kind)
    files = []
    with open(kind + '.tsv', 'w', encoding='ascii') as table:
        for i, pack in enumerate(CONTAINERS):
            for k, (view, encode) in enumerate(ENCODINGS):
                file = f'c{i:02}e{k:02}'
                data, member, *shown = pack('x.vbs', encode(NAMES[kind]))
                if shown:
                    view = shown[0] if view == 'raw' else f'{shown[0]}+{view}'
                is_deleted = (i + k) % 2
                with open(os.path.join(kind, file), 'wb') as out:
                    out.write(data)
                files.append((file, is_deleted))
                table.write(f'{file}\t{is_deleted}\t{member}\t{view}\n')
    make_ntfs(kind + '.ntfs', kind, files)
    make_ext4(kind + '.ext4', kind, files)


if __name__ == '__main__':
    main()
