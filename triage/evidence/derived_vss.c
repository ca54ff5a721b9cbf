/* SPDX-License-Identifier: Apache-2.0 */
/* derived_vss.c - the shadow copies of an NTFS volume. Of each only the blocks count that have
 * changed since it was made: all others are the live volume's own. */
#include "base/limits.h"
#include "evidence/derived_private.h"
#include "triage/time.h"
#include <libvshadow.h>
#include <string.h>

enum { HEADER = 0x1e00, BLOCK = 0x4000 };

typedef struct {
  libvshadow_volume_t *volume; /* shared by its stores */
  libbfio_handle_t *io;
  guint references;
} Shared;

typedef struct {
  Shared *shared;
  libvshadow_store_t *store;
} Store;

static bool vss_probe(const DerivedBase *base) {
  static const uint8_t MARK[16] = {0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e,
                                   0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52};
  return derived_has(base, HEADER, MARK, sizeof MARK);
}

static void shared_unref(Shared *shared) {
  if (--shared->references > 0)
    return;
  libvshadow_volume_close(shared->volume, NULL);
  libvshadow_volume_free(&shared->volume, NULL);
  derived_io_free(shared->io);
  g_free(shared);
}

static ssize_t store_read(void *handle, uint8_t *buffer, size_t n, uint64_t offset) {
  Store *store = handle;
  libvshadow_error_t *failure = NULL;
  ssize_t got =
      libvshadow_store_read_buffer_at_offset(store->store, buffer, n, (off64_t)offset, &failure);
  libvshadow_error_free(&failure);
  return got;
}

static void store_close(void *handle) {
  Store *store = handle;
  libvshadow_store_free(&store->store, NULL);
  shared_unref(store->shared);
  g_free(store);
}

/* A block kept by a copy, or by any younger one, is not the live volume's any more. */
static bool add_blocks(libvshadow_store_t *store, Ranges *changed) {
  int n = 0;
  if (libvshadow_store_get_number_of_blocks(store, &n, NULL) != 1)
    return false;
  for (int i = 0; i < n; i++) {
    libvshadow_block_t *block = NULL;
    off64_t at = 0;
    bool ok = libvshadow_store_get_block_by_index(store, i, &block, NULL) == 1 &&
              libvshadow_block_get_original_offset(block, &at, NULL) == 1 && at >= 0;
    if (ok)
      ranges_add(changed, (uint64_t)at, (uint64_t)at + BLOCK);
    if (block != NULL)
      libvshadow_block_free(&block, NULL);
    if (!ok)
      return false;
  }
  return true;
}

static char *made_at(libvshadow_store_t *store) {
  uint64_t filetime = 0;
  char text[64] = "at an unknown time";
  if (libvshadow_store_get_creation_time(store, &filetime, NULL) == 1 && filetime > 0) {
    TriageTime time = triage_time_of_filetime(filetime, TIME_UNSTATED);
    triage_time_format(&time, text, sizeof text);
  }
  return g_strdup(text);
}

static bool open_store(const DerivedBase *base, Shared *shared, int index, int n,
                       derived_found found, void *user) {
  libvshadow_store_t *handle = NULL;
  size64_t size = 0;
  if (libvshadow_volume_get_store(shared->volume, index, &handle, NULL) != 1)
    return false;
  Ranges *changed = ranges_new();
  bool ok = libvshadow_store_get_volume_size(handle, &size, NULL) == 1;
  for (int i = index; ok && i < n; i++) {
    libvshadow_store_t *younger = NULL;
    ok = libvshadow_volume_get_store(shared->volume, i, &younger, NULL) == 1 &&
         add_blocks(younger, changed);
    if (younger != NULL)
      libvshadow_store_free(&younger, NULL);
  }
  if (!ok) {
    ranges_free(changed);
    libvshadow_store_free(&handle, NULL);
    return false;
  }
  Store *store = g_new0(Store, 1);
  store->shared = shared;
  store->store = handle;
  shared->references++;
  g_autofree char *time = made_at(handle);
  DerivedVolume volume = {
      .image = derived_image_new(base, NULL, size, store, store_read, store_close),
      .description = g_strdup_printf("shadow copy %d of the volume at byte %llu, made %s",
                                     index + 1, (unsigned long long)base->offset, time),
      .root = g_strdup_printf("$ShadowCopy%d %s", index + 1, time),
      .changed = changed};
  found(user, &volume);
  return true;
}

static gboolean vss_open(const DerivedBase *base, derived_found found, void *user, GError **error) {
  Shared *shared = g_new0(Shared, 1);
  libvshadow_error_t *failure = NULL;
  shared->references = 1;
  shared->io = derived_io_new(base);
  int n = 0, lost = 0;
  g_autofree char *text = NULL;
  if (libvshadow_volume_initialize(&shared->volume, &failure) != 1 ||
      libvshadow_volume_open_file_io_handle(shared->volume, shared->io, LIBVSHADOW_OPEN_READ,
                                            &failure) != 1 ||
      libvshadow_volume_get_number_of_stores(shared->volume, &n, &failure) != 1)
    text = DERIVED_TEXT(libvshadow, &failure);
  for (int i = 0; i < MIN(n, (int)LIMIT_SHADOW_COPIES); i++)
    lost += open_store(base, shared, i, n, found, user) ? 0 : 1;
  lost += n - MIN(n, (int)LIMIT_SHADOW_COPIES);
  shared_unref(shared);
  if (text != NULL)
    return triage_fail(error, TRIAGE_REASON_CORRUPT, "the shadow copies cannot be opened: %s",
                       text);
  return lost == 0 || triage_fail(error, TRIAGE_REASON_CORRUPT,
                                  "%d of the volume's %d shadow copies cannot be opened", lost, n);
}

const DerivedKind DERIVED_VSS = {
    .row = {.stage = "volume",
            .name = "vss",
            .title = "Volume Shadow Copies",
            .spec = "libvshadow's description of the Volume Shadow Snapshot format",
            .library = "libvshadow",
            .limitations = "what is the same on the live volume is examined there alone",
            .available = true},
    .on_filesystem = true,
    .probe = vss_probe,
    .open = vss_open,
};
