/* SPDX-License-Identifier: Apache-2.0 */
/* coord_parts.c - which objects of a volume may be parts of one archive: those of one directory and
 * state whose names say so. A worker is told with each of them where the others are; whether it is
 * so it finds out from their bytes. */
#include "base/limits.h"
#include "base/part_name.h"
#include "base/text.h"
#include "engine/coord_private.h"
#include <string.h>

typedef struct {
  uint32_t number;
  uint64_t seq;
} Part;

struct _PartIndex {
  Store *store;
  uint32_t evidence, volume;
  bool is_directory; /* the evidence is one: its files are opened by their raw paths */
  GHashTable *sets;  /* directory, state and set -> GArray of Part; NULL: nothing is known yet */
  bool was_told;     /* of objects as they were listed: the store need not be asked */
  bool is_complete;  /* of all objects, each set in order */
};

static char *set_key(uint32_t dir, ObjectState state, const PartName *name) {
  return g_strdup_printf("%u %u %s", dir, (unsigned)state, name->set);
}

static void add(PartIndex *index, uint64_t seq, uint32_t dir, ObjectState state,
                const PartName *part) {
  if (index->sets == NULL)
    index->sets =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
  g_autofree char *key = set_key(dir, state, part);
  GArray *parts = g_hash_table_lookup(index->sets, key);
  if (parts == NULL) {
    parts = g_array_new(FALSE, FALSE, sizeof(Part));
    g_hash_table_insert(index->sets, g_steal_pointer(&key), parts);
  }
  Part entry = {part->number, seq};
  if (parts->len <= LIMIT_PARTS)
    g_array_append_val(parts, entry);
}

static bool take_name(void *user, uint64_t seq, uint32_t dir, ObjectState state, GBytes *name) {
  PartName part;
  gsize n;
  const char *bytes = g_bytes_get_data(name, &n);
  if (!part_name_parse(bytes, n, &part))
    return true;
  add(user, seq, dir, state, &part);
  g_free(part.set);
  return true;
}

static gint by_number(gconstpointer a, gconstpointer b) {
  const Part *x = a, *y = b;
  if (x->number != y->number)
    return x->number < y->number ? -1 : 1;
  return x->seq < y->seq ? -1 : x->seq > y->seq;
}

PartIndex *part_index_new(Store *store, uint32_t evidence, uint32_t volume, bool is_directory) {
  PartIndex *index = g_new0(PartIndex, 1);
  index->store = store;
  index->evidence = evidence;
  index->volume = volume;
  index->is_directory = is_directory;
  return index;
}

bool part_index_read(PartIndex *index, GError **error) {
  if (index->is_complete)
    return true;
  if (!index->was_told &&
      !store_each_file_name(index->store, index->evidence, index->volume, take_name, index, error))
    return false;
  index->is_complete = true;
  GHashTableIter iter;
  gpointer parts;
  if (index->sets == NULL)
    return true;
  g_hash_table_iter_init(&iter, index->sets);
  while (g_hash_table_iter_next(&iter, NULL, &parts))
    g_array_sort(parts, by_number);
  return true;
}

void part_index_free(PartIndex *index) {
  if (index != NULL)
    g_clear_pointer(&index->sets, g_hash_table_unref);
  g_free(index);
}

/* What is told of an object besides itself. */
typedef struct {
  PartKind kind;
  uint32_t self;
  char *missing;
  GArray *seqs; /* uint64_t */
} Told;

/* The parts from the first one on, without a hole, the last part of a split zip behind them. Says
 * which number lacks next. */
static GArray *run_of(const GArray *parts, PartKind kind, uint32_t *next) {
  GArray *seqs = g_array_new(FALSE, FALSE, sizeof(uint64_t));
  *next = 0;
  for (guint i = 0; i < parts->len; i++) {
    const Part *part = &g_array_index(parts, Part, i);
    if (part->number == *next)
      (*next)++;
    else if (part->number != PART_LAST || (i > 0 && part[-1].number == PART_LAST))
      continue;
    g_array_append_val(seqs, part->seq);
  }
  const Part *last = &g_array_index(parts, Part, parts->len - 1);
  if (kind == PART_ZIP && last->number != PART_LAST) {
    g_array_set_size(seqs, 0);
    *next = PART_LAST;
  }
  return seqs;
}

static bool parse_part(const Object *object, PartName *part) {
  gsize n = 0;
  const char *bytes = object->name != NULL ? g_bytes_get_data(object->name, &n) : NULL;
  return object->kind == OBJECT_FILE && object->attr_name == NULL && object->state != STATE_SLACK &&
         bytes != NULL && part_name_parse(bytes, n, part);
}

bool part_index_add(PartIndex *index, const Object *object) {
  PartName part = {.set = NULL};
  index->was_told = true;
  if (!parse_part(object, &part))
    return false;
  if ((object->flags & OBJECT_NO_CONTENT) == 0)
    add(index, object->seq, object->dir, object->state, &part);
  g_free(part.set);
  return true;
}

static void tell(const PartIndex *index, const Object *object, Told *told) {
  PartName part;
  if (!index->is_complete || index->sets == NULL || !parse_part(object, &part))
    return;
  gsize n;
  const char *bytes = g_bytes_get_data(object->name, &n);
  g_autofree char *key = set_key(object->dir, object->state, &part);
  g_free(part.set);
  const GArray *parts = g_hash_table_lookup(index->sets, key);
  if (parts == NULL || parts->len > LIMIT_PARTS)
    return;
  uint32_t next;
  g_autoptr(GArray) seqs = run_of(parts, part.kind, &next);
  told->kind = part.kind;
  for (told->self = 0; told->self < seqs->len; told->self++)
    if (g_array_index(seqs, uint64_t, told->self) == object->seq)
      break;
  if (told->self < seqs->len) {
    told->seqs = g_steal_pointer(&seqs);
  } else if (part_name_is_sure(bytes, n)) {
    g_autofree char *missing = part_name_of(bytes, n, next);
    told->missing = text_printable(missing, strlen(missing));
  }
}

static void pack_object(const PartIndex *index, ObjectPacker *packer, const Object *object) {
  if (index->is_directory) {
    g_autoptr(GBytes) path = store_object_raw_path(index->store, index->evidence, object);
    gsize n;
    gconstpointer bytes = g_bytes_get_data(path, &n);
    object_packer_add(packer, object, bytes, n);
  } else {
    g_autofree char *path = store_object_path(index->store, index->evidence, object);
    object_packer_add(packer, object, path, strlen(path));
  }
}

static void pack_part(const PartIndex *index, uint64_t seq, ObjectPacker *packer) {
  Object *part = store_get_object(index->store, index->evidence, index->volume, seq);
  if (part == NULL)
    return;
  if (index->is_directory)
    pack_object(index, packer, part);
  else
    object_packer_add(packer, part, NULL, 0); /* found without its path */
  object_free(part);
}

/* The part that leads opens the whole and is told of all; each of the others asks for the lead
 * alone: all parts for each of them would be a hundred million. */
static void pack_parts(const PartIndex *index, const Told *told, guint place,
                       GVariantBuilder *sets) {
  g_autoptr(ObjectPacker) packer = object_packer_new();
  guint n = told->seqs != NULL ? told->seqs->len : 0, lead = part_lead(told->kind, n);
  for (guint i = 0; i < n; i++)
    if (told->self == lead || i == lead)
      pack_part(index, g_array_index(told->seqs, uint64_t, i), packer);
  g_variant_builder_add(sets, "(uyuus@" PROTO_OBJECTS ")", place, (guchar)told->kind, told->self, n,
                        told->missing != NULL ? told->missing : "", object_packer_end(packer));
}

GVariant *part_index_jobs(const PartIndex *index, const GPtrArray *objects) {
  g_autoptr(ObjectPacker) packer = object_packer_new();
  GVariantBuilder sets;
  g_variant_builder_init(&sets, G_VARIANT_TYPE("a(uyuus" PROTO_OBJECTS ")"));
  for (guint i = 0; i < objects->len; i++) {
    Told told = {0};
    tell(index, objects->pdata[i], &told);
    pack_object(index, packer, objects->pdata[i]);
    if (told.seqs != NULL || told.missing != NULL)
      pack_parts(index, &told, i, &sets);
    g_free(told.missing);
    g_clear_pointer(&told.seqs, g_array_unref);
  }
  return g_variant_new("(@" PROTO_OBJECTS "@a(uyuus" PROTO_OBJECTS "))", object_packer_end(packer),
                       g_variant_builder_end(&sets));
}
