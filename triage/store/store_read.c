/* SPDX-License-Identifier: Apache-2.0 */
/* store_read.c - rows coming out, always in an order of their own content. */
#include "base/digest.h"
#include "base/keyhash.h"
#include "store/store_private.h"
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

static sqlite3_stmt *prepare(Store *store, const char *sql, GError **error) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
    store_fail(store, "reading", error);
  return statement;
}

static bool next(Store *store, sqlite3_stmt *statement, bool *more, GError **error) {
  int rc = sqlite3_step(statement);
  *more = rc == SQLITE_ROW;
  return rc == SQLITE_ROW || rc == SQLITE_DONE || store_fail(store, "reading", error);
}

/* The store knows objects as plain data; the word is the contract's (hits.csv, state). */
static const char *state_word(uint64_t state) {
  static const char *const WORDS[] = {"allocated", "deleted", "orphan", "slack", "unallocated"};
  return WORDS[MIN(state, G_N_ELEMENTS(WORDS) - 1)];
}

static void read_object(sqlite3_stmt *statement, int at, Object *out) {
  memset(out, 0, sizeof *out);
  out->seq = column_u64(statement, at);
  out->volume = (uint32_t)column_u64(statement, at + 1);
  out->meta_addr = column_u64(statement, at + 2);
  out->attr_type = (uint32_t)column_u64(statement, at + 3);
  out->attr_id = (uint32_t)column_u64(statement, at + 4);
  g_strlcpy(out->meta, column_text(statement, at + 5), sizeof out->meta);
  out->kind = (ObjectKind)MIN(column_u64(statement, at + 6), OBJECT_KIND_LAST);
  out->state = (ObjectState)MIN(column_u64(statement, at + 7), STATE_LAST);
  out->flags = (uint32_t)column_u64(statement, at + 8);
  out->size = column_u64(statement, at + 9);
  out->first_byte = column_u64(statement, at + 10);
  column_time(statement, at + 11, &out->created);
  column_time(statement, at + 13, &out->modified);
  column_time(statement, at + 15, &out->changed);
  column_time(statement, at + 17, &out->accessed);
  column_time(statement, at + 19, &out->name_created);
  column_time(statement, at + 21, &out->name_modified);
  column_time(statement, at + 23, &out->name_changed);
  column_time(statement, at + 25, &out->name_accessed);
  out->dir = (uint32_t)column_u64(statement, at + 27);
  out->name = column_bytes(statement, at + 28);
  out->attr_name = column_bytes(statement, at + 29);
}
#define OBJECT_COLUMNS                                                                             \
  "o.seq, o.volume, o.meta_addr, o.attr_type, o.attr_id, o.meta, o.kind, o.state, o.flags, "       \
  "o.size, o.first_byte, o.created, o.created_part, o.modified, o.modified_part, o.changed, "      \
  "o.changed_part, o.accessed, o.accessed_part, o.name_created, o.name_created_part, "             \
  "o.name_modified, o.name_modified_part, o.name_changed, o.name_changed_part, "                   \
  "o.name_accessed, o.name_accessed_part, o.dir, o.name, o.attr_name"
enum { AFTER_OBJECT = 30 };
#define RESULT_OF_OBJECT "r.evidence = o.evidence AND r.volume = o.volume AND r.seq = o.seq"

static void clear_object(Object *object) {
  g_clear_pointer(&object->name, g_bytes_unref);
  g_clear_pointer(&object->attr_name, g_bytes_unref);
}

static gint by_place(gconstpointer a, gconstpointer b) {
  const WorkPlace *x = a, *y = b;
  if (x->first_byte != y->first_byte)
    return x->first_byte < y->first_byte ? -1 : 1;
  return x->seq < y->seq ? -1 : x->seq > y->seq;
}

GArray *store_work_order(Store *store, uint32_t evidence, uint32_t volume, const WorkPlace *after,
                         guint max, GError **error) {
  Binder binder = {store_statement(store, SQL_PENDING, error), 0};
  if (binder.statement == NULL)
    return NULL;
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(WorkPlace));
  bool more = true, ok = true;
  while ((ok = next(store, binder.statement, &more, error)) && more) {
    WorkPlace place = {column_u64(binder.statement, 0), column_u64(binder.statement, 1)};
    if (after != NULL && by_place(&place, after) <= 0)
      continue;
    g_array_append_val(order, place);
    if (order->len < 2 * max)
      continue;
    g_array_sort(order, by_place); /* of more than are wanted, the first */
    g_array_set_size(order, max);
  }
  sqlite3_reset(binder.statement);
  g_array_sort(order, by_place);
  if (order->len > max)
    g_array_set_size(order, max);
  return ok ? g_steal_pointer(&order) : NULL;
}

Object *store_get_object(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq) {
  Binder binder = {store_statement(store, SQL_GET_OBJECT, NULL), 0};
  if (binder.statement == NULL)
    return NULL;
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bind_u64(&binder, seq);
  Object *object = NULL;
  if (sqlite3_step(binder.statement) == SQLITE_ROW) {
    object = g_new0(Object, 1);
    read_object(binder.statement, 0, object);
  }
  sqlite3_reset(binder.statement);
  return object;
}

bool store_each_file_name(Store *store, uint32_t evidence, uint32_t volume,
                          bool (*row)(void *user, uint64_t seq, uint32_t dir, ObjectState state,
                                      GBytes *name),
                          void *user, GError **error) {
  Binder binder = {store_statement(store, SQL_EACH_FILE_NAME, error), 0};
  if (binder.statement == NULL)
    return false;
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bool more = true, ok = true;
  while ((ok = next(store, binder.statement, &more, error)) && more) {
    g_autoptr(GBytes) name = column_bytes(binder.statement, 3);
    if (name != NULL &&
        !row(user, column_u64(binder.statement, 0), (uint32_t)column_u64(binder.statement, 1),
             (ObjectState)MIN(column_u64(binder.statement, 2), STATE_LAST), name))
      break;
  }
  sqlite3_reset(binder.statement);
  return ok;
}

bool store_count_work(Store *store, uint32_t evidence, uint32_t volume, uint64_t *objects,
                      uint64_t *bytes, GError **error) {
  Binder binder = {store_statement(store, SQL_COUNT_WORK, error), 0};
  if (binder.statement == NULL)
    return false;
  bind_u64(&binder, evidence);
  bind_u64(&binder, volume);
  bool more, ok = next(store, binder.statement, &more, error);
  *objects = ok && more ? column_u64(binder.statement, 0) : 0;
  *bytes = ok && more ? column_u64(binder.statement, 1) : 0;
  sqlite3_reset(binder.statement);
  return ok;
}

/* ---- places: evidence and volume of the row at hand ---- */
typedef struct {
  uint32_t evidence_no, volume;
  char *evidence, *fs_type;
  uint64_t offset;
} Place;

static void place_clear(Place *place) {
  g_clear_pointer(&place->evidence, g_free);
  g_clear_pointer(&place->fs_type, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static bool place_find(Store *store, Place *place, uint32_t evidence, uint32_t volume,
                       GError **error) {
  if (place->evidence != NULL && place->evidence_no == evidence && place->volume == volume)
    return true;
  g_autoptr(sqlite3_stmt) statement =
      prepare(store,
              "SELECT e.name, coalesce(v.fs_type, ''), coalesce(v.offset, 0) FROM evidence e LEFT "
              "JOIN volume v ON v.evidence = e.no AND v.no = ?2 WHERE e.no = ?1",
              error);
  bool more = false;
  if (statement == NULL)
    return false;
  sqlite3_bind_int64(statement, 1, evidence);
  sqlite3_bind_int64(statement, 2, volume);
  if (!next(store, statement, &more, error))
    return false;
  place_clear(place);
  place->evidence_no = evidence;
  place->volume = volume;
  place->evidence = g_strdup(more ? column_text(statement, 0) : "");
  place->fs_type = g_strdup(more ? column_text(statement, 1) : "");
  place->offset = more ? column_u64(statement, 2) : 0;
  return true;
}

/* ---- names: an object's first, then the others by path ---- */
typedef struct {
  char *path;
  ObjectState state;
  uint32_t flags;
} Name;

static void name_free(Name *name) {
  g_free(name->path);
  g_free(name);
}

static int compare_names(gconstpointer a, gconstpointer b) {
  const Name *x = *(const Name *const *)a, *y = *(const Name *const *)b;
  int order = strcmp(x->path, y->path);
  return order != 0 ? order : (int)x->state - (int)y->state;
}

static GPtrArray *read_names(Store *store, uint32_t evidence, const Object *object,
                             GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func((GDestroyNotify)name_free);
  sqlite3_stmt *statement = store_statement(store, SQL_GET_NAMES, error);
  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64(statement, 1, evidence);
  sqlite3_bind_int64(statement, 2, object->volume);
  sqlite3_bind_int64(statement, 3, (sqlite3_int64)object->seq);
  bool more = true, ok;
  while ((ok = next(store, statement, &more, error)) && more) {
    g_autoptr(GBytes) bytes = column_bytes(statement, 3);
    Name *name = g_new0(Name, 1);
    name->state = (ObjectState)MIN(column_u64(statement, 1), STATE_LAST);
    name->flags = (uint32_t)column_u64(statement, 2);
    name->path = store_join_path(store, evidence, object->volume,
                                 (uint32_t)column_u64(statement, 0), bytes, object->attr_name);
    g_ptr_array_add(names, name);
  }
  sqlite3_reset(statement);
  if (!ok)
    return NULL;
  g_ptr_array_sort(names, compare_names);
  Name *first = g_new0(Name, 1);
  first->path = store_object_path(store, evidence, object);
  first->state = object->state;
  first->flags = object->flags;
  g_ptr_array_insert(names, 0, first);
  return g_steal_pointer(&names);
}

/* ---- hits ---- */
typedef struct {
  GArray *matches, *indicators;
  GPtrArray *texts, *corroboration;
} Details;

static void details_clear(Details *details) {
  for (guint i = 0; details->matches != NULL && i < details->matches->len; i++)
    g_bytes_unref(g_array_index(details->matches, MatchRecord, i).bytes);
  g_clear_pointer(&details->matches, g_array_unref);
  g_clear_pointer(&details->indicators, g_array_unref);
  g_clear_pointer(&details->texts, g_ptr_array_unref);
  g_clear_pointer(&details->corroboration, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Details, details_clear)

static const char *keep(Details *details, const char *text) {
  g_ptr_array_add(details->texts, g_strdup(text));
  return details->texts->pdata[details->texts->len - 1];
}

static bool each_detail(Store *store, StoreSql sql, int64_t hit, Details *details,
                        void (*take)(Details *, sqlite3_stmt *), GError **error) {
  sqlite3_stmt *statement = store_statement(store, sql, error);
  if (statement == NULL)
    return false;
  sqlite3_bind_int64(statement, 1, hit);
  bool more = true, ok;
  while ((ok = next(store, statement, &more, error)) && more)
    take(details, statement);
  sqlite3_reset(statement);
  return ok;
}

static void take_match(Details *details, sqlite3_stmt *statement) {
  MatchRecord match = {keep(details, column_text(statement, 0)), column_u64(statement, 1),
                       column_u64(statement, 2), column_bytes(statement, 3)};
  if (match.bytes == NULL)
    match.bytes = g_bytes_new_static("", 0);
  g_array_append_val(details->matches, match);
}

static void take_indicator(Details *details, sqlite3_stmt *statement) {
  IndicatorRecord indicator = {keep(details, column_text(statement, 0)),
                               keep(details, column_text(statement, 1)), column_u64(statement, 2)};
  g_array_append_val(details->indicators, indicator);
}

static void take_corroboration(Details *details, sqlite3_stmt *statement) {
  g_ptr_array_add(details->corroboration, (gpointer)keep(details, column_text(statement, 0)));
}

static bool read_details(Store *store, int64_t hit, Details *details, GError **error) {
  details->matches = g_array_new(FALSE, FALSE, sizeof(MatchRecord));
  details->indicators = g_array_new(FALSE, FALSE, sizeof(IndicatorRecord));
  details->texts = g_ptr_array_new_with_free_func(g_free);
  details->corroboration = g_ptr_array_new();
  bool ok = each_detail(store, SQL_GET_MATCHES, hit, details, take_match, error) &&
            each_detail(store, SQL_GET_INDICATORS, hit, details, take_indicator, error) &&
            each_detail(store, SQL_GET_CORROBORATION, hit, details, take_corroboration, error);
  g_ptr_array_add(details->corroboration, NULL);
  return ok;
}

static void make_id(const HitRow *row, unsigned ordinal, char *out, gsize size) {
  g_autoptr(Digester) digester = digester_new(DIGEST_SHA256);
  g_autofree char *place = g_strdup_printf("%llu", (unsigned long long)row->volume_offset);
  g_autofree char *number = g_strdup_printf("%u", ordinal);
  const char *parts[] = {row->evidence,       place,       row->path,
                         row->meta,           row->member, row->view,
                         row->rule_namespace, row->rule,   number};
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    digester_update(digester, parts[i], strlen(parts[i]) + 1);
  Digests digests;
  digester_finish(digester, &digests);
  g_snprintf(out, size, "H-%.16s", digests.sha256);
}

/* Column numbers of the statement below. */
enum { HIT = AFTER_OBJECT, MEMBER = HIT + 17 };
static const char HITS_SQL[] =
    "SELECT " OBJECT_COLUMNS ", h.id, h.evidence, h.member_no, h.namespace, h.rule, h.strings, "
    "h.match_count, h.first_offset, h.image_offset, h.excerpt, h.verdict, h.scenario, h.profile, "
    "h.reason, h.also_views, h.fuzzy, h.secrets, coalesce(m.member, ''), "
    "coalesce(m.view, 'raw'), "
    "coalesce(m.size, o.size), m.sha256, m.sha1, m.md5, m.created, m.created_part, m.modified, "
    "m.modified_part, m.changed, m.changed_part, m.accessed, m.accessed_part, m.name_created, "
    "m.name_created_part, "
    "m.name_modified, m.name_modified_part, m.name_changed, m.name_changed_part, m.name_accessed, "
    "m.name_accessed_part FROM hit h JOIN "
    "object o ON o.evidence = h.evidence AND o.volume = h.volume AND o.seq = h.seq LEFT JOIN "
    "member m ON m.evidence = h.evidence AND m.volume = h.volume AND m.seq = h.seq AND m.no = "
    "h.member_no";
static const char HITS_ORDER[] =
    " ORDER BY h.evidence, h.volume, h.seq, h.member_no, h.namespace, h.rule";

static void fill_hit(sqlite3_stmt *s, const Object *object, const Place *place, HitRow *row) {
  row->rowid = (int64_t)column_u64(s, HIT);
  row->evidence = place->evidence;
  row->evidence_no = place->evidence_no;
  row->volume = object->volume;
  row->volume_offset = place->offset;
  row->seq = object->seq;
  row->fs_type = place->fs_type;
  row->meta = object->meta;
  row->is_named_stream = (object->flags & OBJECT_NAMED_STREAM) != 0;
  row->member_no = (uint32_t)column_u64(s, HIT + 2);
  row->object = object;
  row->rule_namespace = column_text(s, HIT + 3);
  row->rule = column_text(s, HIT + 4);
  row->strings = column_text(s, HIT + 5);
  row->match_count = column_u64(s, HIT + 6);
  row->has_first_offset = sqlite3_column_type(s, HIT + 7) != SQLITE_NULL;
  row->first_offset = column_u64(s, HIT + 7);
  row->has_image_offset = sqlite3_column_type(s, HIT + 8) != SQLITE_NULL;
  row->image_offset = column_u64(s, HIT + 8);
  row->excerpt = column_text(s, HIT + 9);
  row->verdict = column_text(s, HIT + 10);
  row->scenario = column_text(s, HIT + 11);
  row->profile = column_text(s, HIT + 12);
  row->reason = column_text(s, HIT + 13);
  row->also_views = column_text(s, HIT + 14);
  row->fuzzy = column_text(s, HIT + 15);
  row->secrets = column_text(s, HIT + 16);
  row->member = column_text(s, MEMBER);
  row->view = column_text(s, MEMBER + 1);
  row->size = *row->member == '\0' && strcmp(row->view, "raw") == 0 ? object->size
                                                                    : column_u64(s, MEMBER + 2);
  column_digests(s, MEMBER + 3, &row->digests);
  column_time(s, MEMBER + 6, &row->created);
  column_time(s, MEMBER + 8, &row->modified);
  column_time(s, MEMBER + 10, &row->changed);
  column_time(s, MEMBER + 12, &row->accessed);
  row->object_created = object->created;
  row->object_modified = object->modified;
  row->object_changed = object->changed;
  row->object_accessed = object->accessed;
  store_both_records(s, MEMBER + 14, object, row);
}

static bool give_hit(Store *store, HitRow *row, const Object *object, GHashTable *ids,
                     bool (*give)(void *user, const HitRow *hit), void *user, bool *stopped,
                     GError **error) {
  g_auto(Details) details = {0};
  g_autoptr(GPtrArray) names = read_names(store, row->evidence_no, object, error);
  if (names == NULL || !read_details(store, row->rowid, &details, error))
    return false;
  row->matches = (const MatchRecord *)details.matches->data;
  row->n_matches = details.matches->len;
  row->indicators = (const IndicatorRecord *)details.indicators->data;
  row->n_indicators = details.indicators->len;
  row->corroboration = (const char *const *)details.corroboration->pdata;
  for (guint i = 0; i < names->len && !*stopped; i++) {
    const Name *name = names->pdata[i];
    char id[24];
    unsigned ordinal = 0;
    row->path = name->path;
    row->state = state_word(name->state);
    row->is_reallocated = (name->flags & OBJECT_REALLOCATED) != 0;
    do
      make_id(row, ordinal++, id, sizeof id);
    while (!g_hash_table_add(ids, g_strdup(id)));
    row->hit_id = id;
    *stopped = !give(user, row);
  }
  return true;
}

bool store_each_hit(Store *store, bool (*row)(void *user, const HitRow *hit), void *user,
                    GError **error) {
  g_autofree char *scope = store_scope_clause(store, "h.evidence");
  g_autofree char *sql = g_strconcat(HITS_SQL, scope, HITS_ORDER, NULL);
  g_autoptr(sqlite3_stmt) statement = prepare(store, sql, error);
  g_autoptr(GHashTable) ids = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  g_auto(Place) place = {0};
  bool more = true, ok = statement != NULL, stopped = false;
  while (ok && !stopped && (ok = next(store, statement, &more, error)) && more) {
    Object object;
    read_object(statement, 0, &object);
    HitRow hit = {0};
    ok = place_find(store, &place, (uint32_t)column_u64(statement, HIT + 1), object.volume, error);
    if (ok) {
      fill_hit(statement, &object, &place, &hit);
      ok = give_hit(store, &hit, &object, ids, row, user, &stopped, error);
    }
    clear_object(&object);
  }
  return ok;
}

/* ---- gaps ---- */
static const char GAPS_SQL[] =
    "SELECT g.evidence, g.volume, g.seq, g.dir, g.meta, g.state, g.size, g.examined, g.reason, "
    "g.detail, g.member, o.dir, o.name, o.attr_name, o.kind, o.first_byte FROM gap g LEFT JOIN "
    "object o ON "
    "o.evidence = g.evidence AND o.volume = g.volume AND o.seq = g.seq";
static const char GAPS_ORDER[] = " ORDER BY g.evidence, g.volume, g.seq IS NULL, g.seq, g.dir, "
                                 "g.meta, g.member, g.reason, g.detail, g.size, "
                                 "g.examined, g.state, g.no";

static char *gap_path(Store *store, sqlite3_stmt *s, uint32_t evidence, uint32_t volume) {
  if (sqlite3_column_type(s, 14) != SQLITE_NULL) {
    Object object = {.volume = volume,
                     .dir = (uint32_t)column_u64(s, 11),
                     .kind = (ObjectKind)MIN(column_u64(s, 14), OBJECT_KIND_LAST)};
    object.name = column_bytes(s, 12);
    object.attr_name = column_bytes(s, 13);
    char *path = store_object_path(store, evidence, &object);
    clear_object(&object);
    return path;
  }
  if (sqlite3_column_type(s, 3) == SQLITE_NULL)
    return g_strdup("");
  char *path = store_dir_path(store, evidence, volume, (uint32_t)column_u64(s, 3));
  if (*path != '\0')
    return path;
  g_free(path);
  return g_strdup("/");
}

bool store_each_gap(Store *store, bool (*row)(void *user, const GapRow *gap), void *user,
                    GError **error) {
  g_autofree char *scope = store_scope_clause(store, "g.evidence");
  g_autofree char *sql = g_strconcat(GAPS_SQL, scope, GAPS_ORDER, NULL);
  g_autoptr(sqlite3_stmt) s = prepare(store, sql, error);
  g_auto(Place) place = {0};
  bool more = true, ok = s != NULL;
  while (ok && (ok = next(store, s, &more, error)) && more) {
    uint32_t evidence = (uint32_t)column_u64(s, 0), volume = (uint32_t)column_u64(s, 1);
    if (!place_find(store, &place, evidence, volume, error))
      return false;
    g_autofree char *path = gap_path(store, s, evidence, volume);
    GapRow gap = {.evidence = place.evidence,
                  .evidence_no = evidence,
                  .volume = volume,
                  .volume_offset = place.offset,
                  .fs_type = place.fs_type,
                  .path = path,
                  .member = column_text(s, 10),
                  .meta = column_text(s, 4),
                  .state = state_word(column_u64(s, 5)),
                  .size = column_u64(s, 6),
                  .examined = column_u64(s, 7),
                  .reason = column_text(s, 8),
                  .detail = column_text(s, 9)};
    gap.has_size = gap.size > 0 || gap.examined > 0 || sqlite3_column_type(s, 2) != SQLITE_NULL;
    gap.first_byte = column_u64(s, 15);
    gap.has_place = gap.first_byte > 0;
    if (!row(user, &gap))
      break;
  }
  return ok;
}

/* ---- entries ---- */
static const char *kind_word(ObjectKind kind) {
  static const char *const WORDS[] = {"file",    "dir",  "link",  "other",
                                      "virtual", "name", "whole", "area"};
  return WORDS[MIN((unsigned)kind, G_N_ELEMENTS(WORDS) - 1)];
}

typedef struct {
  Store *store;
  bool (*give)(void *user, const EntryRow *entry);
  void *user;
  sqlite3_stmt *members;
  bool stopped;
} Entries;

static bool give_members(Entries *entries, EntryRow *entry, uint32_t evidence, const Object *object,
                         GError **error) {
  sqlite3_stmt *s = entries->members;
  sqlite3_reset(s);
  sqlite3_bind_int64(s, 1, evidence);
  sqlite3_bind_int64(s, 2, object->volume);
  sqlite3_bind_int64(s, 3, (sqlite3_int64)object->seq);
  for (bool more = true; !entries->stopped;) {
    if (!next(entries->store, s, &more, error))
      return false;
    if (!more)
      break;
    entry->member = column_text(s, 0);
    entry->view = column_text(s, 1);
    entry->kind = "member";
    entry->size = column_u64(s, 2);
    entry->is_examined = true;
    entry->first_byte = 0;
    column_digests(s, 3, &entry->digests);
    column_time(s, 6, &entry->created);
    column_time(s, 8, &entry->modified);
    column_time(s, 10, &entry->changed);
    column_time(s, 12, &entry->accessed);
    entries->stopped = !entries->give(entries->user, entry);
  }
  sqlite3_reset(s);
  return true;
}

static bool give_entry(Entries *entries, sqlite3_stmt *s, const Place *place, const Object *object,
                       GError **error) {
  g_autoptr(GPtrArray) names = read_names(entries->store, place->evidence_no, object, error);
  if (names == NULL)
    return false;
  for (guint i = 0; i < names->len && !entries->stopped; i++) {
    const Name *name = names->pdata[i];
    EntryRow entry = {.evidence = place->evidence,
                      .evidence_no = place->evidence_no,
                      .volume = object->volume,
                      .volume_offset = place->offset,
                      .fs_type = place->fs_type,
                      .path = name->path,
                      .member = "",
                      .view = "raw",
                      .meta = object->meta,
                      .state = state_word(name->state),
                      .kind = kind_word(object->kind),
                      .is_reallocated = (name->flags & OBJECT_REALLOCATED) != 0,
                      .size = object->size,
                      .is_examined = column_u64(s, AFTER_OBJECT + 1) != 0,
                      .first_byte = object->first_byte,
                      .created = object->created,
                      .modified = object->modified,
                      .changed = object->changed,
                      .accessed = object->accessed};
    column_digests(s, AFTER_OBJECT + 2, &entry.digests);
    entries->stopped = !entries->give(entries->user, &entry);
    if (!entries->stopped && !give_members(entries, &entry, place->evidence_no, object, error))
      return false;
  }
  return true;
}

bool store_each_entry(Store *store, bool (*row)(void *user, const EntryRow *entry), void *user,
                      GError **error) {
  g_autoptr(sqlite3_stmt) s =
      prepare(store,
              "SELECT " OBJECT_COLUMNS ", o.evidence, r.seq IS NOT NULL, r.sha256, r.sha1, r.md5 "
              "FROM object o LEFT JOIN result r ON " RESULT_OF_OBJECT
              " ORDER BY o.evidence, o.volume, o.seq",
              error);
  g_autoptr(sqlite3_stmt) members =
      prepare(store,
              "SELECT member, view, size, sha256, sha1, md5, created, created_part, modified, "
              "modified_part, changed, changed_part, accessed, accessed_part FROM member "
              "WHERE evidence = ? AND volume = ? AND seq = ? AND no > 0 ORDER BY no",
              error);
  if (s == NULL || members == NULL)
    return false;
  g_auto(Place) place = {0};
  Entries entries = {store, row, user, members, false};
  bool more = true, ok = true;
  while (ok && !entries.stopped && (ok = next(store, s, &more, error)) && more) {
    Object object;
    read_object(s, 0, &object);
    ok = place_find(store, &place, (uint32_t)column_u64(s, AFTER_OBJECT), object.volume, error) &&
         give_entry(&entries, s, &place, &object, error);
    clear_object(&object);
  }
  return ok;
}

bool store_each_fact(Store *store, bool (*row)(void *user, const FactRow *fact), void *user,
                     GError **error) {
  g_autoptr(sqlite3_stmt) s = prepare(
      store,
      "SELECT " OBJECT_COLUMNS ", f.evidence, f.kind, f.target, f.detail, coalesce(m.member, ''), "
      "coalesce(m.sha256, r.sha256, '') FROM fact f JOIN object o ON o.evidence = f.evidence AND "
      "o.volume = f.volume AND o.seq = f.seq LEFT JOIN result r ON " RESULT_OF_OBJECT
      " LEFT JOIN member m ON m.evidence = f.evidence AND "
      "m.volume = f.volume AND m.seq = f.seq AND m.no = f.member_no ORDER BY f.evidence, f.volume, "
      "f.seq, f.member_no, f.kind, f.target, f.detail",
      error);
  g_auto(Place) place = {0};
  bool more = true, ok = s != NULL;
  while (ok && (ok = next(store, s, &more, error)) && more) {
    Object object;
    read_object(s, 0, &object);
    uint32_t evidence = (uint32_t)column_u64(s, AFTER_OBJECT);
    ok = place_find(store, &place, evidence, object.volume, error);
    g_autofree char *path = store_object_path(store, evidence, &object);
    FactRow fact = {.evidence = place.evidence,
                    .evidence_no = evidence,
                    .volume = object.volume,
                    .path = path,
                    .kind = column_text(s, AFTER_OBJECT + 1),
                    .target = column_text(s, AFTER_OBJECT + 2),
                    .detail = column_text(s, AFTER_OBJECT + 3),
                    .member = column_text(s, AFTER_OBJECT + 4),
                    .sha256 = column_text(s, AFTER_OBJECT + 5),
                    .is_live = object.state == STATE_ALLOCATED &&
                               (object.flags & OBJECT_NAMED_STREAM) == 0,
                    .created = object.created,
                    .modified = object.modified,
                    .changed = object.changed,
                    .accessed = object.accessed};
    bool go_on = ok && row(user, &fact);
    clear_object(&object);
    if (!go_on)
      break;
  }
  return ok;
}
