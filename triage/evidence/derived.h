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
  Image *media;               /* the whole evidence: told of reads that meet what no base holds */
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
  Ranges *lacking;   /* bytes of image that are not in this evidence (transfer full); NULL: none */
  GError *problem;   /* what of it cannot be had, or is not told by it (transfer full); NULL */
} DerivedVolume;
typedef void (*derived_found)(void *user, DerivedVolume *volume);

/* To whom a kind tells that puts several bases together; each by its index. */
typedef struct {
  void *user;
  /* Made of several: from is the one that it counts as made from. False: it is one too many. */
  bool (*found)(void *user, guint from, DerivedVolume *volume);
  /* Bytes of a base that a volume which was found is made of as they are. */
  void (*inside)(void *user, guint base, uint64_t start, uint64_t end);
  void (*gap)(void *user, guint base, uint64_t size, TriageReason reason, const char *detail);
} DerivedSink;

typedef struct {
  Row row;
  bool on_filesystem; /* looked for on a volume whose file system could be opened, not otherwise */
  bool (*probe)(const DerivedBase *base);
  /* Hands over every volume found. false with error: there is one that cannot be opened (encrypted,
   * corrupt ...). */
  gboolean (*open)(const DerivedBase *base, derived_found found, void *user, GError **error);
  /* In its stead, where volumes may span several bases: once for all (DerivedBase) that probe has
   * taken. */
  void (*join)(const GArray *bases, const DerivedSink *sink);
} DerivedKind;

/* The kind that probes as it; NULL: none. */
const DerivedKind *derived_find(const DerivedBase *base, bool on_filesystem);
const DerivedKind *const *derived_kinds(size_t *n);
