#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_sandbox.sh - after its lock-down a worker opens nothing for writing, makes no socket, executes
# nothing; and the evidence is as it was.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v strace >/dev/null || skip "no strace"
nm "$TRIAGE" 2>/dev/null | grep __asan_init >/dev/null && skip "needs a build without sanitizers"

ext4_image disk.dd 8M
mkdir tree && script >tree/a.vbs && (cd tree && zip -q a.zip a.vbs && tar czf b.tgz a.zip)
e01 disk.dd disk
sha256sum disk.dd disk.E01 tree/* >before
strace -f -q -o trace.txt -e trace='!read,write,pread64,poll,lseek,mmap,munmap,brk,madvise' \
  "$TRIAGE" scan -q -o case disk.dd disk.E01 tree disk.dd || [ $? -eq 1 ] || fail "scan under strace"
python3 - <<'PY' || failures=$((failures + 1))
import re, sys
locked, bad, n = set(), [], 0
for line in open("trace.txt", errors="replace"):
    pid, _, call = line.partition(" ")
    call = call.strip()
    if call.startswith("seccomp(SECCOMP_SET_MODE_FILTER") and call.endswith("= 0"):
        locked.add(pid); n += 1
    elif pid in locked:
        if re.match(r"(open|openat|openat2|creat)\(", call) and re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND", call):
            bad.append(line)
        elif re.match(r"(socket|connect|bind|execve|execveat|fork|vfork|clone|clone3|ptrace|mount|unlink|rename|kill|mkdir|link|symlink|truncate|chmod|chown|process_vm)\w*\(", call):
            bad.append(line)
print(n, "workers locked themselves in")
for line in bad[:10]:
    print("after the lock-down:", line.strip())
sys.exit(0 if n >= 4 and not bad else 1)
PY
sha256sum -c --quiet before || fail "the evidence was changed"
grep -q 'protections were in force' case/report.html || fail "the report says nothing of the sandbox"

# evidence in a place that cannot be written
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
  chmod 755 "$work" && chmod 555 tree && mkdir -m 777 out
  status 0 setpriv --reuid 65534 --regid 65534 --clear-groups "$TRIAGE" scan -q -o out/case tree
fi
finish
