/* SPDX-License-Identifier: Apache-2.0 */
/* image_ewf.c - Expert Witness Compression Format, version 1 (E01, S01): open, read, close.
 *
 * Why not libewf: Debian's 20140813 gives a chunk with a bad checksum as zeros without a word, uses
 * a table whose two copies are both damaged as if it were sound, keeps silent about missing last
 * segments, stops at a missing middle one, and keeps about 130 bytes of memory for every chunk ever
 * read (4 GiB for a disk of 1 TiB). The format's reading part is small; libewf's own tools are what
 * the tests compare with. */
#include "evidence/image_ewf.h"
#include "base/limits.h"
#include <string.h>

static bool ewf_probe(const ImagePeek *peek) {
  return peek->n_head >= 8 && memcmp(peek->head, "EVF\x09\x0d\x0a\xff\x00", 8) == 0;
}

static guint first_file(const Image *image) {
  guint i = 0;
  while (!image_files_present(image->files, i))
    i++;
  return i;
}

static gboolean ewf_open(Image *image, GError **error) {
  Ewf *ewf = g_new0(Ewf, 1);
  image->state = ewf;
  ewf->tables = g_array_new(FALSE, TRUE, sizeof(EwfTable));
  ewf->placed = g_array_new(FALSE, FALSE, sizeof(guint));
  ewf_walk(image, ewf);
  const char *shown = image_files_shown(image->files, first_file(image));
  const GPtrArray *problems = image->info.problems;
  const char *why = problems->len > 0 ? g_ptr_array_index(problems, 0) : "";
  if (!ewf->has_volume) {
    bool first_missing = !image_files_present(image->files, 0);
    bool tiny = image_files_size(image->files, first_file(image)) < EWF_FILE_HEADER + EWF_SECTION;
    return triage_fail(error,
                       first_missing ? TRIAGE_REASON_MISSING_SEGMENT
                       : tiny        ? TRIAGE_REASON_TRUNCATED
                                     : TRIAGE_REASON_CORRUPT,
                       "%s: no description of the media was found, so nothing can be read%s%s",
                       shown, *why != '\0' ? ": " : "", why);
  }
  ewf_place_tables(image, ewf);
  if (ewf->placed->len == 0) {
    TriageReason reason = ewf->tables->len > 0 && g_array_index(ewf->tables, EwfTable, 0).gap
                              ? g_array_index(ewf->tables, EwfTable, 0).reason
                              : TRIAGE_REASON_CORRUPT;
    return triage_fail(error, reason,
                       "%s: no table of chunks can be used, so nothing can be read%s%s", shown,
                       *why != '\0' ? ": " : "", why);
  }
  ewf_meta_read(image, ewf);
  ewf_reader_init(ewf);
  image->info.chunk_bytes = ewf->chunk_bytes;
  return TRUE;
}

static EwfSlot *cached(Ewf *ewf, uint64_t chunk) {
  EwfSlot *slot = ewf_cache_find(&ewf->kept, chunk);
  return slot != NULL ? slot : ewf_cache_find(&ewf->passing, chunk);
}

/* One chunk: part bytes of it from inside on. */
static void read_part(Image *image, uint64_t chunk, size_t inside, uint8_t *buffer, size_t part,
                      bool is_sweep) {
  Ewf *ewf = image->state;
  uint64_t start = chunk * ewf->chunk_bytes;
  size_t want = (size_t)MIN((uint64_t)ewf->chunk_bytes, image->info.size - start);
  EwfSlot *slot = cached(ewf, chunk);
  TriageReason reason;
  bool good;
  if (slot == NULL && is_sweep && image_take_shared(image, start + inside, buffer, part))
    return;
  if (slot == NULL && is_sweep && part == want) { /* past the cache, straight to its place */
    good = ewf_chunk_read(image, ewf, chunk, buffer, want, &reason);
  } else {
    if (slot == NULL) {
      slot =
          ewf_cache_take(is_sweep && ewf->passing.n_rows > 0 ? &ewf->passing : &ewf->kept, chunk);
      if (slot->data == NULL)
        slot->data = g_malloc(ewf->chunk_bytes);
      slot->bad = !image_take_shared(image, start, slot->data, want) &&
                  !ewf_chunk_read(image, ewf, chunk, slot->data, want, &slot->reason);
    }
    good = !slot->bad;
    reason = slot->reason;
    if (good)
      memcpy(buffer, slot->data + inside, part);
  }
  if (good)
    return;
  memset(buffer, 0, part);
  image_note_damage(image, start + inside, part, reason);
  image_know_damage(image, start, want, reason); /* the chunk is lost as a whole */
}

static void ewf_read(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  enum { SWEEP_BYTES = 128 * 1024 };
  const Ewf *ewf = image->state;
  /* A large read goes on behind its end; libtsk's windows of 64 KiB come back to the same tables.
   */
  bool is_sweep = image->is_passing || n >= SWEEP_BYTES;
  while (n > 0) {
    uint64_t chunk = offset / ewf->chunk_bytes;
    size_t inside = (size_t)(offset % ewf->chunk_bytes);
    size_t part = MIN(n, ewf->chunk_bytes - inside);
    read_part(image, chunk, inside, buffer, part, is_sweep);
    offset += part, buffer += part, n -= part;
  }
}

static void ewf_close(Image *image) {
  Ewf *ewf = image->state;
  if (ewf == NULL)
    return;
  ewf_reader_clear(ewf);
  for (guint i = 0; i < ewf->tables->len; i++)
    g_free(g_array_index(ewf->tables, EwfTable, i).salvaged);
  g_array_unref(ewf->tables);
  g_array_unref(ewf->placed);
  g_free(ewf);
}

const ImageFormat IMAGE_EWF = {
    .row = {.stage = "image",
            .name = "ewf",
            .title = "Expert Witness Compression Format (E01, S01)",
            .spec = "libewf's description of EWF version 1",
            .library = "zlib",
            .limitations =
                "version 1 only; chunks whose table is damaged, not cut off, are not searched for; "
                "of several gaps only the first and the last edge can be placed",
            .available = true},
    .probe = ewf_probe,
    .open = ewf_open,
    .read = ewf_read,
    .close = ewf_close,
};
