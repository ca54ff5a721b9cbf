/* SPDX-License-Identifier: Apache-2.0 */
/* coord_known.h - lists of known files, as examiners have them, made into what a worker can search:
 * one digest a line, NSRL's text form, hashdeep, NSRL's RDS in SQLite. */
#pragma once
#include "base/known.h"

typedef struct {
  KnownIndex index;
  int fd;             /* owned */
  char *name;         /* of the file that was given, printable */
  char *sha256;       /* of that file */
  uint64_t size;      /* of that file, in bytes */
  bool is_ready_made; /* it was an index already */
} KnownList;

void known_list_free(KnownList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KnownList, known_list_free)

/* Opens each index, or makes one of a list, in a file of dir that has no name. Fails (usage) where
 * one is no list, with the line. Memory does not grow with the lists. paths may be NULL: none.
 * (transfer full) KnownList* */
GPtrArray *known_lists_open(char **paths, const char *dir, GError **error);
