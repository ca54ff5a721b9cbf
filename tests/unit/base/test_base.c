/* SPDX-License-Identifier: Apache-2.0 */
/* test_base.c - printable text, times, digests, contents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include "base/content.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/timestomp.h"
#include "triage/error.h"
#include "triage/time.h"
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check_text(const char *bytes, size_t n, const char *wanted) {
  g_autofree char *text = text_printable(bytes, n);
  assert_string_equal(text, wanted);
  assert_true(text_is_printable(text));
}

static void test_text(void **state) {
  (void)state;
  check_text("plain \xC3\xA4", 8, "plain \xC3\xA4");
  check_text("a\nb\tc\\d", 7, "a\\nb\\tc\\\\d");
  check_text("\x1B[2J\x7F", 5, "\\x1b[2J\\x7f");
  check_text("\xFF\xC3", 2, "\\xff\\xc3");
  check_text("\0x", 2, "\\x00x");
  check_text("\xE2\x80\xAEtxt", 6, "\\xe2\\x80\\xaetxt"); /* right-to-left override */
  check_text("\xE2\x80\x8B", 3, "\\xe2\\x80\\x8b");       /* zero width space */
  check_text("\xC2\x85", 2, "\\xc2\\x85");                /* C1 control */
  check_text("\xED\xA0\x80", 3, "\\xed\\xa0\\x80");       /* surrogate */
  check_text("\xC0\x80", 2, "\\xc0\\x80");                /* overlong NUL */
  assert_false(text_is_printable("a\033b"));
  assert_false(text_is_printable("\xFF"));
}

static void check_time(int64_t seconds, uint32_t nano, uint8_t digits, const char *wanted) {
  TriageTime time = {.seconds = seconds, .nanoseconds = nano, .digits = digits, .is_set = true};
  char text[64];
  triage_time_format(&time, text, sizeof text);
  assert_string_equal(text, wanted);
}

static void test_time(void **state) {
  (void)state;
  check_time(0, 0, 0, "1970-01-01T00:00:00Z");
  check_time(951782400, 123456700, 7, "2000-02-29T00:00:00.1234567Z");
  check_time(-11644473600, 0, 0, "1601-01-01T00:00:00Z");
  check_time(-1, 999999999, 9, "1969-12-31T23:59:59.999999999Z");
  check_time(15032385535, 0, 0, "2446-05-10T22:38:55Z");
  TriageTime none = {0};
  char text[64] = "x";
  triage_time_format(&none, text, sizeof text);
  assert_string_equal(text, "");
  TriageTime local = {.seconds = 86400, .is_set = true, .is_local = true};
  triage_time_format(&local, text, sizeof text);
  assert_string_equal(text, "1970-01-02T00:00:00");
  local.is_date = true;
  triage_time_format(&local, text, sizeof text);
  assert_string_equal(text, "1970-01-02");
  TriageTime early = triage_time_of_filetime(1, TIME_OLE);
  triage_time_format(&early, text, sizeof text);
  assert_string_equal(text, "1601-01-01T00:00:00.0000001Z");
  assert_false(triage_time_of_filetime(0, TIME_OLE).is_set);
  for (unsigned i = TIME_UNSTATED + 1; i <= TIME_SOURCE_LAST; i++)
    assert_true(*triage_time_source_name(i) != '\0');
}

static TriageTime ntfs_time(int64_t seconds, uint32_t nano, TriageTimeSource source) {
  return (TriageTime){.seconds = seconds,
                      .nanoseconds = nano,
                      .digits = 7,
                      .is_set = true,
                      .source = (uint8_t)source};
}

/* Seconds and fraction of creation, modification, change and access against a name made at NOW. */
static unsigned signs_of(const int64_t seconds[4], const uint32_t nano[4]) {
  enum { NOW = 1700000000 };
  TriageTime standard[4], name[4];
  for (int i = 0; i < 4; i++) {
    standard[i] = ntfs_time(NOW + seconds[i], nano[i], TIME_NTFS_STANDARD);
    name[i] = ntfs_time(NOW, 123456700, TIME_NTFS_NAME);
  }
  return timestomp_signs(standard, name);
}

static void test_timestomp(void **state) {
  (void)state;
  enum { DAY = 86400, YEAR = 365 * DAY };
  static const struct {
    int64_t seconds[4];
    uint32_t nano[4];
    bool is;
  } cases[] = {
      {{0, 0, 0, 0}, {123456700, 123456700, 123456700, 123456700}, false}, /* as it was made */
      {{0, YEAR, YEAR, YEAR}, {123456700, 100, 100, 100}, false},          /* and used */
      {{-YEAR, -YEAR, 5, 5}, {500, 500, 500, 500}, false}, /* moved from another NTFS */
      {{-YEAR, -YEAR, 5, 5}, {0, 0, 500, 500}, false},     /* by an installer: DOS times */
      {{0, -YEAR, 5, 5}, {123456700, 0, 500, 500}, false}, /* unpacked */
      {{-YEAR, -YEAR, 5, -DAY}, {0, 0, 500, 500}, false},  /* moved, access kept */
      {{-YEAR, -YEAR, 5, -YEAR}, {0, 0, 500, 0}, true},    /* set by hand */
      {{-YEAR, -YEAR, -YEAR, -YEAR}, {0, 0, 0, 0}, true},  /* by a tool that sets all four */
      {{-YEAR, -YEAR, -YEAR, -YEAR}, {1, 2, 3, 4}, true},  /* copied from another file */
      {{-3600, -3600, -3600, -3600}, {0, 0, 0, 0}, false}, /* a clock that was set */
      {{-YEAR, -YEAR, -3600, 0}, {500, 500, 500, 500}, false},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    assert_int_equal(timestomp_is(signs_of(cases[i].seconds, cases[i].nano)), cases[i].is);
  /* Not of NTFS, or half of it missing: nothing is said. */
  TriageTime standard[4] = {ntfs_time(1, 0, TIME_FILE_SYSTEM)}, name[4] = {{0}};
  assert_int_equal(timestomp_signs(standard, name), 0);
  name[0] = ntfs_time(INT64_MAX, 1, TIME_NTFS_NAME);
  standard[0] = ntfs_time(INT64_MIN, 0, TIME_NTFS_STANDARD);
  assert_int_equal(timestomp_signs(standard, name), TIMESTOMP_CREATED_BEFORE_NAME);
}

static void test_digest(void **state) {
  (void)state;
  Digests digests;
  digest_bytes(DIGEST_ALL, "abc", 3, &digests);
  assert_string_equal(digests.md5, "900150983cd24fb0d6963f7d28e17f72");
  assert_string_equal(digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert_string_equal(digests.sha256,
                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  digest_bytes(DIGEST_ALL, NULL, 0, &digests);
  assert_string_equal(digests.md5, "d41d8cd98f00b204e9800998ecf8427e");
  digest_bytes(DIGEST_SHA1, "", 0, &digests);
  assert_string_equal(digests.sha256, "");
}

static void check_together(const uint8_t *bytes, size_t n, size_t piece) {
  Digests sha256, sha1, md5, all;
  digest_bytes(DIGEST_SHA256, bytes, n, &sha256);
  digest_bytes(DIGEST_SHA1, bytes, n, &sha1);
  digest_bytes(DIGEST_MD5, bytes, n, &md5);
  g_autoptr(Digester) digester = digester_new(DIGEST_ALL);
  for (size_t at = 0; at < n; at += piece)
    digester_update(digester, bytes + at, MIN(piece, n - at));
  digester_finish(digester, &all);
  assert_string_equal(all.sha256, sha256.sha256);
  assert_string_equal(all.sha1, sha1.sha1);
  assert_string_equal(all.md5, md5.md5);
}

/* MD5 and SHA-256 together are own code, each by itself is libcrypto's: every place where the end
 * may fall in a block, and pieces that end within one. */
static void test_digests_together(void **state) {
  (void)state;
  enum { N = 1000 };
  static const size_t PIECES[] = {1, 63, 64, 65, 128, 200, N};
  uint8_t bytes[N];
  uint32_t noise = 1;
  for (size_t i = 0; i < N; i++)
    bytes[i] = (uint8_t)((noise = noise * 1664525 + 1013904223) >> 24);
  for (size_t n = 0; n <= 200; n++)
    check_together(bytes, n, N);
  for (gsize i = 0; i < G_N_ELEMENTS(PIECES); i++)
    check_together(bytes, N, PIECES[i]);
}

static Spool *make_spool(void) {
  char name[] = "/tmp/triage-test-XXXXXX";
  int fd = mkstemp(name);
  assert_true(fd >= 0);
  unlink(name);
  return spool_new(fd);
}

static void test_large_content_goes_to_the_spool(void **state) {
  (void)state;
  g_autoptr(Spool) spool = make_spool();
  g_autofree uint8_t *block = g_malloc(MIB);
  ContentBuilder *first = content_builder_new(spool, 64 * MIB);
  ContentBuilder *second = content_builder_new(spool, 64 * MIB);
  for (int i = 0; i < 20; i++) {
    memset(block, i, MIB);
    assert_true(content_builder_append(first, block, MIB, NULL));
    memset(block, 100 + i, MIB);
    assert_true(content_builder_append(second, block, MIB, NULL));
  }
  assert_true(content_builder_append_zeros(second, 5 * MIB, NULL));
  g_autoptr(Content) a = content_builder_finish(first, NULL);
  g_autoptr(Content) b = content_builder_finish(second, NULL);
  assert_int_equal(content_size(a), 20 * MIB);
  assert_int_equal(content_size(b), 25 * MIB);
  for (uint64_t i = 0; i < 20 * MIB; i += 4099) {
    assert_int_equal(content_data(a)[i], i / MIB);
    assert_int_equal(content_data(b)[i], 100 + i / MIB);
  }
  assert_int_equal(content_data(b)[24 * MIB], 0);
}

/* Random data, holes of all lengths between: what is said of them, and found beside them, is what a
 * look at every byte says. */
static Content *make_sparse(Spool *spool, GRand *rand, GByteArray *flat) {
  static const uint64_t LENGTHS[] = {1, 5000, LIMIT_HOLE_NOTED, 3 * LIMIT_HOLE_NOTED + 7, 5 * MIB};
  ContentBuilder *builder = content_builder_new(spool, 64 * MIB);
  for (guint i = 0; i < 12; i++) {
    uint8_t bytes[100];
    guint n = (guint)g_rand_int_range(rand, 0, sizeof bytes);
    uint64_t hole = LENGTHS[g_rand_int_range(rand, 0, G_N_ELEMENTS(LENGTHS))];
    for (guint k = 0; k < n; k++)
      bytes[k] = (uint8_t)g_rand_int_range(rand, 0, 3);
    assert_true(content_builder_append(builder, bytes, n, NULL));
    assert_true(content_builder_append_zeros(builder, hole, NULL));
    g_byte_array_append(flat, bytes, n);
    guint old = flat->len;
    g_byte_array_set_size(flat, old + (guint)hole);
    memset(flat->data + old, 0, hole);
  }
  return content_builder_finish(builder, NULL);
}

static void check_holes(const Content *content, const GByteArray *flat) {
  uint64_t from, end;
  for (uint64_t at = 0; content_next_hole(content, at, &from, &end); at = end) {
    assert_true(from >= at && end > from && end <= content_size(content));
    assert_true(flat->data[from] == 0 &&
                memcmp(flat->data + from, flat->data + from + 1, end - from - 1) == 0);
  }
}

static void check_find(const Content *content, const GByteArray *flat, const uint8_t *text,
                       size_t n) {
  uint64_t wanted = 0, found = 0, size = content_size(content);
  for (unsigned i = 0; i < 100 && wanted < size; i++, wanted++, found++) {
    const uint8_t *p = memmem(flat->data + wanted, size - wanted, text, n);
    wanted = p != NULL ? (uint64_t)(p - flat->data) : size;
    found = content_find(content, found, text, n);
    assert_int_equal(found, wanted);
  }
}

static void test_holes(void **state) {
  (void)state;
  g_autoptr(Spool) spool = make_spool();
  GRand *rand = g_rand_new_with_seed(7);
  uint64_t from, end;
  guint n_holes = 0;
  for (guint round = 0; round < 40; round++) {
    g_autoptr(GByteArray) flat = g_byte_array_new();
    g_autoptr(Content) content = make_sparse(spool, rand, flat);
    assert_int_equal(content_size(content), flat->len);
    assert_memory_equal(content_data(content), flat->data, flat->len);
    check_holes(content, flat);
    for (uint64_t at = 0; content_next_hole(content, at, &from, &end); at = end)
      n_holes++;
    for (guint i = 0; i < 10; i++) {
      uint8_t text[8] = {0};
      size_t n = (size_t)g_rand_int_range(rand, 1, sizeof text);
      for (size_t k = 0; k < n; k++)
        text[k] = (uint8_t)g_rand_int_range(rand, 0, 3);
      text[g_rand_int_range(rand, 0, (gint32)n)] = 1; /* not all zeros */
      check_find(content, flat, text, n);
    }
    uint64_t start = (uint64_t)g_rand_int_range(rand, 0, (gint32)flat->len);
    g_autoptr(Content) part = content_new_part(content, start, flat->len - start);
    g_byte_array_remove_range(flat, 0, (guint)start);
    check_holes(part, flat);
    check_find(part, flat, (const uint8_t *)"\2", 1);
  }
  g_rand_free(rand);
  assert_true(n_holes > 100);
}

static void test_a_maximum_keeps_what_fits(void **state) {
  (void)state;
  ContentBuilder *builder = content_builder_new(NULL, 10);
  g_autoptr(GError) error = NULL;
  assert_false(content_builder_append(builder, "0123456789abc", 13, &error));
  assert_int_equal(triage_error_reason(error), TRIAGE_REASON_SIZE_LIMIT);
  g_autoptr(Content) content = content_builder_finish(builder, NULL);
  assert_int_equal(content_size(content), 10);
  assert_memory_equal(content_data(content), "0123456789", 10);
}

/* Read in place as long as all lies on the heap, then by way of a buffer; a step may give less than
 * it took room for, and the last is cut at the maximum. */
static void test_read_into_content(void **state) {
  (void)state;
  g_autoptr(Spool) spool = make_spool();
  const uint64_t max = LIMIT_HEAP_CONTENT + 3 * MIB + 5;
  ContentBuilder *builder = content_builder_new(spool, max);
  content_builder_expect(builder, LIMIT_HEAP_CONTENT);
  GError *error = NULL;
  bool is_kept = true;
  uint64_t n = 0;
  for (unsigned step = 0; is_kept; step++) {
    size_t room = 700000 + step, used = step % 3 == 1 ? step % 2 : room - step % 5;
    memset(content_builder_lend(builder, room), (int)step, room);
    is_kept = content_builder_keep(builder, used, &error);
    n = MIN(n + used, max);
    assert_int_equal(content_builder_size(builder), n);
  }
  assert_int_equal(n, max);
  assert_int_equal(triage_error_reason(error), TRIAGE_REASON_SIZE_LIMIT);
  g_error_free(error);
  g_autoptr(Content) content = content_builder_finish(builder, NULL);
  assert_int_equal(content_size(content), max);
  uint64_t at = 0;
  for (unsigned step = 0; at < max; step++) {
    size_t room = 700000 + step, used = step % 3 == 1 ? step % 2 : room - step % 5;
    for (size_t i = 0; i < used && at < max; i++, at++)
      if (content_data(content)[at] != (uint8_t)step)
        fail_msg("byte %llu", (unsigned long long)at);
  }
}

static void test_a_part_outlives_its_parents_owner(void **state) {
  (void)state;
  Content *whole = content_new_copy("0123456789", 10);
  g_autoptr(Content) part = content_new_part(whole, 3, 4);
  content_unref(whole);
  assert_memory_equal(content_data(part), "3456", 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_time),
      cmocka_unit_test(test_timestomp),
      cmocka_unit_test(test_digest),
      cmocka_unit_test(test_digests_together),
      cmocka_unit_test(test_large_content_goes_to_the_spool),
      cmocka_unit_test(test_holes),
      cmocka_unit_test(test_a_maximum_keeps_what_fits),
      cmocka_unit_test(test_read_into_content),
      cmocka_unit_test(test_a_part_outlives_its_parents_owner),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
