/* SPDX-License-Identifier: Apache-2.0 */
/* store_path.c - paths out of the tree of directories: printable for people, raw for opening a file
 * below a directory again. No recursion: evidence may be ten thousand levels deep. */
#include "base/keyhash.h"
#include "base/text.h"
#include "store/store_private.h"
#include <string.h>

enum { CACHE_BYTES_MAX = 64 * 1024 * 1024 };

typedef struct {
  uint32_t evidence, volume, dir;
} DirKey;

static guint hash_key(gconstpointer pointer) {
  const DirKey *key = pointer;
  uint64_t a = ((uint64_t)key->evidence << 32) | key->volume, b = key->dir;
  return keyhash_uint64(&a) * 31 + keyhash_uint64(&b);
}

static gboolean equal_keys(gconstpointer a, gconstpointer b) {
  return memcmp(a, b, sizeof(DirKey)) == 0;
}

GHashTable *store_dir_paths_new(void) {
  return g_hash_table_new_full(hash_key, equal_keys, g_free, g_free);
}

/* A component as it is shown: a '/' inside it is no separator. */
static void append_component(GString *path, GBytes *name) {
  gsize n;
  const char *bytes = g_bytes_get_data(name, &n);
  gsize start = path->len;
  text_append_printable(path, bytes != NULL ? bytes : "", n);
  for (char *slash; (slash = memchr(path->str + start, '/', path->len - start)) != NULL;) {
    gsize at = (gsize)(slash - path->str);
    g_string_erase(path, (gssize)at, 1);
    g_string_insert(path, (gssize)at, "\\x2f");
    start = at + 4;
  }
}

static bool get_dir(Store *store, const DirKey *key, uint32_t *parent, GBytes **name) {
  Binder binder = {store_statement(store, SQL_GET_DIR, NULL), 0};
  if (binder.statement == NULL)
    return false;
  bind_u64(&binder, key->evidence);
  bind_u64(&binder, key->volume);
  bind_u64(&binder, key->dir);
  bool found = sqlite3_step(binder.statement) == SQLITE_ROW;
  if (found) {
    *parent = (uint32_t)column_u64(binder.statement, 0);
    *name = column_bytes(binder.statement, 1);
  }
  sqlite3_reset(binder.statement);
  return found;
}

char *store_dir_path(Store *store, uint32_t evidence, uint32_t volume, uint32_t dir) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  DirKey key = {evidence, volume, dir};
  const char *known = NULL;
  while (key.dir != 0 && (known = g_hash_table_lookup(store->dir_paths, &key)) == NULL) {
    uint32_t parent = 0;
    GBytes *name = NULL;
    if (!get_dir(store, &key, &parent, &name) || parent >= key.dir)
      break;
    g_ptr_array_add(names, name);
    key.dir = parent;
  }
  GString *path = g_string_new(known);
  for (guint i = names->len; i > 0; i--) {
    g_string_append_c(path, '/');
    append_component(path, names->pdata[i - 1]);
  }
  if (names->len > 0) {
    if (store->dir_paths_bytes > CACHE_BYTES_MAX) {
      g_hash_table_remove_all(store->dir_paths);
      store->dir_paths_bytes = 0;
    }
    key.dir = dir;
    store->dir_paths_bytes += path->len + sizeof key;
    g_hash_table_replace(store->dir_paths, g_memdup2(&key, sizeof key),
                         g_strndup(path->str, path->len));
  }
  return g_string_free(path, FALSE);
}

char *store_join_path(Store *store, uint32_t evidence, uint32_t volume, uint32_t dir, GBytes *name,
                      GBytes *attr_name) {
  g_autofree char *below = store_dir_path(store, evidence, volume, dir);
  GString *path = g_string_new(below);
  g_string_append_c(path, '/');
  if (name != NULL)
    append_component(path, name);
  if (attr_name != NULL) {
    g_string_append_c(path, ':');
    append_component(path, attr_name);
  }
  return g_string_free(path, FALSE);
}

static char *evidence_name(Store *store, uint32_t evidence) {
  sqlite3_stmt *statement = NULL;
  char *name = NULL;
  if (sqlite3_prepare_v2(store->db, "SELECT name FROM evidence WHERE no = ?", -1, &statement,
                         NULL) == SQLITE_OK) {
    sqlite3_bind_int64(statement, 1, evidence);
    if (sqlite3_step(statement) == SQLITE_ROW)
      name = g_strdup(column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  return name != NULL ? name : g_strdup("");
}

char *store_object_path(Store *store, uint32_t evidence, const Object *object) {
  if (object->kind == OBJECT_WHOLE) {
    g_autofree char *name = evidence_name(store, evidence);
    return g_strconcat("/", name, NULL);
  }
  return store_join_path(store, evidence, object->volume, object->dir, object->name,
                         object->attr_name);
}

GBytes *store_object_raw_path(Store *store, uint32_t evidence, const Object *object) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  DirKey key = {evidence, object->volume, object->dir};
  while (key.dir != 0) {
    uint32_t parent = 0;
    GBytes *name = NULL;
    if (!get_dir(store, &key, &parent, &name) || parent >= key.dir)
      break;
    g_ptr_array_add(names, name);
    key.dir = parent;
  }
  GByteArray *path = g_byte_array_new();
  for (guint i = names->len; i > 0; i--) {
    gsize n;
    const guint8 *bytes = g_bytes_get_data(names->pdata[i - 1], &n);
    g_byte_array_append(path, bytes, (guint)n);
    g_byte_array_append(path, (const guint8 *)"/", 1);
  }
  if (object->name != NULL) {
    gsize n;
    const guint8 *bytes = g_bytes_get_data(object->name, &n);
    g_byte_array_append(path, bytes, (guint)n);
  }
  return g_byte_array_free_to_bytes(path);
}
