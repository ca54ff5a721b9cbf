/* SPDX-License-Identifier: Apache-2.0 */
/* image_ewf_salvage.c - the chunks of a sectors section whose table never came, because the segment
 * is cut before it: up to 2 GiB of evidence that would be lost for the want of 4 bytes each. The
 * chunks follow each other without room between them and each carries its own checksum, so they can
 * be told apart; the first that does not hold ends the search, and what lies after it is the gap.
 */
#include "base/limits.h"
#include "evidence/image_ewf.h"
#include <string.h>

typedef struct {
  z_stream stream;
  uint8_t *packed, *whole;
  size_t n_packed, n_whole;
} Salvage;

/* Bytes that a zlib stream at packed takes where it inflates to a whole chunk, else 0. */
static size_t packed_length(Salvage *salvage, size_t n) {
  z_stream *stream = &salvage->stream;
  inflateReset(stream);
  stream->next_in = salvage->packed;
  stream->avail_in = (uInt)n;
  stream->next_out = salvage->whole;
  stream->avail_out = (uInt)salvage->n_whole;
  if (inflate(stream, Z_FINISH) != Z_STREAM_END || stream->avail_out != 0)
    return 0;
  return n - stream->avail_in;
}

static size_t stored_length(const Salvage *salvage, size_t n) {
  size_t length = salvage->n_whole;
  return n >= length + 4 && ewf_sum_holds(salvage->packed, length, salvage->packed + length)
             ? length + 4
             : 0;
}

static GArray *find_chunks(Image *image, Salvage *salvage, guint segment, uint64_t from,
                           uint64_t end, uint64_t *found_end) {
  GArray *entries = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  uint64_t at = from;
  while (at < end && at - from <= INT32_MAX && entries->len < LIMIT_EWF_TABLE_ENTRIES) {
    size_t n = (size_t)MIN(end - at, (uint64_t)salvage->n_packed);
    ssize_t got = image_files_pread(image->files, segment, salvage->packed, n, at);
    if (got <= 4)
      break;
    size_t length = packed_length(salvage, (size_t)got);
    uint32_t entry = (uint32_t)(at - from) | (length > 0 ? UINT32_C(1) << 31 : 0);
    if (length == 0)
      length = stored_length(salvage, (size_t)got);
    if (length == 0)
      break;
    entry = GUINT32_TO_LE(entry);
    g_array_append_val(entries, entry);
    at += length;
  }
  *found_end = at;
  return entries;
}

void ewf_salvage(Image *image, Ewf *ewf, guint segment, uint64_t from, uint64_t end) {
  if (!ewf->has_volume || from >= end)
    return;
  Salvage salvage = {.n_whole = ewf->chunk_bytes,
                     .n_packed = ewf->chunk_bytes + ewf->chunk_bytes / 8 + 4096};
  if (inflateInit(&salvage.stream) != Z_OK)
    return;
  salvage.packed = g_malloc(salvage.n_packed);
  salvage.whole = g_malloc(salvage.n_whole);
  uint64_t found_end;
  g_autoptr(GArray) entries = find_chunks(image, &salvage, segment, from, end, &found_end);
  inflateEnd(&salvage.stream);
  g_free(salvage.packed);
  g_free(salvage.whole);
  if (entries->len == 0)
    return;
  EwfTable table = {.segment = segment,
                    .start = found_end,
                    .end = found_end,
                    .base = from,
                    .n_chunks = entries->len};
  table.salvaged = (uint32_t *)g_array_free(g_steal_pointer(&entries), FALSE);
  g_array_append_val(ewf->tables, table);
  image_add_problem(image,
                    "%s: its last chunk table is lost; %u chunks before the cut were found without "
                    "it, by their own checksums.",
                    image_files_shown(image->files, segment), table.n_chunks);
}
