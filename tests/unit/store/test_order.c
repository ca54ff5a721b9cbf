/* SPDX-License-Identifier: Apache-2.0 */
/* test_order.c - the order of the work of a volume, asked for in windows smaller than it: each
 * object once, by place on the disk, whatever was done meanwhile. */
#include "store/store.h"
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { OBJECTS = 500 };

static void put_objects(Store *store) {
  g_autoptr(GRand) random = g_rand_new_with_seed(3);
  GError *error = NULL;
  assert_true(store_begin(store, &error));
  for (uint64_t seq = 0; seq < OBJECTS; seq++) {
    /* Many share their place: nothing lies there, or holes alone. */
    Object object = {.seq = seq,
                     .volume = 1,
                     .kind = OBJECT_FILE,
                     .first_byte = (uint64_t)g_rand_int_range(random, 0, OBJECTS / 4)};
    assert_true(store_put_object(store, 1, &object, &error));
  }
}

static void windows(void **state) {
  (void)state;
  GError *error = NULL;
  g_autofree char *dir = g_dir_make_tmp("triage-order-XXXXXX", &error);
  g_autoptr(Store) store = store_create(dir, &error);
  assert_non_null(store);
  put_objects(store);
  g_autoptr(GArray) all = store_work_order(store, 1, 1, NULL, OBJECTS, &error);
  assert_non_null(all);
  assert_int_equal(all->len, OBJECTS);
  for (guint max = 1; max < OBJECTS; max = 2 * max + 1) {
    WorkPlace last;
    guint n = 0;
    for (;;) {
      g_autoptr(GArray) window = store_work_order(store, 1, 1, n > 0 ? &last : NULL, max, &error);
      assert_non_null(window);
      for (guint i = 0; i < window->len; i++, n++) {
        last = g_array_index(window, WorkPlace, i);
        const WorkPlace *wanted = &g_array_index(all, WorkPlace, n);
        assert_true(n < all->len);
        assert_true(last.first_byte == wanted->first_byte && last.seq == wanted->seq);
        assert_true(n == 0 || last.first_byte > wanted[-1].first_byte || last.seq > wanted[-1].seq);
      }
      if (window->len < max)
        break;
    }
    assert_int_equal(n, OBJECTS);
  }
  g_autofree char *file = g_build_filename(dir, "case.db", NULL);
  g_clear_pointer(&store, store_free);
  assert_int_equal(g_remove(file), 0);
  (void)g_rmdir(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(windows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
