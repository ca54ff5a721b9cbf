/* SPDX-License-Identifier: Apache-2.0 */
/* test_totals.c - sizes are the evidence's word: two of them can be more than 64 bits hold. And
 * what is written after totals were read is in them when they are read again. */
#include "store/store.h"
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void put(Store *store, uint32_t evidence, uint32_t volume, uint64_t seq, uint64_t size) {
  GError *error = NULL;
  Object object = {.seq = seq, .volume = volume, .kind = OBJECT_FILE, .size = size};
  assert_true(store_put_object(store, evidence, &object, &error));
  ResultRecord result = {
      .evidence = evidence, .volume = volume, .seq = seq, .examined_bytes = size, .members = 2};
  assert_true(store_put_result(store, &result, &error));
}

static void sums(void **state) {
  (void)state;
  GError *error = NULL;
  g_autofree char *dir = g_dir_make_tmp("triage-totals-XXXXXX", &error);
  g_autoptr(Store) store = store_create(dir, &error);
  assert_non_null(store);
  assert_true(store_begin(store, &error));
  put(store, 1, 1, 0, 1000);
  put(store, 1, 2, 0, (UINT64_C(1) << 32) + 7);
  put(store, 1, 2, 1, (UINT64_C(1) << 32) - 1);
  StoreTotals totals;
  assert_true(store_totals(store, 1, 2, &totals, &error));
  assert_true(totals.bytes == (UINT64_C(1) << 33) + 6 && totals.bytes_examined == totals.bytes);
  assert_true(totals.objects == 2 && totals.objects_examined == 2 && totals.members == 4);
  assert_true(store_totals(store, 0, 0, &totals, &error));
  assert_true(totals.objects == 3 && totals.bytes == (UINT64_C(1) << 33) + 1006);
  put(store, 2, 1, 0, INT64_MAX);
  put(store, 2, 1, 1, INT64_MAX);
  assert_true(store_totals(store, 2, 1, &totals, &error));
  assert_true(totals.objects == 2 && totals.bytes == INT64_MAX);
  assert_true(store_totals(store, 0, 0, &totals, &error));
  assert_true(totals.objects == 5 && totals.bytes_examined == INT64_MAX && totals.members == 10);
  store_set_scope(store, 1);
  assert_true(store_totals(store, 0, 0, &totals, &error));
  assert_true(totals.objects == 3);
  store_rollback(store);
  g_clear_pointer(&store, store_free);
  g_autofree char *file = g_build_filename(dir, "case.db", NULL);
  assert_int_equal(g_remove(file), 0);
  (void)g_rmdir(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sums)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
