#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""many_hits.py CASE N: adds N hits, no two of the same content, to a case's store, as a scan of a large
disk would leave them."""
import hashlib
import os
import sqlite3
import sys

case, n = sys.argv[1], int(sys.argv[2])
db = sqlite3.connect(os.path.join(case, 'case.db'))
text = ('Set mail = CreateObject("CDO.Message")\\x0d\\nmail.From = "job%d@corp.example"\\x0d\\n' + 'field.Update\\x0d\\n' * 24)
verdicts = ('suspicious', 'unexplained', 'likely-benign', 'known-benign')
first = 1 << 40
hit = db.execute('SELECT coalesce(max(id), 0) FROM hit').fetchone()[0] + 1
for i in range(n):
    seq, sha256 = first + i, hashlib.sha256(str(i).encode()).hexdigest()
    db.execute('INSERT INTO object(evidence, volume, seq, meta_addr, attr_type, attr_id, meta, kind, state, flags, size, first_byte, '
               'modified, modified_part, dir, name, work) VALUES(1, 1, ?, ?, 128, 1, ?, 0, 0, 0, 700, 4096, ?, 0, 0, ?, 0)',
               (seq, i, f'{i}-128-1', 1700000000 + 997 * i, f'script number {i} of the large disk.vbs'.encode()))
    db.execute('INSERT INTO result VALUES(1, 1, ?, 700, 0, ?, NULL, NULL)', (seq, sha256))
    db.execute('INSERT INTO member(evidence, volume, seq, no, member, view, size, sha256, modified, modified_part) '
               'VALUES(1, 1, ?, 0, \'\', \'raw\', 700, ?, ?, 0)', (seq, sha256, 1700000000 + 997 * i))
    db.execute('INSERT INTO hit(id, evidence, volume, seq, member_no, namespace, rule, strings, match_count, first_offset, image_offset, excerpt, '
               'verdict, reason) VALUES(?, 1, 1, ?, 0, \'default\', \'network_smtp_vb\', \'$c1\', 1, 24, ?, ?, ?, \'made for a test of speed\')',
               (hit + i, seq, 4096 * i + 24, text % i, verdicts[i % 4]))
    db.execute('INSERT INTO match VALUES(?, 0, \'$c1\', 24, 11, ?)', (hit + i, b'CDO.Message'))
    db.execute('INSERT INTO indicator VALUES(?, 0, \'smtp_server\', ?, 90)', (hit + i, f'mail{i % 50}.corp.example'))
    db.execute('INSERT INTO indicator VALUES(?, 1, \'mail_to\', ?, 120)', (hit + i, f'inbox{i}@corp.example'))
db.commit()
