/* SPDX-License-Identifier: Apache-2.0 */
/* coord_known_sort.c - external merge sort of digests of one length. */
#include "engine/coord_known_sort.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "triage/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUN_BYTES = 32 * 1024 * 1024, READ_BYTES = 128 * 1024 };

typedef struct {
  uint64_t at, end; /* bytes of the runs' file */
} Range;

typedef struct {
  gsize bytes; /* of one digest */
  uint8_t *buffer;
  gsize used;
  int fd; /* of the runs; -1: none yet */
  uint64_t written;
  GArray *runs; /* Range */
} Pile;

struct _KnownSorter {
  char *dir;
  Pile piles[KNOWN_KINDS];
};

int known_temporary(const char *dir, GError **error) {
  int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    g_autofree char *path = g_build_filename(dir, ".known-XXXXXX", NULL);
    fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
      unlink(path);
  }
  if (fd < 0) {
    g_autofree char *shown = text_printable(dir, strlen(dir));
    triage_fail(error, TRIAGE_REASON_USAGE, "%s: no room for the index of known files: %s", shown,
                g_strerror(errno));
  }
  return fd;
}

KnownSorter *known_sorter_new(const char *dir) {
  KnownSorter *sorter = g_new0(KnownSorter, 1);
  sorter->dir = g_strdup(dir);
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++) {
    sorter->piles[kind].bytes = KNOWN_BYTES[kind];
    sorter->piles[kind].fd = -1;
    sorter->piles[kind].runs = g_array_new(FALSE, FALSE, sizeof(Range));
  }
  return sorter;
}

void known_sorter_free(KnownSorter *sorter) {
  if (sorter == NULL)
    return;
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++) {
    io_auto_close(&sorter->piles[kind].fd);
    g_free(sorter->piles[kind].buffer);
    g_array_unref(sorter->piles[kind].runs);
  }
  g_free(sorter->dir);
  g_free(sorter);
}

static gboolean write_fails(GError **error) {
  return triage_fail(error, TRIAGE_REASON_INTERNAL,
                     "the index of known files cannot be written: %s; free space and run again",
                     g_strerror(errno));
}

static int compare_32(const void *a, const void *b) {
  return memcmp(a, b, 32);
}
static int compare_20(const void *a, const void *b) {
  return memcmp(a, b, 20);
}
static int compare_16(const void *a, const void *b) {
  return memcmp(a, b, 16);
}

static bool end_run(Pile *pile, const char *dir, GError **error) {
  if (pile->used == 0)
    return true;
  if (pile->fd < 0 && (pile->fd = known_temporary(dir, error)) < 0)
    return false;
  qsort(pile->buffer, pile->used / pile->bytes, pile->bytes,
        pile->bytes == 32   ? compare_32
        : pile->bytes == 20 ? compare_20
                            : compare_16);
  if (!io_write_all(pile->fd, pile->buffer, pile->used))
    return write_fails(error);
  Range run = {pile->written, pile->written + pile->used};
  g_array_append_val(pile->runs, run);
  pile->written = run.end;
  pile->used = 0;
  return true;
}

bool known_sorter_add(KnownSorter *sorter, const char *hex, gsize length, GError **error) {
  Pile *pile = NULL;
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++)
    if (length == 2 * sorter->piles[kind].bytes)
      pile = &sorter->piles[kind];
  if (pile == NULL)
    return false;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isxdigit(hex[i]))
      return false;
  if (pile->buffer == NULL)
    pile->buffer = g_malloc(RUN_BYTES);
  if (pile->used + pile->bytes > RUN_BYTES && !end_run(pile, sorter->dir, error))
    return false;
  for (gsize i = 0; i < pile->bytes; i++)
    pile->buffer[pile->used + i] =
        (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
  pile->used += pile->bytes;
  return true;
}

/* A run being read, a piece at a time. */
typedef struct {
  Range left;
  gsize at, have;
  uint8_t bytes[READ_BYTES - READ_BYTES % 160]; /* whole digests of every length */
} Reader;

/* The next digest of a run, NULL at its end; *ok false where it cannot be read. */
static const uint8_t *peek(const Pile *pile, Reader *reader, bool *ok) {
  if (reader->at < reader->have)
    return reader->bytes + reader->at;
  gsize n = (gsize)MIN(sizeof reader->bytes, reader->left.end - reader->left.at);
  if (n == 0)
    return NULL;
  *ok = io_pread(pile->fd, reader->bytes, n, reader->left.at) == (ssize_t)n;
  reader->left.at += n;
  reader->at = 0;
  reader->have = n;
  return *ok ? reader->bytes : NULL;
}

/* heap[0] is the reader with the least digest; those that have ended are not in it. */
static void sink(const Pile *pile, Reader **heap, guint n, guint at) {
  for (guint child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && memcmp(heap[child + 1]->bytes + heap[child + 1]->at,
                                heap[child]->bytes + heap[child]->at, pile->bytes) < 0)
      child++;
    if (memcmp(heap[at]->bytes + heap[at]->at, heap[child]->bytes + heap[child]->at, pile->bytes) <=
        0)
      return;
    Reader *other = heap[at];
    heap[at] = heap[child];
    heap[child] = other;
  }
}

typedef struct {
  int fd;
  GByteArray *out;
  uint8_t last[32];
  uint64_t count;
} Writer;

static bool put(Writer *writer, const uint8_t *digest, gsize bytes, GError **error) {
  if (writer->count > 0 && memcmp(writer->last, digest, bytes) == 0)
    return true;
  memcpy(writer->last, digest, bytes);
  writer->count++;
  g_byte_array_append(writer->out, digest, (guint)bytes);
  if (writer->out->len < MIB)
    return true;
  bool ok = io_write_all(writer->fd, writer->out->data, writer->out->len);
  g_byte_array_set_size(writer->out, 0);
  return ok || write_fails(error);
}

static bool merge(const Pile *pile, Writer *writer, GError **error) {
  g_autoptr(GPtrArray) readers = g_ptr_array_new_with_free_func(g_free);
  bool ok = true;
  for (guint i = 0; i < pile->runs->len && ok; i++) {
    Reader *reader = g_new0(Reader, 1);
    reader->left = g_array_index(pile->runs, Range, i);
    g_ptr_array_add(readers, reader);
    peek(pile, reader, &ok);
  }
  guint n = readers->len;
  g_autofree Reader **heap =
      n > 0 ? (Reader **)g_memdup2(readers->pdata, sizeof(Reader *) * n) : NULL;
  for (guint i = n / 2; ok && i-- > 0;)
    sink(pile, heap, n, i);
  while (ok && n > 0) {
    Reader *least = heap[0];
    if (!put(writer, least->bytes + least->at, pile->bytes, error))
      return false;
    least->at += pile->bytes;
    if (peek(pile, least, &ok) == NULL)
      heap[0] = heap[--n];
    sink(pile, heap, n, 0);
  }
  return ok || triage_fail(error, TRIAGE_REASON_INTERNAL,
                           "the index of known files cannot be read back: %s", g_strerror(errno));
}

bool known_sorter_finish(KnownSorter *sorter, int fd, KnownIndex *index, GError **error) {
  uint8_t head[KNOWN_HEAD_BYTES] = {0};
  g_autoptr(GByteArray) out = g_byte_array_new();
  if (!io_write_all(fd, head, sizeof head))
    return write_fails(error);
  uint64_t at = sizeof head;
  for (gsize kind = 0; kind < KNOWN_KINDS; kind++) {
    Pile *pile = &sorter->piles[kind];
    Writer writer = {.fd = fd, .out = out};
    if (!end_run(pile, sorter->dir, error) || !merge(pile, &writer, error))
      return false;
    g_clear_pointer(&pile->buffer, g_free);
    index->count[kind] = writer.count;
    index->offset[kind] = at;
    at += writer.count * pile->bytes;
  }
  index->fd = fd;
  known_pack_head(index, head);
  return (io_write_all(fd, out->data, out->len) && lseek(fd, 0, SEEK_SET) == 0 &&
          io_write_all(fd, head, sizeof head)) ||
         write_fails(error);
}
