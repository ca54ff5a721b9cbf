#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_extents.sh - ext4 files and directories of more extents than one block lists, dense and with
# holes, and extents that were never written; against debugfs.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in mke2fs debugfs; do command -v $tool >/dev/null || skip "no $tool"; done

N=700 # extents of each file

# Every second block is taken while the files are written: what they find is single ones.
build() { # IMAGE BLOCK
  truncate -s $((4096 * $2)) "$1"
  mke2fs -q -t ext4 -b "$2" -O ^has_journal,^resize_inode -N 1024 -F "$1" || fail mke2fs
  python3 - "$2" $N <<'PY' || fail "the files"
import sys
block, n = int(sys.argv[1]), int(sys.argv[2])
script = (b'Set m = CreateObject("CDO.Message")\r\nm.From = "a@example.com"\r\nm.To = "b@example.com"\r\n'
          b'm.Subject = "x"\r\nm.Send\r\n')
dense = bytearray(b''.join(b'%08d' % i * (block // 8) for i in range(n))[:-100])
at = (n - 20) * block - 28 # the name stands across the border of two fragments
dense[at:at + len(script)] = script
open('dense', 'wb').write(dense)
with open('sparse', 'wb') as f:
    for i in range(n):
        f.seek((2 * i + 3) * block)
        f.write(b'%08d' % (n - i) * (block // 8))
    f.seek((2 * (n - 20) + 3) * block + 40)
    f.write(script)
    f.truncate((2 * n + 90) * block + 5) # begins and ends with a hole
open('reserved', 'wb').write(b'R' * block)
PY
  local first
  first=$(debugfs -R 'ffb 1' "$1" 2>/dev/null | grep -o '[0-9]*' | head -n 1)
  {
    for ((i = first; i < 3900; i += 2)); do echo "setb $i"; done
    printf 'write %s %s\n' dense dense sparse sparse reserved reserved
    echo "fallocate sparse 1 1" # an extent among the others that holds nothing yet
    echo "fallocate reserved 1 2"
    echo "mkdir dir"
    for ((i = 0; i < 120; i++)); do echo "expand_dir dir"; done
    echo "cd dir"
    for ((i = 0; i < 340; i++)); do printf 'mknod %0250d p\n' "$i"; done
    for ((i = first; i < 3900; i += 2)); do echo "freeb $i"; done
  } >commands
  debugfs -w -f commands "$1" >/dev/null 2>&1 || fail debugfs
  # bytes of free and of reserved blocks must not pass for content
  local stale
  stale=$(debugfs -R 'bmap reserved 2' "$1" 2>/dev/null | grep -o '[0-9]*' | head -n 1)
  printf 'stale: CDO.Message' | dd of="$1" bs=1M oflag=seek_bytes seek=$((stale * $2)) conv=notrunc status=none
  echo "$((stale * $2 + 7))" >stale
}

digest_is() { # CASE NAME FILE
  local want
  want=$(sha256sum <"$3" | cut -d' ' -f1)
  has "$1/entries.csv" "r['path'] == '/$2' and r['state'] == 'allocated' and r['sha256'] == '$want' and r['size'] == '$(stat -c %s "$3")'" "$1: $2"
}

for block in 1024 4096; do
  image=ext$block.dd
  build $image $block
  for name in dense sparse; do
    debugfs -R "dump $name dumped-$name" $image 2>/dev/null
    [ "$(debugfs -R "ex $name" $image 2>/dev/null | grep -c '^ *\([0-9]\)/ *\1 ')" -ge 500 ] || fail "$image: $name has few extents"
  done
  status 0 "$TRIAGE" scan -q --hash-all --entries -o case$block $image
  for name in dense sparse; do digest_is case$block $name dumped-$name; done
  digest_is case$block reserved reserved
  [ "$(rows case$block/coverage.csv True)" -eq 0 ] || { fail "rows in coverage.csv"; cat case$block/coverage.csv; }
  [ "$(rows case$block/entries.csv "r['path'].startswith('/\$Unnamed/')")" -eq 0 ] || fail "entries without a name"
  # a match across two fragments lies in no one place; another where debugfs says
  has case$block/hits.csv "r['path'] == '/dense' and r['first_offset'] == '$(((N - 20) * block - 6))' and r['image_offset'] == '' and r['match_count'] == '1'" "$image: the hit in dense"
  at=$(grep -obaF CDO.Message sparse | head -n 1 | cut -d: -f1)
  place=$(debugfs -R "bmap sparse $((at / block))" $image 2>/dev/null | grep -o '[0-9]*' | head -n 1)
  has case$block/hits.csv "r['path'] == '/sparse' and r['image_offset'] == '$((place * block + at % block))' and r['match_count'] == '1'" "$image: the hit in sparse"
  has case$block/hits.csv "r['image_offset'] == '$(cat stale)' and r['path'].startswith('/\$Metadata/')" "$image: what stands in a reserved block"
  # the slack of the last block is the file's
  has case$block/entries.csv "r['path'] == '/dense' and r['state'] == 'slack' and r['size'] == '100'" "$image: slack"
  status 0 "$TRIAGE" info case$block
  grep -q "together  *$((4096 * block)) bytes" stdout || { fail "$image: the accounts do not close"; cat stdout; }
done

# a directory of that many blocks: the names in all of them
[ "$(debugfs -R 'ex dir' ext1024.dd 2>/dev/null | wc -l)" -gt 100 ] || fail "the directory has few extents"
[ "$(rows case1024/entries.csv "r['path'].startswith('/dir/000') and r['state'] == 'allocated'")" -eq 340 ] || fail "not all names of the directory"
finish
