/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_mutate.h - seeded damage to a fixture: flipped, lost, doubled and copied bytes. What comes
 * out does not matter; that it ends, within the budget, without a fault of a sanitizer, does. */
#pragma once
#include "unpack_test.h"

/* Runs one of this folder's scripts, which make fixtures by independent code, in the scratch
 * directory. */
static inline void run_script(const char *name) {
  const char *source = getenv("TRIAGE_SOURCE");
  g_autofree char *command =
      g_strdup_printf("python3 '%s/tests/unit/unpack/%s'", source != NULL ? source : ".", name);
  run(command);
}

/* TRIAGE_MUTATIONS sets another number, for long runs: the sanitizers make some libraries a hundred
 * times as slow. */
static inline unsigned n_mutations(void) {
#ifdef TRIAGE_SANITIZE
  const unsigned usual = 200;
#else
  const unsigned usual = 1000;
#endif
  const char *wanted = getenv("TRIAGE_MUTATIONS");
  return wanted != NULL ? (unsigned)g_ascii_strtoull(wanted, NULL, 10) : usual;
}

static inline void mutate(GByteArray *bytes, GRand *random) {
  for (int i = g_rand_int_range(random, 1, 8); i > 0 && bytes->len > 8; i--) {
    guint at = (guint)g_rand_int_range(random, 0, (gint32)bytes->len);
    guint n = (guint)g_rand_int_range(random, 1, 40);
    guint from = (guint)g_rand_int_range(random, 0, (gint32)bytes->len);
    n = MIN(n, bytes->len - at);
    switch (g_rand_int_range(random, 0, 5)) {
    case 0:
      bytes->data[at] ^= (guint8)(1u << g_rand_int_range(random, 0, 8));
      break;
    case 1:
      bytes->data[at] = (guint8)g_rand_int_range(random, 0, 256);
      break;
    case 2:
      g_byte_array_remove_range(bytes, at, n);
      break;
    case 3: {
      g_autofree guint8 *copy = g_memdup2(bytes->data + at, n);
      g_byte_array_append(bytes, copy, n);
      break;
    }
    default:
      memmove(bytes->data + from, bytes->data + at, MIN(n, bytes->len - MAX(from, at)));
    }
  }
}

/* Unpacks n_mutations() damaged copies; each piece seen stays within the budget given. */
static inline void unpack_mutated(const void *data, size_t n, guint32 seed) {
  Options options = DEFAULTS;
  options.max_expanded = 4 * MIB;
  options.max_depth = 6;
  g_autoptr(GRand) random = g_rand_new_with_seed(seed);
  for (unsigned i = 0; i < n_mutations(); i++) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_byte_array_append(bytes, data, (guint)n);
    mutate(bytes, random);
    g_autoptr(Found) found = unpack_bytes(bytes->data, bytes->len, &options);
    uint64_t sum = 0;
    for (guint k = 0; k < found->seen->len; k++)
      sum += ((const Seen *)found->seen->pdata[k])->got;
    assert_true(found->seen->len >= 1);
    assert_true(sum <= 64 * MIB);
  }
}
