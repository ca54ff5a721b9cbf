/* SPDX-License-Identifier: Apache-2.0 */
/* image_ewf.h - private to image_ewf*.c: an E01 set as its section walk left it. */
#pragma once
#include "evidence/image_format.h"
#include <zlib.h>

enum { EWF_FILE_HEADER = 13, EWF_SECTION = 76, EWF_TABLE_HEADER = 24 };

/* A table of chunk offsets, or a gap in the sequence of tables (n_chunks unknown). */
typedef struct {
  bool gap;
  TriageReason reason; /* of a gap */
  guint segment;
  uint64_t start, end;  /* the table section in its file; the last chunk ends at one of them */
  uint64_t entries;     /* file offset of the first entry */
  uint64_t backup;      /* the same in table2, 0: none */
  uint64_t base;        /* added to each entry */
  uint64_t first_chunk; /* place in the media; known once all segments were walked */
  uint32_t n_chunks;
  bool header_bad;     /* to be replaced by table2 */
  bool placed;         /* first_chunk is known */
  bool backup_checked; /* table2 was compared with its checksum */
  uint32_t *salvaged;  /* the entries, found without a table; NULL: in the file */
} EwfTable;

/* A loaded table. */
typedef struct {
  guint table;          /* index, G_MAXUINT: empty */
  uint32_t *entries;    /* n_chunks of the table */
  uint32_t overflow_at; /* from this entry on offsets have 32 bits and chunks are not compressed */
  uint64_t used;
  bool trusted; /* the checksum of table or table2 holds */
} EwfLoaded;

typedef struct {
  uint64_t chunk; /* UINT64_MAX: empty */
  uint64_t used;  /* clock of the last use */
  uint8_t *data;
  bool bad;
  TriageReason reason; /* where bad */
} EwfSlot;

/* Inflated chunks: each has one row of ways to stand in, where the one not used for longest goes.
 */
typedef struct {
  EwfSlot *slots;
  uint32_t n_rows, n_ways;
  uint64_t clock;
} EwfCache;

typedef struct {
  guint segment;
  uint64_t offset; /* of the section's data */
  uint64_t length;
} EwfPlace;

typedef struct {
  /* volume */
  bool has_volume, smart; /* smart: EWF-S01, tables without a checksum */
  uint32_t chunk_bytes;
  uint64_t n_chunks; /* that the media needs */
  uint8_t volume[1052];
  uint32_t n_volume;
  /* sections */
  EwfPlace hash, digest, error2; /* length 0: none */
  EwfPlace headers[4];           /* header and header2, each often twice */
  bool header_utf16[4];
  guint n_headers;
  bool done; /* the last segment says it is the last */
  uint64_t n_sections;
  GArray *tables; /* EwfTable in the order of the files, with gaps */
  GArray *placed; /* guint: tables with a known place, by first_chunk */
  /* reading */
  EwfLoaded loaded[16];
  uint64_t loaded_entries, clock;
  EwfCache kept;    /* what is asked for again and again */
  EwfCache passing; /* the last chunks of what is read forward; no rows: kept does for it too */
  uint8_t *packed;  /* one chunk as stored */
  size_t n_packed;
  uint8_t *whole; /* one chunk inflated, where the caller wants less */
  void *inflater; /* libdeflate's or zlib's */
  /* How this set stores a chunk of zeros: most of many disks, and slow to inflate. */
  uint8_t zero_packed[256];
  size_t n_zero_packed;
} Ewf;

/* Reads up to n bytes, all or nothing. */
bool ewf_pread(Image *image, guint segment, void *buffer, size_t n, uint64_t offset);
/* Adler-32 of n bytes equals the little-endian word at stored. */
bool ewf_sum_holds(const uint8_t *bytes, size_t n, const uint8_t *stored);

/* image_ewf_walk.c: all sections of all segments; fills tables, places and the volume. */
void ewf_walk(Image *image, Ewf *ewf);
/* image_ewf_salvage.c: adds a table for the chunks between from and end, bytes of the segment that
 * no table tells of; nothing where none is found. */
void ewf_salvage(Image *image, Ewf *ewf, guint segment, uint64_t from, uint64_t end);
/* image_ewf_meta.c: volume section (data of n bytes); properties and digests. */
gboolean ewf_volume_read(Image *image, Ewf *ewf, const uint8_t *data, size_t n, GError **error);
void ewf_meta_read(Image *image, Ewf *ewf);
/* image_ewf_place.c: first_chunk of each table; what has no table becomes known damage. */
void ewf_place_tables(Image *image, Ewf *ewf);
/* image_ewf_chunk.c */
void ewf_reader_init(Ewf *ewf);
void ewf_reader_clear(Ewf *ewf);
/* The chunk's slot, NULL where it is not there; a slot for it, whose data may be NULL yet. */
EwfSlot *ewf_cache_find(EwfCache *cache, uint64_t chunk);
EwfSlot *ewf_cache_take(EwfCache *cache, uint64_t chunk);
/* Puts the inflated chunk's first want bytes into out. False with the reason where it is bad. */
bool ewf_chunk_read(Image *image, Ewf *ewf, uint64_t chunk, uint8_t *out, size_t want,
                    TriageReason *reason);
