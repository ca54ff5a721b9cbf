#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_watch.sh - an intake folder: what has arrived whole is examined, once, whatever happens between.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir tree in && script >tree/a.vbs && head -c 1500000 /dev/urandom >tree/noise.bin
truncate -s 3M disk.dd && mke2fs -q -t ext4 -F -d tree disk.dd
e01 disk.dd set 1MiB
[ -f set.E03 ] || fail "no set of segments"
watch=("$TRIAGE" watch in -o cases -j 1 --interval 1 --settle 1)
pid=
: >watch.log
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$work"' EXIT
# until_true SECONDS COMMAND...: the watcher gets that far
until_true() {
  local n=$(($1 * 20))
  shift
  while [ $n -gt 0 ]; do "$@" && return 0; sleep 0.05; n=$((n - 1)); done
  fail "never came: $*"; sed 's/^/    /' watch.log | tail -n 15
}
said() { grep -qF -- "$1" watch.log; }
complete() { "$TRIAGE" status "cases/$1" 2>/dev/null | grep -x complete >/dev/null && [ -f "cases/$1/manifest.sha256" ]; }

# usage
status 2 "$TRIAGE" watch -o cases
status 2 "$TRIAGE" watch in -o cases --shard 1/2
status 2 "$TRIAGE" watch nowhere -o cases
status 0 "$TRIAGE" watch --help
grep -qE -- '--(resume|shard|evidence-list)' stdout && fail "--help tells of options that are refused"
status 2 "$TRIAGE" watch in in -o cases
says "name one folder"
status 2 "$TRIAGE" watch in
[ ! -e cases ] || fail "wrong usage has written"

# an image that comes in pieces; a set whose end comes later; what is no image; hostile names
ln -s "$work/disk.dd" in/link.dd
ln -s "$work/set.E02" in/bad.E02 && cp set.E01 in/bad.E01
head -c 5000 set.E01 >in/broken.E01 && touch in/broken.E01.done
: >in/empty.dd && touch in/empty.dd.done
cp set.E01 set.E02 in/ && echo "digest" >in/set.txt && cp disk.dd in/.hidden.dd && cp disk.dd in/late.dd.part
name=$'a b\n$(touch hurt);<i>\xff.vbs' && script >"in/$name" && script >in/-o
script >in/z.vbs
# The copy goes on until what stands behind it in order, and rests, has been begun: the watcher had its chance to take it. A
# busy machine may let the copy itself rest for too long, which is measured.
(last=${EPOCHREALTIME/./}
for i in {0..46}; do
  dd if="$work/disk.dd" of="$work/in/slow.dd" bs=64k skip=$i seek=$i count=1 conv=notrunc status=none
  now=${EPOCHREALTIME/./} && echo $((now - last)) && last=$now
  said "slow.dd: begun" && touch "$work/early" && break
  [ "$i" -gt 11 ] && said "z.vbs: begun" && break
  sleep 0.4
done >"$work/rests"
cp disk.dd in/slow.dd) &
copy=$!
"${watch[@]}" --settle 3 2>watch.log &
pid=$!
until_true 20 said "set.E01: is not whole and waits (missing-segment"
until_true 20 said "bad.E01: is not whole"
until_true 20 said "link.dd: is no regular file"
wait $copy
if [ -e early ]; then
  rest=$(sort -n rests | tail -1)
  if [ "$rest" -lt 2500000 ]; then fail "an unfinished copy was taken"; else echo "SKIPPED: the copy rested for $rest us"; fi
fi
status 2 "$TRIAGE" watch in -o cases --once
says "is being written by triage: process $pid"
until_true 30 complete slow.dd
cp set.E0[3-9] in/
until_true 30 complete set.E01
until_true 20 said "empty.dd: CANNOT be examined"
until_true 20 said "broken.E01: "
until_true 20 complete _o-"$(printf %s -o | sha256sum | cut -c1-8)"
[ "$(find cases -maxdepth 1 -name 'a_b__*' | wc -l)" = 1 ] || fail "the hostile name has no case"
[ ! -e hurt ] && [ ! -e cases/link.dd ] && [ ! -e cases/set.E02 ] && [ ! -e cases/set.txt ] && [ ! -e cases/bad.E01 ] &&
  [ ! -e cases/.hidden.dd ] && [ ! -e cases/late.dd.part ] || { fail "what should be left alone"; ls -A cases; }
"$TRIAGE" scan -q -o straight in/set.E01 && "$TRIAGE" scan -q -o plain in/slow.dd
for file in hits.csv coverage.csv timeline.body; do same "straight/$file" "cases/set.E01/$file"; same "plain/$file" "cases/slow.dd/$file"; done
[ -s cases/slow.dd/report.html ] || fail "no report"
kill -TERM $pid && wait $pid
[ $? -eq 0 ] || fail "SIGTERM without a case in work"

# killed in the middle of a case: it is gone on with, and nothing is done twice
sha256sum cases/*/manifest.sha256 >before
mkdir -p two && script >two/hangs.vbs && script >two/b.vbs && tar cf in/two.tar -C two b.vbs hangs.vbs
TRIAGE_TEST_FAULT=hang:two.tar "${watch[@]}" 2>watch.log &
pid=$!
until_true 20 test -f cases/two.tar/case.db
kill -9 $pid
wait $pid 2>/dev/null
until_true 10 sh -c '! "$1" status cases/two.tar | grep ^running >/dev/null' - "$TRIAGE"
TRIAGE_TEST_FAULT=hang:two.tar "${watch[@]}" 2>watch.log &
pid=$!
until_true 20 said "two.tar: going on with it"
sleep 0.3
kill -INT $pid && wait $pid
[ $? -eq 3 ] || fail "SIGINT with a case in work"
said "two.tar: stopped" || fail "what SIGINT does is not said"
status 1 "${watch[@]}" --once
says "two.tar: going on with it"
says "two.tar: examined"
complete two.tar || fail "not gone on with"
sha256sum --quiet --strict -c before || fail "done twice"
[ "$(ls cases | wc -l)" = $(($(wc -l <before) + 1)) ] || { fail "another case"; ls cases; }
status 1 "${watch[@]}" --once
grep -q 'two.tar\|slow.dd' stderr && fail "done again"

# what changes afterwards is another image; a marker has a part of a set examined as it is
touch -d '2020-01-01' in/slow.dd && touch in/bad.E01.done
status 1 "${watch[@]}" --once
complete slow.dd-2 || fail "a changed image"
has cases/bad.E01/coverage.csv 'r["reason"] == "missing-segment"' "a link is no segment"
rm -f in/* && cp disk.dd in/one.dd
status 1 "${watch[@]}" --once --marker
[ ! -e cases/one.dd ] || fail "taken without its marker"
touch in/one.dd.done
status 0 "${watch[@]}" --once --marker --settle 0

# the unit is one that systemd takes
unit=$TRIAGE_SOURCE/triage/cli/triage-watch.service
if command -v systemd-analyze >/dev/null; then
  sed -e "s#^ExecStart=triage #ExecStart=$TRIAGE #" -e /^Documentation=/d "$unit" >triage-watch.service
  systemd-analyze verify ./triage-watch.service >verify.log 2>&1 && ! grep -q 'triage-watch' verify.log || { fail "the unit"; cat verify.log; }
fi
finish
