/* SPDX-License-Identifier: Apache-2.0 */
/* walk_dir.c - one directory's names, in time that grows with their number. libtsk looks through
 * all names of a directory for each one it adds, and through all orphans for each orphan: two
 * hundred thousand take it minutes, a million hours. It leaves that out for FAT, where no two names
 * share a metadata address; so it is told that the directory is one of FAT, and its search is made
 * here. */
#include "base/keyhash.h"
#include "evidence/walk_private.h"
#include <stdlib.h>
#include <string.h>

/* A name is another one's double where address and text are the same. */
static guint hash_name(gconstpointer pointer) {
  const TSK_FS_NAME *name = pointer;
  uint64_t address = name->meta_addr;
  return keyhash_uint64(&address) * 31 + keyhash_str(name->name);
}

static gboolean equal_names(gconstpointer a, gconstpointer b) {
  const TSK_FS_NAME *x = a, *y = b;
  return x->meta_addr == y->meta_addr && strcmp(x->name, y->name) == 0;
}

/* As tsk_fs_dir_add does it: of doubles the first counts, unless only a later one is in use; that
 * takes the first one's place. */
static GArray *order_of(const TSK_FS_DIR *dir) {
  GArray *order = g_array_sized_new(FALSE, FALSE, sizeof(size_t), (guint)dir->names_used);
  g_autoptr(GHashTable) places = g_hash_table_new(hash_name, equal_names);
  for (size_t i = 0; i < dir->names_used; i++) {
    TSK_FS_NAME *name = &dir->names[i];
    gpointer place;
    if (name->name == NULL || !g_hash_table_lookup_extended(places, name, NULL, &place)) {
      if (name->name != NULL)
        g_hash_table_insert(places, name, GUINT_TO_POINTER(order->len));
      g_array_append_val(order, i);
      continue;
    }
    size_t *kept = &g_array_index(order, size_t, GPOINTER_TO_UINT(place));
    if ((dir->names[*kept].flags & TSK_FS_NAME_FLAG_UNALLOC) != 0 &&
        (name->flags & TSK_FS_NAME_FLAG_ALLOC) != 0)
      *kept = i;
  }
  return order;
}

TSK_FS_DIR *walk_open_dir(TSK_FS_INFO *fs, uint64_t address, GArray **order) {
  *order = NULL;
  if (!TSK_FS_TYPE_ISEXT(fs->ftype) && !TSK_FS_TYPE_ISNTFS(fs->ftype)) {
    TSK_FS_DIR *plain = tsk_fs_dir_open_meta(fs, address);
    for (size_t i = 0; plain != NULL && i < plain->names_used; i++) {
      if (*order == NULL)
        *order = g_array_new(FALSE, FALSE, sizeof(size_t));
      g_array_append_val(*order, i);
    }
    return plain;
  }
  TSK_FS_INFO as_fat = *fs; /* of which only the type is asked */
  as_fat.ftype = TSK_FS_TYPE_FAT32;
  TSK_FS_DIR *dir = calloc(1, sizeof *dir); /* libtsk frees it */
  if (dir == NULL)
    return NULL;
  dir->tag = TSK_FS_DIR_TAG;
  dir->addr = address;
  dir->fs_info = &as_fat;
  TSK_RETVAL_ENUM result = fs->dir_open_meta(fs, &dir, address, 0);
  if (dir != NULL)
    dir->fs_info = fs;
  if (result != TSK_OK || dir == NULL) {
    tsk_fs_dir_close(dir);
    return NULL;
  }
  *order = order_of(dir);
  return dir;
}
