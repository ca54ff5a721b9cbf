/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.c - the recursion: one object to its members to their members, depth-bounded, within the
 * budgets of the top object. Knows no format. */
#include "base/digest.h"
#include "base/text.h"
#include "unpack/unpack_mail.h"
#include "unpack/unpack_parts.h"
#include "unpack/unpack_private.h"
#include "unpack/unpack_vba.h"
#include <iconv.h>
#include <locale.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t unpack_budget(const Unpack *unpack) {
  uint64_t max = unpack->options->max_expanded;
  return unpack->expanded < max ? max - unpack->expanded : 0;
}

bool unpack_alive(Unpack *unpack, uint64_t bytes) {
  if (!unpack->is_stopped && unpack->sink->alive != NULL &&
      !unpack->sink->alive(unpack->sink->user, bytes))
    unpack->is_stopped = true;
  return !unpack->is_stopped;
}

static void gap_text(Unpack *unpack, const MemberPath *path, uint64_t size, uint64_t examined,
                     TriageReason reason, const char *detail) {
  if (!unpack->is_stopped && unpack->sink->gap != NULL &&
      !unpack->sink->gap(unpack->sink->user, path, size, examined, reason, detail))
    unpack->is_stopped = true;
}

void unpack_gap(Unpack *unpack, const MemberPath *path, uint64_t size, uint64_t examined,
                TriageReason reason, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *detail = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  gap_text(unpack, path, size, examined, reason, detail);
}

void unpack_damage(Unpack *unpack, Container *container, TriageReason reason, const char *format,
                   ...) {
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *detail = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  uint64_t size = content_size(container->content);
  container->is_damaged = true;
  gap_text(unpack, container->path, size, size, reason, detail);
}

/* A view of a whole document may be that document again, with the same members. */
void unpack_open_all(Unpack *unpack, const Member *member, const ViewFound *found,
                     const UnpackSet *set, bool has_source) {
  g_autoptr(GHashTable) given =
      view_found_any(found) ? g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) : NULL;
  GHashTable *outer = unpack->given;
  bool was_again = unpack->is_again;
  unpack->given = given;
  unpack->is_again = false;
  bool is_open = (set != NULL && parts_open(unpack, member->content, member->path, set)) ||
                 unpack_open(unpack, member->content, member->path);
  unpack->is_again = true;
  view_found_open(unpack, member, found);
  unpack->given = outer;
  unpack->is_again = was_again;
  VbaBudget budget = VBA_BUDGET;
  if (!is_open && !has_source && !unpack->is_stopped)
    vba_carve(unpack, member->content, member->path, NULL, &budget);
}

/* True where the container gave these very bytes before a view of it does: under a name that may
 * tell a place, which the view moves. */
static bool is_given(Unpack *unpack, const Member *member) {
  if (unpack->given == NULL || member->error != NULL)
    return false;
  Digests digests;
  digest_bytes(DIGEST_SHA256, content_data(member->content), content_size(member->content),
               &digests);
  if (unpack->is_again)
    return g_hash_table_contains(unpack->given, digests.sha256);
  g_hash_table_add(unpack->given, g_strdup(digests.sha256));
  return false;
}

/* has_source: VBA source in it is someone else's to find. */
static void examine(Unpack *unpack, const Member *member, bool has_source, const UnpackSet *set) {
  if (unpack->is_stopped)
    return;
  if (unpack->sink->member != NULL && !unpack->sink->member(unpack->sink->user, member)) {
    unpack->is_stopped = true;
    return;
  }
  g_autoptr(ViewFound) found = unpack_member_views(unpack, member);
  if (unpack->is_stopped)
    return;
  if (member->path->depth > 0 && parts_hold(unpack, member, found, has_source))
    found = NULL;
  else
    unpack_open_all(unpack, member, found, set, has_source);
}

static void examine_views(Unpack *unpack, const Member *member) {
  g_autoptr(ViewFound) found = unpack_member_views(unpack, member);
  if (!unpack->is_stopped)
    view_found_open(unpack, member, found);
}

void unpack_view(Unpack *unpack, const Member *member) {
  if (unpack->is_stopped)
    return;
  if (unpack->sink->member != NULL && !unpack->sink->member(unpack->sink->user, member))
    unpack->is_stopped = true;
  else
    examine_views(unpack, member);
}

void unpack_member(Unpack *unpack, Container *container, GBytes *name, Member *member) {
  const MemberPath path = {
      .parent = container->path, .name = name, .view = "raw", .depth = container->path->depth + 1};
  container->n_members++;
  if (is_given(unpack, member))
    return;
  member->path = &path;
  examine(unpack, member, container->has_source, NULL);
  member->path = NULL;
}

uint64_t unpack_open_part(Unpack *unpack, const Unpacker *row, Content *content,
                          const MemberPath *path, uint64_t from, uint64_t size) {
  if (!row->row.available) {
    unpack_gap(unpack, path, size, size, TRIAGE_REASON_UNSUPPORTED_FORMAT, "%s", row->gap);
    return from + size;
  }
  if (path->depth >= unpack->max_depth) {
    unpack_gap(unpack, path, size, size, TRIAGE_REASON_DEPTH_LIMIT,
               "a %s inside %u other containers is not opened; its bytes were scanned as they are; "
               "--max-depth sets the limit",
               row->row.name, path->depth);
    return from + size;
  }
  g_autoptr(Content) part = content_new_part(content, from, size);
  Container container = {
      .content = part, .path = path, .end = size, .is_joined = unpack->is_joined};
  guint mark = parts_mark(unpack);
  unpack->is_joined = false;
  row->open(unpack, row, &container);
  parts_open_held(unpack, path, mark);
  unpack->is_joined = container.is_joined;
  return from + MIN(container.end, size);
}

void unpack_open_row(Unpack *unpack, const Unpacker *row, Content *content,
                     const MemberPath *path) {
  if (!unpack->is_stopped)
    unpack_open_part(unpack, row, content, path, 0, content_size(content));
}

/* Opens every row that is sure of the bytes at from: a polyglot is as many containers as it is.
 * Returns how many; *end is the furthest byte one of them explains, *last the row that does. */
static unsigned open_rows(Unpack *unpack, Content *content, const MemberPath *path, uint64_t from,
                          uint64_t *end, const Unpacker **last) {
  unsigned n_opened = 0;
  uint64_t size = content_size(content) - from;
  size_t n_rows;
  const Unpacker *const *rows = unpack_table(&n_rows);
  for (size_t i = 0; i < n_rows && !unpack->is_stopped; i++) {
    if (rows[i]->probe == NULL || !rows[i]->probe(content_data(content) + from, size))
      continue;
    n_opened++;
    uint64_t stop = unpack_open_part(unpack, rows[i], content, path, from, size);
    if (stop > *end)
      *last = rows[i];
    *end = MAX(*end, stop);
  }
  return n_opened;
}

/* A zip whose end record lies in a stream's own bytes (a gzip's header can hold one). In formats
 * that store members plainly it would be one of them, and is met there. */
static void open_zip_in_stream(Unpack *unpack, Content *content, const MemberPath *path,
                               uint64_t from) {
  uint64_t start, stop, size = content_size(content) - from;
  const uint8_t *data = content_data(content) + from;
  size_t n_rows;
  const Unpacker *const *rows = unpack_table(&n_rows);
  if (!zip_find(data, size, &start, &stop))
    return;
  for (size_t i = 0; i < n_rows; i++) {
    if (rows[i]->step != NULL && rows[i]->probe(data, size)) {
      unpack_open_part(unpack, unpack_row("zip"), content, path, from, stop);
      return;
    }
  }
}

/* A container that does not begin where the content does: a zip behind other bytes, an archive in a
 * program. Whichever comes first. */
static unsigned open_inside(Unpack *unpack, Content *content, const MemberPath *path,
                            bool may_carry, uint64_t from, uint64_t *end) {
  uint64_t at = 0, start, stop, size = content_size(content);
  const Unpacker *row = NULL;
  if (may_carry)
    row = unpack_find_carried(content_data(content), size, from, &at);
  if (zip_find(content_data(content) + from, size - from, &start, &stop) &&
      (row == NULL || from + start < at)) {
    *end = unpack_open_part(unpack, unpack_row("zip"), content, path, from, stop);
    return 1;
  }
  if (row == NULL)
    return 0;
  *end = unpack_open_part(unpack, row, content, path, at, size - at);
  return 1;
}

/* One byte again and again, or white space. */
static bool is_padding(const uint8_t *p, uint64_t n) {
  bool is_same = true, is_space = true;
  for (uint64_t i = 0; i < n && (is_same || is_space); i++) {
    is_same = is_same && p[i] == p[0];
    is_space = is_space && g_ascii_isspace((char)p[i]);
  }
  return is_same || is_space;
}

/* A stream has no members beside it: what is behind it was one once, or was put there. */
static void report_rest(Unpack *unpack, const Content *content, const MemberPath *path,
                        const Unpacker *last, uint64_t from) {
  uint64_t size = content_size(content);
  if (last == NULL || last->step == NULL || last->is_text || unpack->is_stopped ||
      is_padding(content_data(content) + from, size - from))
    return;
  unpack_gap(unpack, path, size, size, TRIAGE_REASON_CORRUPT,
             "behind the %s stream, from byte %" G_GUINT64_FORMAT " on, lie %" G_GUINT64_FORMAT
             " bytes that are neither padding nor another stream, unless a damaged one: they were "
             "scanned as they are",
             last->row.name, from, size - from);
}

bool unpack_open(Unpack *unpack, Content *content, const MemberPath *path) {
  const Unpacker *last = NULL;
  uint64_t size = content_size(content), from = 0;
  const uint8_t *data = content_data(content);
  bool may_carry = unpack_may_carry(data, size), is_any = false;
  for (unsigned i = 0; !unpack->is_stopped; i++) {
    uint64_t end = from;
    if (i == LIMIT_APPENDED) {
      unpack_gap(unpack, path, size, size, TRIAGE_REASON_SIZE_LIMIT,
                 "%u containers lie one behind the other: what follows from byte %" G_GUINT64_FORMAT
                 " on was scanned as it is",
                 LIMIT_APPENDED, from);
      return true;
    }
    const Unpacker *row = NULL;
    unsigned n_opened = open_rows(unpack, content, path, from, &end, &row);
    if (n_opened == 0)
      n_opened = open_inside(unpack, content, path, may_carry, from, &end);
    else
      open_zip_in_stream(unpack, content, path, from);
    is_any = is_any || n_opened > 0;
    if (n_opened == 0 || end <= from)
      break;
    last = row;
    /* What follows the container: padding, or another one behind it. */
    from = end;
    while (from < size && data[from] == 0)
      from++;
    if (size - from < 22)
      break;
  }
  report_rest(unpack, content, path, last, from);
  return is_any;
}

bool unpack_object_of_set(const UnpackOptions *options, const UnpackSink *sink, const Member *top,
                          const UnpackSet *set) {
  g_autoptr(HeldParts) held = parts_new();
  Unpack unpack = {.held = held,
                   .options = options,
                   .sink = sink,
                   .top_size = content_size(top->content),
                   .max_depth = MIN(options->max_depth, LIMIT_DEPTH_MAX)};
  examine(&unpack, top, false, set);
  unpack_inflater_free(&unpack);
  return !unpack.is_stopped;
}

bool unpack_object(const UnpackOptions *options, const UnpackSink *sink, const Member *top) {
  return unpack_object_of_set(options, sink, top, NULL);
}

static bool open_views(const UnpackOptions *options, const UnpackSink *sink, const Member *top,
                       const AreaPlace *place) {
  Unpack unpack = {.options = options,
                   .sink = sink,
                   .top_size = content_size(top->content),
                   .max_depth = MIN(options->max_depth, LIMIT_DEPTH_MAX)};
  if (sink->member != NULL && !sink->member(sink->user, top))
    return false;
  examine_views(&unpack, top);
  VbaBudget budget = VBA_BUDGET;
  if (!unpack.is_stopped)
    vba_carve(&unpack, top->content, top->path, NULL, &budget);
  if (!unpack.is_stopped && place != NULL)
    unpack_carve(&unpack, top, place);
  unpack_inflater_free(&unpack);
  return !unpack.is_stopped;
}

bool unpack_views(const UnpackOptions *options, const UnpackSink *sink, const Member *top) {
  return open_views(options, sink, top, NULL);
}

bool unpack_area(const UnpackOptions *options, const UnpackSink *sink, const Member *top,
                 const AreaPlace *place) {
  return open_views(options, sink, top, place);
}

bool unpack_recognises(const uint8_t *data, uint64_t size, const char **format_name) {
  size_t n_rows;
  const Unpacker *const *rows = unpack_table(&n_rows);
  for (size_t i = 0; i < n_rows; i++) {
    if (rows[i]->row.available && rows[i]->is_evidence && rows[i]->probe != NULL &&
        rows[i]->probe(data, size)) {
      if (format_name != NULL)
        *format_name = rows[i]->row.name;
      return true;
    }
  }
  return false;
}

void unpack_warm_up(void) {
  /* libarchive turns DOS times into UTC by the zone of the process and names by its locale: fixed
   * ones, or two machines would print two results. */
  setlocale(LC_CTYPE, "C.UTF-8");
  setenv("TZ", "UTC0", 1);
  tzset();
  iconv_t converter = iconv_open("UTF-8", "UTF-16LE");
  if (converter != (iconv_t)-1)
    iconv_close(converter);
  mime_warm_up();
  sqlite3_initialize();
  struct archive *archive = archive_read_new();
  if (archive != NULL) {
    archive_read_support_format_xar(archive);
    archive_read_free(archive);
  }
}
