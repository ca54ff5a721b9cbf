/* SPDX-License-Identifier: Apache-2.0 */
/* known_rds.h - the digests of NSRL's Reference Data Set, version 3: an SQLite file. Reads a list
 * of the examiner's, no case. */
#pragma once
#include <glib.h>
#include <stdbool.h>

/* Gives the strongest digest of each row, as hex. row returns false with error to stop. False with
 * error (usage) where it is no such set. */
bool known_rds_each(const char *path, bool (*row)(void *user, const char *hex, GError **error),
                    void *user, GError **error);
