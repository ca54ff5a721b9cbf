#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_warc.py FILE OUT HASH: a web archive of one resource record that holds FILE, with its block digest."""
import base64
import hashlib
import sys

with open(sys.argv[1], 'rb') as file:
    data = file.read()
digest = hashlib.new(sys.argv[3], data)
# As writers do: SHA-1 in base 32, the others in hexadecimal, of which MD5 here is not.
digest = digest.hexdigest() if sys.argv[3] == 'sha256' else base64.b32encode(digest.digest()).decode()
head = ('WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: file://a.txt\r\nWARC-Date: 2014-06-10T11:31:38Z\r\n'
        'Last-Modified: 2014-06-10T11:30:33Z\r\nWARC-Record-ID: <urn:uuid:759ac264-665d-4cae-9b5e-af421fa43054>\r\n'
        f'WARC-Block-Digest: {sys.argv[3]}:{digest}\r\nContent-Length: {len(data)}\r\n\r\n')
with open(sys.argv[2], 'wb') as out:
    out.write(head.encode() + data + b'\r\n\r\n')
