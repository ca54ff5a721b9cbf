/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_carve.c - archives and OLE2 documents of which only the bytes are left: no entry names
 * them, they lie in free blocks, slack or between partitions and begin where a sector does. One
 * that reaches out of the area is read on as far as that is free. A beginning that opens to nothing
 * is no archive, and nothing is said of it, unless a sound header says how long it is: its bytes
 * were examined as they are. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_private.h"
#include <stdio.h>
#include <string.h>

enum { SECTOR = 512, GROWS_BY = 8 };

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
  case 0xD0:
    return unpack_ole2_begins(data, size) ? unpack_row("ole2") : NULL;
  case 'M':
    return unpack_cab_begins(data, size) ? unpack_row("cab") : NULL;
  case 'R':
  case '7':
    return unpack_carried_here(data, size);
  default:
    return NULL;
  }
}

/* One area, while it is looked through. */
typedef struct {
  Unpack *unpack;
  const Member *top;
  const AreaPlace *place;
  uint64_t grown; /* bytes read for archives that reach out of the area */
} Carving;

/* One beginning in it. */
typedef struct {
  const Unpacker *row;
  uint64_t at;      /* in the area */
  Content *content; /* from there on, as much as was needed (owned) */
  uint64_t most;    /* bytes that may be had of it */
  uint64_t reach;   /* of the archive, as far as it is known */
} Found;

/* Reads more of what lies behind, where it goes on there. */
static bool grow(Carving *carving, Found *found, uint64_t wanted) {
  const AreaPlace *place = carving->place;
  uint64_t have = content_size(found->content), n = MIN(wanted, found->most);
  if (place->read == NULL || n <= have || n > LIMIT_CARVED_GROWN - carving->grown)
    return false;
  carving->grown += n;
  Content *longer = place->read(place->user, found->at, n);
  if (longer == NULL || content_size(longer) <= have) {
    if (longer != NULL)
      content_unref(longer);
    return false;
  }
  content_unref(found->content);
  found->content = longer;
  return unpack_alive(carving->unpack, n);
}

static uint64_t next_size(const Found *found) {
  return found->reach == REACH_BEYOND ? content_size(found->content) * GROWS_BY : found->reach;
}

/* An allocation table has room for more than there is; all else that says a number means it. */
static bool is_exact(const Found *found) {
  return found->reach != REACH_BEYOND && strcmp(found->row->row.name, "ole2") != 0;
}

static void measure(Carving *carving, Found *found) {
  do
    found->reach =
        unpack_reach(found->row, content_data(found->content), content_size(found->content));
  while (found->reach > content_size(found->content) &&
         !(is_exact(found) && found->reach > found->most) &&
         grow(carving, found, next_size(found)));
}

/* The header is sound, so it is an archive, though nothing may come out of it. */
static void report_reach(const Carving *carving, const MemberPath *path, const Found *found) {
  uint64_t have = content_size(found->content);
  bool is_limit = carving->place->reach >= LIMIT_CARVED_REACH - LIMIT_AREA_OVERLAP ||
                  (have < found->most && found->reach <= found->most);
  if (found->reach <= have || carving->unpack->is_stopped || (!is_exact(found) && !is_limit))
    return;
  if (is_limit)
    unpack_gap(carving->unpack, path, found->most, have, TRIAGE_REASON_SIZE_LIMIT,
               "the %s archive reaches beyond the %" G_GUINT64_FORMAT
               " bytes that were read of it: more is not put together from free space",
               found->row->row.name, have);
  else
    unpack_gap(carving->unpack, path, found->reach, have, TRIAGE_REASON_TRUNCATED,
               "the %s archive is %" G_GUINT64_FORMAT " bytes long, of which %" G_GUINT64_FORMAT
               " lie here in one piece: what is behind them is in use again",
               found->row->row.name, found->reach, found->most);
}

/* Opens what was found. Returns how many bytes it explains, 1: none for sure. */
static uint64_t open_carved(Carving *carving, Found *found) {
  Unpack *unpack = carving->unpack;
  char text[48];
  int n = snprintf(text, sizeof text, "(carved at %" G_GUINT64_FORMAT ")", found->at);
  g_autoptr(GBytes) name = g_bytes_new(text, (gsize)n);
  const MemberPath path = {carving->top->path, name, "raw", carving->top->path->depth + 1};
  uint64_t end = 0;
  bool is_whole = false;
  measure(carving, found);
  do {
    g_autoptr(GPtrArray) waiting = g_ptr_array_new_with_free_func(waiting_free);
    Carve carve = {.sink = unpack->sink, .path = &path, .waiting = waiting};
    const UnpackSink sink = {&carve, on_member, on_gap, on_alive};
    uint64_t have = content_size(found->content);
    unpack->sink = &sink;
    unpack->growing = have < found->most && carving->grown < LIMIT_CARVED_GROWN ? &path : NULL;
    end = unpack_open_part(unpack, found->row, found->content, &path, 0, MIN(found->reach, have));
    bool wants_more = unpack->growing != NULL && unpack->wants_more;
    unpack->growing = NULL;
    unpack->wants_more = false;
    unpack->sink = carve.sink;
    is_whole = carve.has_member && !carve.is_damaged;
    if (!wants_more)
      break;
    /* Again with more of it, or with what there is. */
    if (!grow(carving, found, have * GROWS_BY))
      found->most = have;
    found->reach = content_size(found->content);
  } while (!unpack->is_stopped);
  report_reach(carving, &path, found);
  return is_whole ? end : 1;
}

void unpack_carve(Unpack *unpack, const Member *top, const AreaPlace *place) {
  const uint8_t *data = content_data(top->content);
  uint64_t size = content_size(top->content), own = MIN(place->own, size);
  uint64_t spent = 0, zips_to = 0, next = 0;
  unsigned n_opened = 0;
  Carving carving = {unpack, top, place, 0};
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
    Found found = {.row = row,
                   .at = at,
                   .content = content_new_part(top->content, at, size - at),
                   .most = size - at + (place->read != NULL ? place->reach : 0)};
    next = at + open_carved(&carving, &found);
    uint64_t length = MIN(found.reach, content_size(found.content));
    content_unref(found.content);
    /* The members of a broken zip were looked for in all of it. */
    if (is_zip)
      zips_to = at + length;
    spent += MIN(length, size - at);
    n_opened++;
  }
}
