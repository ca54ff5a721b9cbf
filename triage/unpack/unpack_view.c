/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_view.c - the views of a member: found, built, handed out, chained. Knows no encoding. */
#include "unpack/unpack_view.h"
#include <string.h>
#include <xxhash.h>

/* Windows are small enough that the data stays in the processor's cache for all rows, and overlap
 * by more than the longest thing a smell looks for. */
enum { WINDOW_BYTES = 1024 * 1024, OVERLAP_BYTES = 256, NAME_MAX_BYTES = 64, AROUND_BYTES = 12 };

typedef struct {
  XXH128_hash_t hash;
  uint64_t size;
} Print;

/* The views of one member while they are made. */
typedef struct {
  Unpack *unpack;
  const Member *member;
  GArray *prints; /* of contents already handed out, so that two ways to one text are one view */
  ViewFound *found;
  unsigned n_views;
  bool is_full;
} ViewSet;

struct _ViewFound {
  GPtrArray *opened; /* ViewText*: texts that are containers themselves */
  GPtrArray *carried;
};

typedef struct {
  Content *content;
  char *name;
} ViewText;

static void carried_free(gpointer pointer) {
  Carried *carried = pointer;
  g_free(carried->name);
  content_unref(carried->content);
  g_free(carried);
}

static void view_text_free(gpointer pointer) {
  ViewText *text = pointer;
  g_free(text->name);
  content_unref(text->content);
  g_free(text);
}

/* ---- building ---- */

static bool append(ViewBuilder *builder, const void *bytes, size_t n) {
  return builder->error == NULL && content_builder_append(builder->out, bytes, n, &builder->error);
}

static void add_segment(ViewBuilder *builder, ViewSegment segment) {
  ViewSegment *last = builder->segments->len > 0 ? &g_array_index(builder->segments, ViewSegment,
                                                                  builder->segments->len - 1)
                                                 : NULL;
  if (segment.length == 0)
    return;
  if (last != NULL && !last->is_whole && !segment.is_whole &&
      last->at + last->length == segment.at && last->from + last->from_length == segment.from &&
      last->length % segment.length == 0 && last->from_length % segment.from_length == 0 &&
      last->length / segment.length == last->from_length / segment.from_length) {
    last->length += segment.length;
    last->from_length += segment.from_length;
  } else if (builder->segments->len < LIMIT_VIEW_SEGMENTS) {
    g_array_append_val(builder->segments, segment);
  } else {
    builder->is_coarse = true;
  }
}

static bool copy_unchanged(ViewBuilder *builder, uint64_t from, uint64_t end) {
  uint64_t at = content_builder_size(builder->out);
  if (from >= end)
    return true;
  add_segment(builder, (ViewSegment){at, end - from, from, end - from, false});
  return append(builder, builder->data + from, (size_t)(end - from));
}

/* What lies between the last conversion and the next: kept, or but its two ends. */
static bool bridge(ViewBuilder *builder, uint64_t to) {
  uint64_t from = builder->done;
  bool is_first = content_builder_size(builder->out) == 0;
  if (from >= to)
    return true;
  if (to - from <= (is_first ? builder->context : 2 * builder->context))
    return copy_unchanged(builder, from, to);
  if (!is_first && !copy_unchanged(builder, from, from + builder->context))
    return false;
  return (is_first || append(builder, "\n", 1)) &&
         copy_unchanged(builder, to - builder->context, to);
}

bool view_put(ViewBuilder *builder, uint64_t from, uint64_t end, const void *bytes, size_t n,
              bool is_whole) {
  if (builder->out == NULL)
    builder->out =
        content_builder_new(builder->unpack->options->spool, unpack_budget(builder->unpack));
  if (!bridge(builder, from))
    return false;
  uint64_t at = content_builder_size(builder->out);
  add_segment(builder, (ViewSegment){at, n, from, end - from, is_whole});
  builder->done = end;
  return append(builder, bytes, n);
}

void view_carry(ViewBuilder *builder, const char *kind, uint64_t at, Content *content) {
  if (builder->carried->len >= LIMIT_VIEW_CARRIED) {
    if (builder->error == NULL)
      triage_fail(&builder->error, TRIAGE_REASON_SIZE_LIMIT,
                  "more than %u containers in encoded blocks; those behind were not opened",
                  LIMIT_VIEW_CARRIED);
    content_unref(content);
    return;
  }
  Carried *carried = g_new0(Carried, 1);
  carried->name = g_strdup_printf("(%s@%" G_GUINT64_FORMAT ")", kind, at);
  carried->content = content;
  g_ptr_array_add(builder->carried, carried);
}

/* Counts what stands at data[from, end); false where that cannot be text. */
static bool count_text(const uint8_t *data, uint64_t from, uint64_t end, unsigned *n_plain) {
  for (uint64_t i = from; i < end; i++) {
    uint8_t c = data[i];
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
      return false;
    *n_plain += c < 0x80;
  }
  return true;
}

bool view_is_in_text(const uint8_t *data, uint64_t size, uint64_t from, uint64_t end) {
  uint64_t start = from > AROUND_BYTES ? from - AROUND_BYTES : 0;
  uint64_t stop = size - end > AROUND_BYTES ? end + AROUND_BYTES : size;
  unsigned n_plain = 0;
  return count_text(data, start, from, &n_plain) && count_text(data, end, stop, &n_plain) &&
         (uint64_t)n_plain * 4 >= (from - start + stop - end) * 3;
}

/* ---- places ---- */

static const ViewSegment *segment_at(const ViewMap *map, uint64_t offset) {
  guint low = 0, high = map->segments->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    const ViewSegment *segment = &g_array_index(map->segments, ViewSegment, middle);
    if (offset < segment->at)
      high = middle;
    else if (offset - segment->at >= segment->length)
      low = middle + 1;
    else
      return segment;
  }
  return NULL;
}

static uint64_t scale(const ViewSegment *segment, uint64_t n, bool is_up) {
  if (segment->length == segment->from_length)
    return n;
  unsigned __int128 product = (unsigned __int128)n * segment->from_length;
  return (uint64_t)((product + (is_up ? segment->length - 1 : 0)) / segment->length);
}

bool unpack_view_place(const ViewMap *map, uint64_t offset, uint64_t length, uint64_t *from,
                       uint64_t *end) {
  for (; map != NULL; map = map->parent) {
    const ViewSegment *first = segment_at(map, offset);
    const ViewSegment *last = length > 1 ? segment_at(map, offset + length - 1) : first;
    if (map->is_coarse || first == NULL || last == NULL)
      return false;
    uint64_t start =
        first->is_whole ? first->from : first->from + scale(first, offset - first->at, false);
    uint64_t stop = last->is_whole
                        ? last->from + last->from_length
                        : last->from + scale(last, offset + MAX(length, 1) - last->at, true);
    offset = start;
    length = stop - start;
  }
  *from = offset;
  *end = offset + length;
  return true;
}

/* ---- the views of one member ---- */

static bool is_new(ViewSet *set, const Content *content) {
  Print print = {XXH3_128bits(content_data(content), (size_t)content_size(content)),
                 content_size(content)};
  for (guint i = 0; i < set->prints->len; i++) {
    const Print *other = &g_array_index(set->prints, Print, i);
    if (other->size == print.size && XXH128_isEqual(other->hash, print.hash))
      return false;
  }
  g_array_append_val(set->prints, print);
  return true;
}

/* For each kind the first byte of the first window that smells of it; size where none does. */
static void smell(Unpack *unpack, const Content *content, uint64_t *first) {
  uint64_t size = content_size(content);
  unsigned open = SMELL_BIT(SMELLS) - 1;
  for (unsigned i = 0; i < SMELLS; i++)
    first[i] = size;
  for (uint64_t at = 0; at < size && open != 0 && !unpack->is_stopped; at += WINDOW_BYTES) {
    uint64_t length = MIN(size - at, WINDOW_BYTES + OVERLAP_BYTES);
    unsigned found = views_smell_of(content, at, length, open);
    for (unsigned i = 0; i < SMELLS; i++)
      if ((found & SMELL_BIT(i)) != 0)
        first[i] = at;
    open &= ~found;
  }
  /* Which blocks there are depends on where the first begins. */
  if (first[SMELL_COMMAND] < size)
    first[SMELL_COMMAND] = first[SMELL_BASE64];
}

static char *chain_name(const char *parent, const char *view) {
  if (strcmp(parent, "raw") == 0)
    return g_strdup(view);
  char *name = g_strconcat(parent, "+", view, NULL);
  if (strlen(name) > NAME_MAX_BYTES)
    name[NAME_MAX_BYTES] = '\0';
  return name;
}

/* True where the view begins as its parent does: a container that parent is there, with some text
 * further on undone. */
static bool is_same_beginning(const ViewMap *map) {
  enum { HEAD_BYTES = 16 };
  const ViewSegment *first = segment_at(map, 0);
  return first != NULL && !first->is_whole && first->from == 0 &&
         first->length == first->from_length && first->length >= HEAD_BYTES;
}

bool view_begins_container(const uint8_t *data, uint64_t size) {
  size_t n;
  const Unpacker *const *rows = unpack_table(&n);
  for (size_t i = 0; i < n; i++)
    if (rows[i]->probe != NULL && rows[i]->row.available && rows[i]->probe(data, size))
      return true;
  return false;
}

/* Is content a container the parent is not? One with numbers that say where its parts lie is broken
 * by what the view undid in it, and was opened whole; one that is text may hold more now. */
static bool is_container(const Content *parent, const Content *content, const ViewMap *map) {
  size_t n;
  const Unpacker *const *rows = unpack_table(&n);
  bool is_same = is_same_beginning(map);
  for (size_t i = 0; i < n; i++)
    if (rows[i]->probe != NULL && rows[i]->row.available &&
        rows[i]->probe(content_data(content), content_size(content)) &&
        (!is_same || rows[i]->is_text ||
         !rows[i]->probe(content_data(parent), content_size(parent))))
      return true;
  return false;
}

static void keep_text(ViewSet *set, const char *name, const Content *parent, Content *content,
                      const ViewMap *map) {
  if (!is_container(parent, content, map))
    return;
  ViewText *text = g_new0(ViewText, 1);
  text->content = content_ref(content);
  text->name = g_strdup(name);
  g_ptr_array_add(set->found->opened, text);
}

static void make_views(ViewSet *set, const Member *parent, unsigned level);

static void hand_out(ViewSet *set, const Member *parent, const View *view, Content *content,
                     const ViewMap *map, const GError *error, unsigned level) {
  Unpack *unpack = set->unpack;
  g_autofree char *name = chain_name(parent->path->view, view->row.name);
  MemberPath path = *parent->path;
  path.view = name;
  if (set->n_views >= LIMIT_VIEWS_PER_MEMBER || level >= LIMIT_VIEW_CHAIN) {
    if (!set->is_full)
      unpack_gap(unpack, &path, content_size(content), 0, TRIAGE_REASON_DEPTH_LIMIT,
                 "text encoded more than %u times over, or in more than %u ways: the innermost "
                 "was not examined",
                 LIMIT_VIEW_CHAIN, LIMIT_VIEWS_PER_MEMBER);
    set->is_full = true;
    return;
  }
  set->n_views++;
  Member member = *parent;
  member.path = &path;
  member.content = content;
  member.size = content_size(content);
  member.error = error;
  member.map = map;
  if (unpack->sink->member != NULL && !unpack->sink->member(unpack->sink->user, &member))
    unpack->is_stopped = true;
  keep_text(set, name, parent->content, content, map);
  member.error = NULL;
  make_views(set, &member, level + 1);
}

static void make_view(ViewSet *set, const Member *parent, const View *view, uint64_t from,
                      unsigned level) {
  Unpack *unpack = set->unpack;
  uint64_t size = content_size(parent->content);
  g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(ViewSegment));
  ViewBuilder builder = {.unpack = unpack,
                         .content = parent->content,
                         .data = content_data(parent->content),
                         .size = size,
                         .context =
                             view->context == 0 || size > LIMIT_VIEW_WHOLE ? view->context : size,
                         .segments = segments,
                         .carried = set->found->carried};
  view->make(&builder, from);
  g_autoptr(GError) error = builder.error;
  g_autoptr(GError) trouble = NULL;
  if (builder.out == NULL) {
    if (error != NULL && !unpack->is_stopped)
      unpack_gap(unpack, parent->path, size, size, triage_error_reason(error),
                 "encoded data (%s) was not all examined: %s", view->row.name, error->message);
    return;
  }
  if (error == NULL)
    copy_unchanged(&builder, builder.done,
                   builder.done + MIN(builder.context, builder.size - builder.done));
  unpack->expanded += MIN(content_builder_size(builder.out), unpack_budget(unpack));
  g_autoptr(Content) content = content_builder_finish(builder.out, &trouble);
  if (unpack->is_stopped || !unpack_alive(unpack, size))
    return;
  if (content == NULL) {
    unpack_gap(unpack, parent->path, size, size, triage_error_reason(trouble),
               "encoded text (%s) could not be converted: %s", view->row.name, trouble->message);
    return;
  }
  const ViewMap map = {parent->map, segments, builder.is_coarse};
  if (error != NULL || is_new(set, content))
    hand_out(set, parent, view, content, &map, error, level);
}

static void make_views(ViewSet *set, const Member *parent, unsigned level) {
  size_t n;
  const View *const *views = view_table(&n);
  uint64_t first[SMELLS];
  uint64_t size = content_size(parent->content);
  smell(set->unpack, parent->content, first);
  for (size_t i = 0; i < n && !set->unpack->is_stopped; i++)
    if (first[views[i]->smell] < size)
      make_view(set, parent, views[i], first[views[i]->smell], level);
}

bool view_found_any(const ViewFound *found) {
  return found->opened->len > 0;
}

void view_found_free(ViewFound *found) {
  g_ptr_array_unref(found->opened);
  g_ptr_array_unref(found->carried);
  g_free(found);
}

void view_found_open(Unpack *unpack, const Member *member, const ViewFound *found) {
  for (guint i = 0; i < found->opened->len && !unpack->is_stopped; i++) {
    const ViewText *text = found->opened->pdata[i];
    MemberPath path = *member->path;
    path.view = text->name;
    unpack_open(unpack, text->content, &path);
  }
  for (guint i = 0; i < found->carried->len && !unpack->is_stopped; i++) {
    const Carried *carried = found->carried->pdata[i];
    if (member->path->depth >= unpack->max_depth) {
      unpack_gap(unpack, member->path, content_size(carried->content), 0, TRIAGE_REASON_DEPTH_LIMIT,
                 "a container in an encoded block inside %u other containers is not opened; "
                 "--max-depth sets the limit",
                 member->path->depth);
      return;
    }
    Container container = {.content = member->content, .path = member->path};
    g_autoptr(GBytes) name = g_bytes_new(carried->name, strlen(carried->name));
    Member inner = {.content = carried->content, .size = content_size(carried->content)};
    unpack_member(unpack, &container, name, &inner);
  }
}

ViewFound *unpack_member_views(Unpack *unpack, const Member *member) {
  g_autoptr(GArray) prints = g_array_new(FALSE, FALSE, sizeof(Print));
  ViewFound *found = g_new0(ViewFound, 1);
  found->opened = g_ptr_array_new_with_free_func(view_text_free);
  found->carried = g_ptr_array_new_with_free_func(carried_free);
  ViewSet set = {unpack, member, prints, found, 0, false};
  make_views(&set, member, 0);
  return found;
}
