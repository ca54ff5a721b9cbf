#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_wof.sh - NTFS files that Windows keeps compressed (WOF): made with wimlib's compressors and
# ntfs-3g's tools; each method, small files and large, stored chunks, damaged ones, deleted.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
python3 -c 'import ctypes; ctypes.CDLL("libwim.so.15")' 2>/dev/null || skip "no libwim15"
command -v ntfscp >/dev/null && command -v ntfstruncate >/dev/null || skip "no ntfs-3g"

# pack FILE METHOD: ./stream and ./point, as Windows would write them
pack() {
  python3 - "$@" <<'PY'
import ctypes, struct, sys
wim = ctypes.CDLL("libwim.so.15")
wim.wimlib_create_compressor.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_uint, ctypes.POINTER(ctypes.c_void_p)]
wim.wimlib_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
wim.wimlib_compress.restype = ctypes.c_size_t
data = open(sys.argv[1], "rb").read()
method, chunk, kind = {"4k": (0, 4096, 1), "lzx": (1, 32768, 2), "8k": (2, 8192, 1), "16k": (3, 16384, 1)}[sys.argv[2]]
compressor = ctypes.c_void_p()
assert wim.wimlib_create_compressor(kind, chunk, 0, ctypes.byref(compressor)) == 0
chunks = []
for at in range(0, len(data), chunk):
    part = data[at:at + chunk]
    room = ctypes.create_string_buffer(len(part))
    n = wim.wimlib_compress(part, len(part), room, len(part) - 1, compressor)
    chunks.append(room.raw[:n] if n else part)
table, at = b"", 0
for part in chunks[:-1]:
    at += len(part)
    table += struct.pack("<I", at)
open("stream", "wb").write(table + b"".join(chunks))
open("point", "wb").write(struct.pack("<IHHIIII", 0x80000017, 16, 0, 1, 2, 1, method))
PY
}
plant() { # IMAGE FILE METHOD NAME
  pack "$2" "$3" && : >nothing &&
    ntfscp -q "$1" nothing "$4" && ntfscp -q -N WofCompressedData "$1" stream "$4" && ntfscp -q -a 192 "$1" point "$4" &&
    ntfstruncate "$1" "$(ifind -n "$4" "$1")" 0x80 "$(stat -c %s "$2")" >/dev/null 2>&1 || fail "$4 cannot be made"
}

# the calls of real code are translated by LZX
{ seq -f 'line %g of a log that says the same again and again' 1 6000 && head -c 40000 /dev/urandom && head -c 90000 /dev/zero && head -c 200000 /bin/bash && script; } >large
script >small
truncate -s 12M disk.dd
mkntfs -Q -q -F disk.dd 2>/dev/null || fail mkntfs
for method in 4k 8k 16k lzx; do
  plant disk.dd large $method /large-$method.vbs
  plant disk.dd small $method /small-$method.vbs
done
status 0 "$TRIAGE" scan -q --entries --hash-all -o case disk.dd
for method in 4k 8k 16k lzx; do
  for size in large small; do
    digest=$(sha256sum <$size | cut -d' ' -f1)
    has case/entries.csv "r['path'] == '/$size-$method.vbs' and r['sha256'] == '$digest' and r['examined'] == 'yes'"
    has case/hits.csv "r['path'] == '/$size-$method.vbs' and r['state'] == 'allocated' and r['view'] == 'raw' and r['image_offset'] == ''"
  done
done
has case/entries.csv "r['path'] == '/large-lzx.vbs:WofCompressedData' and r['examined'] == 'yes'"
"$TRIAGE" info case | awk '/length/ { split($0, a, "length "); length_ = a[2] + 0 } /together/ { exit !($2 == length_) }' || fail "the accounts do not close"
status 0 "$TRIAGE" verify case

# the first chunk's code lengths are damaged: that chunk alone is lost
for method in 16k:16384 lzx:32768; do
  name=large-${method%:*}.vbs
  first=$(istat disk.dd "$(ifind -n "/$name" disk.dd)" | awk '/WofCompressedData/ { getline; print $1; exit }')
  table=$((($(stat -c %s large) - 1) / ${method#*:} * 4)) # an entry for each chunk but the first
  cp disk.dd damaged.dd
  head -c 256 /dev/zero | tr '\0' '\377' | dd of=damaged.dd bs=1 seek=$((first * 4096 + table)) conv=notrunc status=none
  rm -rf damaged
  status 1 "$TRIAGE" scan -q -o damaged damaged.dd
  has damaged/coverage.csv "r['path'] == '/$name' and r['reason'] == 'corrupt' and r['detail'].startswith('1 of the file')"
  has damaged/hits.csv "r['path'] == '/$name'"
done

# a table that claims more than the stream holds
plant disk.dd small 4k /liar.vbs
ntfstruncate disk.dd "$(ifind -n /liar.vbs disk.dd)" 0x80 8000000 >/dev/null 2>&1 || fail ntfstruncate
status 1 "$TRIAGE" scan -q -o liar disk.dd
has liar/coverage.csv "r['path'] == '/liar.vbs' and r['reason'] == 'corrupt' and 'too short' in r['detail']"

# the stream is not there; the content is in a WIM; a method nobody knows
for kind in lost wim method; do
  pack small 4k
  [ $kind != lost ] || rm stream
  [ $kind != wim ] || printf '\1' | dd of=point bs=1 seek=12 conv=notrunc status=none
  [ $kind != method ] || printf '\11' | dd of=point bs=1 seek=20 conv=notrunc status=none
  : >nothing
  ntfscp -q disk.dd nothing /$kind.vbs && ntfscp -q -a 192 disk.dd point /$kind.vbs || fail "$kind.vbs cannot be made"
  [ $kind != method ] || ntfscp -q -N WofCompressedData disk.dd stream /$kind.vbs
  ntfstruncate disk.dd "$(ifind -n /$kind.vbs disk.dd)" 0x80 5000 >/dev/null 2>&1 || fail ntfstruncate
done
status 1 "$TRIAGE" scan -q -o kinds disk.dd
has kinds/coverage.csv "r['path'] == '/lost.vbs' and r['reason'] == 'corrupt' and 'is not there' in r['detail']"
has kinds/coverage.csv "r['path'] == '/wim.vbs' and r['reason'] == 'unsupported-format' and 'WIM file' in r['detail']"
has kinds/coverage.csv "r['path'] == '/method.vbs' and r['reason'] == 'unsupported-format' and 'method 9' in r['detail']"
finish
