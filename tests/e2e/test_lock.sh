#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_lock.sh - a case has one writer: who else comes is told who holds it; who was killed holds
# nothing.
# labels: asan
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir tree && script >tree/a.vbs && script b >tree/b.vbs
status 0 "$TRIAGE" scan -q -o whole tree

hang() { # a scan that stays at a.vbs until it is killed
  rm -rf case
  TRIAGE_TEST_FAULT=hang:a.vbs "$TRIAGE" scan -q --jobs 1 -o case tree 2>/dev/null &
  pid=$!
  for _ in $(seq 200); do
    [ -f case/case.db ] && [ "$(sqlite3 -readonly case/case.db 'select count(*) from object' 2>/dev/null)" = 2 ] && return
    sleep 0.05
  done
  fail "the scan did not begin"
}
hang
status 2 "$TRIAGE" scan -q --resume -o case tree
says "process $pid on host $(uname -n), since 2"
status 2 "$TRIAGE" report case
says "is being written by triage"
cmp -s case/.lock <(printf '%s\n%s\n' "$(uname -n)" "$pid") && fail "the lock does not say since when"
kill -9 $pid
wait $pid 2>/dev/null
status 0 "$TRIAGE" scan -q --resume -o case tree
same whole/hits.csv case/hits.csv
[ ! -e case/.lock ] || fail "the lock outlives its run"
(cd case && sha256sum -c --quiet manifest.sha256) || fail "the manifest does not hold"

# several come at once to a killed case: one of them works, the others are told
hang
kill -9 $pid
wait $pid 2>/dev/null
pids=()
for i in 1 2 3 4; do
  "$TRIAGE" scan -q --resume -o case tree 2>"said$i" &
  pids+=($!)
done
for i in 1 2 3 4; do
  wait "${pids[i - 1]}"
  got=$?
  [ $got -eq 0 ] || { [ $got -eq 2 ] && grep -q 'is being written by triage' "said$i"; } || { fail "status $got"; cat "said$i"; }
done
same whole/hits.csv case/hits.csv

# on a shared file system another machine's holder counts while it shows signs of life
printf 'elsewhere\n4711\n2026-01-01T00:00:00Z\n' >case/.lock
status 0 "$TRIAGE" scan -q --resume -o case tree
printf 'elsewhere\n4711\n2026-01-01T00:00:00Z\n' >case/.lock
TRIAGE_TEST_SHARED_DIRECTORY=1 status 2 "$TRIAGE" scan -q --resume -o case tree
says "process 4711 on host elsewhere"
# ... and so does one that signs at the same moment
touch -d '-2 minutes' case/.lock
TRIAGE_TEST_SHARED_DIRECTORY=1 "$TRIAGE" scan -q --resume -o case tree 2>said1 &
pid=$!
for _ in $(seq 400); do grep -qx $pid case/.lock 2>/dev/null && break; sleep 0.01; done
printf 'elsewhere\n4712\n2026-01-01T00:00:00Z\n' >case/.lock
wait $pid
[ "$?:$(grep -c 'process 4712 on host elsewhere.*the same moment' said1)" = 2:1 ] || { fail "two machines took one case"; cat said1; }
touch -d '-2 minutes' case/.lock
TRIAGE_TEST_SHARED_DIRECTORY=1 status 0 "$TRIAGE" scan -q --resume -o case tree


# a file system without locks is refused, in words that help
cat >nolock.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#define LOCKLESS(name)                                                              \
  int name(int fd, int command, ...) {                                              \
    va_list list;                                                                   \
    va_start(list, command);                                                        \
    void *argument = va_arg(list, void *);                                          \
    va_end(list);                                                                   \
    int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, #name);   \
    int is_lock = command == F_SETLK || command == F_GETLK || command == F_OFD_SETLK || command == F_OFD_GETLK; \
    return is_lock ? (errno = ENOLCK, -1) : real(fd, command, argument);            \
  }
LOCKLESS(fcntl)
LOCKLESS(fcntl64)
C
if ! nm "$TRIAGE" 2>/dev/null | grep __asan_init >/dev/null && cc -shared -fPIC -O1 -o nolock.so nolock.c; then
  LD_PRELOAD=$work/nolock.so status 2 "$TRIAGE" scan -q -o none tree
  says "the file system locks no files"
  [ ! -e none ] || { fail "a case was begun"; ls -a none; }
fi
finish
