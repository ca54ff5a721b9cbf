/* SPDX-License-Identifier: Apache-2.0 */
/* keyhash.h - seeded hash functions for keys an attacker chooses (names, addresses of evidence):
 * with g_str_hash 32,768 colliding names take a thousand times as long. */
#pragma once
#include <glib.h>

guint keyhash_uint64(gconstpointer pointer_to_uint64); /* GHashFunc; pair with g_int64_equal */
guint keyhash_str(gconstpointer text);                 /* GHashFunc; pair with g_str_equal */
guint keyhash_bytes(gconstpointer gbytes);             /* GHashFunc; pair with g_bytes_equal */
