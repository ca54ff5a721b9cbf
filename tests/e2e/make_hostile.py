#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_hostile.py DIRECTORY: files whose names and contents attack whoever shows them, each a script that the shipped
rule matches. Prints how many there are."""
import os
import sys

ATTACKS = [
    '<script>document.title="OWNED"</script>', '<img src=x onerror=document.title="OWNED">', '"><svg onload=alert(1)>',
    "' onfocus='x", '&lt;b&gt;', '&#x3c;', ']]>', '-->', '<!--', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:\u2215\u2215\u2215etc\u2215passwd">]>&e;',
    '<?xml version="1.0"?>', 'javascript:x', '{{7*7}}', '${7*7}', '%s%n%x',
    '=cmd|calc', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', '＋1', '－1', '＠1', ';=1', '"=1', "'=1",
    '\x1b[2J', '\x1b]0;x\x07', '\x1b]8;;http:\x1b\\', '\x9b31m', '\u202egpj.vbs', '\u2066x\u2069', '\u200b', '\ufeff', '\u2028', '\u2029',
    'a\nb', 'a\rb', '\x00'.replace('\x00', '\x01'), '\x7f', '\\', '\\x41', '\\n', '"', "','", '","', '|', '{"a":', '"}\n{"event":"x"}',
    "'] OR [file:name = 'x", '\'"', '@id', '@context', '_:b0', '\u00ad', 'e\u0301', '\U0001f4a3', '\u212a',
]
RAW = [b'\xff\xfe<b>', b'\xc3\x28', b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'\x80', b'\xc0\xae\xc0\xae', b'a\x1b[31m\xff']


def put(directory, name, text):
    with open(os.path.join(directory, name[:250].replace(b'/', b'_')), 'wb') as file:
        file.write(b'Set m = CreateObject("CDO.Message")\r\nm.To = "' + text + b'"\r\nm.Subject = "' + text + b'"\r\n</pre>' + text)


def main():
    directory = os.fsencode(sys.argv[1])
    count = 0
    for a in ATTACKS:
        for b in ('', '.vbs', '<b>', '=1'):
            put(directory, (a + b + str(count)).encode('utf-8'), a.encode('utf-8'))
            count += 1
    for raw in RAW:
        put(directory, raw + str(count).encode(), raw)
        count += 1
    deep = directory
    for level in range(16):  # a path of 4,000 bytes
        deep = os.path.join(deep, b'<i>' + b'=' * 240 + str(level).encode())
        if len(deep) - len(directory) > 3900:
            break
        os.mkdir(deep)
        put(deep, b'@' + str(level).encode(), b'deep')
        count += 1
    print(count)


main()
