/* SPDX-License-Identifier: Apache-2.0 */
/* What is inflated at once, without libarchive or zlib, is told of as before: sizes around every
 * border, descriptors, a bit of each byte turned. And a view of an archive is no broken archive. */
#include "unpack_test.h"

static const char *const SCRIPTS[] = {"a.vbs", "b.vbs", "c.txt"};

static void make_scripts(void) {
  run("for i in 1 2 3 4 5 6; do echo 'x = \"CDO.\" & \"Mess\" & \"age\" : y = \"cdo\" + \"sys\"'; "
      "done "
      ">a.vbs; (cat a.vbs; seq 1 40) >b.vbs; printf z >c.txt");
}

/* Members that came out as one of the files that went in; -1: one did not, and nothing says so. */
static int count_sound(const Found *found) {
  int n = 0;
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    if (seen->depth == 0 || strcmp(seen->view, "raw") != 0)
      continue;
    bool is_sound = false;
    for (size_t k = 0; k < G_N_ELEMENTS(SCRIPTS); k++) {
      g_autofree char *path = scratch_path(SCRIPTS[k]);
      g_autoptr(GBytes) bytes = read_all(path);
      gsize size;
      const void *data = g_bytes_get_data(bytes, &size);
      is_sound = is_sound || seen_is(seen, data, size);
    }
    if (!is_sound && seen->error == NULL && found->gaps->len == 0) {
      print_found(found);
      return -1;
    }
    n += is_sound;
  }
  return n;
}

static void flip_each(const char *name) {
  g_autofree char *path = scratch_path(name);
  g_autoptr(GBytes) bytes = read_all(path);
  gsize n;
  g_autofree guint8 *data = g_memdup2(g_bytes_get_data(bytes, &n), g_bytes_get_size(bytes));
  n = g_bytes_get_size(bytes);
  g_autoptr(Found) whole = unpack_bytes(data, n, NULL);
  assert_int_equal(count_sound(whole), 3);
  assert_int_equal(whole->gaps->len, 0);
  for (gsize i = 0; i < n; i++) {
    data[i] ^= (guint8)(1u << i % 8);
    g_autoptr(Found) found = unpack_bytes(data, n, NULL);
    if (count_sound(found) < 0)
      fail_msg("%s: byte %lu turned", name, (unsigned long)i);
    data[i] ^= (guint8)(1u << i % 8);
  }
}

static void test_flips(void **state) {
  (void)state;
  make_scripts();
  run("rm -f plain.zip piped.zip; zip -q plain.zip a.vbs b.vbs c.txt; zip -q -fd - a.vbs b.vbs "
      "c.txt "
      "| cat >piped.zip");
  flip_each("plain.zip");
  flip_each("piped.zip");
}

static void test_sizes(void **state) {
  static const struct {
    const char *name;
    uint64_t size;
  } SIZES[] = {{"s0", 0},           {"s1", 1},         {"s8", 8 * MIB},
               {"s9", 8 * MIB + 1}, {"s32", 32 * MIB}, {"s33", 32 * MIB + 1}};
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(SIZES); i++) {
    g_autofree char *command =
        g_strdup_printf("seq 1 9000000 2>/dev/null | head -c %llu >%s; gzip -1 -k -f %s",
                        (unsigned long long)SIZES[i].size, SIZES[i].name, SIZES[i].name);
    run(command);
    g_autofree char *packed = g_strconcat(SIZES[i].name, ".gz", NULL);
    g_autofree char *path = scratch_path(packed);
    g_autoptr(Found) found = unpack_file(path, NULL);
    assert_int_equal(found->gaps->len, 0);
    assert_non_null(find_seen(found, "(gunzip)", "raw"));
    assert_int_equal(find_seen(found, "(gunzip)", "raw")->got, SIZES[i].size);
  }
  run("rm -f sizes.zip; zip -q -1 sizes.zip s0 s1 s8 s9 s32 s33; zip -q -0 stored.zip s0 s1 s9");
  g_autofree char *path = scratch_path("sizes.zip"), *stored = scratch_path("stored.zip");
  g_autoptr(Found) found = unpack_file(path, NULL), plain = unpack_file(stored, NULL);
  assert_int_equal(found->gaps->len + plain->gaps->len, 0);
  for (size_t i = 0; i < G_N_ELEMENTS(SIZES); i++) {
    assert_non_null(find_seen(found, SIZES[i].name, "raw"));
    assert_int_equal(find_seen(found, SIZES[i].name, "raw")->got, SIZES[i].size);
  }
  assert_int_equal(find_seen(plain, "s9", "raw")->got, 8 * MIB + 1);
}

/* The budget ends inside a member: what fits is examined, and the rest is told of. */
static void test_budget(void **state) {
  const Options options = {LIMIT_DEPTH_DEFAULT, 200, NULL};
  (void)state;
  make_scripts();
  run("rm -f plain.zip; zip -q plain.zip a.vbs b.vbs c.txt; gzip -k -f a.vbs");
  g_autofree char *zip = scratch_path("plain.zip"), *gzip = scratch_path("a.vbs.gz");
  g_autoptr(Found) zipped = unpack_file(zip, &options), gzipped = unpack_file(gzip, &options);
  assert_int_equal(find_seen(zipped, "a.vbs", "raw")->got, 200);
  assert_int_equal(find_seen(zipped, "a.vbs", "raw")->reason, TRIAGE_REASON_SIZE_LIMIT);
  assert_int_equal(find_seen(gzipped, "(gunzip)", "raw")->got, 200);
  assert_int_equal(find_seen(gzipped, "(gunzip)", "raw")->reason, TRIAGE_REASON_SIZE_LIMIT);
}

/* A script stored in a zip makes a view of the zip, in which all behind it has moved. */
static void test_view_of_archive(void **state) {
  (void)state;
  make_scripts();
  run("rm -f stored.zip; zip -q -0 stored.zip a.vbs b.vbs "
      "c.txt; tar -cf stored.tar a.vbs b.vbs c.txt");
  static const char *const ARCHIVES[] = {"stored.zip", "stored.tar"};
  for (size_t i = 0; i < G_N_ELEMENTS(ARCHIVES); i++) {
    g_autofree char *path = scratch_path(ARCHIVES[i]);
    g_autoptr(Found) found = unpack_file(path, NULL);
    assert_non_null(find_seen(found, "", "folded"));
    assert_non_null(find_seen(found, "a.vbs", "folded"));
    assert_int_equal(count_sound(found), 3);
    if (found->gaps->len > 0)
      print_found(found);
    assert_int_equal(found->gaps->len, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flips),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_budget),
      cmocka_unit_test(test_view_of_archive),
  };
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
