/* SPDX-License-Identifier: Apache-2.0 */
/* coord_versions.h - the versions of everything linked, of both binaries. */
#pragma once
#include <glib.h>

/* Lines "name version", sorted. (transfer full); error may be NULL. */
char *versions_text(GError **error);
