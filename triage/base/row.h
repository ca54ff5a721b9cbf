/* SPDX-License-Identifier: Apache-2.0 */
/* row.h - the common head of every registration table's row (image formats, volume systems, file
 * systems, unpackers, views, indicators, report writers). 'triage formats' prints it, the manual
 * quotes it. A missing library makes a row unavailable with the reason; it never vanishes. */
#pragma once
#include <stdbool.h>

typedef struct {
  const char *stage;       /* "image", "volume", "filesystem", "unpacker", "view", "report" ... */
  const char *name;        /* the word users see: "ewf", "zip" */
  const char *title;       /* "Expert Witness Compression Format (E01)" */
  const char *spec;        /* the specification or library call it follows */
  const char *library;     /* "libewf", "" for own code */
  const char *limitations; /* stated, never empty: "none known" is a claim too */
  bool available;
  const char *why_not; /* where not available */
} Row;
