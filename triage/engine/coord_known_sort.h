/* SPDX-License-Identifier: Apache-2.0 */
/* coord_known_sort.h - any number of digests sorted in bounded memory: sorted runs in a file
 * without a name, merged into the index. */
#pragma once
#include "base/known.h"

typedef struct _KnownSorter KnownSorter;

/* Temporary files lie in dir and have no name. (transfer full) */
KnownSorter *known_sorter_new(const char *dir);
void known_sorter_free(KnownSorter *sorter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KnownSorter, known_sorter_free)

/* Takes one digest in hex. false without error: it is none of the three. */
bool known_sorter_add(KnownSorter *sorter, const char *hex, gsize length, GError **error);
/* Writes head and digests, each once, to fd; index is filled in. */
bool known_sorter_finish(KnownSorter *sorter, int fd, KnownIndex *index, GError **error);
/* A file of dir that has no name, or -1 with error. */
int known_temporary(const char *dir, GError **error);
