#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_blkls.sh - nothing that yara finds in the free blocks and the slack as blkls gives them is
# lacking in triage, and the accounts of each volume close. TRIAGE_BLKLS_ALL=1: on every image of the
# shared evidence, those in archives too, each one that is left out listed with the reason.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_shared
for tool in blkls yara mmls; do command -v $tool >/dev/null || skip "no $tool"; done
cat >rules.yar <<'EOT'
rule mail { strings: $c1 = "CDO.Message" nocase $c2 = "cdoSMTPServer" nocase $c5 = "/cdo/configuration/smtpserver" nocase condition: any of them }
rule common { strings: $jfif = "JFIF" $pdf = "%PDF-" $html = "<html" nocase $mail = "Subject: " $name = /[a-z]{3,9}@[a-z]{2,9}\.(com|org|example)/ condition: any of them }
EOT
truth=$TRIAGE_EVIDENCE/truth real=$TRIAGE_EVIDENCE/real
images=()
for image in "$truth"/{srv01.E01,nas01.001,usb01.dd,card01.dd,floppy.img,corrupt/nas01_cut.dd} "$real"/dfvfs/ext2.vmdk "$real"/plaso/image-split.E01 \
  "$real"/bulk_extractor/src/tests/{1mb_fat32.dmg,CFReDS001.E01,nps-2010-emails.E01} "$real"/bulk_extractor/tests/Images/german_ansi.E01; do
  [ -e "$image" ] && images+=("$image")
done
if [ -n "${TRIAGE_BLKLS_ALL:-}" ]; then
  for tool in 7z bsdtar qemu-img pstat; do command -v $tool >/dev/null || skip "no $tool"; done
  images=(--all "$truth" "$real")
fi
python3 "$E2E/compare_blkls.py" "$TRIAGE" rules.yar "$work" "${images[@]}" || fail "triage lacks matches, or accounts do not close"
finish
