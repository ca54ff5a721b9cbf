/* SPDX-License-Identifier: Apache-2.0 */
/* image_ewf_chunk.c - one chunk of an E01 set: found by its table, inflated, checked. A table is
 * trusted only where its checksum holds or its second copy's does: offsets from a damaged table may
 * point at a sound chunk of another place, which no later check would notice. */
#include "base/limits.h"
#include "evidence/image_ewf.h"
#include <string.h>
#ifdef TRIAGE_HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

enum { CHUNK_SUM = 4, PACKED_SLACK = 65536, CACHE_WAYS = 8 };

#ifdef TRIAGE_HAVE_LIBDEFLATE
static void inflater_init(Ewf *ewf) {
  ewf->inflater = libdeflate_alloc_decompressor();
}

static void inflater_clear(Ewf *ewf) {
  libdeflate_free_decompressor(ewf->inflater);
}

/* Inflates into out; returns the bytes made, 0 where the stream or its checksum is bad. */
static size_t inflate_chunk(Ewf *ewf, const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out) {
  size_t used = 0, made = 0;
  if (libdeflate_zlib_decompress_ex(ewf->inflater, in, n_in, out, n_out, &used, &made) !=
      LIBDEFLATE_SUCCESS)
    return 0;
  return made;
}

static uint32_t sum(const uint8_t *bytes, size_t n) {
  return libdeflate_adler32(1, bytes, n);
}
#else
static void inflater_init(Ewf *ewf) {
  z_stream *stream = g_new0(z_stream, 1);
  if (inflateInit(stream) != Z_OK)
    g_error("zlib does not start"); /* out of memory alone: the worker ends, as for g_malloc */
  ewf->inflater = stream;
}

static void inflater_clear(Ewf *ewf) {
  inflateEnd(ewf->inflater);
  g_free(ewf->inflater);
}

/* Inflates into out; returns the bytes made, 0 where the stream or its checksum is bad. */
static size_t inflate_chunk(Ewf *ewf, const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out) {
  z_stream *stream = ewf->inflater;
  inflateReset(stream);
  stream->next_in = (Bytef *)in;
  stream->avail_in = (uInt)n_in;
  stream->next_out = out;
  stream->avail_out = (uInt)n_out;
  return inflate(stream, Z_FINISH) == Z_STREAM_END ? n_out - stream->avail_out : 0;
}

static uint32_t sum(const uint8_t *bytes, size_t n) {
  return (uint32_t)adler32_z(1, bytes, n);
}
#endif

static void cache_init(EwfCache *cache, uint64_t n_slots) {
  cache->n_ways = (uint32_t)MIN(n_slots, CACHE_WAYS);
  cache->n_rows = cache->n_ways > 0 ? (uint32_t)(n_slots / cache->n_ways) : 0;
  cache->slots = g_new0(EwfSlot, (gsize)cache->n_rows * cache->n_ways);
  for (gsize i = 0; i < (gsize)cache->n_rows * cache->n_ways; i++)
    cache->slots[i].chunk = UINT64_MAX;
}

static void cache_clear(EwfCache *cache) {
  for (gsize i = 0; i < (gsize)cache->n_rows * cache->n_ways; i++)
    g_free(cache->slots[i].data);
  g_free(cache->slots);
}

EwfSlot *ewf_cache_find(EwfCache *cache, uint64_t chunk) {
  if (cache->n_rows == 0)
    return NULL;
  EwfSlot *row = cache->slots + (chunk % cache->n_rows) * cache->n_ways;
  for (uint32_t i = 0; i < cache->n_ways; i++) {
    if (row[i].chunk != chunk)
      continue;
    row[i].used = ++cache->clock;
    return &row[i];
  }
  return NULL;
}

EwfSlot *ewf_cache_take(EwfCache *cache, uint64_t chunk) {
  EwfSlot *row = cache->slots + (chunk % cache->n_rows) * cache->n_ways, *oldest = row;
  for (uint32_t i = 1; i < cache->n_ways; i++)
    if (row[i].used < oldest->used)
      oldest = &row[i];
  oldest->chunk = chunk;
  oldest->used = ++cache->clock;
  return oldest;
}

void ewf_reader_init(Ewf *ewf) {
  uint64_t n_kept = LIMIT_EWF_CACHE_BYTES / ewf->chunk_bytes;
  cache_init(&ewf->kept, CLAMP(n_kept, 2, 8192));
  cache_init(&ewf->passing, MIN(LIMIT_EWF_PASSING_BYTES / ewf->chunk_bytes, CACHE_WAYS));
  for (size_t i = 0; i < G_N_ELEMENTS(ewf->loaded); i++)
    ewf->loaded[i].table = G_MAXUINT;
  ewf->n_packed = (size_t)ewf->chunk_bytes + ewf->chunk_bytes / 8 + PACKED_SLACK;
  ewf->packed = g_malloc(ewf->n_packed);
  ewf->whole = g_malloc(ewf->chunk_bytes);
  inflater_init(ewf);
}

void ewf_reader_clear(Ewf *ewf) {
  for (size_t i = 0; i < G_N_ELEMENTS(ewf->loaded); i++)
    g_free(ewf->loaded[i].entries);
  cache_clear(&ewf->kept);
  cache_clear(&ewf->passing);
  g_free(ewf->packed);
  g_free(ewf->whole);
  if (ewf->inflater != NULL)
    inflater_clear(ewf);
}

/* The offset of entry i, without what the table's base adds. */
static uint32_t entry_offset(const EwfLoaded *loaded, uint32_t i) {
  return i >= loaded->overflow_at ? loaded->entries[i] : loaded->entries[i] & 0x7fffffff;
}

/* Where entry i + 1 begins, so where entry i ends. An offset that has left 31 bits behind looks
 * smaller than the one before it (EnCase 6.7 and later, segments above 2 GiB). */
static uint32_t entry_end(const EwfLoaded *loaded, uint32_t i) {
  uint32_t here = entry_offset(loaded, i), raw = loaded->entries[i + 1];
  uint32_t next = i >= loaded->overflow_at ? raw : raw & 0x7fffffff;
  return next < here ? raw : next;
}

/* Reads n_chunks entries at offset; true where their checksum holds (S01 has none). */
static bool entries_read(Image *image, const Ewf *ewf, const EwfTable *table, uint64_t offset,
                         uint32_t *entries, bool *sum_holds) {
  size_t n = (size_t)table->n_chunks * 4;
  uint8_t stored[4];
  if (!ewf_pread(image, table->segment, entries, n, offset))
    return false;
  *sum_holds = ewf->smart || (ewf_pread(image, table->segment, stored, 4, offset + n) &&
                              ewf_sum_holds((uint8_t *)entries, n, stored));
  return true;
}

/* A damaged copy costs nothing while the other is sound, but the examiner is told. */
static void backup_check(Image *image, const Ewf *ewf, EwfTable *table) {
  bool sum_holds = false;
  if (table->backup == 0 || table->backup_checked)
    return;
  table->backup_checked = true;
  g_autofree uint32_t *entries = g_new(uint32_t, table->n_chunks);
  if (!entries_read(image, ewf, table, table->backup, entries, &sum_holds) || !sum_holds)
    image_add_problem(image,
                      "%s: the second copy of the chunk table at byte %" G_GUINT64_FORMAT
                      " is damaged; the first is sound and used.",
                      image_files_shown(image->files, table->segment), table->start);
}

/* The table's entries from whichever copy is sound; false where neither is. */
static bool entries_load(Image *image, const Ewf *ewf, EwfTable *table, uint32_t *entries) {
  bool sum_holds = false;
  const char *shown = image_files_shown(image->files, table->segment);
  if (table->salvaged != NULL) {
    memcpy(entries, table->salvaged, (size_t)table->n_chunks * 4);
    return true;
  }
  if (entries_read(image, ewf, table, table->entries, entries, &sum_holds) && sum_holds) {
    backup_check(image, ewf, table);
    return true;
  }
  if (table->backup != 0 && entries_read(image, ewf, table, table->backup, entries, &sum_holds) &&
      sum_holds) {
    image_add_problem(image,
                      "%s: the chunk table at byte %" G_GUINT64_FORMAT
                      " is damaged; its second copy is sound and used.",
                      shown, table->start);
    return true;
  }
  image_add_problem(image,
                    "%s: the chunk table at byte %" G_GUINT64_FORMAT
                    " is damaged and has no sound second copy; its %u chunks are not read.",
                    shown, table->start, table->n_chunks);
  uint64_t start = table->first_chunk * ewf->chunk_bytes;
  uint64_t length = MIN((uint64_t)table->n_chunks * ewf->chunk_bytes, image->info.size - start);
  image_know_damage(image, start, length, TRIAGE_REASON_CORRUPT);
  return false;
}

static void table_load(Image *image, Ewf *ewf, EwfLoaded *loaded, guint index) {
  EwfTable *table = &g_array_index(ewf->tables, EwfTable, index);
  uint32_t n = table->n_chunks;
  loaded->table = index;
  loaded->entries = g_new0(uint32_t, n);
  ewf->loaded_entries += n;
  loaded->trusted = entries_load(image, ewf, table, loaded->entries);
  loaded->overflow_at = UINT32_MAX;
  for (uint32_t i = 0; i < n; i++)
    loaded->entries[i] = GUINT32_FROM_LE(loaded->entries[i]);
  for (uint32_t i = 0; i + 1 < n && loaded->overflow_at == UINT32_MAX; i++)
    if (entry_end(loaded, i) > INT32_MAX)
      loaded->overflow_at = i + 1;
}

static void table_unload(Ewf *ewf, EwfLoaded *loaded) {
  if (loaded->table == G_MAXUINT)
    return;
  ewf->loaded_entries -= g_array_index(ewf->tables, EwfTable, loaded->table).n_chunks;
  g_clear_pointer(&loaded->entries, g_free);
  loaded->table = G_MAXUINT;
}

static EwfLoaded *oldest_loaded(Ewf *ewf, bool in_use) {
  EwfLoaded *oldest = NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(ewf->loaded); i++) {
    EwfLoaded *loaded = &ewf->loaded[i];
    if (!in_use && loaded->table == G_MAXUINT)
      return loaded;
    if (loaded->table != G_MAXUINT && (oldest == NULL || loaded->used < oldest->used))
      oldest = loaded;
  }
  return oldest;
}

static EwfLoaded *table_get(Image *image, Ewf *ewf, guint index) {
  ewf->clock++;
  for (size_t i = 0; i < G_N_ELEMENTS(ewf->loaded); i++) {
    if (ewf->loaded[i].table == index) {
      ewf->loaded[i].used = ewf->clock;
      return &ewf->loaded[i];
    }
  }
  uint64_t wanted = g_array_index(ewf->tables, EwfTable, index).n_chunks;
  EwfLoaded *oldest;
  while (ewf->loaded_entries > 0 && ewf->loaded_entries + wanted > LIMIT_EWF_TABLE_BYTES / 4 &&
         (oldest = oldest_loaded(ewf, true)) != NULL)
    table_unload(ewf, oldest);
  EwfLoaded *loaded = oldest_loaded(ewf, false);
  table_unload(ewf, loaded);
  table_load(image, ewf, loaded, index);
  loaded->used = ewf->clock;
  return loaded;
}

/* The table that holds the chunk, G_MAXUINT where none does; then *reason says why. */
static guint table_of(const Ewf *ewf, uint64_t chunk, TriageReason *reason) {
  guint low = 0, high = ewf->placed->len;
  while (low < high) { /* the first table past the chunk */
    guint middle = low + (high - low) / 2;
    guint index = g_array_index(ewf->placed, guint, middle);
    if (g_array_index(ewf->tables, EwfTable, index).first_chunk <= chunk)
      low = middle + 1;
    else
      high = middle;
  }
  if (low > 0) {
    guint index = g_array_index(ewf->placed, guint, low - 1);
    const EwfTable *table = &g_array_index(ewf->tables, EwfTable, index);
    if (chunk - table->first_chunk < table->n_chunks)
      return index;
  }
  *reason = TRIAGE_REASON_CORRUPT;
  for (guint i = 0; i < ewf->tables->len; i++) {
    const EwfTable *table = &g_array_index(ewf->tables, EwfTable, i);
    if (!table->placed) {
      *reason = table->gap ? table->reason : TRIAGE_REASON_CORRUPT;
      break;
    }
  }
  return G_MAXUINT;
}

/* Stored as it is, with its checksum behind it. The table gives the room up to the next chunk,
 * which may hold padding too: the lengths that make sense are tried. */
static bool stored_chunk(Ewf *ewf, size_t n, uint8_t *out, size_t want) {
  size_t lengths[] = {n >= CHUNK_SUM ? n - CHUNK_SUM : 0, ewf->chunk_bytes, want};
  for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
    size_t length = lengths[i];
    if (length < want || length > ewf->chunk_bytes || length > n - CHUNK_SUM)
      continue;
    if (sum(ewf->packed, length) == image_le32(ewf->packed + length)) {
      memcpy(out, ewf->packed, want);
      return true;
    }
  }
  return false;
}

static bool all_zero(const uint8_t *bytes, size_t n) {
  return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

static bool packed_chunk(Ewf *ewf, size_t n, uint8_t *out, size_t want) {
  if (n == ewf->n_zero_packed && memcmp(ewf->packed, ewf->zero_packed, n) == 0) {
    memset(out, 0, want); /* the same bytes, checksum included, inflate to the same */
    return true;
  }
  bool direct = want == ewf->chunk_bytes;
  uint8_t *to = direct ? out : ewf->whole;
  if (inflate_chunk(ewf, ewf->packed, n, to, ewf->chunk_bytes) < want)
    return false; /* a stream that ends early would leave what was there before */
  if (!direct)
    memcpy(out, to, want);
  else if (n <= sizeof ewf->zero_packed && all_zero(out, want)) {
    memcpy(ewf->zero_packed, ewf->packed, n);
    ewf->n_zero_packed = n;
  }
  return true;
}

bool ewf_chunk_read(Image *image, Ewf *ewf, uint64_t chunk, uint8_t *out, size_t want,
                    TriageReason *reason) {
  image->n_chunks_read++;
  guint index = table_of(ewf, chunk, reason);
  if (index == G_MAXUINT)
    return false;
  const EwfTable *table = &g_array_index(ewf->tables, EwfTable, index);
  const EwfLoaded *loaded = table_get(image, ewf, index);
  *reason = TRIAGE_REASON_CORRUPT;
  if (!loaded->trusted)
    return false;
  uint32_t i = (uint32_t)(chunk - table->first_chunk);
  uint64_t start = table->base + entry_offset(loaded, i), end;
  if (i + 1 < table->n_chunks)
    end = table->base + entry_end(loaded, i);
  else
    end = start < table->start ? table->start : table->end;
  bool packed = i < loaded->overflow_at && (loaded->entries[i] >> 31) != 0;
  if (end <= start || end - start < CHUNK_SUM)
    return false;
  size_t n = (size_t)MIN(end - start, (uint64_t)ewf->n_packed);
  ssize_t got = image_files_pread(image->files, table->segment, ewf->packed, n, start);
  *reason = got < 0           ? TRIAGE_REASON_READ_ERROR
            : (size_t)got < n ? TRIAGE_REASON_TRUNCATED
                              : TRIAGE_REASON_BAD_CHECKSUM;
  if (got < CHUNK_SUM)
    return false;
  return packed ? packed_chunk(ewf, (size_t)got, out, want)
                : stored_chunk(ewf, (size_t)got, out, want);
}
