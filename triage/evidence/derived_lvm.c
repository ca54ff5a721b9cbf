/* SPDX-License-Identifier: Apache-2.0 */
/* derived_lvm.c - the logical volumes of a Linux LVM2 physical volume. */
#include "base/limits.h"
#include "base/text.h"
#include "evidence/derived_private.h"
#define LIBVSLVM_HAVE_BFIO 1 /* Debian's is built with it; its header does not say so */
#include <libvslvm.h>
#include <string.h>

typedef struct {
  libvslvm_handle_t *handle; /* shared by the volumes of the group */
  libbfio_pool_t *pool;
  libvslvm_volume_group_t *group;
  guint references;
} Shared;

typedef struct {
  Shared *shared;
  libvslvm_logical_volume_t *volume;
} Logical;

static bool lvm_probe(const DerivedBase *base) {
  for (uint64_t sector = 0; sector < 4; sector++)
    if (derived_has(base, sector * 512, "LABELONE", 8) &&
        derived_has(base, sector * 512 + 24, "LVM2 001", 8))
      return true;
  return false;
}

static void shared_unref(Shared *shared) {
  if (--shared->references > 0)
    return;
  if (shared->group != NULL)
    libvslvm_volume_group_free(&shared->group, NULL);
  if (shared->handle != NULL) {
    libvslvm_handle_close(shared->handle, NULL);
    libvslvm_handle_free(&shared->handle, NULL);
  }
  if (shared->pool != NULL)
    libbfio_pool_free(&shared->pool, NULL);
  g_free(shared);
}

static ssize_t logical_read(void *handle, uint8_t *buffer, size_t n, uint64_t offset) {
  Logical *logical = handle;
  libvslvm_error_t *failure = NULL;
  ssize_t got = libvslvm_logical_volume_read_buffer_at_offset(logical->volume, buffer, n,
                                                              (off64_t)offset, &failure);
  libvslvm_error_free(&failure);
  return got;
}

static void logical_close(void *handle) {
  Logical *logical = handle;
  libvslvm_logical_volume_free(&logical->volume, NULL);
  shared_unref(logical->shared);
  g_free(logical);
}

/* The stretch of the physical volume one segment lies in. */
static bool segment_place(libvslvm_segment_t *segment, Range *place) {
  libvslvm_stripe_t *stripe = NULL;
  int n = 0;
  off64_t at = 0;
  size64_t size = 0;
  bool ok = libvslvm_segment_get_number_of_stripes(segment, &n, NULL) == 1 && n == 1 &&
            libvslvm_segment_get_size(segment, &size, NULL) == 1 &&
            libvslvm_segment_get_stripe(segment, 0, &stripe, NULL) == 1 &&
            libvslvm_stripe_get_data_area_offset(stripe, &at, NULL) == 1 && at >= 0 &&
            g_uint64_checked_add(&place->end, (uint64_t)at, size);
  place->start = (uint64_t)at;
  if (stripe != NULL)
    libvslvm_stripe_free(&stripe, NULL);
  return ok;
}

/* Where the extents begin: the first data area of the physical volume's header. */
static uint64_t data_start(const DerivedBase *base) {
  for (uint64_t sector = 0; sector < 4; sector++) {
    uint8_t label[512];
    if (!derived_has(base, sector * 512, "LABELONE", 8))
      continue;
    image_read(base->base, base->offset + sector * 512, label, sizeof label);
    uint32_t header = image_le32(label + 20);
    return header <= sizeof label - 48 ? image_le64(label + header + 40) : 0;
  }
  return 0;
}

/* True where the volume's bytes are those of the base at a place, as far as a look tells. */
static bool is_there(const DerivedBase *base, libvslvm_logical_volume_t *volume,
                     const Range *place) {
  enum { LOOK = 4096 };
  uint8_t here[LOOK], there[LOOK];
  uint64_t size = place->end - place->start, places[] = {0, size / 2, size - MIN(size, LOOK)};
  for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
    size_t n = (size_t)MIN(LOOK, size - places[i]);
    image_read(base->base, base->offset + place->start + places[i], there, n);
    if (libvslvm_logical_volume_read_buffer_at_offset(volume, here, n, (off64_t)places[i], NULL) !=
            (ssize_t)n ||
        memcmp(here, there, n) != 0)
      return false;
  }
  return true;
}

/* Where the volume lies in the base as it is; NULL where that is not sure: then the base's bytes
 * are examined once more. */
static Ranges *find_inside(const DerivedBase *base, libvslvm_logical_volume_t *volume) {
  libvslvm_segment_t *segment = NULL;
  int n = 0;
  Range place;
  if (libvslvm_logical_volume_get_number_of_segments(volume, &n, NULL) != 1 || n != 1 ||
      libvslvm_logical_volume_get_segment(volume, 0, &segment, NULL) != 1)
    return NULL;
  bool ok = segment_place(segment, &place);
  libvslvm_segment_free(&segment, NULL);
  uint64_t shift = data_start(base);
  if (!ok || place.end > base->length || place.start >= place.end)
    return NULL;
  /* The library counts from the start of the extents; an older one may not. */
  Range shifted = {place.start + shift, place.end + shift};
  bool fits = shift <= base->length - place.end;
  if (fits && is_there(base, volume, &shifted))
    place = shifted;
  else if (!is_there(base, volume, &place))
    return NULL;
  Ranges *inside = ranges_new();
  ranges_add(inside, base->offset + place.start, base->offset + place.end);
  return inside;
}

static bool open_logical(const DerivedBase *base, Shared *shared, int index, derived_found found,
                         void *user) {
  libvslvm_logical_volume_t *volume = NULL;
  size64_t size = 0;
  size_t n_name = 0;
  if (libvslvm_volume_group_get_logical_volume(shared->group, index, &volume, NULL) != 1)
    return false;
  char name[256] = "";
  if (libvslvm_logical_volume_get_size(volume, &size, NULL) != 1) {
    libvslvm_logical_volume_free(&volume, NULL);
    return false;
  }
  if (libvslvm_logical_volume_get_name_size(volume, &n_name, NULL) == 1 && n_name <= sizeof name)
    libvslvm_logical_volume_get_name(volume, name, n_name, NULL);
  Logical *logical = g_new0(Logical, 1);
  logical->shared = shared;
  logical->volume = volume;
  shared->references++;
  g_autofree char *shown = text_printable(name, strnlen(name, sizeof name));
  DerivedVolume found_volume = {
      .image = derived_image_new(base, NULL, size, logical, logical_read, logical_close),
      .description = g_strdup_printf("logical volume %s of the LVM at byte %llu", shown,
                                     (unsigned long long)base->offset),
      .inside = find_inside(base, volume)};
  found(user, &found_volume);
  return true;
}

static bool open_group(const DerivedBase *base, Shared *shared, libvslvm_error_t **failure) {
  libbfio_handle_t *io = derived_io_new(base);
  int entry = 0;
  if (libbfio_pool_initialize(&shared->pool, 0, 0, NULL) != 1 ||
      libbfio_pool_append_handle(shared->pool, &entry, io, LIBBFIO_OPEN_READ, NULL) != 1) {
    derived_io_free(io);
    return false;
  }
  libbfio_handle_t *handle = NULL;
  return libvslvm_handle_initialize(&shared->handle, failure) == 1 &&
         libbfio_pool_get_handle(shared->pool, 0, &handle, NULL) == 1 &&
         libvslvm_handle_open_file_io_handle(shared->handle, handle, LIBVSLVM_OPEN_READ, failure) ==
             1 &&
         libvslvm_handle_open_physical_volume_files_file_io_pool(shared->handle, shared->pool,
                                                                 failure) == 1 &&
         libvslvm_handle_get_volume_group(shared->handle, &shared->group, failure) == 1;
}

static gboolean lvm_open(const DerivedBase *base, derived_found found, void *user, GError **error) {
  Shared *shared = g_new0(Shared, 1);
  libvslvm_error_t *failure = NULL;
  shared->references = 1;
  int n = 0, n_physical = 0, lost = 0;
  g_autofree char *text = NULL;
  if (!open_group(base, shared, &failure) ||
      libvslvm_volume_group_get_number_of_physical_volumes(shared->group, &n_physical, &failure) !=
          1 ||
      libvslvm_volume_group_get_number_of_logical_volumes(shared->group, &n, &failure) != 1)
    text = failure != NULL ? DERIVED_TEXT(libvslvm, &failure) : g_strdup("no further detail");
  bool is_whole = text == NULL && n_physical == 1;
  for (int i = 0; is_whole && i < MIN(n, (int)LIMIT_VOLUMES); i++)
    lost += open_logical(base, shared, i, found, user) ? 0 : 1;
  shared_unref(shared);
  if (text != NULL)
    return triage_fail(error, TRIAGE_REASON_CORRUPT,
                       "an LVM2 physical volume that libvslvm cannot open (%s): damaged, or with "
                       "striped volumes; its bytes are examined as they are, without names",
                       text);
  if (!is_whole)
    return triage_fail(
        error, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
        "an LVM2 physical volume, one of %d of its group, which are not put together "
        "in this version; its bytes are examined as they are, without names",
        n_physical);
  return lost == 0 ||
         triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
                     "an LVM2 physical volume: %d of its %d logical volumes cannot be opened: "
                     "libvslvm reads linear ones of one piece, none that is extended, mirrored or "
                     "thin; their bytes are examined as they are, without names",
                     lost, n);
}

const DerivedKind DERIVED_LVM = {
    .row = {.stage = "volume",
            .name = "lvm2",
            .title = "Logical Volume Manager",
            .spec = "libvslvm's description of the LVM2 format",
            .library = "libvslvm",
            .limitations = "groups of one physical volume, linear volumes of one piece; what is "
                           "extended, striped, mirrored or thin is examined without names",
            .available = true},
    .probe = lvm_probe,
    .open = lvm_open,
};
