#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_mail.py: writes mails and a mailbox around a.vbs of the current directory, by Python's own
email library, for test_mail."""
import binascii
import io
import mailbox
import os
import zipfile
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

with open('a.vbs', 'rb') as file:
    SCRIPT = file.read()
HEAD = ('From: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; name=q.vbs\r\n'
        'Content-Transfer-Encoding: ')


def mail(*parts):
    message = MIMEMultipart('mixed', boundary='=_edge')
    message['From'] = 'a@example.com'
    message['To'] = 'b@example.com'
    message['Subject'] = 'rota'
    message['Date'] = 'Tue, 05 Mar 2024 10:00:00 +0200'
    for part in parts:
        message.attach(part)
    return message


def attach(name, data=SCRIPT):
    part = MIMEApplication(data)
    part.add_header('Content-Disposition', 'attachment', filename=name)
    return part


def write(name, data):
    with open(name, 'wb') as out:
        out.write(data)


def zipped():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, 'w', zipfile.ZIP_DEFLATED) as file:
        file.writestr('in.vbs', SCRIPT)
    return archive.getvalue()


def main():
    base64 = mail(MIMEText('see attached'), attach('x.vbs'))
    write('b64.eml', base64.as_bytes())
    write('zip.eml', mail(MIMEText('text'), attach('a.zip', zipped())).as_bytes())
    outer = MIMEMultipart('mixed', boundary='=_outer')
    outer['From'] = 'c@example.com'
    outer.attach(MIMEText('text'))
    outer.attach(MIMEMessage(base64))
    write('fwd.eml', outer.as_bytes())
    choice = MIMEMultipart('alternative', boundary='=_choice')
    choice.attach(MIMEText('plain'))
    choice.attach(MIMEText(SCRIPT.decode(), 'html', 'utf-16'))
    write('alt.eml', mail(choice, attach('x.vbs')).as_bytes())
    write('name.eml', mail(MIMEText('text'), attach('B\u00fcro \u4e2d.vbs')).as_bytes())
    quoted = b''.join(b'=%02X' % byte + (b'=\r\n' if i % 20 == 19 else b'')
                      for i, byte in enumerate(SCRIPT))
    write('qp.eml', (HEAD + 'quoted-printable\r\n\r\n').encode() + quoted)
    lines = [binascii.b2a_uu(SCRIPT[i:i + 45]) for i in range(0, len(SCRIPT), 45)]
    write('uu.eml', (HEAD + 'x-uuencode\r\n\r\n').encode() + b'begin 644 q.vbs\n' +
          b''.join(lines) + b'`\nend\n')
    write('plain.eml', (HEAD + '7bit\r\n\r\n').encode() + SCRIPT)
    if os.path.exists('box'):
        os.remove('box')
    box = mailbox.mbox('box')
    for i in range(3):
        message = mail(MIMEText('From here on\n\nFrom there\n'), attach(f'x{i}.vbs'))
        message.set_unixfrom('From - Tue Mar  5 10:00:00 2024')
        box.add(message)
    box.flush()


if __name__ == '__main__':
    main()
