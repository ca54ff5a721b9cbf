/* SPDX-License-Identifier: Apache-2.0 */
/* image_qcow.c - QEMU copy-on-write images (QCOW version 1 to 3).
 *
 * Why not libqcow: Debian's 20201213 gives the old content of a cluster the disk has zeroed, and on
 * an image cut within a cluster reads past its buffer and hands out what lies there as evidence. */
#include "evidence/image_format.h"
#include <string.h>
#include <zlib.h>

enum {
  VERSION_1 = 1,
  FEATURE_DIRTY = 1,
  FEATURE_CORRUPT = 2,
  N_TABLES = 8,
  MAX_CLUSTER_BITS = 21,
};
#define OFFSET_MASK UINT64_C(0x00fffffffffffe00) /* of table entries, versions 2 and 3 */

typedef struct {
  uint64_t index;   /* in the first table; UINT64_MAX: empty */
  uint8_t *entries; /* as stored; NULL: the whole table is absent and reads as zero */
  TriageReason reason;
  bool bad;
} Table;

typedef struct {
  uint32_t version, cluster_bits, table_bits; /* table_bits: entries of a second table */
  uint64_t cluster_bytes, first_table, n_first;
  Table tables[N_TABLES];
  uint8_t *packed, *cluster; /* a compressed cluster and what it inflates to */
  uint64_t in_cluster;       /* the media cluster that is in cluster, UINT64_MAX: none */
} Qcow;

static bool qcow_probe(const ImagePeek *peek) {
  return peek->n_head >= 48 && memcmp(peek->head, "QFI\xfb", 4) == 0 &&
         image_be32(peek->head + 4) >= 1 && image_be32(peek->head + 4) <= 3;
}

/* What cannot be read: a backing file, encryption, features of later versions. */
static gboolean features_check(Image *image, const uint8_t *head, GError **error) {
  const char *shown = image_files_shown(image->files, 0);
  uint32_t version = image_be32(head + 4);
  if (image_be64(head + 8) != 0)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "%s: holds only what has changed since its backing file; merge the two "
                       "(qemu-img convert) and examine the result",
                       shown);
  uint32_t encryption = image_be32(head + (version == VERSION_1 ? 36 : 32));
  if (encryption != 0)
    return triage_fail(error, TRIAGE_REASON_ENCRYPTED, "%s: the QCOW image is encrypted (%s)",
                       shown,
                       encryption == 1   ? "AES"
                       : encryption == 2 ? "LUKS"
                                         : "unknown method");
  uint64_t features = version == 3 ? image_be64(head + 72) : 0;
  if ((features & ~(uint64_t)(FEATURE_DIRTY | FEATURE_CORRUPT)) != 0)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "%s: uses QCOW features (0x%" G_GINT64_MODIFIER
                       "x) that cannot be read; convert it to raw with qemu-img",
                       shown, features);
  if (features & FEATURE_DIRTY)
    image_add_problem(image, "The QCOW image was not closed properly (marked dirty).");
  if (features & FEATURE_CORRUPT)
    image_add_problem(image, "The QCOW image is marked as corrupt by QEMU.");
  if (version != VERSION_1 && image_be32(head + 60) != 0)
    image_add_problem(image, "The QCOW image holds %u snapshots, which are not examined.",
                      image_be32(head + 60));
  image_add_property_number(image, "Format version", version);
  return TRUE;
}

static gboolean shape_read(Image *image, Qcow *qcow, const uint8_t *head, GError **error) {
  qcow->version = image_be32(head + 4);
  uint64_t size = image_be64(head + 24);
  bool first = qcow->version == VERSION_1;
  qcow->cluster_bits = first ? head[32] : image_be32(head + 20);
  qcow->table_bits = first ? head[33] : qcow->cluster_bits - 3;
  qcow->first_table = image_be64(head + 40);
  if (qcow->cluster_bits < 9 || qcow->cluster_bits > MAX_CLUSTER_BITS || qcow->table_bits < 6 ||
      qcow->table_bits > MAX_CLUSTER_BITS - 3 || size > INT64_MAX || qcow->first_table > INT64_MAX)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "%s: the QCOW header claims %" G_GUINT64_FORMAT
                       " bytes in clusters of 2^%u bytes, which cannot be",
                       image_files_shown(image->files, 0), size, qcow->cluster_bits);
  qcow->cluster_bytes = UINT64_C(1) << qcow->cluster_bits;
  uint64_t by_table = qcow->cluster_bytes << qcow->table_bits;
  qcow->n_first = first ? size / by_table + (size % by_table != 0) : image_be32(head + 36);
  image->info.size = size;
  return TRUE;
}

static gboolean qcow_open(Image *image, GError **error) {
  uint8_t head[104] = {0};
  const char *shown = image_files_shown(image->files, 0);
  if (image_files_n(image->files) != 1)
    return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                       "%s: a QCOW image in several files cannot be read; join them first", shown);
  ssize_t got = image_files_pread(image->files, 0, head, sizeof head, 0);
  uint32_t version = image_be32(head + 4);
  ssize_t needed = version == VERSION_1 ? 48 : version == 2 ? 72 : 104;
  if (got < needed)
    return triage_fail(error, got < 0 ? TRIAGE_REASON_READ_ERROR : TRIAGE_REASON_TRUNCATED,
                       "%s: the header of the QCOW image cannot be read", shown);
  Qcow *qcow = g_new0(Qcow, 1);
  image->state = qcow;
  qcow->in_cluster = UINT64_MAX;
  for (int i = 0; i < N_TABLES; i++)
    qcow->tables[i].index = UINT64_MAX;
  if (!features_check(image, head, error) || !shape_read(image, qcow, head, error))
    return FALSE;
  qcow->packed = g_malloc(qcow->cluster_bytes + 512);
  qcow->cluster = g_malloc(qcow->cluster_bytes);
  if (qcow->first_table >= image_files_size(image->files, 0))
    return triage_fail(error, TRIAGE_REASON_TRUNCATED,
                       "%s: ends before its cluster table at byte %" G_GUINT64_FORMAT, shown,
                       qcow->first_table);
  return TRUE;
}

/* All or nothing; *reason says why not. */
static bool read_exact(Image *image, void *buffer, size_t n, uint64_t offset,
                       TriageReason *reason) {
  ssize_t got = image_files_pread(image->files, 0, buffer, n, offset);
  *reason = got < 0 ? TRIAGE_REASON_READ_ERROR : TRIAGE_REASON_TRUNCATED;
  return got == (ssize_t)n;
}

static void table_load(Image *image, Qcow *qcow, Table *table, uint64_t index) {
  g_clear_pointer(&table->entries, g_free);
  table->index = index;
  table->bad = true;
  table->reason = TRIAGE_REASON_CORRUPT;
  uint8_t raw[8];
  size_t n = (size_t)8 << qcow->table_bits;
  if (index >= qcow->n_first ||
      !read_exact(image, raw, 8, qcow->first_table + 8 * index, &table->reason))
    return;
  uint64_t entry = image_be64(raw);
  uint64_t offset = qcow->version == VERSION_1 ? entry : entry & OFFSET_MASK;
  if (offset > INT64_MAX)
    return;
  g_autofree uint8_t *entries = offset != 0 ? g_malloc(n) : NULL;
  if (offset != 0 && !read_exact(image, entries, n, offset, &table->reason))
    return;
  table->entries = g_steal_pointer(&entries);
  table->bad = false;
}

static const Table *table_get(Image *image, Qcow *qcow, uint64_t index) {
  Table *table = &qcow->tables[index % N_TABLES];
  if (table->index != index)
    table_load(image, qcow, table, index);
  return table;
}

static bool inflate_raw(const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out) {
  z_stream stream = {.next_in = (Bytef *)in, .avail_in = (uInt)n_in};
  if (inflateInit2(&stream, -15) != Z_OK)
    return false;
  stream.next_out = out;
  stream.avail_out = (uInt)n_out;
  int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  /* The room given for the stream is in sectors, so rubbish may follow it. */
  return stream.avail_out == 0 && (result == Z_STREAM_END || result == Z_BUF_ERROR);
}

/* Brings a compressed cluster into qcow->cluster. */
static bool cluster_unpack(Image *image, Qcow *qcow, uint64_t cluster, uint64_t entry,
                           TriageReason *reason) {
  if (qcow->in_cluster == cluster)
    return true;
  bool first = qcow->version == VERSION_1;
  uint32_t shift = first ? 63 - qcow->cluster_bits : 62 - (qcow->cluster_bits - 8);
  uint64_t offset = entry & ((UINT64_C(1) << shift) - 1), n;
  if (first)
    n = (entry >> shift) & (qcow->cluster_bytes - 1);
  else
    n = (((entry >> shift) & ((UINT64_C(1) << (qcow->cluster_bits - 8)) - 1)) + 1) * 512 -
        (offset & 511);
  n = MIN(n, qcow->cluster_bytes + 512);
  ssize_t got = image_files_pread(image->files, 0, qcow->packed, (size_t)n, offset);
  *reason = got < 0             ? TRIAGE_REASON_READ_ERROR
            : (uint64_t)got < n ? TRIAGE_REASON_TRUNCATED
                                : TRIAGE_REASON_CORRUPT;
  qcow->in_cluster = UINT64_MAX;
  if (got <= 0 ||
      !inflate_raw(qcow->packed, (size_t)got, qcow->cluster, (size_t)qcow->cluster_bytes))
    return false;
  qcow->in_cluster = cluster;
  return true;
}

static void lose(Image *image, uint64_t offset, uint8_t *buffer, size_t n, TriageReason reason) {
  memset(buffer, 0, n);
  image_note_damage(image, offset, n, reason);
}

/* part bytes, all within one cluster that is stored as it is. */
static void read_stored(Image *image, uint64_t at, uint64_t offset, uint8_t *buffer, size_t part) {
  ssize_t got = image_files_pread(image->files, 0, buffer, part, at);
  if (got == (ssize_t)part)
    return;
  if (got >= 0) {
    lose(image, offset + (uint64_t)got, buffer + got, part - (size_t)got, TRIAGE_REASON_TRUNCATED);
    return;
  }
  for (size_t done = 0, n; done < part; done += n) { /* sector by sector, to lose no more */
    n = MIN(part - done, 512 - (size_t)((at + done) % 512));
    if (image_files_pread(image->files, 0, buffer + done, n, at + done) != (ssize_t)n)
      lose(image, offset + done, buffer + done, n, TRIAGE_REASON_READ_ERROR);
  }
}

static void read_cluster(Image *image, Qcow *qcow, uint64_t offset, uint8_t *buffer, size_t part) {
  uint64_t cluster = offset >> qcow->cluster_bits, inside = offset & (qcow->cluster_bytes - 1);
  const Table *table = table_get(image, qcow, cluster >> qcow->table_bits);
  if (table->bad) {
    lose(image, offset, buffer, part, table->reason);
    return;
  }
  uint64_t place = cluster & ((UINT64_C(1) << qcow->table_bits) - 1);
  uint64_t entry = table->entries != NULL ? image_be64(table->entries + 8 * place) : 0;
  bool packed = (entry >> (qcow->version == VERSION_1 ? 63 : 62) & 1) != 0;
  uint64_t at = qcow->version == VERSION_1 ? entry : entry & OFFSET_MASK;
  TriageReason reason = TRIAGE_REASON_CORRUPT;
  if (packed) {
    if (cluster_unpack(image, qcow, cluster, entry, &reason))
      memcpy(buffer, qcow->cluster + inside, part);
    else
      lose(image, offset, buffer, part, reason);
  } else if (at == 0 || (qcow->version == 3 && (entry & 1) != 0)) {
    memset(buffer, 0, part); /* never written, or zeroed with its old content still there */
  } else if (at > INT64_MAX - qcow->cluster_bytes) {
    lose(image, offset, buffer, part, reason);
  } else {
    read_stored(image, at + inside, offset, buffer, part);
  }
}

static void qcow_read(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  Qcow *qcow = image->state;
  while (n > 0) {
    uint64_t left = qcow->cluster_bytes - (offset & (qcow->cluster_bytes - 1));
    size_t part = (size_t)MIN((uint64_t)n, left);
    read_cluster(image, qcow, offset, buffer, part);
    offset += part, buffer += part, n -= part;
  }
}

static void qcow_close(Image *image) {
  Qcow *qcow = image->state;
  if (qcow == NULL)
    return;
  for (int i = 0; i < N_TABLES; i++)
    g_free(qcow->tables[i].entries);
  g_free(qcow->packed);
  g_free(qcow->cluster);
  g_free(qcow);
}

const ImageFormat IMAGE_QCOW = {
    .row = {.stage = "image",
            .name = "qcow",
            .title = "QEMU copy-on-write image (QCOW, QCOW2)",
            .spec = "QEMU docs/interop/qcow2.txt",
            .library = "zlib",
            .limitations = "backing files, encryption, external data files, extended tables and "
                           "zstd clusters are refused; internal snapshots and the old content of "
                           "zeroed clusters are not examined",
            .available = true},
    .probe = qcow_probe,
    .open = qcow_open,
    .read = qcow_read,
    .close = qcow_close,
};
