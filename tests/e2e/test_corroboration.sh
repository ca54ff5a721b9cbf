#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_corroboration.sh - what runs a script is found in the same evidence, by bytes: a legacy .job,
# a batch file that a task runs, a product's configuration; the objects are named by path and digest.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
script() { # FILE
  mkdir -p "$(dirname "$1")"
  cat >"$1" <<'VBS'
Set m = CreateObject("CDO.Message")
m.Configuration.Fields.Item("http://schemas.microsoft.com/cdo/configuration/smtpserver") = "mail.corp.example"
m.From = "job@corp.example"
m.To = "finance@corp.example"
m.Send
VBS
}
script tree/Scripts/by_job.vbs
script tree/Scripts/by_batch.vbs
script tree/Scripts/by_nobody.vbs
script tree/Scripts/svchost.vbs
script "tree/Program Files/NSClient++/scripts/by_product.vbs"
script "tree/Program Files/NSClient++/other/beside_product.vbs"
printf '[/settings/external scripts]\r\nscript path = scripts\r\n' >"tree/Program Files/NSClient++/nsclient.ini"
printf '@echo off\r\ncscript //nologo "%%~dp0by_batch.vbs"\r\n' >tree/Scripts/run.cmd
mkdir -p tree/Windows/Tasks tree/Windows/System32/Tasks
cat >tree/Windows/System32/Tasks/Nightly <<'XML'
<?xml version="1.0"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
<Actions><Exec><Command>C:\Scripts\run.cmd</Command></Exec></Actions></Task>
XML
python3 - <<'PY'
import struct
def text(t):
    n = len(t) + 1 if t else 0
    return struct.pack("<H", n) + (t + "\0").encode("utf-16le")[: 2 * n]
fixed = struct.pack("<HH16sHHHHHHIIIII", 0x0501, 1, bytes(16), 70, 0, 0, 0, 60, 10, 32, 0xFFFFFFFF, 0, 0x41300, 0)
fixed += struct.pack("<8H", 2024, 6, 1, 3, 7, 5, 9, 0)
assert len(fixed) == 68
with open("tree/Windows/Tasks/Report.job", "wb") as out:
    out.write(fixed + bytes(2) + text("cscript.exe") + text(r'//B "C:\Scripts\by_job.vbs"')
              + text("") + text("adm") + text("") + bytes(4) + bytes(2))
PY
cat >site.yaml <<'YAML'
format: triage-benign/1
site:
  mail-domains: [corp.example]
  relays: [mail.corp.example]
YAML
status 0 "$TRIAGE" scan -q --digest none -o case -b site.yaml tree
while read -r name verdict scenario; do
  [ "$(rows case/hits.csv "r['path'].endswith('/$name.vbs') and r['verdict'] == '$verdict' and r['scenario'] == '$scenario'")" -eq 1 ] ||
    fail "$name is not $verdict $scenario"
done <<'TABLE'
by_job known-benign scheduled-report
by_batch known-benign scheduled-report
by_nobody likely-benign internal-relay
by_product known-benign health-check
beside_product likely-benign health-check
svchost suspicious
TABLE
id_of() { # NAME
  python3 -c 'import csv, sys
print(next(r["hit_id"] for r in csv.DictReader(open("case/hits.csv", encoding="utf-8", newline=""))
           if r["path"].endswith("/" + sys.argv[1])))' "$1"
}
named() { # HIT FILE: explain names the file with its digest
  "$TRIAGE" explain case "$(id_of "$1")" >stdout
  grep -F "${2#tree} of " stdout | grep -qF "SHA-256 $(sha256sum "$2" | cut -d' ' -f1)" ||
    { fail "explain of $1 does not name $2:"; cat stdout; }
}
named by_job.vbs tree/Windows/Tasks/Report.job
grep -qF "last run 2024-06-03 07:05:09" stdout || fail "the last run is not told"
named by_batch.vbs tree/Windows/System32/Tasks/Nightly
named by_batch.vbs tree/Scripts/run.cmd
named by_product.vbs "tree/Program Files/NSClient++/nsclient.ini"
finish
