#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_seal.sh - signature and time stamp of a manifest, held against the openssl program, which knows nothing of
# triage: what one makes the other accepts, and every wrong one is refused.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v openssl >/dev/null || skip "openssl is not installed"

mkdir tree && script >tree/a.vbs && script b >tree/b.vbs
authority() { # NAME SUBJECT: an authority of its own
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -subj "/CN=$2" -days 30 2>/dev/null || fail "openssl req $1"
}
issue() { # NAME SUBJECT KEY-OPTIONS... : a certificate of ca.pem; NAME.both.pem holds it with its key
  local name=$1 subject=$2
  shift 2
  openssl req -nodes -keyout "$name.key" -out "$name.csr" -subj "$subject" "$@" 2>/dev/null &&
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 10 -out "$name.crt" \
      -extfile tsa.cnf -extensions "$name" 2>/dev/null || fail "openssl x509 $name"
  cat "$name.key" "$name.crt" >"$name.both.pem"
}
cat >tsa.cnf <<'END'
[tsa]
default_tsa = own
[own]
serial = ./serial
signer_cert = ./stamp.crt
signer_key = ./stamp.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_chain = no
[stamp]
extendedKeyUsage = critical,timeStamping
[rsa]
keyUsage = digitalSignature
[curve]
keyUsage = digitalSignature
END
authority ca "Test CA"
authority other "Another CA"
issue rsa "/O=Lab/CN=Examiner" -newkey rsa:2048
issue curve "/CN=Curve" -newkey ec -pkeyopt ec_paramgen_curve:P-256
issue stamp "/CN=Stamp" -newkey rsa:2048
echo 01 >serial

status 0 "$TRIAGE" scan -q --sign rsa.both.pem --timestamp-request -o case tree
by_openssl() { openssl cms -verify -binary -inform DER -in case/manifest.p7s -content case/manifest.sha256 -CAfile "$1" -out /dev/null 2>openssl.log; }
by_openssl ca.pem || { fail "openssl does not accept the signature"; cat openssl.log; }
by_openssl other.pem && fail "openssl accepts the signature under another authority: this test would see nothing"
openssl ts -query -in case/manifest.tsq -text 2>/dev/null | grep -q 'Certificate required: yes' || fail "openssl does not read the request"

openssl ts -reply -config tsa.cnf -queryfile case/manifest.tsq -out good.tsr 2>/dev/null || fail "openssl ts -reply"
status 0 "$TRIAGE" seal case --timestamp-reply good.tsr
status 2 "$TRIAGE" seal case --timestamp-request # the stamp is an answer to the request that is there
says "bears a time stamp already"
openssl ts -verify -data case/manifest.sha256 -in case/manifest.tsr -CAfile ca.pem >/dev/null 2>&1 || fail "openssl does not accept the stamp"
holds() { # WHAT OPTION...
  local what=$1
  shift
  status 0 "$TRIAGE" verify "$@" case
  grep -q "^holds: .*$what" stdout || { fail "verify does not say: $what"; cat stdout; }
}
refuses() { # TEXT OPTION...
  local what=$1
  shift
  status 1 "$TRIAGE" verify "$@" case
  grep -q "^FAILS: .*$what" stdout || { fail "verify does not say: $what"; cat stdout; }
}
holds "a signature of CN=Examiner,O=Lab" --verify-signature ca.pem --verify-timestamp ca.pem
holds "a time stamp of 20" --verify-signature rsa.crt --verify-timestamp ca.pem # the signer's own certificate
status 0 "$TRIAGE" verify case
grep -q '^found: a signature .*nobody vouches' stdout || fail "an unasked signature is not told"
refuses "manifest.p7s: the signature does not hold" --verify-signature other.pem
refuses "manifest.p7s: the signature does not hold" --verify-signature curve.crt
refuses "manifest.tsr: the time stamp does not hold" --verify-timestamp other.pem

# Replies that are not to be taken: to another request, over other bytes, none at all.
cp case/manifest.tsr kept.tsr
openssl ts -query -data case/manifest.sha256 -sha256 -cert -out again.tsq 2>/dev/null
openssl ts -reply -config tsa.cnf -queryfile again.tsq -out again.tsr 2>/dev/null
openssl ts -query -data tree/a.vbs -sha256 -cert -out far.tsq 2>/dev/null
openssl ts -reply -config tsa.cnf -queryfile far.tsq -out far.tsr 2>/dev/null
openssl ts -query -data case/manifest.sha256 -md5 -cert -out weak.tsq 2>/dev/null
openssl ts -reply -config tsa.cnf -queryfile weak.tsq -out refused.tsr 2>/dev/null
for reply in again far refused; do
  [ -s $reply.tsr ] || fail "openssl made no $reply.tsr"
  status 2 "$TRIAGE" seal case --timestamp-reply $reply.tsr
  says "is no answer to this case's request"
done
status 2 "$TRIAGE" seal case --timestamp-reply tree/a.vbs
same kept.tsr case/manifest.tsr

# Each seal by one changed byte, and a manifest that was made to fit again.
for file in manifest.p7s manifest.tsr manifest.sha256; do
  cp case/$file kept
  python3 - case/$file <<'EOP'
import sys
data = bytearray(open(sys.argv[1], 'rb').read())
data[len(data) - 20 if not sys.argv[1].endswith('sha256') else 5] ^= 1
open(sys.argv[1], 'wb').write(data)
EOP
  refuses "manifest" --verify-signature ca.pem --verify-timestamp ca.pem
  cp kept case/$file
done
cp -a case whole
sed -i 2d case/hits.csv && (cd case && sha256sum case.db coverage.csv hits.csv hits.jsonl manifest.json report.html timeline.body >manifest.sha256)
refuses "manifest.p7s: the signature does not hold" --verify-signature ca.pem
refuses "manifest.tsr: the time stamp does not hold"
rm -rf case && cp -a whole case
rm case/manifest.p7s
refuses "the manifest is not signed" --verify-signature ca.pem
cp whole/manifest.p7s case/

# New reports are an amendment: the sealed manifest is kept and named, the new one is signed anew.
before=$(sha256sum <case/manifest.sha256 | cut -d' ' -f1)
status 0 "$TRIAGE" report case --sign curve.both.pem
[ "$(jq -r .supersedes case/manifest.json)" = "$before" ] || fail "the new manifest does not name the one before"
for part in sha256 json p7s tsq tsr; do [ -s "case/manifest.1.$part" ] || fail "manifest.1.$part was not kept"; done
[ ! -e case/manifest.tsr ] || fail "a time stamp of the old manifest stands beside the new one"
by_openssl ca.pem || fail "openssl does not accept the new signature"
holds "a signature of CN=Curve" --verify-signature ca.pem
# ... and held against the log: what was kept cannot be exchanged, taken away or added to
for part in sha256 json; do
  cp case/manifest.1.$part kept.part && sed -i '2s/./x/' case/manifest.1.$part
  refuses "manifest.1.$part: is not the one"
  rm case/manifest.1.$part && status 1 "$TRIAGE" verify case
  cp kept.part case/manifest.1.$part
done
cp case/manifest.1.sha256 case/manifest.2.sha256 && refuses "manifest.2.sha256: log.jsonl does not tell that it was kept"
rm case/manifest.2.sha256 && status 0 "$TRIAGE" verify case

# Keys that cannot sign are refused before any work.
openssl genpkey -algorithm ed25519 -out ed.key 2>/dev/null && openssl req -x509 -key ed.key -subj /CN=ed -out ed.crt 2>/dev/null
cat ed.key ed.crt >ed.pem
for key in ed.pem rsa.key rsa.crt tree/a.vbs missing.pem; do
  status 2 "$TRIAGE" scan -q --sign $key -o none tree
  says "$key"
  [ ! -e none ] || fail "a case was made in spite of $key"
done
cat rsa.key curve.crt >mixed.pem
status 2 "$TRIAGE" seal case --sign mixed.pem
status 2 "$TRIAGE" seal case
status 2 "$TRIAGE" seal tree --sign rsa.both.pem
finish
