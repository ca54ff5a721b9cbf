/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_carve.c - archives of which only the bytes are left: no entry names them, they lie in free
 * blocks, slack or between partitions and begin where a sector does. A beginning that opens to
 * nothing is no archive, and nothing is said of it: its bytes were examined as they are. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_private.h"
#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, END_RECORDS = 16, END_RECORD_BYTES = 22 };

/* The sink while a carved archive is open: what is said of it waits until a member came. */
typedef struct {
  const UnpackSink *sink;
  const MemberPath *path; /* of the carved archive */
  GPtrArray *waiting;     /* Waiting */
  bool has_member, is_damaged;
} Carve;

typedef struct {
  GBytes *name; /* of a member of the carved archive; NULL: the archive itself */
  uint64_t size, examined;
  TriageReason reason;
  char *detail;
} Waiting;

static void waiting_free(gpointer pointer) {
  Waiting *waiting = pointer;
  g_clear_pointer(&waiting->name, g_bytes_unref);
  g_free(waiting->detail);
  g_free(waiting);
}

static bool say_waiting(Carve *carve) {
  bool goes_on = true;
  carve->has_member = true;
  for (guint i = 0; goes_on && carve->sink->gap != NULL && i < carve->waiting->len; i++) {
    const Waiting *waiting = carve->waiting->pdata[i];
    const MemberPath member = {carve->path, waiting->name, "raw", carve->path->depth + 1};
    goes_on = carve->sink->gap(carve->sink->user, waiting->name != NULL ? &member : carve->path,
                               waiting->size, waiting->examined, waiting->reason, waiting->detail);
  }
  g_ptr_array_set_size(carve->waiting, 0);
  return goes_on;
}

static bool on_member(void *user, const Member *member) {
  Carve *carve = user;
  if (member->error != NULL && member->path->parent == carve->path)
    carve->is_damaged = true;
  if (!carve->has_member && content_size(member->content) > 0 && !say_waiting(carve))
    return false;
  return carve->sink->member == NULL || carve->sink->member(carve->sink->user, member);
}

/* Damage alone may be chance; that a member is encrypted or that a limit was met is not, nor is
 * damage again and again. */
static bool is_doubtful(TriageReason reason) {
  return reason == TRIAGE_REASON_CORRUPT || reason == TRIAGE_REASON_TRUNCATED ||
         reason == TRIAGE_REASON_BAD_CHECKSUM || reason == TRIAGE_REASON_UNSUPPORTED_FORMAT;
}

static bool on_gap(void *user, const MemberPath *path, uint64_t size, uint64_t examined,
                   TriageReason reason, const char *detail) {
  Carve *carve = user;
  if (path == carve->path || path->parent == carve->path)
    carve->is_damaged = true;
  bool is_said = !is_doubtful(reason) || carve->waiting->len >= LIMIT_CARVED_WAITING;
  if (!carve->has_member && is_said && !say_waiting(carve))
    return false;
  if (carve->has_member)
    return carve->sink->gap == NULL ||
           carve->sink->gap(carve->sink->user, path, size, examined, reason, detail);
  Waiting *waiting = g_new0(Waiting, 1);
  if (path != carve->path && path->name != NULL)
    waiting->name = g_bytes_ref(path->name);
  waiting->size = size;
  waiting->examined = examined;
  waiting->reason = reason;
  waiting->detail = g_strdup(detail);
  g_ptr_array_add(carve->waiting, waiting);
  return true;
}

static bool on_alive(void *user, uint64_t bytes) {
  const Carve *carve = user;
  return carve->sink->alive == NULL || carve->sink->alive(carve->sink->user, bytes);
}

/* The end of the zip that begins data, by the end record that leads back to there (a zip stored in
 * it has its own). One that lost it reaches to the next whole zip, or as far as there is. */
static uint64_t zip_extent(const uint8_t *data, uint64_t size) {
  uint64_t at = 4, start, end;
  for (unsigned i = 0; i < END_RECORDS && size - at >= END_RECORD_BYTES; i++) {
    const uint8_t *found = memmem(data + at, size - at, "PK\5\6", 4);
    if (found == NULL || size - (uint64_t)(found - data) < END_RECORD_BYTES)
      break;
    at = (uint64_t)(found - data) + END_RECORD_BYTES;
    uint64_t comment = bytes_le16(found + 20);
    if (!zip_find(data, at + MIN(comment, size - at), &start, &end))
      continue;
    if (start == 0)
      return end;
    if (start % SECTOR == 0)
      return start;
  }
  return size;
}

/* The row that is sure of the bytes at data; other borders cost one look at one byte. */
static const Unpacker *find_row(const uint8_t *data, uint64_t size) {
  switch (data[0]) {
  case 'P':
    return zip_begins(data, size) ? unpack_row("zip") : NULL;
  case 0x1F:
    return probe_gzip(data, size) ? unpack_row("gzip") : NULL;
  case 'B':
    return probe_bzip2(data, size) ? unpack_row("bzip2") : NULL;
  case 0xFD:
    return probe_xz(data, size) ? unpack_row("xz") : NULL;
  case 'R':
  case '7':
  case 'M':
    return unpack_carried_here(data, size);
  default:
    return NULL;
  }
}

/* Opens size bytes at at. Returns the byte from which on to look for more. */
static uint64_t open_carved(Unpack *unpack, const Member *top, const Unpacker *row, uint64_t at,
                            uint64_t size) {
  char text[48];
  int n = snprintf(text, sizeof text, "(carved at %" G_GUINT64_FORMAT ")", at);
  g_autoptr(GBytes) name = g_bytes_new(text, (gsize)n);
  const MemberPath path = {top->path, name, "raw", top->path->depth + 1};
  g_autoptr(GPtrArray) waiting = g_ptr_array_new_with_free_func(waiting_free);
  Carve carve = {.sink = unpack->sink, .path = &path, .waiting = waiting};
  const UnpackSink sink = {&carve, on_member, on_gap, on_alive};
  unpack->sink = &sink;
  uint64_t end = unpack_open_part(unpack, row, top->content, &path, at, size);
  unpack->sink = carve.sink;
  return carve.has_member && !carve.is_damaged ? end : at + 1;
}

void unpack_carve(Unpack *unpack, const Member *top, const AreaPlace *place) {
  const uint8_t *data = content_data(top->content);
  uint64_t size = content_size(top->content), own = MIN(place->own, size);
  uint64_t spent = 0, zips_to = 0, next = 0;
  unsigned n_opened = 0;
  for (uint64_t at = 0; at < own && !unpack->is_stopped;
       at = at < place->border ? place->border : at + SECTOR) {
    const Unpacker *row = at >= next ? find_row(data + at, size - at) : NULL;
    bool is_zip = row != NULL && data[at] == 'P';
    if (row == NULL || !row->row.available || (is_zip && at < zips_to))
      continue;
    if (n_opened == LIMIT_CARVED || spent / LIMIT_CARVED_READS >= MAX(size, MIB)) {
      unpack_gap(unpack, top->path, size, size, TRIAGE_REASON_SIZE_LIMIT,
                 "archives from byte %" G_GUINT64_FORMAT " on were not opened: %u were tried, "
                 "with %" G_GUINT64_FORMAT " bytes in all; the bytes were scanned as they are",
                 at, n_opened, spent);
      return;
    }
    uint64_t length = is_zip ? zip_extent(data + at, size - at) : size - at;
    next = open_carved(unpack, top, row, at, length);
    /* The members of a broken zip were looked for in all of it. */
    if (is_zip)
      zips_to = at + length;
    spent += length;
    n_opened++;
  }
}
