/* SPDX-License-Identifier: Apache-2.0 */
/* test_xpress.c - XPRESS blocks: one made by hand; and blocks no compressor makes,
 * none of which may write outside its room (tests/e2e/test_wof.sh has wimlib's). */
#include "evidence/xpress.h"
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint16_t *new_table(void) {
  return g_new(uint16_t, XPRESS_TABLE);
}

/* All codes have nine bits: each symbol is its own code. */
static size_t put(uint8_t *packed, size_t bit, uint32_t value, guint n_bits) {
  for (guint i = 0; i < n_bits; i++, bit++) {
    bool is_set = (value >> (n_bits - 1 - i) & 1) != 0;
    size_t byte = 256 + bit / 16 * 2 + (bit % 16 < 8 ? 1 : 0);
    packed[byte] |= is_set ? (uint8_t)(0x80 >> bit % 8) : 0;
  }
  return bit;
}

static void test_by_hand(void **state) {
  (void)state;
  uint8_t packed[300] = {0}, out[16];
  g_autofree uint16_t *table = new_table();
  memset(packed, 0x99, 256);
  size_t bit = 0;
  for (const char *text = "abcd"; *text != '\0'; text++)
    bit = put(packed, bit, (uint8_t)*text, 9);
  bit = put(packed, bit, 256 + 2 * 16 + 5, 9); /* eight bytes from four back */
  bit = put(packed, bit, 0, 2);
  put(packed, bit, 256 + 0 * 16 + 1, 9); /* four from one back */
  assert_true(xpress_unpack(packed, sizeof packed, out, sizeof out, table));
  assert_memory_equal(out, "abcdabcdabcddddd", sizeof out);
  /* further back than there is, longer than there is room, cut */
  assert_false(xpress_unpack(packed, sizeof packed, out, 11, table));
  assert_false(xpress_unpack(packed, 255, out, sizeof out, table));
  put(packed, 36, 256 + 3 * 16, 9);
  assert_false(xpress_unpack(packed, sizeof packed, out, sizeof out, table));
}

static void test_made_up(void **state) {
  (void)state;
  enum { ROUNDS = 4000, MAX = 16384, GUARD = 64 };
  g_autofree uint16_t *table = new_table();
  g_autofree uint8_t *out = g_malloc(MAX + GUARD);
  g_autoptr(GRand) rand = g_rand_new_with_seed(11);
  guint n_good = 0;
  for (guint round = 0; round < ROUNDS; round++) {
    size_t n = 200 + (size_t)g_rand_int_range(rand, 0, 2000);
    size_t n_out = 1 + (size_t)g_rand_int_range(rand, 0, MAX);
    g_autofree uint8_t *packed = g_malloc(n);
    bool is_sane = round % 2 == 0; /* all codes of nine bits: always complete */
    for (size_t i = 0; i < n; i++)
      packed[i] = is_sane && i < 256 ? 0x99 : (uint8_t)g_rand_int(rand);
    memset(out + n_out, 0xa5, GUARD);
    n_good += xpress_unpack(packed, n, out, n_out, table) ? 1 : 0;
    for (size_t i = 0; i < GUARD; i++)
      assert_int_equal(out[n_out + i], 0xa5);
  }
  assert_true(n_good < ROUNDS);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand),
                                     cmocka_unit_test(test_made_up)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
