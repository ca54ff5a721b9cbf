/* SPDX-License-Identifier: Apache-2.0 */
/* derived.h - media that are made from a stretch of another: the plain bytes of an encrypted
 * volume, a logical volume, a shadow copy. Each kind is one file with one row; the libraries read
 * through the base image alone. Knows nothing of files. */
#pragma once
#include "evidence/image.h"
#include "evidence/ranges.h"

enum { DERIVED_HEAD = 512 };

/* The stretch that is looked at. */
typedef struct {
  Image *base;
  uint64_t offset, length;
  const GPtrArray *passwords; /* char*; NULL: none */
  const uint8_t *head; /* DERIVED_HEAD bytes that libraries see first; NULL: the stretch's own */
} DerivedBase;

/* One volume found inside. */
typedef struct {
  Image *image;      /* (transfer full) */
  char *description; /* (transfer full) */
  char *root;        /* name that all paths begin with (transfer full); NULL: none */
  Ranges *changed;   /* bytes of image that alone are to be examined (transfer full); NULL: all */
  Ranges *inside;    /* bytes of base it is made of as they are (transfer full); NULL: not so */
} DerivedVolume;
typedef void (*derived_found)(void *user, DerivedVolume *volume);

typedef struct {
  Row row;
  bool on_filesystem; /* looked for on a volume whose file system could be opened, not otherwise */
  bool (*probe)(const DerivedBase *base);
  /* Hands over every volume found. false with error: there is one that cannot be opened (encrypted,
   * corrupt ...). */
  gboolean (*open)(const DerivedBase *base, derived_found found, void *user, GError **error);
} DerivedKind;

/* Tries the kinds; false without error: it is none of them. */
bool derived_open(const DerivedBase *base, bool on_filesystem, derived_found found, void *user,
                  GError **error);
const DerivedKind *const *derived_kinds(size_t *n);
