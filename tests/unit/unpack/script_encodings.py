# SPDX-License-Identifier: Apache-2.0
"""script_encodings.py: the ways in which scripts hide their text, written forwards by Python's own codecs:
what triage's views undo. For make_views.py and for the matrix of the end-to-end tests."""
import base64
import html
import struct

# Microsoft's Script Encoder: for each character from the blank on its code in three alphabets, and
# the turn in which they are used.
CODES = bytes.fromhex(
    '7e2c505a652245724a3a5b6179665e59755d274c5b764542637660622a234d436551335f53427e52204f206352264a7a'
    '545a217138462b79206632262a5763586c2a7f2b767b4647305225314f2c6c3d294970693f3f3f787b273f3f3f5f5167'
    '3f3f3f297a62247e412f3b5a3947663341326f777321564d755f43282671427839466e7c4a64535c7448486731367d72'
    '4b686e7d35705d22496a553f503a4b69606a236a2e09717f706f28654935745c7d2c5d2477272d4459543f25376d7c7b'
    '7c233d436d6c3828345e316d5b394e6e7f2b5736304c546f34347472626b254e4c563033735e5668733a550978474b57'
    '32617735243b2e4d44646b2f4f44593b21452d375c4153686158367a4858222e796050096b2d754e29383d3f55')
TABS = (0x37, 0x69, 0x64)
TURN = (0, 1, 2, 0, 1, 2, 1, 2, 2, 1, 2, 1, 0, 2, 1, 2, 0, 2, 1, 2, 0, 0, 1, 2, 2, 1, 0, 2, 1, 2, 2, 1,
        0, 0, 2, 1, 2, 1, 2, 0, 2, 0, 0, 1, 2, 0, 2, 1, 0, 2, 1, 2, 0, 0, 1, 2, 2, 0, 0, 1, 2, 0, 2, 1)
ESCAPES = {'\n': '@&', '\r': '@#', '>': '@*', '<': '@!', '@': '@$'}


def number(value):
    return base64.b64encode(struct.pack('<I', value)).decode()[:6] + '=='


def vbe(script):
    out = []
    for i, char in enumerate(script):
        alphabet = TURN[i % 64]
        if char in ESCAPES:
            out.append(ESCAPES[char])
        elif char == '\t':
            out.append(chr(TABS[alphabet]))
        else:
            out.append(chr(CODES[3 * (ord(char) - 32) + alphabet]))
    text = ''.join(out)
    return '#@~^' + number(len(text)) + text + number(sum(map(ord, script))) + '^#~@'


def lines(text, width=76):
    return '\r\n'.join(text[i:i + width] for i in range(0, len(text), width))


def b64(data):
    return base64.b64encode(data).decode()


def utf7(script):
    """All of it shifted, as no ordinary encoder does."""
    return '+' + b64(script.encode('utf-16-be')).rstrip('=') + '-'


def entities(script):
    return ''.join(f'&#{ord(c)};' if i % 2 else f'&#x{ord(c):x};' for i, c in enumerate(script))


def named(script):
    return html.escape(script).replace('.', '&period;').replace('/', '&sol;')


def hex_escapes(script):
    return ''.join(f'\\x{ord(c):02x}' for c in script)


def codes(script, form='{}', between=','):
    return between.join(form.format(ord(c)) for c in script)


def percent(script):
    return ''.join(f'%{ord(c):02X}' for c in script)


def unicode_escapes(script):
    return ''.join(f'\\u{ord(c):04x}' for c in script)


def pieces(text, size=3):
    return [text[i:i + size] for i in range(0, len(text), size)]


def joined(text, sign='&', size=3):
    return f' {sign} '.join(f'"{piece}"' for piece in pieces(text, size))


def chars(text):
    """Chr() in three ways, one after the other."""
    forms = ('Chr({})', 'ChrW(&H{:x})', 'Chr$({}+{})')
    out = []
    for i, char in enumerate(text):
        code = ord(char)
        form = forms[i % 3]
        out.append(form.format(code - 7, 7) if '+' in form else form.format(code))
    return ' & '.join(out)
