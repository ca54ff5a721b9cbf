#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_evtx.py FILE RECORDS.json, or FILE SCRIPT CHARACTERS: a Windows event log, as libevtx's documentation describes it
(nothing in Debian writes one). RECORDS is a list of {"event": 4104, "provider": "...", "data": [[NAME, TEXT], ...]}, or
of {"script": TEXT, "id": GUID, "size": CHARACTERS}: a script block in records of so many characters. The event's data lies
in a template of its own inside that of the record, as Windows writes it, texts in UTF-16."""
import json
import struct
import sys
import zlib

CHUNK, CHUNK_HEAD, FILE_HEAD = 65536, 512, 4096
WRITTEN = 133485408000000000  # 2024-01-01; a second later with each record
STRING, UINT16, UINT32, UINT64, FILETIME, XML = 1, 6, 8, 10, 17, 33
NAMESPACE = 'http://schemas.microsoft.com/win/2004/08/events/event'


class Full(Exception):
    """The chunk has no room for the record."""


class Chunk:
    def __init__(self, first):
        self.bytes = bytearray(CHUNK_HEAD)
        self.names, self.templates = {}, {}
        self.first = self.last = first
        self.last_at = CHUNK_HEAD

    def put(self, layout, *values):
        self.bytes += struct.pack('<' + layout, *values)

    def name(self, text):
        """Where a name lies; the first time it follows at once."""
        if text in self.names:
            self.put('I', self.names[text])
            return
        self.names[text] = len(self.bytes) + 4
        value = 0
        for letter in text:
            value = (value * 65599 + ord(letter)) & 0xFFFFFFFF
        self.put('IIHH', len(self.bytes) + 4, 0, value & 0xFFFF, len(text))
        self.bytes += text.encode('utf-16-le') + b'\0\0'

    def text(self, text):
        self.put('BBH', 5, STRING, len(text))
        self.bytes += text.encode('utf-16-le')

    def sized(self, write):
        at = len(self.bytes)
        self.put('I', 0)
        write()
        struct.pack_into('<I', self.bytes, at, len(self.bytes) - at - 4)

    def attributes(self, pairs):
        for i, (key, value) in enumerate(pairs):
            self.put('B', 0x46 if i + 1 < len(pairs) else 6)
            self.name(key)
            self.text(value)

    def element(self, name, attributes=(), content=()):
        """content: elements, or numbers of values with their types."""
        self.put('BH', 0x41 if attributes else 1, 0xFFFF)

        def inner():
            self.name(name)
            if attributes:
                self.sized(lambda: self.attributes(attributes))
            if not content:
                self.put('B', 3)
                return
            self.put('B', 2)
            for item in content:
                if isinstance(item[0], int):
                    self.put('BHB', 0x0E, *item)
                else:
                    self.element(*item)
            self.put('B', 4)
        self.sized(inner)

    def instance(self, key, root, values):
        """A template and what is put into it."""
        self.put('BBBBBB', 0x0F, 1, 1, 0, 0x0C, 1)
        self.put('I', zlib.crc32(repr(key).encode()))
        if key in self.templates:
            self.put('I', self.templates[key])
        else:
            self.templates[key] = len(self.bytes) + 4
            self.put('II16s', len(self.bytes) + 4, 0, struct.pack('<I12x', zlib.crc32(repr(key).encode())))

            def definition():
                self.put('BBBB', 0x0F, 1, 1, 0)
                self.element(*root)
                self.put('B', 0)
            self.sized(definition)
        self.put('I', len(values))
        at = len(self.bytes)
        self.bytes += bytes(4 * len(values))
        for i, (kind, value) in enumerate(values):
            start = len(self.bytes)
            if callable(value):
                value()
            else:
                self.bytes += value
            if len(self.bytes) - start > 0xFFFF:
                raise Full
            struct.pack_into('<HBB', self.bytes, at + 4 * i, len(self.bytes) - start, kind, 0)

    def record(self, number, given):
        saved = bytes(self.bytes), dict(self.names), dict(self.templates)
        at, written = len(self.bytes), WRITTEN + number * 10000000
        data = given.get('data', [])
        kept = tuple(name for name, _ in data)
        inner = ('EventData', (), tuple(('Data', (('Name', name),) if name else (), ((i, STRING),))
                                        for i, name in enumerate(kept)))
        provider = given.get('provider', 'Microsoft-Windows-PowerShell')
        outer = ('Event', (('xmlns', NAMESPACE),), (
            ('System', (), (('Provider', (('Name', provider),)), ('EventID', (), ((0, UINT16),)),
                            ('Level', (), ((3, UINT16),)), ('EventRecordID', (), ((1, UINT64),)),
                            ('Computer', (), ((2, STRING),)))), (4, XML)))
        values = [(STRING, text.encode('utf-16-le')) for _, text in data]
        try:
            self.put('4sIQQ', b'**\0\0', 0, number, written)
            self.instance(('outer', provider), outer, [
                (UINT16, struct.pack('<H', given['event'])), (UINT64, struct.pack('<Q', number)),
                (STRING, 'PC1'.encode('utf-16-le')), (UINT16, struct.pack('<H', given.get('level', 5))),
                (XML, lambda: self.instance(('inner', kept), inner, values))])
            self.put('B', 0)
            size = len(self.bytes) + 4 - at
            self.put('I', size)
            struct.pack_into('<I', self.bytes, at + 4, size)
            if len(self.bytes) > CHUNK:
                raise Full
        except Full:
            self.bytes, self.names, self.templates = bytearray(saved[0]), saved[1], saved[2]
            raise
        self.last, self.last_at = number, at

    def finish(self):
        free = len(self.bytes)
        events = zlib.crc32(self.bytes[CHUNK_HEAD:])
        struct.pack_into('<8sQQQQIIII', self.bytes, 0, b'ElfChnk\0', self.first, self.last, self.first, self.last, 128,
                         self.last_at, free, events)
        struct.pack_into('<I', self.bytes, 124, zlib.crc32(self.bytes[:120] + self.bytes[128:512]))
        return self.bytes.ljust(CHUNK, b'\0')


def event_log(records):
    chunks = [Chunk(1)]
    for number, record in enumerate(records, 1):
        try:
            chunks[-1].record(number, record)
        except Full:
            chunks.append(Chunk(number))
            chunks[-1].record(number, record)
    head = struct.pack('<8sQQQIHHHH', b'ElfFile\0', 0, len(chunks) - 1, len(records) + 1, 128, 1, 3, FILE_HEAD, len(chunks))
    head = head.ljust(120, b'\0')
    head += struct.pack('<II', 0, zlib.crc32(head))
    return head.ljust(FILE_HEAD, b'\0') + b''.join(chunk.finish() for chunk in chunks)


def script_block(guid, text, size):
    """Event 4104 in as many records as its text needs, as PowerShell writes them."""
    parts = [text[i:i + size] for i in range(0, len(text), size)] or ['']
    return [{'event': 4104, 'data': [['MessageNumber', str(i)], ['MessageTotal', str(len(parts))],
                                     ['ScriptBlockText', part], ['ScriptBlockId', guid], ['Path', '']]}
            for i, part in enumerate(parts, 1)]


def records_of(rows):
    return [record for row in rows
            for record in (script_block(row['id'], row['script'], row['size']) if 'script' in row else [row])]


if __name__ == '__main__':
    with open(sys.argv[2], encoding='utf-8', newline='') as given:
        text = given.read()
    rows = ([{'id': '5f0ae4a2-0000-4000-8000-000000000001', 'script': text, 'size': int(sys.argv[3])}]
            if len(sys.argv) > 3 else json.loads(text))
    log = event_log(records_of(rows))
    with open(sys.argv[1], 'wb') as out:
        out.write(log)
