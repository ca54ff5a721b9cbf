/* SPDX-License-Identifier: Apache-2.0 */
/* lvm_group.c - what the description of an LVM2 volume group says: its physical volumes, its
 * logical volumes and the segments they are made of. Whatever is not sound costs the logical volume
 * that it belongs to, no more. */
#include "base/keyhash.h"
#include "base/limits.h"
#include "base/text.h"
#include "evidence/lvm.h"
#include <string.h>

/* Segment types that are read, and how. Those whose newest bytes lie elsewhere carry a note. */
typedef enum {
  SHAPE_STRIPES,
  SHAPE_COPIES,
  SHAPE_MIRRORED_STRIPES,
  SHAPE_ORIGIN,
  SHAPE_HOLE
} Shape;
typedef struct {
  const char *type;
  Shape shape;
  const char *list; /* what it lies on: the name of the list, or of the one volume */
  const char *note;
} SegmentKind;
static const SegmentKind KINDS[] = {
    {"striped", SHAPE_STRIPES, "stripes", NULL},
    {"linear", SHAPE_STRIPES, "stripes", NULL},
    {"raid0", SHAPE_STRIPES, "raid0_lvs", NULL},
    {"raid0_meta", SHAPE_STRIPES, "raids", NULL},
    {"raid1", SHAPE_COPIES, "raids", NULL},
    {"raid10", SHAPE_MIRRORED_STRIPES, "raids", NULL},
    {"raid10_near", SHAPE_MIRRORED_STRIPES, "raids", NULL},
    {"mirror", SHAPE_COPIES, "mirrors", NULL},
    {"integrity", SHAPE_ORIGIN, "origin", NULL},
    {"cache", SHAPE_ORIGIN, "origin",
     "it is read as its slow device holds it; what its cache alone holds (writeback) is examined "
     "as bytes, without names"},
    {"writecache", SHAPE_ORIGIN, "origin",
     "it is read as its slow device holds it; what its write cache alone holds is examined as "
     "bytes, without names"},
    {"error", SHAPE_HOLE, NULL, NULL},
};

typedef struct {
  LvmGroup *group;
  GHashTable *physical, *logical; /* name -> index + 1 */
} Names;

static void refuse(LvmLogical *logical, TriageReason reason, char *why) {
  if (logical->why != NULL) {
    g_free(why);
    return;
  }
  logical->reason = reason;
  logical->why = why;
}

static void physical_free(gpointer data) {
  LvmPhysical *physical = data;
  g_free(physical->name);
  g_free(physical->device);
  g_free(physical);
}

static void segment_clear(gpointer data) {
  g_clear_pointer(&((LvmSegment *)data)->areas, g_array_unref);
}

static void logical_free(gpointer data) {
  LvmLogical *logical = data;
  g_array_unref(logical->segments);
  g_free(logical->name);
  g_free(logical->why);
  g_free(logical->note);
  g_free(logical);
}

void lvm_group_unref(LvmGroup *group) {
  if (group == NULL || --group->references > 0)
    return;
  g_ptr_array_unref(group->physical);
  g_ptr_array_unref(group->logical);
  g_free(group->name);
  g_free(group);
}

LvmPhysical *lvm_group_find(const LvmGroup *group, const char *uuid) {
  for (guint i = 0; i < group->physical->len; i++) {
    LvmPhysical *physical = group->physical->pdata[i];
    if (strcmp(physical->uuid, uuid) == 0)
      return physical;
  }
  return NULL;
}

/* Of a section; false: it is none, or too large to be reckoned with. */
static bool get_extents(const LvmNode *section, const char *name, uint64_t *out) {
  return lvm_node_number(section, name, out) && *out <= INT64_MAX / LVM_SECTOR;
}

/* ---- physical volumes ---- */

static bool take_physical(Names *names, const LvmNode *section, GError **error) {
  uint64_t start, size;
  const char *uuid = lvm_node_text(section, "id"), *device = lvm_node_text(section, "device");
  LvmPhysical *physical = g_new0(LvmPhysical, 1);
  g_ptr_array_add(names->group->physical, physical);
  physical->name = text_printable(section->name, strlen(section->name));
  physical->device = device != NULL ? text_printable(device, MIN(strlen(device), 255)) : NULL;
  if (uuid == NULL || !lvm_uuid_take(uuid, strlen(uuid), physical->uuid) ||
      !get_extents(section, "pe_start", &start) ||
      !get_extents(section, "pe_count", &physical->extents) ||
      !g_uint64_checked_mul(&size, physical->extents, names->group->extent_bytes) ||
      !g_uint64_checked_add(&size, size, start * LVM_SECTOR) || size > INT64_MAX)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "what it says about its physical volume %s makes no sense", physical->name);
  physical->start = start * LVM_SECTOR;
  g_hash_table_insert(names->physical, section->name,
                      GUINT_TO_POINTER(names->group->physical->len));
  return true;
}

/* ---- segments ---- */

static bool find_area(const Names *names, const char *name, uint64_t extent, LvmArea *area) {
  guint physical = GPOINTER_TO_UINT(g_hash_table_lookup(names->physical, name));
  guint logical = GPOINTER_TO_UINT(g_hash_table_lookup(names->logical, name));
  *area = (LvmArea){physical == 0, (physical != 0 ? physical : logical) - 1, extent};
  return physical != 0 || logical != 0;
}

/* Names alone, names with extents, or (where metadata volumes stand beside the data) each second
 * name. */
static bool take_areas(const Names *names, const LvmNode *section, const SegmentKind *kind,
                       GArray *areas) {
  LvmArea area;
  const char *one = lvm_node_text(section, kind->list);
  if (kind->shape == SHAPE_ORIGIN)
    return one != NULL && find_area(names, one, 0, &area) && g_array_append_val(areas, area);
  bool has_extents = strcmp(kind->list, "stripes") == 0 || strcmp(kind->list, "mirrors") == 0;
  guint step = strcmp(kind->list, "raid0_lvs") == 0 ? 1 : 2, at = has_extents ? 0 : step - 1;
  const LvmNode *list = lvm_node_get(section, kind->list, LVM_LIST);
  for (guint i = 0; i + step <= lvm_node_n(list); i += step) {
    const LvmNode *name = lvm_node_at(list, i + at);
    const LvmNode *extent = has_extents ? lvm_node_at(list, i + 1) : NULL;
    if (name->kind != LVM_STRING || (extent != NULL && extent->kind != LVM_NUMBER) ||
        !find_area(names, name->text, extent != NULL ? extent->number : 0, &area))
      return false;
    g_array_append_val(areas, area);
  }
  return areas->len > 0 && lvm_node_n(list) % step == 0;
}

static bool take_shape(const LvmGroup *group, const LvmNode *section, Shape shape,
                       LvmSegment *segment) {
  uint64_t copies = 2, stripe = 0;
  guint n = segment->areas->len;
  lvm_node_number(section, "data_copies", &copies);
  segment->copies = shape == SHAPE_COPIES             ? n
                    : shape == SHAPE_MIRRORED_STRIPES ? (guint)MIN(copies, G_MAXUINT)
                                                      : 1;
  if (segment->copies == 0 || n % segment->copies != 0)
    return false;
  segment->columns = n / segment->copies;
  if (segment->columns == 1)
    return true;
  /* LVM2 makes stripes of powers of two that an extent holds a whole number of. */
  if (!lvm_node_number(section, "stripe_size", &stripe) || stripe == 0 ||
      stripe > group->extent_bytes / LVM_SECTOR || group->extent_bytes / LVM_SECTOR % stripe != 0 ||
      segment->count % segment->columns != 0)
    return false;
  segment->stripe_bytes = stripe * LVM_SECTOR;
  return true;
}

static const SegmentKind *find_kind(const char *type) {
  size_t n = strcspn(type, "+"); /* flags of newer versions stand behind it */
  for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
    if (strlen(KINDS[i].type) == n && strncmp(KINDS[i].type, type, n) == 0)
      return &KINDS[i];
  return NULL;
}

static void take_segment(Names *names, LvmLogical *logical, const LvmNode *section) {
  LvmSegment segment = {.areas = g_array_new(FALSE, TRUE, sizeof(LvmArea))};
  const char *type = lvm_node_text(section, "type");
  const SegmentKind *kind = type != NULL ? find_kind(type) : NULL;
  bool is_placed = get_extents(section, "start_extent", &segment.start) &&
                   get_extents(section, "extent_count", &segment.count) && segment.count > 0;
  if (is_placed)
    logical->extents = MAX(logical->extents, segment.start + segment.count);
  if (!is_placed || type == NULL) {
    refuse(logical, TRIAGE_REASON_CORRUPT, g_strdup("one of its segments has no place or type"));
  } else if (kind == NULL) {
    g_autofree char *shown = text_printable(type, MIN(strlen(type), 64));
    refuse(logical, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
           g_strdup_printf("it has a segment of type %s, which is not put together", shown));
  } else if (kind->shape != SHAPE_HOLE &&
             (!take_areas(names, section, kind, segment.areas) ||
              !take_shape(names->group, section, kind->shape, &segment))) {
    refuse(logical, TRIAGE_REASON_CORRUPT,
           g_strdup_printf("what is said about one of its segments, of type %s, makes no sense",
                           kind->type));
  }
  if (kind != NULL && kind->note != NULL && logical->note == NULL)
    logical->note = g_strdup(kind->note);
  g_array_append_val(logical->segments, segment);
}

static gint compare_segments(gconstpointer a, gconstpointer b) {
  const LvmSegment *x = a, *y = b;
  return x->start != y->start ? (x->start < y->start ? -1 : 1)
                              : (x->count > y->count) - (x->count < y->count);
}

static bool is_section(const LvmNode *node) {
  return node->kind == LVM_SECTION;
}

static void take_logical(Names *names, LvmLogical *logical, const LvmNode *section) {
  logical->is_visible = lvm_node_has(section, "status", "VISIBLE");
  logical->is_rebuilding = lvm_node_has(section, "status", "REBUILD");
  for (guint i = 0; i < lvm_node_n(section); i++)
    if (is_section(lvm_node_at(section, i)))
      take_segment(names, logical, lvm_node_at(section, i));
  g_array_sort(logical->segments, compare_segments);
  uint64_t at = 0, bytes;
  bool is_whole = logical->segments->len > 0;
  for (guint i = 0; i < logical->segments->len; i++) {
    const LvmSegment *segment = &g_array_index(logical->segments, LvmSegment, i);
    is_whole = is_whole && segment->start == at;
    at = segment->start + segment->count;
  }
  if (!is_whole)
    refuse(logical, TRIAGE_REASON_CORRUPT, g_strdup("its segments overlap or leave gaps"));
  if (!g_uint64_checked_mul(&bytes, logical->extents, names->group->extent_bytes) ||
      bytes > INT64_MAX) {
    refuse(logical, TRIAGE_REASON_CORRUPT, g_strdup("it is larger than any medium"));
    logical->extents = 0;
  }
}

/* ---- parts of others ---- */

/* Every logical volume that a segment names is a part of that segment's, or serves it. A snapshot
 * is a hidden volume that names its origin and the one that keeps what was changed. */
static void mark_parts(Names *names, const LvmNode *segment) {
  const char *type = lvm_node_text(segment, "type");
  bool is_snapshot = type != NULL && g_str_has_prefix(type, "snapshot");
  for (guint i = 0; i < lvm_node_n(segment); i++) {
    const LvmNode *node = lvm_node_at(segment, i);
    bool is_list = node->kind == LVM_LIST;
    for (guint k = 0; k < (is_list ? lvm_node_n(node) : 1); k++) {
      const LvmNode *value = is_list ? lvm_node_at(node, k) : node;
      guint index = value->kind != LVM_STRING
                        ? 0
                        : GPOINTER_TO_UINT(g_hash_table_lookup(names->logical, value->text));
      if (index == 0)
        continue;
      LvmLogical *part = names->group->logical->pdata[index - 1];
      part->is_part = true;
      if (is_snapshot && strcmp(node->name, "origin") != 0) {
        const char *origin = lvm_node_text(segment, "origin");
        g_autofree char *shown =
            text_printable(origin != NULL ? origin : "?", origin != NULL ? strlen(origin) : 1);
        part->is_visible = true; /* LVM2 calls it hidden, and shows it all the same */
        refuse(part, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
               g_strdup_printf("it keeps what was changed since a snapshot of %s (copy on write), "
                               "which is not put together",
                               shown));
      }
    }
  }
}

static void take_all_logical(Names *names, const LvmNode *list) {
  GPtrArray *all = names->group->logical;
  for (guint i = 0; i < lvm_node_n(list); i++) {
    const LvmNode *section = lvm_node_at(list, i);
    LvmLogical *logical = g_new0(LvmLogical, 1);
    logical->name = text_printable(section->name, strlen(section->name));
    logical->segments = g_array_new(FALSE, TRUE, sizeof(LvmSegment));
    g_array_set_clear_func(logical->segments, segment_clear);
    g_ptr_array_add(all, logical);
    g_hash_table_insert(names->logical, section->name, GUINT_TO_POINTER(all->len));
  }
  for (guint i = 0; i < all->len; i++) {
    const LvmNode *section = lvm_node_at(list, i);
    if (is_section(section))
      take_logical(names, all->pdata[i], section);
    for (guint k = 0; k < lvm_node_n(section) && is_section(section); k++)
      if (is_section(lvm_node_at(section, k)))
        mark_parts(names, lvm_node_at(section, k));
  }
  /* A hidden volume that nothing is made of is no part of anything either, but for what LVM2 keeps
   * in store for repairs, and the records of snapshots. */
  for (guint i = 0; i < all->len; i++) {
    LvmLogical *logical = all->pdata[i];
    const LvmNode *segment = lvm_node_get(lvm_node_at(list, i), "segment1", LVM_SECTION);
    const char *type = lvm_node_text(segment, "type");
    bool is_record = type != NULL && g_str_has_prefix(type, "snapshot");
    bool is_spare = g_str_has_suffix(logical->name, "_pmspare");
    bool is_pool = type != NULL && strstr(type, "-pool") != NULL;
    logical->is_visible =
        logical->is_visible || (!logical->is_part && !is_record && !is_spare && !is_pool);
  }
}

/* ---- each extent once ---- */

typedef struct {
  bool is_logical;
  guint index, owner;
  uint64_t start, end;
} Claim;

static gint compare_claims(gconstpointer a, gconstpointer b) {
  const Claim *x = a, *y = b;
  if (x->is_logical != y->is_logical)
    return x->is_logical ? 1 : -1;
  if (x->index != y->index)
    return x->index < y->index ? -1 : 1;
  if (x->start != y->start)
    return x->start < y->start ? -1 : 1;
  return x->owner != y->owner ? (x->owner < y->owner ? -1 : 1) : 0;
}

static uint64_t extents_of(const LvmGroup *group, const LvmArea *area) {
  if (area->is_logical)
    return ((const LvmLogical *)group->logical->pdata[area->index])->extents;
  return ((const LvmPhysical *)group->physical->pdata[area->index])->extents;
}

static void claim_all(LvmGroup *group, guint owner, GArray *claims) {
  LvmLogical *logical = group->logical->pdata[owner];
  for (guint i = 0; i < logical->segments->len && logical->why == NULL; i++) {
    const LvmSegment *segment = &g_array_index(logical->segments, LvmSegment, i);
    for (guint k = 0; k < segment->areas->len; k++) {
      const LvmArea *area = &g_array_index(segment->areas, LvmArea, k);
      uint64_t n = segment->count / segment->columns, all = extents_of(group, area);
      if (area->extent > all || n > all - area->extent) {
        refuse(logical, TRIAGE_REASON_CORRUPT,
               g_strdup("one of its segments lies behind the end of what it lies on"));
        break;
      }
      Claim claim = {area->is_logical, area->index, owner, area->extent, area->extent + n};
      g_array_append_val(claims, claim);
    }
  }
}

/* LVM2 never uses an extent twice. Who does would have bytes examined again and again. */
static void refuse_shared(LvmGroup *group) {
  g_autoptr(GArray) claims = g_array_new(FALSE, FALSE, sizeof(Claim));
  for (guint i = 0; i < group->logical->len; i++)
    claim_all(group, i, claims);
  g_array_sort(claims, compare_claims);
  const Claim *last = NULL;
  for (guint i = 0; i < claims->len; i++) {
    const Claim *claim = &g_array_index(claims, Claim, i);
    LvmLogical *owner = group->logical->pdata[claim->owner];
    bool is_shared = last != NULL && last->is_logical == claim->is_logical &&
                     last->index == claim->index && claim->start < last->end;
    if (owner->why == NULL && is_shared)
      refuse(owner, TRIAGE_REASON_CORRUPT, g_strdup("extents of it are used a second time"));
    if (owner->why == NULL)
      last = claim;
  }
}

/* A group may hold no logical volumes yet; but then no section of an unknown name either. */
static bool has_logical(const LvmNode *group, GError **error) {
  static const char *const KNOWN[] = {"physical_volumes", "historical_logical_volumes"};
  if (lvm_node_get(group, "logical_volumes", LVM_SECTION) != NULL)
    return true;
  for (guint i = 0; i < lvm_node_n(group); i++) {
    const LvmNode *node = lvm_node_at(group, i);
    bool is_known = !is_section(node);
    for (gsize k = 0; k < G_N_ELEMENTS(KNOWN); k++)
      is_known = is_known || strcmp(node->name, KNOWN[k]) == 0;
    if (!is_known)
      return triage_fail(error, TRIAGE_REASON_CORRUPT,
                         "it holds no logical volumes but a section of an unknown name");
  }
  return true;
}

LvmGroup *lvm_group_new(const LvmText *text, GError **error) {
  LvmGroup *group = g_new0(LvmGroup, 1);
  uint64_t extent = 0;
  group->references = 1;
  group->name = text_printable(text->group->name, strlen(text->group->name));
  memcpy(group->uuid, text->uuid, sizeof group->uuid);
  group->seqno = text->seqno;
  group->physical = g_ptr_array_new_with_free_func(physical_free);
  group->logical = g_ptr_array_new_with_free_func(logical_free);
  Names names = {group, g_hash_table_new(keyhash_str, g_str_equal),
                 g_hash_table_new(keyhash_str, g_str_equal)};
  bool ok =
      lvm_node_number(text->group, "extent_size", &extent) && extent > 0 && extent <= UINT32_MAX;
  if (!ok)
    triage_fail(error, TRIAGE_REASON_CORRUPT, "it states no size of its extents");
  group->extent_bytes = extent * LVM_SECTOR;
  const LvmNode *list = lvm_node_get(text->group, "physical_volumes", LVM_SECTION);
  ok = ok && has_logical(text->group, error);
  for (guint i = 0; ok && i < lvm_node_n(list); i++)
    ok = take_physical(&names, lvm_node_at(list, i), error);
  if (ok) {
    take_all_logical(&names, lvm_node_get(text->group, "logical_volumes", LVM_SECTION));
    refuse_shared(group);
  } else {
    g_clear_pointer(&group, lvm_group_unref);
  }
  g_hash_table_unref(names.physical);
  g_hash_table_unref(names.logical);
  return group;
}
