/* SPDX-License-Identifier: Apache-2.0 */
/* notes.h - the notes that report.html saves as a file, taken into the case. */
#pragma once
#include "store/store.h"

enum { NOTE_BYTES = 8192, TAG_BYTES = 64, NOTES_FILE_BYTES = 64 << 20 };

/* Merges the file: a note takes the place of the one that its hit had, an empty one removes it;
 * those of hits that the case does not have are left out and counted. Within a transaction of the
 * caller, who rolls back where it fails. */
bool notes_merge(Store *store, const char *path, unsigned *taken, unsigned *left_out,
                 GError **error);
