/* SPDX-License-Identifier: Apache-2.0 */
/* coord_versions.h - the versions of everything linked, of both binaries. */
#pragma once
#include <glib.h>

/* What this program was built from, and how: lines of commit, compiler and flags. Generated. */
extern const char BUILD_ID[];

/* Lines "name version", sorted. (transfer full); error may be NULL. To formats (may be NULL) a line
 * is added for each row of the worker's tables: stage, name, title and limitations, tabs between.
 */
char *versions_text(GString *formats, GError **error);
