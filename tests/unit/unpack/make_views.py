#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_views.py: writes one script in every encoding that a view undoes, hit.N, and beside each the
same of a script that is no hit, miss.N; views.tsv names them with the view that must show it."""
import random
import struct
import sys
import zlib

sys.dont_write_bytecode = True
import script_encodings as se  # noqa: E402

NAME = {'hit': 'CDO.Message', 'miss': 'CDO.Massage'}


def script(name):
    return (f'Set m = CreateObject("{name}")\r\n'
            'm.Subject = "rota" : m.TextBody = "Tuesday" \' as ever\r\nm.Send\r\n')


def noise(n, seed):
    """Bytes that are no text."""
    return bytes(random.Random(seed).choices(range(128, 256), k=n))


def deflated(data, bits=-15, level=9):
    """-15: raw, 15: zlib"""
    packer = zlib.compressobj(level, zlib.DEFLATED, bits)
    return packer.compress(data) + packer.flush()


def vb(expression):
    return f'Option Explicit\r\nSet m = CreateObject({expression})\r\nm.Send\r\n'


def registry(kind, data):
    """A value of a .reg file, broken into lines as regedit does."""
    out = [kind]
    for i, byte in enumerate(data):
        out.append(f'{byte:02x}' + (',' if i + 1 < len(data) else '') + ('\\\r\n  ' if i % 25 == 20 else ''))
    return 'Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\X]\r\n"a"=' + ''.join(out) + '\r\n'


def shortcut(arguments):
    """A Windows shortcut ([MS-SHLLINK]) with arguments alone, in UTF-16."""
    head = struct.pack('<I', 0x4C) + bytes.fromhex('0114020000000000c000000000000046') + struct.pack('<I', 0xA0)
    return head + bytes(52) + struct.pack('<H', len(arguments)) + arguments.encode('utf-16-le') + bytes(4)


def cases(name):
    """view, bytes"""
    text = script(name)
    b64 = se.b64(text.encode())
    wide = text.encode('utf-16-le')
    big = text.encode('utf-16-be')
    html = '<html><script>\r\nvar x = 1;\r\n{}\r\n</script></html>\r\n'
    yield 'utf-16le', b'\xff\xfe' + wide
    yield 'utf-16le', wide
    yield 'utf-16be', b'\xfe\xff' + big
    yield 'utf-16be', big
    for odd in 0, 1, 3, 7:
        yield 'utf-16le', noise(4096 + odd, odd) + wide + noise(4096, 9)
        yield 'utf-16be', noise(4096 + odd, odd) + b'\0\0' + big + noise(4096, 9)
        yield 'utf-32', noise(400 + odd, odd) + text.encode('utf-32-le') + noise(400, 9)
        yield 'utf-32', noise(400 + odd, odd) + text.encode('utf-32-be') + noise(400, 9)
    yield 'utf-16le', noise(1024 * 1024 - 60, 3) + wide + noise(500, 4)
    yield 'utf-16le', b'regf' + bytes(2000) + wide.replace(b'\r\0\n\0', b'\0\0') + bytes(999)
    yield 'utf-16le', noise(99, 5) + ('\u041f\u0440\u0438\u0432\u0435\u0442 ' + text).encode(
        'utf-16-le') + noise(99, 6)
    # Between other bytes at both ends, either of which could be half of a character.
    yield 'utf-16le', b'A' * 99 + name.encode('utf-16-be') + b'B' * 99
    yield 'utf-16le', ('\u65e5\u672c' * 20 + name + '\u65e5' * 50).encode('utf-16-be')
    yield 'utf-7', ('Rem x\r\n' + se.utf7(text) + '\r\n').encode()
    yield 'utf-7', text.replace('C', '+AEM-').encode()
    yield 'vbe', (se.vbe(text) + '\r\n\0').encode('latin-1')
    yield 'vbe', html.format(se.vbe(text)).encode('latin-1')
    yield 'vbe', noise(5000, 7) + (se.vbe('x = 1') + se.vbe(text)).encode('latin-1')
    yield 'vbe', se.vbe(text)[:-30].encode('latin-1')  # its end is lost
    yield 'utf-16le+vbe', b'\xff\xfe' + se.vbe(text).encode('utf-16-le')
    yield 'entities', html.format(se.entities(text)).encode()
    yield 'entities', f'<a onclick="{se.named(text)}">'.encode()
    yield 'base64', html.format('x = "' + b64 + '"').encode()
    yield 'base64', html.format(se.lines(b64)).encode()
    yield 'base64', html.format('  ' + se.lines(b64).replace('\r\n', '\n  ')).encode()
    for width, between in (16, '\n'), (20, '\r\n'), (16, '\r\n  '), (20, '\\n'), (16, '\\r\\n'):
        short = se.lines(b64, width).replace('\r\n', between)
        yield 'base64-lines', html.format(f'x = "{short}"').encode()
        yield 'base64-lines', b' ' * (1024 * 1024 - 20) + short.encode() + b'\n'
    yield 'base64-lines', se.lines(se.b64(name.encode() + b'.Send()'), 16).encode()
    for between in '\\n', '\\r\\n':
        for width, before in (64, 20), (76, 30):  # the word stands in two lines
            yield 'base64', html.format('x = "' + se.lines(se.b64((' ' * before + text).encode()), width).replace('\r\n', between) + '"').encode()
    yield 'base64', noise(70000, 8) + b64.encode() + noise(100, 1)
    long = (text + se.hex_escapes(''.join(chr(c) for c in random.Random(4).choices(range(256), k=3000)))).encode()
    stream = 'IEX (New-Object IO.StreamReader((New-Object IO.Compression.DeflateStream([IO.MemoryStream]' \
             "[Convert]::FromBase64String('{}'),[IO.Compression.CompressionMode]::Decompress)))).ReadToEnd()"
    for bits in -15, 15:
        yield 'raw', stream.format(se.b64(deflated(text.encode(), bits))).encode()
        # Stored, deflated data is text; a zlib stream is a container all the same.
        yield 'base64' if bits < 0 else 'raw', stream.format(se.b64(deflated(text.encode(), bits, 0))).encode()
        yield 'raw', stream.format(se.lines(se.b64(deflated(long, bits)))).encode()
        yield 'utf-16le', stream.format(se.b64(deflated(wide, bits))).encode()
    yield 'base64+utf-16le', html.format(se.b64(wide)).encode()
    yield 'base64+base64', html.format(se.b64(se.b64(text.encode()).encode())).encode()
    for offset in 0, 31, 50:
        yield 'codes', (' ' * offset + f'For Each c In Array({se.codes(name)})').encode()
        yield 'codes', (' ' * offset + f'For Each c In Array({se.codes(name, "&H{:02X}", ", ")})').encode()
    yield 'codes', f'$b = [char[]]({se.codes(text)})'.encode()
    yield 'codes', f'[byte[]]$b = {se.codes(text, "0x{:02x}", ", `" + chr(10))}'.encode()
    yield 'codes', f'"{se.codes(text, "{:x}")}".split(",")'.encode()  # hexadecimal without a mark
    yield 'codes', f'x = f(1, {"50, " * 12}): Array({se.codes(text)})'.encode()  # the first list is text in both bases
    yield 'codes+utf-16le', registry('hex(2):', wide).encode()
    yield 'codes+utf-16le', registry('hex:', b'\x01\x02\x80\xff' * 300 + wide).encode()
    yield 'codes', registry('hex:', text.encode()).encode()
    yield 'utf-16le+codes+utf-16le', registry('hex(2):', wide).encode('utf-16')
    for option in '-EncodedCommand ', '-enc ', '-e "', '-ec ', '/EncodedCommand:':
        yield 'powershell', ('cmd /c powershell -nop ' + option + se.b64(wide)).encode()
    yield 'escapes', html.format("eval('" + se.hex_escapes(text) + "')").encode()
    yield 'escapes', html.format("eval('" + se.unicode_escapes(text) + "')").encode()
    yield 'escapes', html.format("document.write(unescape('" + se.percent(text) + "'))").encode()
    yield 'escapes', f'x = new ActiveXObject("{name.replace(".", "%2E")}");'.encode()
    yield 'escapes', f'x = new ActiveXObject("{name.replace("C", chr(92) + "x43")}");'.encode()
    yield 'escapes', ('x = "' + ''.join(f'\\{ord(c):o}' for c in name) + '";').encode()
    yield 'escapes', ('x = "' + ''.join(f'\\u{{{ord(c):x}}}' for c in name) + '";').encode()
    for mark in '^', '`':
        yield 'shell', f'x = New-Object -ComObject "{name[:7]}{mark}{name[7:]}"'.encode()
        yield 'shell', mark.join(f'$m=New-Object -ComObject {name}').replace(f'{mark}.{mark}', '.').encode()
    yield 'shell', f'set x={name[:6]}^\r\n{name[6:]}\r\n'.encode()
    # A word in two windows of the smell; and a line that began before the window whose mark tells of it.
    before = b'rem\r\n' * 210000
    yield 'shell', before[:1024 * 1024 - 8] + f' {name[:7]}`{name[7:]}\r\n'.encode()
    yield 'shell', (before[:1024 * 1024 - 41] + b'\r\necho ' + b'x ' * 160 +
                    f'{name[:3]}^{name[3:]} ^& y >> x.vbs\r\n'.encode())
    yield 'shell+folded', (f'@echo off\r\necho Set o = CreateObject({se.joined(name).replace("&", "^&")}) >> x.vbs\r\n'
                           'echo o.Send >> x.vbs\r\n').encode()
    yield 'shell+folded', (f'cmd /c echo a = "{name[:3]}" ^& "" >x.vbs & echo b = "{name[3:]}" >>x.vbs\r\n'
                           '>>x.vbs echo Set o = CreateObject(a ^& b)\r\n').encode()
    yield 'folded', f'echo a="{name[:3]}" >> x.js\r\necho a=a+"{name[3:]}">>x.js\r\n'.encode()
    yield 'base64+utf-16le', ('cmd /c pow^ersh^ell -nop -enc^od ' + se.b64(wide)).encode()
    yield 'folded', vb(se.joined(name)).encode()
    yield 'folded', vb(se.joined(name).replace(' & ', ' & _\r\n   ')).encode()
    yield 'folded', vb(se.joined(name, '+')).encode()
    yield 'folded', vb(se.joined(name, '+').replace('"', "'")).encode()
    first, last = name[:3], name[3:]
    for operator in ' & ', '&', ' + ', '+':
        yield 'folded', f'a="{first}" : b = "{last}" : Set m = CreateObject(a{operator}b)'.encode()
    yield 'folded', f'A = "{first}"\r\na = a & "{last[:4]}"\r\na = a & "{last[4:]}" \' all\r\nSet m = CreateObject(a)\r\n'.encode()
    yield 'folded', f'var a="{first}", b="{last}"; var m = new ActiveXObject(a+b);'.encode()
    yield 'folded', f'var s = "{first}"; s += "{last[:2]}"; s += "{last[2:]}"; x = new ActiveXObject(s);'.encode()
    yield 'folded', f'$a = "{first}"; $b="{last}"\r\n$m = New-Object -ComObject ($a+$b)\r\n'.encode()
    yield 'folded', f'$a = "{first}"; $b="{last}"\r\n$c = $a + $b; $m = New-Object -ComObject $c\r\n'.encode()
    yield 'folded', f"$a = '{'x'.join(name)}'\r\n$m = New-Object -ComObject $a.Replace('x','')\r\n".encode()
    yield 'folded', f'Dim a\r\na = "{name[::-1]}"\r\nSet m = CreateObject(StrReverse(a))\r\n'.encode()
    yield 'folded', f'Const p = "{first}."\r\nSet m = CreateObject(p & "{last[1:]}")\r\n'.encode()
    yield 'folded', f'p = "{first}"\r\nq = "x" & p\r\nSet m = CreateObject(Join(Array(p, "{last}"), ""))\r\n'.encode()
    yield 'folded', f'a = "{first}" & "{last[:3]}" : c = "{last[3:]}" : If a = "x" Then b = a & c\r\n'.encode()
    quoted = se.joined(name).replace('"', '""')
    yield 'folded+folded', f'Execute("Set m = CreateObject({quoted})")'.encode()
    yield 'folded+folded', f'Execute "Set m = CreateObject({quoted.replace(" & ", "&")}) : m.Send" \' no more'.encode()
    yield 'folded+folded+folded', f'Execute("Execute ""x = {quoted.replace(chr(34), chr(34) * 2)} """)'.encode()
    yield 'folded+folded', f'x = "a" & "b" : Execute ("m = {quoted}")'.encode()
    yield 'folded', vb(se.chars(name)).encode()
    yield 'folded', vb(f'StrReverse("{name[::-1]}")').encode()
    yield 'folded', vb(f'Replace("{"xq".join(name)}", "xq", "")').encode()
    yield 'folded', vb(f'Replace(StrReverse("{"~".join(name[::-1])}"), Chr(126), vbNullString)').encode()
    yield 'folded', vb(f'Join(Array({", ".join(chr(34) + c + chr(34) for c in name)}), "")').encode()
    yield 'folded', f'x = String.fromCharCode({",".join(str(ord(c)) for c in name)});'.encode()
    yield 'folded', f'x = "{name[::-1]}".split("").reverse().join("");'.encode()
    yield 'folded', f'x = "{"%%".join(name)}".replace(/%%/g, "");'.encode()
    yield 'folded', ('$x = ' + '+'.join(f'[char]{ord(c)}' for c in name)).encode()
    yield 'folded', ('$x = ' + '+'.join(f'[char]0x{ord(c):x}' for c in name)).encode()
    yield 'folded', f"$x = '{'qx'.join(name)}' -replace 'qx',''".encode()
    parts = [name[i:i + 3] for i in range(0, len(name), 3)]
    listed = ', '.join(f'"{part}"' for part in parts)
    yield 'folded', f'x = new ActiveXObject([{listed}].join(""));'.encode()
    yield 'folded', f'x = ["{chr(34) + chr(44) + chr(34)}".x, {listed}].y; z = "CDO".concat("{name[3:]}")'.encode()
    yield 'folded', f'$x = New-Object -ComObject ({listed} -join "")'.replace('(', '((').replace(' -j', ') -j').encode()
    yield 'folded', f'$x = -join ({listed})'.encode()
    yield 'folded', ('$x = -join [char[]](' + ','.join(str(ord(c)) for c in name) + ')').encode()
    yield 'folded', f'$x = "{{1}}{{0}}" -f "{name[4:]}", "{name[:4]}"'.encode()
    yield 'folded', f'$x = ({listed} -join "")'.encode()
    yield 'folded', f"$x = ({listed})-join('')".encode()
    yield 'folded', f'$x = "{{1}}{{0}}"-f"{name[4:]}","{name[:4]}"'.encode()
    yield 'folded', f"$x = ('{{1}}{{0}}'-f('{name[4:]}','{name[:4]}'))".encode()
    yield 'folded', f"$x = '{{1}}{{0}}' -f ('{name[4:6]}'+'{name[6:]}'), '{name[:4]}'".encode()
    for operator in '-creplace', '-ireplace', ' -CReplace ':
        yield 'folded', f"$x = '{'qx'.join(name)}'{operator}'qx',''".encode()
    for inside in '$a$b', '${a}${b}', '$($a)$b', f'$a{last[:3]}$c', f'${{a}}{last}', f'$a.$d':
        yield 'folded', (f'$a = "{first}"; $b="{last}"; $c = "{last[3:]}"; $d = "{last[1:]}"\r\n'
                         f'$m = New-Object -ComObject "{inside}"\r\n').encode()
    yield 'folded', f"$x = [string]::Join('', ({listed}))".encode()
    yield 'folded', f"$x = [string]::Format('{{0}}{{1}}', '{name[:4]}', '{name[4:]}')".encode()
    yield 'folded', f'$x = [string]::Concat({listed})'.encode()
    yield 'folded', f'$x = [Convert]::FromBase64String("{se.b64(name.encode())}")'.encode()
    yield 'folded', vb(f'Join(Split("{" ".join(name)}", " "), "")').encode()
    yield 'folded', f'Set m = CreateObject(VBA.Chr({ord(name[0])}) & VBA.Chr$ ({ord(name[1])}) & "{name[2:]}")'.encode()
    yield 'folded', vb(f'Replace(Expression:="{"x".join(name)}", Find:="x", Replace:="")').encode()
    yield 'folded', vb(f'"{name[:4]}" & Space(0) & String(1, "{name[4]}") & "{name[5:]}"').encode()
    yield 'folded', f'x = "{name[:4]}"/* a */ + /**/"{name[4:]}";'.encode()
    yield 'escapes+folded+escapes', vb('unescape(' + se.joined(se.percent(name), '&', 4) + ')').encode()
    yield 'folded+base64', vb(se.joined(se.b64(text.encode()))).encode()
    yield 'escapes+folded', html.format('a = ' + se.joined(name).replace(
        'C', '\\x43').replace('D', '\\x44').replace('O', '\\x4f')).encode()
    yield 'entities+folded', ('<w onload="x = ' + se.joined(name).replace('&', '&amp;').replace(
        '"', '&quot;') + '">').encode()
    yield 'utf-16le', shortcut(f'vbscript:Execute("Set m = CreateObject(""{name}"") : m.Send")')
    yield 'utf-16le', ('\ufeff<?xml version="1.0" encoding="UTF-16"?><Task><Exec><Command>mshta</Command><Arguments>'
                       f'vbscript:CreateObject("{name}").Send</Arguments></Exec></Task>').encode('utf-16-le')
    yield 'utf-16le+folded', vb(se.joined(name)).encode('utf-16-le')
    yield 'utf-16be+folded', noise(333, 2) + vb(se.chars(name)).encode('utf-16-be') + noise(33, 2)
    yield 'powershell+folded', ('powershell -e ' + se.b64(
        ('$m = ' + se.joined(name, '+')).encode('utf-16-le'))).encode()
    yield 'base64+vbe', html.format(se.b64(se.vbe(text).encode('latin-1'))).encode()
    yield 'vbe+folded', se.vbe(vb(se.chars(name))).encode('latin-1')


def main():
    with open('views.tsv', 'w', encoding='ascii') as table:
        for kind, name in NAME.items():
            for i, (view, data) in enumerate(cases(name)):
                with open(f'{kind}.{i}', 'wb') as out:
                    out.write(data)
                table.write(f'{kind}.{i}\t{view}\n')


if __name__ == '__main__':
    main()
