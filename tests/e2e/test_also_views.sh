#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One place seen through two views is one row that names both; what only a view shows is its own row.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir in
# The page's text stands in the view of its entities once more.
printf '<script>Set m = CreateObject("CDO.Message")</script> <b>&#x52;&#111;ta</b>\r\n' >in/same.hta
# The name is there, and another is put together beside it.
printf 'Set m = CreateObject("CDO.Message")\r\nf = "cdoSMTP" & "Server"\r\n' >in/more.vbs
# A wide string matches the bytes as they are; the ASCII one the view, at the same place.
printf '\xff\xfe' >in/wide.vbs
printf 'Set m = CreateObject("CDO.Message")\r\n' | iconv -t UTF-16LE >>in/wide.vbs
# Two matches, of which the view of one place must not hide the other.
printf 'a = "CDO.Message"\r\nb = "CDO" & ".Message"\r\n' >in/two.vbs
# Put together from variables, in code that stands in a string.
printf 'Execute("a=""CDO"" : b="".Message"" : Set m = CreateObject(a & b)")\r\n' >in/named.vbs
# A registry file that writes UTF-16 as numbers, over two lines: two views, one inside the other.
{
  printf 'REGEDIT4\r\n\r\n[HKEY_CURRENT_USER\\X]\r\n"a"=hex(2):'
  printf 'CreateObject("CDO.Message")' | iconv -t UTF-16LE | od -An -v -tx1 | tr -d '\n' | sed 's/^ //;s/ /,/g;s/,2e,/,\\\r\n  2e,/'
} >in/codes.reg
cat >wide.yar <<'RULE'
rule wide_or_not { strings: $a = "CDO.Message" ascii wide condition: $a }
rule no_string { condition: filesize > 0 }
RULE
status 0 "$TRIAGE" scan -q -r wide.yar -r "$TRIAGE_SOURCE/rules/network_smtp_vb.yar" -o case in

expect() { # FILE RULE VIEW ALSO STRINGS
  local n
  n=$(rows case/hits.csv "(r['path'], r['rule'], r['view'], r['also_views'], r['strings']) == ('/$1', '$2', '$3', '$4', '$5')")
  [ "$n" = 1 ] || fail "$1: no row of $2 with view $3, also $4, strings $5"
}
expect same.hta network_smtp_vb raw entities '$c1'
expect same.hta wide_or_not raw entities '$a'
expect same.hta no_string raw entities ''
expect more.vbs network_smtp_vb raw '' '$c1'
expect more.vbs network_smtp_vb folded '' '$c1;$c2'
expect more.vbs wide_or_not raw folded '$a'
expect wide.vbs wide_or_not raw utf-16le '$a'
expect wide.vbs network_smtp_vb utf-16le '' '$c1'
expect two.vbs wide_or_not raw '' '$a'
expect two.vbs wide_or_not folded '' '$a'
expect two.vbs no_string raw folded ''
expect codes.reg network_smtp_vb codes+utf-16le '' '$c1'
expect codes.reg wide_or_not codes codes+utf-16le '$a'
expect codes.reg no_string raw 'codes;codes+utf-16le' ''
expect named.vbs network_smtp_vb folded+folded '' '$c1'
expect named.vbs wide_or_not folded+folded '' '$a'
expect named.vbs no_string raw 'folded;folded+folded' ''
[ "$(rows case/hits.csv True)" = 21 ] || fail "$(rows case/hits.csv True) rows instead of 21"
# The row of a view names the file it lies in.
sum=$(sha256sum <in/more.vbs)
[ "$(rows case/hits.csv "r['path'] == '/more.vbs' and r['sha256'] == '${sum%% *}'")" = 4 ] || fail "the digest is not the file's"
grep -q '"also_views":\["entities"\]' case/hits.jsonl || fail "hits.jsonl does not name the other view"
finish
