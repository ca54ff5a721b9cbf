/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_parts.c - archives in several files that lie side by side: the parts are joined and opened
 * once, under the part that leads; the other parts are scanned as the bytes they are. */
#include "unpack/unpack_parts.h"
#include "base/text.h"
#include <string.h>

enum { HELD_MAX = 1000 };
#define HELD_BYTES (512 * MIB)
#define TAKEN_AS_THEY_ARE                                                                          \
  "; one behind the other they were searched for members without the directory"

typedef struct {
  PartName name;
  GBytes *raw_name;
  char *view;
  uint32_t depth;
  bool has_source;
  Content *content;
  ViewFound *found;
} Held;

struct _HeldParts {
  GPtrArray *list; /* Held* */
  uint64_t bytes;
};

static void held_free(gpointer pointer) {
  Held *held = pointer;
  g_free(held->name.set);
  g_bytes_unref(held->raw_name);
  g_free(held->view);
  content_unref(held->content);
  view_found_free(held->found);
  g_free(held);
}

HeldParts *parts_new(void) {
  HeldParts *parts = g_new0(HeldParts, 1);
  parts->list = g_ptr_array_new_with_free_func(held_free);
  return parts;
}

void parts_free(HeldParts *parts) {
  g_ptr_array_unref(parts->list);
  g_free(parts);
}

/* ---- a set ---- */

static guint lead_of(const UnpackSet *set) {
  return part_lead(set->kind, set->n);
}

static Content *get_part(Content *own, const UnpackSet *set, guint i, GError **error) {
  return i == set->self ? content_ref(own) : set->read(set->user, i, error);
}

static void gap_of(Unpack *unpack, Content *content, const MemberPath *path, TriageReason reason,
                   const char *text) {
  uint64_t size = content_size(content);
  unpack_gap(unpack, path, size, size, reason, "%s", text);
}

/* Does part i of a RAR archive follow the ones before? */
static bool does_follow(const Content *part, guint i) {
  RarVolume volume;
  if (!rar_volume_read(content_data(part), content_size(part), &volume))
    return false;
  return volume.is_secret ||
         (volume.is_volume && !volume.is_first && (!volume.has_number || volume.number == i));
}

/* All parts, one behind the other, while they follow; NULL where a part cannot be had. */
static GPtrArray *gather(Unpack *unpack, Content *own, const MemberPath *path,
                         const UnpackSet *set) {
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func((GDestroyNotify)content_unref);
  uint64_t sum = 0;
  for (guint i = 0; i < set->n && !unpack->is_stopped; i++) {
    g_autoptr(GError) error = NULL;
    Content *part = get_part(own, set, i, &error);
    if (part != NULL && set->kind == PART_RAR && i > 0 && !does_follow(part, i)) {
      g_autofree char *text = g_strdup_printf(
          "part %u by its name does not follow part %u of this RAR archive: it and what lies "
          "behind were not joined to it",
          i + 1, i);
      gap_of(unpack, own, path, TRIAGE_REASON_CORRUPT, text);
      content_unref(part);
      break;
    }
    if (error != NULL) {
      g_autofree char *text =
          g_strdup_printf("part %u of this archive cannot be read: %s", i + 1, error->message);
      gap_of(unpack, own, path, triage_error_reason(error), text);
    }
    if (part == NULL)
      break;
    g_ptr_array_add(parts, part);
    sum += content_size(part);
    if (error != NULL)
      break; /* what follows would be joined at the wrong place */
    if (!unpack_alive(unpack, content_size(part)))
      return NULL;
  }
  if (path->depth == 0)
    unpack->top_size = MAX(unpack->top_size, sum);
  return g_steal_pointer(&parts);
}

static Content *join(Unpack *unpack, GPtrArray *parts, GError **error) {
  g_autoptr(ContentBuilder) builder =
      content_builder_new(unpack->options->spool, LIMIT_OBJECT_BYTES);
  for (guint i = 0; i < parts->len; i++) {
    Content *part = parts->pdata[i];
    if (!content_builder_append(builder, content_data(part), (size_t)content_size(part), error) ||
        !unpack_alive(unpack, content_size(part)))
      return NULL;
  }
  return content_builder_finish(g_steal_pointer(&builder), error);
}

static bool is_container(const Content *content) {
  size_t n;
  const Unpacker *const *rows = unpack_table(&n);
  for (size_t i = 0; i < n; i++)
    if (rows[i]->row.available && rows[i]->probe != NULL &&
        rows[i]->probe(content_data(content), content_size(content)))
      return true;
  return false;
}

/* By its bytes, is this what leads such a set? */
static bool is_lead(Content *content, const UnpackSet *set) {
  RarVolume volume;
  switch (set->kind) {
  case PART_RAR:
    return set->n > 1 && rar_volume_read(content_data(content), content_size(content), &volume) &&
           (volume.is_volume || volume.is_secret);
  case PART_ZIP:
    return set->n > 1 &&
           zip_parts_before(content_data(content), content_size(content)) == set->n - 1;
  default:
    return is_container(content);
  }
}

/* RAR parts behind one that is damaged, which by themselves are taken for parts of the whole: each
 * alone gives what lies in it. */
static void open_rest(Unpack *unpack, Content *own, const MemberPath *path, const UnpackSet *set,
                      guint from) {
  for (guint i = from; set->kind == PART_RAR && i < set->n && !unpack->is_stopped; i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Content) part = get_part(own, set, i, &error);
    if (part != NULL && does_follow(part, i))
      unpack_open(unpack, part, path);
  }
}

static bool open_whole(Unpack *unpack, Content *content, const MemberPath *path,
                       const UnpackSet *set) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) parts = gather(unpack, content, path, set);
  if (parts == NULL)
    return true;
  g_autoptr(Content) whole = set->kind == PART_ZIP && parts->len == set->n
                                 ? zip_join(unpack, parts, &error)
                                 : join(unpack, parts, &error);
  if (unpack->is_stopped)
    return true;
  if (whole == NULL) {
    g_autofree char *text =
        g_strdup_printf("the %u parts of this archive cannot be joined: %s%s", parts->len,
                        error->message, set->kind == PART_ZIP ? TAKEN_AS_THEY_ARE : "");
    gap_of(unpack, content, path, triage_error_reason(error), text);
    if (set->kind == PART_ZIP) /* members are found by their own headers */
      whole = join(unpack, parts, NULL);
    if (whole == NULL)
      return unpack->is_stopped;
  }
  bool was_joined = unpack->is_joined;
  unpack->is_joined = true;
  unpack_open(unpack, whole, path);
  unpack->is_joined = was_joined;
  open_rest(unpack, content, path, set, parts->len);
  return true;
}

/* A part that is opened with the whole; by itself it would give the same once more, in pieces. */
static bool is_follower(Content *content, const UnpackSet *set) {
  g_autoptr(GError) error = NULL;
  RarVolume volume;
  const uint8_t *data = content_data(content);
  if (set->kind == PART_SPLIT || set->n < 2)
    return false;
  if (set->kind == PART_RAR && !does_follow(content, set->self))
    return false;
  g_autoptr(Content) lead = set->read(set->user, lead_of(set), &error);
  if (lead == NULL)
    return false;
  if (set->kind == PART_RAR)
    return rar_volume_read(content_data(lead), content_size(lead), &volume) &&
           (volume.is_secret || (volume.is_volume && volume.is_first));
  return zip_parts_before(content_data(lead), content_size(lead)) == set->n - 1 &&
         unpack_row("zip")->probe(data, content_size(content));
}

bool parts_open(Unpack *unpack, Content *content, const MemberPath *path, const UnpackSet *set) {
  if (set->n == 0) {
    g_autofree char *text = g_strdup_printf(
        "by its name a later part of an archive, and %s does not lie beside it: its bytes were "
        "scanned as they are",
        set->missing);
    gap_of(unpack, content, path, TRIAGE_REASON_MISSING_SEGMENT, text);
    return false;
  }
  if (set->self != lead_of(set))
    return is_follower(content, set);
  return is_lead(content, set) && open_whole(unpack, content, path, set);
}

/* ---- members of one container ---- */

static bool is_worth_holding(const PartName *name, const Content *content) {
  RarVolume volume;
  if (name->kind == PART_RAR)
    return rar_volume_read(content_data(content), content_size(content), &volume) &&
           (volume.is_volume || volume.is_secret);
  if (name->number == PART_LAST)
    return zip_parts_before(content_data(content), content_size(content)) > 0;
  return true;
}

bool parts_hold(Unpack *unpack, const Member *member, ViewFound *found, bool has_source) {
  HeldParts *parts = unpack->held;
  gsize n;
  const char *bytes = g_bytes_get_data(member->path->name, &n);
  uint64_t size = content_size(member->content);
  PartName name;
  if (parts == NULL || strcmp(member->path->view, "raw") != 0 || parts->list->len >= HELD_MAX ||
      size > HELD_BYTES - parts->bytes || !part_name_parse(bytes, n, &name))
    return false;
  if (!is_worth_holding(&name, member->content)) {
    g_free(name.set);
    return false;
  }
  Held *held = g_new0(Held, 1);
  held->name = name;
  held->raw_name = g_bytes_ref(member->path->name);
  held->depth = member->path->depth;
  held->view = g_strdup(member->path->view);
  held->content = content_ref(member->content);
  held->found = found;
  held->has_source = has_source;
  parts->bytes += size;
  g_ptr_array_add(parts->list, held);
  return true;
}

guint parts_mark(const Unpack *unpack) {
  return unpack->held != NULL ? unpack->held->list->len : 0;
}

static gint by_set_and_number(gconstpointer a, gconstpointer b) {
  const Held *x = *(const Held *const *)a, *y = *(const Held *const *)b;
  int by_set = strcmp(x->name.set, y->name.set);
  if (by_set != 0)
    return by_set;
  return x->name.number < y->name.number ? -1 : x->name.number > y->name.number;
}

static Content *read_held(void *user, guint i, GError **error) {
  (void)error;
  const Held *const *first = user;
  return content_ref(first[i]->content);
}

/* How many of list, from first on, are parts 0, 1, 2 ... of one set; a split zip's last is one. */
static guint count_run(Held *const *list, guint n) {
  guint k = 0;
  while (k < n && strcmp(list[k]->name.set, list[0]->name.set) == 0 && list[k]->name.number == k)
    k++;
  if (k < n && list[0]->name.kind == PART_ZIP && list[k]->name.number == PART_LAST &&
      strcmp(list[k]->name.set, list[0]->name.set) == 0)
    return k + 1;
  return list[0]->name.kind == PART_ZIP ? 0 : k;
}

static void open_one(Unpack *unpack, const MemberPath *parent, const Held *held,
                     const UnpackSet *set) {
  const MemberPath path = {parent, held->raw_name, held->view, held->depth};
  Member member = {.path = &path, .content = held->content, .size = content_size(held->content)};
  unpack_open_all(unpack, &member, held->found, set, held->has_source);
}

/* A part that no run of parts leads to. */
static void open_stray(Unpack *unpack, const MemberPath *parent, const Held *held,
                       uint32_t missing) {
  gsize n;
  const char *name = g_bytes_get_data(held->raw_name, &n);
  g_autofree char *raw = part_name_of(name, n, missing);
  g_autofree char *shown = text_printable(raw, strlen(raw));
  const UnpackSet set = {.kind = held->name.kind, .missing = shown};
  open_one(unpack, parent, held, part_name_is_sure(name, n) ? &set : NULL);
}

void parts_open_held(Unpack *unpack, const MemberPath *path, guint mark) {
  g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(held_free);
  uint32_t missing = 0;
  while (unpack->held != NULL && unpack->held->list->len > mark) {
    Held *held = g_ptr_array_steal_index(unpack->held->list, mark);
    unpack->held->bytes -= content_size(held->content);
    g_ptr_array_add(list, held);
  }
  g_ptr_array_sort(list, by_set_and_number);
  Held *const *all = (Held *const *)list->pdata;
  for (guint i = 0; i < list->len && !unpack->is_stopped;) {
    guint n = count_run(all + i, list->len - i);
    if (i == 0 || strcmp(all[i]->name.set, all[i - 1]->name.set) != 0)
      missing = all[i]->name.kind == PART_ZIP ? PART_LAST : n;
    for (guint k = 0; k < n; k++) {
      UnpackSet set = {all[i]->name.kind, n, k, NULL, read_held, (void *)(all + i)};
      open_one(unpack, path, all[i + k], &set);
    }
    if (n == 0)
      open_stray(unpack, path, all[i], missing);
    i += MAX(n, 1);
  }
}
