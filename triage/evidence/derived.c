/* SPDX-License-Identifier: Apache-2.0 */
/* derived.c - libyal reading through an image, and its handles as images. */
#include "evidence/derived_private.h"
#include <stdio.h>
#include <string.h>

static const DerivedKind *const KINDS[] = {&DERIVED_BITLOCKER, &DERIVED_LUKS, &DERIVED_LVM,
                                           &DERIVED_VSS};

const DerivedKind *const *derived_kinds(size_t *n) {
  *n = G_N_ELEMENTS(KINDS);
  return KINDS;
}

const DerivedKind *derived_find(const DerivedBase *base, bool on_filesystem) {
  for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
    if (KINDS[i]->on_filesystem == on_filesystem && KINDS[i]->probe(base))
      return KINDS[i];
  return NULL;
}

/* ---- what the libraries read from ---- */

typedef struct {
  DerivedBase base;
  uint8_t head[DERIVED_HEAD];
  uint64_t at;
} View;

static int view_free(intptr_t **io, libbfio_error_t **error) {
  (void)error;
  g_free(*io);
  *io = NULL;
  return 1;
}

static int view_clone(intptr_t **to, intptr_t *from, libbfio_error_t **error) {
  (void)error;
  *to = g_memdup2(from, sizeof(View));
  return 1;
}

static int view_open(intptr_t *io, int flags, libbfio_error_t **error) {
  (void)flags, (void)error;
  ((View *)io)->at = 0;
  return 1;
}

static int view_close(intptr_t *io, libbfio_error_t **error) {
  (void)io, (void)error;
  return 0;
}

static ssize_t view_read(intptr_t *io, uint8_t *buffer, size_t n, libbfio_error_t **error) {
  (void)error;
  View *view = (View *)io;
  uint64_t room = view->at < view->base.length ? view->base.length - view->at : 0;
  size_t take = (size_t)MIN((uint64_t)n, room);
  image_read(view->base.base, view->base.offset + view->at, buffer, take);
  if (view->base.head != NULL && view->at < DERIVED_HEAD)
    memcpy(buffer, view->head + view->at, MIN(take, DERIVED_HEAD - (size_t)view->at));
  view->at += take;
  return (ssize_t)take;
}

static ssize_t view_write(intptr_t *io, const uint8_t *buffer, size_t n, libbfio_error_t **error) {
  (void)io, (void)buffer, (void)n, (void)error;
  return -1; /* evidence is never written */
}

static off64_t view_seek(intptr_t *io, off64_t offset, int whence, libbfio_error_t **error) {
  (void)error;
  View *view = (View *)io;
  off64_t from = whence == SEEK_CUR   ? (off64_t)view->at
                 : whence == SEEK_END ? (off64_t)view->base.length
                                      : 0;
  off64_t to;
  if (__builtin_add_overflow(from, offset, &to) || to < 0)
    return -1;
  view->at = (uint64_t)to;
  return to;
}

static int view_yes(intptr_t *io, libbfio_error_t **error) {
  (void)io, (void)error;
  return 1;
}

static int view_size(intptr_t *io, size64_t *size, libbfio_error_t **error) {
  (void)error;
  *size = ((View *)io)->base.length;
  return 1;
}

libbfio_handle_t *derived_io_new(const DerivedBase *base) {
  libbfio_handle_t *io = NULL;
  View *view = g_new0(View, 1);
  view->base = *base;
  if (base->head != NULL)
    memcpy(view->head, base->head, DERIVED_HEAD);
  if (libbfio_handle_initialize(
          &io, (intptr_t *)view, view_free, view_clone, view_open, view_close, view_read,
          view_write, view_seek, view_yes, view_yes, view_size,
          LIBBFIO_FLAG_IO_HANDLE_MANAGED | LIBBFIO_FLAG_IO_HANDLE_CLONE_BY_FUNCTION, NULL) != 1)
    g_free(view);
  return io;
}

void derived_io_free(libbfio_handle_t *io) {
  libbfio_handle_free(&io, NULL);
}

/* ---- images over their handles ---- */

typedef struct {
  DerivedBase base;
  libbfio_handle_t *io;
  void *handle;
  ImageYalRead read;
  void (*close)(void *handle);
} Derived;

static void derived_read(Image *image, uint64_t offset, uint8_t *buffer, size_t n) {
  Derived *derived = image->state;
  image_yal_read(image, derived->read, derived->handle, offset, buffer, n);
  /* Rows speak of the media: what the handle refuses is damage there, about as far in. */
  GArray *damage = image_damage(image);
  for (guint i = 0; i < damage->len; i++) {
    const Damage *one = &g_array_index(damage, Damage, i);
    uint64_t inside = MIN(one->offset, derived->base.length - MIN(derived->base.length, 512));
    image_note_damage(derived->base.base, derived->base.offset + inside, one->length,
                      TRIAGE_REASON_CORRUPT);
  }
  image_damage_reset(image);
}

static void derived_close(Image *image) {
  Derived *derived = image->state;
  derived->close(derived->handle);
  if (derived->io != NULL)
    derived_io_free(derived->io);
  g_free(derived);
}

static const ImageFormat DERIVED_FORMAT = {
    .row = {.stage = "volume", .name = "derived"}, .read = derived_read, .close = derived_close};

Image *derived_image_of(const ImageFormat *format, uint64_t size, void *state) {
  Image *image = g_new0(Image, 1);
  image->names = g_ptr_array_new();
  image->format = format;
  image->info.format = format->row.name;
  image->info.size = MIN(size, INT64_MAX);
  image->info.sector_bytes = 512;
  image->info.properties = g_ptr_array_new();
  image->info.problems = g_ptr_array_new();
  damage_list_init(&image->recent);
  damage_list_init(&image->all);
  image->state = state;
  return image;
}

Image *derived_image_new(const DerivedBase *base, libbfio_handle_t *io, uint64_t size, void *state,
                         ImageYalRead read, void (*close)(void *state)) {
  Derived *derived = g_new0(Derived, 1);
  derived->base = *base;
  derived->base.passwords = NULL; /* read once; theirs may be gone */
  derived->base.head = NULL;
  derived->io = io;
  derived->handle = state;
  derived->read = read;
  derived->close = close;
  return derived_image_of(&DERIVED_FORMAT, size, derived);
}

bool derived_has(const DerivedBase *base, uint64_t at, const void *bytes, size_t n) {
  uint8_t found[32];
  if (n > sizeof found || base->length < n || at > base->length - n)
    return false;
  image_read(base->base, base->offset + at, found, n);
  return memcmp(found, bytes, n) == 0;
}
