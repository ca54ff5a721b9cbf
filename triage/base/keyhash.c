/* SPDX-License-Identifier: Apache-2.0 */
/* keyhash.c - xxh3 with a seed drawn once for each process. Hash order is never shown anywhere, so
 * the random seed cannot make two runs differ. */
#include "base/keyhash.h"
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static XXH64_hash_t seed(void) {
  static XXH64_hash_t drawn; /* written once, before any second reader: workers have one thread */
  if (drawn == 0 && getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) != (ssize_t)sizeof drawn)
    drawn = (XXH64_hash_t)(uintptr_t)&drawn ^ ((XXH64_hash_t)getpid() << 32);
  if (drawn == 0)
    drawn = 1;
  return drawn;
}

guint keyhash_uint64(gconstpointer pointer_to_uint64) {
  return (guint)XXH3_64bits_withSeed(pointer_to_uint64, 8, seed());
}

guint keyhash_str(gconstpointer text) {
  return (guint)XXH3_64bits_withSeed(text, strlen(text), seed());
}

guint keyhash_bytes(gconstpointer gbytes) {
  gsize n;
  gconstpointer p = g_bytes_get_data((GBytes *)gbytes, &n);
  return (guint)XXH3_64bits_withSeed(p != NULL ? p : "", n, seed());
}
