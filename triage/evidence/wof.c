/* SPDX-License-Identifier: Apache-2.0 */
/* wof.c - the content of WOF-compressed files: a table of where each chunk ends, and the chunks,
 * each compressed by itself or, where that would not pay, as it is. */
#include "evidence/wof.h"
#include "base/limits.h"
#include "evidence/image_format.h"
#include "evidence/lzx.h"
#include "evidence/xpress.h"
#include <string.h>

enum {
  REPARSE_BYTES = 24,
  METHOD_XPRESS4K = 0,
  METHOD_LZX = 1,
  METHOD_XPRESS8K = 2,
  METHOD_XPRESS16K = 3,
  PROVIDER_WIM = 1,
  PROVIDER_FILE = 2,
  MAX_CHUNK = LZX_CHUNK,
};
#define TAG UINT32_C(0x80000017)

Wof wof_find(TSK_FS_FILE *file) {
  Wof wof = {0};
  const TSK_FS_ATTR *stream = NULL;
  bool is_wof = false;
  int n = MIN(tsk_fs_file_attr_getsize(file), (int)LIMIT_ATTRS_PER_ENTRY);
  for (int i = 0; i < n; i++) {
    const TSK_FS_ATTR *attr = tsk_fs_file_attr_get_idx(file, i);
    uint8_t point[REPARSE_BYTES];
    if (attr == NULL)
      continue;
    if (attr->type == TSK_FS_ATTR_TYPE_NTFS_DATA && attr->name != NULL &&
        strcmp(attr->name, "WofCompressedData") == 0)
      stream = attr;
    if (attr->type == TSK_FS_ATTR_TYPE_NTFS_REPARSE && attr->size >= REPARSE_BYTES &&
        tsk_fs_attr_read(attr, 0, (char *)point, sizeof point, TSK_FS_FILE_READ_FLAG_NONE) ==
            (ssize_t)sizeof point &&
        image_le32(point) == TAG) {
      is_wof = image_le32(point + 12) == PROVIDER_FILE;
      wof.is_in_wim = image_le32(point + 12) == PROVIDER_WIM;
      wof.method = image_le32(point + 20);
    }
  }
  wof.stream = is_wof ? stream : NULL;
  wof.is_lost = is_wof && stream == NULL;
  return wof;
}

bool wof_is_content(const Wof *wof, const TSK_FS_ATTR *attr) {
  return wof->stream != NULL && attr->type == TSK_FS_ATTR_TYPE_NTFS_DATA && attr->name == NULL;
}

static size_t chunk_bytes(uint32_t method) {
  return method == METHOD_XPRESS4K    ? 4096
         : method == METHOD_XPRESS8K  ? 8192
         : method == METHOD_XPRESS16K ? 16384
         : method == METHOD_LZX       ? LZX_CHUNK
                                      : 0;
}

static bool read_at(const Wof *wof, uint64_t offset, uint8_t *buffer, size_t n) {
  return tsk_fs_attr_read(wof->stream, (TSK_OFF_T)offset, (char *)buffer, n,
                          TSK_FS_FILE_READ_FLAG_NONE) == (ssize_t)n;
}

/* Where chunk index ends, counted from the end of the table; the last one ends with the stream. */
static bool end_of(const Wof *wof, uint64_t index, uint64_t n_chunks, size_t entry, uint64_t room,
                   uint64_t *end) {
  uint8_t bytes[8] = {0};
  *end = room;
  if (index + 1 < n_chunks) {
    if (!read_at(wof, index * entry, bytes, entry))
      return false;
    *end = image_le64(bytes);
  }
  return *end <= room;
}

/* What a file is unpacked with. */
typedef struct {
  uint8_t packed[MAX_CHUNK], out[MAX_CHUNK];
  uint16_t *table; /* of XPRESS, else NULL */
  LzxRoom *lzx;    /* of LZX, else NULL */
} Room;

static Room *room_new(uint32_t method) {
  Room *room = g_new(Room, 1);
  room->table = method == METHOD_LZX ? NULL : g_new(uint16_t, XPRESS_TABLE);
  room->lzx = method == METHOD_LZX ? g_malloc(lzx_room_bytes()) : NULL;
  return room;
}

static void room_free(Room *room) {
  g_free(room->table);
  g_free(room->lzx);
  g_free(room);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Room, room_free)

static bool unpack(Room *room, size_t n_packed, size_t n_out) {
  if (n_packed == n_out) {
    memcpy(room->out, room->packed, n_out);
    return true;
  }
  return room->lzx != NULL ? lzx_unpack(room->packed, n_packed, room->out, n_out, room->lzx)
                           : xpress_unpack(room->packed, n_packed, room->out, n_out, room->table);
}

bool wof_read(const Wof *wof, uint64_t size, ContentBuilder *builder, GError **error) {
  size_t chunk = chunk_bytes(wof->method), entry = size > UINT32_MAX ? 8 : 4;
  if (chunk == 0)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "the file is compressed by WOF with the method %u, which is not known; its "
                       "compressed bytes are examined as the stream WofCompressedData",
                       wof->method);
  uint64_t n_chunks = size / chunk + (size % chunk != 0), lost = 0, start = 0, end;
  uint64_t n_stream = wof->stream->size > 0 ? (uint64_t)wof->stream->size : 0;
  uint64_t n_table = n_chunks > 0 ? (n_chunks - 1) * entry : 0;
  if (n_table > n_stream)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "the file's WofCompressedData is too short for its %llu bytes",
                       (unsigned long long)size);
  g_autoptr(Room) room = room_new(wof->method);
  for (uint64_t i = 0; i < n_chunks; i++, start = end) {
    size_t n_out = (size_t)MIN(chunk, size - i * chunk);
    bool ok = end_of(wof, i, n_chunks, entry, n_stream - n_table, &end) && end > start &&
              end - start <= n_out &&
              read_at(wof, n_table + start, room->packed, (size_t)(end - start)) &&
              unpack(room, (size_t)(end - start), n_out);
    if (!ok) {
      lost++;
      memset(room->out, 0, n_out);
    }
    if (!content_builder_append(builder, room->out, n_out, error))
      return false;
  }
  return lost == 0 ||
         triage_fail(
             error, TRIAGE_REASON_CORRUPT,
             "%llu of the file's %llu chunks cannot be decompressed (WOF) and stand as zero",
             (unsigned long long)lost, (unsigned long long)n_chunks);
}
