/* SPDX-License-Identifier: Apache-2.0 */
/* test_image_ewf.c - E01 sets made by ewfacquire: read in every flavour, then damaged in every way
 * there is. The demand is always the same: whatever differs from the disk is called damaged. */
#include "image_fixture.h"

enum { MEDIA = 3 * 1024 * 1024 + 12345, SECTORS = MEDIA / 512 * 512 };

static bool acquire(const char *folder, const char *name, const uint8_t *media, size_t n,
                    const char *format, const char *compression) {
  g_autofree char *source = fixture_write(folder, "source.dd", media, n);
  g_autofree char *target = g_build_filename(folder, name, NULL);
  g_autofree char *command = g_strdup_printf(
      "ewfacquire -u -q -t %s -f %s -c %s -S 1MiB -d sha1 -C case-7 -D 'a description' -e 'E. X' "
      "-E ev-9 -N 'some notes' -m fixed %s",
      target, format, compression, source);
  int status = 0;
  g_autofree char *out = NULL, *err = NULL;
  if (!g_spawn_command_line_sync(command, &out, &err, &status, NULL))
    return false;
  if (!g_spawn_check_wait_status(status, NULL))
    fail_msg("%s: %s %s", command, out, err);
  return true;
}

#define ACQUIRE_OR_SKIP(folder, name, media, n, format, compression)                               \
  if (!acquire(folder, name, media, n, format, compression)) {                                     \
    print_message("SKIPPED: ewfacquire is not installed\n");                                       \
    skip();                                                                                        \
  }

static const char *property(const Image *image, const char *name) {
  const GPtrArray *properties = image_info(image)->properties;
  for (guint i = 0; i < properties->len; i++) {
    const ImageProperty *one = g_ptr_array_index(properties, i);
    if (strcmp(one->name, name) == 0)
      return one->value;
  }
  return "";
}

static void every_flavour_reads_as_the_disk(void **state) {
  static const struct {
    const char *format, *compression, *extension;
  } kinds[] = {{"encase6", "deflate:fast", "E01"}, {"encase6", "deflate:none", "E01"},
               {"encase5", "deflate:best", "E01"}, {"encase1", "deflate:none", "E01"},
               {"encase2", "deflate:fast", "E01"}, {"ftk", "deflate:best", "E01"},
               {"smart", "deflate:fast", "s01"},   {"linen6", "deflate:none", "E01"},
               {"ewfx", "deflate:fast", "e01"},    {"encase6", "deflate:empty-block", "E01"}};
  g_autofree uint8_t *media = fixture_media(SECTORS, 11);
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_autofree char *stem = g_strdup_printf("kind%zu", i);
    ACQUIRE_OR_SKIP(*state, stem, media, SECTORS, kinds[i].format, kinds[i].compression);
    g_autofree char *path = g_strdup_printf("%s/%s.%s", (char *)*state, stem, kinds[i].extension);
    fixture_equal(path, "ewf", media, SECTORS);
    g_autoptr(Image) image = fixture_open_good(path);
    g_autofree char *md5 = g_compute_checksum_for_data(G_CHECKSUM_MD5, media, SECTORS);
    assert_string_equal(image_info(image)->stored_md5, md5);
    assert_int_equal(image_info(image)->problems->len, 0);
    assert_string_equal(property(image, "Case number"), "case-7");
    assert_string_equal(property(image, "Evidence number"), "ev-9");
    assert_string_equal(property(image, "Examiner"), "E. X");
    assert_string_equal(property(image, "Notes"), "some notes");
    assert_string_equal(property(image, "Description"), "a description");
    assert_true(strlen(property(image, "Acquisition date")) >= 20);
    if (strcmp(kinds[i].format, "encase6") == 0) {
      g_autofree char *sha1 = g_compute_checksum_for_data(G_CHECKSUM_SHA1, media, SECTORS);
      assert_string_equal(image_info(image)->stored_sha1, sha1);
      assert_true(g_str_has_suffix(property(image, "Acquisition date"), "Z"));
    }
  }
}

/* Opens, reads all, and demands that nothing is silent. Returns whether anything was said. */
static bool nothing_silent(const char *path, const uint8_t *media, const char *what) {
  g_autoptr(GError) error = NULL;
  g_autoptr(Image) image = fixture_open(path, &error);
  if (image == NULL) {
    assert_true(error->message[0] != '\0');
    return true;
  }
  const ImageInfo *info = image_info(image);
  size_t n = (size_t)MIN(image_size(image), (uint64_t)SECTORS);
  g_autofree uint8_t *out = fixture_read(image, n, 100000);
  if (image_size(image) != SECTORS && info->problems->len == 0)
    fail_msg("%s: the size is wrong without a word", what);
  GArray *damage = image_damage_all(image);
  size_t silent = fixture_silent(damage, out, media, n);
  if (silent != 0)
    fail_msg("%s: %zu bytes are silently wrong", what, silent);
  /* After a reset the same reads meet the same damage. */
  GArray *met = image_damage(image);
  g_autoptr(GArray) first = g_array_copy(met);
  image_damage_reset(image);
  g_autofree uint8_t *again = fixture_read(image, n, 30000);
  met = image_damage(image);
  assert_memory_equal(out, again, n);
  assert_int_equal(met->len, first->len);
  for (guint i = 0; i < met->len; i++) {
    const Damage *x = &g_array_index(met, Damage, i), *y = &g_array_index(first, Damage, i);
    assert_true(x->offset == y->offset && x->length == y->length && x->reason == y->reason);
  }
  return damage->len > 0 || info->problems->len > 0;
}

static void a_flipped_byte_costs_its_chunk_and_is_said(void **state) {
  g_autofree uint8_t *media = fixture_media(SECTORS, 12);
  ACQUIRE_OR_SKIP(*state, "f", media, SECTORS, "encase6", "deflate:none");
  g_autofree char *path = g_build_filename(*state, "f.E01", NULL);
  g_autofree char *second = g_build_filename(*state, "f.E02", NULL);
  g_autoptr(GBytes) original = fixture_load(second);
  size_t n = g_bytes_get_size(original);
  for (size_t flip = 0; flip < 34; flip++) {
    g_autofree uint8_t *bytes = g_memdup2(g_bytes_get_data(original, NULL), n);
    bytes[200000 + flip * 20011] ^= 0x10;
    g_free(fixture_write(*state, "f.E02", bytes, n));
    g_autoptr(Image) image = fixture_open_good(path);
    g_autofree uint8_t *out = fixture_read(image, SECTORS, 4096);
    GArray *damage = image_damage_all(image);
    assert_int_equal(damage->len, 1);
    assert_int_equal(fixture_damaged(damage, TRIAGE_REASON_BAD_CHECKSUM), 32768);
    assert_int_equal(fixture_silent(damage, out, media, SECTORS), 0);
    assert_true(nothing_silent(path, media, "flip"));
  }
}

static void any_mutant_is_refused_or_honest(void **state) {
  g_autofree uint8_t *media = fixture_media(SECTORS, 13);
  ACQUIRE_OR_SKIP(*state, "m", media, SECTORS, "encase6", "deflate:fast");
  g_autofree char *path = g_build_filename(*state, "m.E01", NULL);
  g_autofree char *last = g_build_filename(*state, "m.E02", NULL);
  g_autoptr(GRand) random = g_rand_new_with_seed(99);
  const char *files[] = {"m.E01", "m.E02"};
  for (int which = 0; which < 2; which++) {
    g_autoptr(GBytes) original = fixture_load(which == 0 ? path : last);
    size_t n = g_bytes_get_size(original);
    const uint8_t *bytes = g_bytes_get_data(original, NULL);
    for (int round = 0; round < 80; round++) {
      g_autofree uint8_t *mutant = g_memdup2(bytes, n);
      /* half of them near the start or the end, where descriptors, tables and digests lie */
      size_t room = round % 2 == 0 ? n : 3000;
      size_t at = (size_t)g_rand_int_range(random, 0, (int)room);
      if (round % 4 == 1)
        at = n - 1 - at;
      mutant[at] ^= (uint8_t)(1 << g_rand_int_range(random, 0, 8));
      g_autofree char *what = g_strdup_printf("%s byte %zu", files[which], at);
      g_free(fixture_write(*state, files[which], mutant, n));
      nothing_silent(path, media, what);
    }
    g_free(fixture_write(*state, files[which], bytes, n));
  }
  assert_false(nothing_silent(path, media, "the original"));
}

static void both_tables_bad_means_no_chunk_of_theirs(void **state) {
  g_autofree uint8_t *media = fixture_media(SECTORS, 14);
  ACQUIRE_OR_SKIP(*state, "t", media, SECTORS, "encase6", "deflate:none");
  g_autofree char *path = g_build_filename(*state, "t.E01", NULL);
  g_autoptr(GBytes) original = fixture_load(path);
  size_t n = g_bytes_get_size(original), n_tables = 0;
  g_autofree uint8_t *bytes = g_memdup2(g_bytes_get_data(original, NULL), n);
  for (int copies = 1; copies <= 2; copies++) {
    n_tables = 0;
    for (size_t i = 13; i + 200 < n; i++) {
      bool table = memcmp(bytes + i, "table\0\0\0\0\0\0\0\0\0\0\0", 16) == 0;
      bool second = memcmp(bytes + i, "table2\0\0\0\0\0\0\0\0\0\0", 16) == 0;
      if ((table && copies == 1) || (second && copies == 2)) {
        uint8_t swap[4]; /* two entries change places: each still points at a sound chunk */
        memcpy(swap, bytes + i + 100, 4);
        memcpy(bytes + i + 100, bytes + i + 104, 4);
        memcpy(bytes + i + 104, swap, 4);
        n_tables++;
      }
    }
    assert_true(n_tables > 0);
    g_free(fixture_write(*state, "t.E01", bytes, n));
    g_autoptr(Image) image = fixture_open_good(path);
    g_autofree uint8_t *out = fixture_read(image, SECTORS, 50000);
    GArray *damage = image_damage_all(image);
    assert_int_equal(fixture_silent(damage, out, media, SECTORS), 0);
    assert_true(image_info(image)->problems->len > 0);
    if (copies == 1) /* table2 stands in */
      assert_memory_equal(out, media, SECTORS);
    else
      assert_true(fixture_damaged(damage, TRIAGE_REASON_CORRUPT) > 500000);
  }
}

static uint64_t lost_of(const char *path, const uint8_t *media, TriageReason reason) {
  g_autoptr(Image) image = fixture_open_good(path);
  assert_int_equal(image_size(image), SECTORS);
  assert_true(image_info(image)->problems->len > 0);
  uint64_t known = fixture_damaged(image_damage_all(image), reason);
  g_autofree uint8_t *out = fixture_read(image, SECTORS, 65536);
  GArray *damage = image_damage_all(image);
  assert_int_equal(fixture_damaged(damage, reason), known); /* reading found nothing new */
  assert_int_equal(fixture_silent(damage, out, media, SECTORS), 0);
  for (size_t i = 0; i < SECTORS; i++)
    if (out[i] != media[i])
      assert_int_equal(out[i], 0);
  return known;
}

static void missing_segments_are_known_before_reading(void **state) {
  g_autofree uint8_t *media = fixture_media(SECTORS, 15);
  ACQUIRE_OR_SKIP(*state, "s", media, SECTORS, "encase6", "deflate:none");
  g_autofree char *one = g_build_filename(*state, "s.E01", NULL);
  g_autofree char *two = g_build_filename(*state, "s.E02", NULL);
  g_autofree char *three = g_build_filename(*state, "s.E03", NULL);
  g_autofree char *aside = g_build_filename(*state, "aside", NULL);
  fixture_refused(two, TRIAGE_REASON_USAGE);
  char *const paths[] = {one, two, three};
  for (int gone = 0; gone < 3; gone++) {
    assert_int_equal(g_rename(paths[gone], aside), 0);
    uint64_t lost = lost_of(paths[gone == 0 ? 1 : 0], media, TRIAGE_REASON_MISSING_SEGMENT);
    /* Without its last segment the end of the set is gone, so nothing can be counted back. */
    assert_true(lost > 500000 && lost < 1500000);
    assert_int_equal(g_rename(aside, paths[gone]), 0);
  }
  g_autofree char *four = g_build_filename(*state, "s.E04", NULL);
  if (g_file_test(four, G_FILE_TEST_EXISTS)) {
    assert_int_equal(g_unlink(three), 0);
    assert_int_equal(g_unlink(four), 0);
    assert_true(lost_of(one, media, TRIAGE_REASON_MISSING_SEGMENT) > 1000000);
  }
}

static void a_cut_segment_is_truncated(void **state) {
  g_autofree uint8_t *media = fixture_media(SECTORS, 16);
  ACQUIRE_OR_SKIP(*state, "c", media, SECTORS, "encase6", "deflate:none");
  g_autofree char *path = g_build_filename(*state, "c.E01", NULL);
  for (int which = 1; which <= 3; which++) {
    g_autofree char *name = g_strdup_printf("c.E%02d", which);
    g_autofree char *cut = g_build_filename(*state, name, NULL);
    g_autoptr(GBytes) original = fixture_load(cut);
    size_t n = g_bytes_get_size(original);
    for (size_t k = 0; k < 20; k++) {
      g_autofree char *what = g_strdup_printf("%s cut at %zu/20", name, k);
      g_free(fixture_write(*state, name, g_bytes_get_data(original, NULL), n * k / 20));
      if (!nothing_silent(path, media, what))
        fail_msg("%s: not a word", what);
    }
    g_free(fixture_write(*state, name, g_bytes_get_data(original, NULL), n));
  }
  g_free(fixture_write(*state, "h.E01", "EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00", 13));
  g_autofree char *header_only = g_build_filename(*state, "h.E01", NULL);
  fixture_refused(header_only, TRIAGE_REASON_TRUNCATED);
  g_autofree char *empty = fixture_write(*state, "e.E01", "", 0);
  fixture_refused(empty, TRIAGE_REASON_TRUNCATED);
}

static void swapped_and_foreign_segments_are_noticed(void **state) {
  g_autofree uint8_t *media = fixture_media(SECTORS, 17);
  g_autofree uint8_t *other = fixture_media(SECTORS, 18);
  ACQUIRE_OR_SKIP(*state, "w", media, SECTORS, "encase6", "deflate:none");
  /* ewfacquire 20140813 leaves the set identifier empty, so the other disk has another size. */
  ACQUIRE_OR_SKIP(*state, "o", other, SECTORS - 65536, "encase6", "deflate:none");
  g_autofree char *path = g_build_filename(*state, "w.E01", NULL);
  g_autofree char *two = g_build_filename(*state, "w.E02", NULL);
  g_autofree char *three = g_build_filename(*state, "w.E03", NULL);
  g_autofree char *foreign = g_build_filename(*state, "o.E02", NULL);
  g_autofree char *aside = g_build_filename(*state, "aside", NULL);
  g_autoptr(GBytes) second = fixture_load(two);
  assert_int_equal(g_rename(two, aside), 0);
  assert_int_equal(g_rename(three, two), 0);
  assert_int_equal(g_rename(aside, three), 0);
  assert_true(nothing_silent(path, media, "swapped"));
  g_autoptr(Image) swapped = fixture_open_good(path);
  g_autofree uint8_t *out = fixture_read(swapped, SECTORS, 65536);
  assert_memory_equal(out, media, SECTORS); /* the headers' numbers put them right */
  assert_int_equal(g_rename(two, aside), 0);
  assert_int_equal(g_rename(three, two), 0);
  assert_int_equal(g_rename(aside, three), 0);
  g_autoptr(GBytes) wrong = fixture_load(foreign);
  g_free(fixture_write(*state, "w.E02", g_bytes_get_data(wrong, NULL), g_bytes_get_size(wrong)));
  assert_true(nothing_silent(path, media, "foreign"));
  g_free(fixture_write(*state, "w.E02", g_bytes_get_data(second, NULL), g_bytes_get_size(second)));
  g_free(fixture_write(*state, "w.E03", g_bytes_get_data(second, NULL), g_bytes_get_size(second)));
  assert_true(nothing_silent(path, media, "duplicated"));
}

static void the_truth_sets_are_as_told(void **state) {
  (void)state;
  const char *base = g_getenv("TRIAGE_EVIDENCE");
  if (base == NULL) {
    print_message("SKIPPED: truth sets: TRIAGE_EVIDENCE is not set\n");
    skip();
  }
  enum { DISK = 113246208 };
  g_autofree char *whole = g_build_filename(base, "truth", "srv01.E01", NULL);
  g_autofree char *damaged = g_build_filename(base, "truth", "corrupt/srv01_badchunk.E01", NULL);
  g_autofree char *gap = g_build_filename(base, "truth", "corrupt/srv01_nosegmid.E01", NULL);
  g_autofree char *cut = g_build_filename(base, "truth", "corrupt/srv01_cut.E01", NULL);
  g_autoptr(Image) image = fixture_open_good(whole);
  assert_int_equal(image_size(image), DISK);
  g_autofree uint8_t *media = fixture_read(image, DISK, 1 << 20);
  g_autofree char *sha = g_compute_checksum_for_data(G_CHECKSUM_SHA256, media, DISK);
  assert_string_equal(sha, "aa5a91c8d33412816f90a41c1c6165775365357d44524d1322d6b301b8ea552b");
  assert_int_equal(image_damage_all(image)->len, 0);
  const char *const paths[] = {damaged, gap};
  const uint64_t lost[] = {32768, 33849344};
  for (int i = 0; i < 2; i++) {
    g_autoptr(Image) bad = fixture_open_good(paths[i]);
    g_autofree uint8_t *out = fixture_read(bad, DISK, 1 << 20);
    GArray *damage = image_damage_all(bad);
    assert_int_equal(damage->len, 1);
    assert_int_equal(g_array_index(damage, Damage, 0).length, lost[i]);
    assert_int_equal(fixture_silent(damage, out, media, DISK), 0);
  }
  /* The table is cut off; the chunks before the cut are found by their checksums. */
  g_autoptr(Image) rest = fixture_open_good(cut);
  g_autofree uint8_t *out = fixture_read(rest, DISK, 1 << 20);
  GArray *damage = image_damage_all(rest);
  assert_int_equal(fixture_silent(damage, out, media, DISK), 0);
  assert_int_equal(damage->len, 1);
  uint64_t found = g_array_index(damage, Damage, 0).offset;
  assert_true(found >= 32768 && found % 32768 == 0);
  assert_memory_equal(out, media, found);
}

/* A set of one segment whose only table lies behind the cut. */
static void chunks_before_a_lost_table_are_found(void **state) {
  enum { MANY = 900 * 1024, CHUNK = 32768 };
  g_autofree uint8_t *media = fixture_media(MANY, 21);
  const char *const compressions[] = {"deflate:none", "deflate:fast"};
  for (int i = 0; i < 2; i++) {
    ACQUIRE_OR_SKIP(*state, "s", media, MANY, "encase6", compressions[i]);
    g_autofree char *path = g_build_filename(*state, "s.E01", NULL);
    g_autoptr(GBytes) original = fixture_load(path);
    size_t n = g_bytes_get_size(original) / 2;
    g_autofree uint8_t *bytes = g_memdup2(g_bytes_get_data(original, NULL), n);
    for (int flip = 0; flip < 2; flip++) {
      /* The second time a byte in the middle of what is left is wrong: the search ends there. */
      bytes[n / 2] ^= (uint8_t)flip;
      g_free(fixture_write(*state, "s.E01", bytes, n));
      g_autoptr(Image) image = fixture_open_good(path);
      g_autofree uint8_t *out = fixture_read(image, MANY, 50000);
      GArray *damage = image_damage_all(image);
      assert_int_equal(fixture_silent(damage, out, media, MANY), 0);
      assert_int_equal(damage->len, 1);
      uint64_t found = g_array_index(damage, Damage, 0).offset;
      assert_true(found >= (flip ? MANY / 6 : MANY / 3));
      assert_true(!flip || found < MANY / 2);
      assert_memory_equal(out, media, found);
    }
    g_unlink(path);
  }
}

/* A sweep of more than the cache holds, in pieces small and large, between two looks at the same
 * tables: each chunk is taken out of the container once. */
static void each_chunk_is_taken_out_once(void **state) {
  enum { MIB1 = 1024 * 1024, MANY = 80 * MIB1, TABLES = 2 * MIB1, CHUNK = 32768 };
  g_autofree uint8_t *media = g_malloc0(MANY);
  for (uint32_t i = 0; i < MANY; i += 4096)
    memcpy(media + i, &i, sizeof i);
  ACQUIRE_OR_SKIP(*state, "once", media, MANY, "encase6", "deflate:fast");
  g_autofree char *path = g_build_filename(*state, "once.E01", NULL);
  g_autoptr(Image) image = fixture_open_good(path);
  assert_int_equal(image_info(image)->chunk_bytes, CHUNK);
  g_autofree uint8_t *out = g_malloc(MIB1);
  for (uint32_t at = 0; at < TABLES; at += 65536)
    image_read(image, at, out, 65536);
  for (uint32_t at = TABLES; at < MANY; at += MIB1) {
    /* As files lie: one from the middle of a chunk to that of another, and small ones. */
    image_read_passing(image, at, out, 300000);
    image_read_passing(image, at + 300000, out + 300000, MIB1 - 300000 - 40000);
    for (uint32_t small = MIB1 - 40000; small < MIB1; small += 2000)
      image_read_passing(image, at + small, out + small, MIN(2000, MIB1 - small));
    assert_memory_equal(out, media + at, MIB1);
  }
  for (uint32_t at = 0; at + 1000 <= TABLES; at += 1000)
    image_read(image, at, out, 1000);
  assert_int_equal(image_chunks_read(image), MANY / CHUNK);
  assert_int_equal(image_damage_all(image)->len, 0);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
  const struct CMUnitTest tests[] = {
      T(every_flavour_reads_as_the_disk),           T(a_flipped_byte_costs_its_chunk_and_is_said),
      T(any_mutant_is_refused_or_honest),           T(both_tables_bad_means_no_chunk_of_theirs),
      T(missing_segments_are_known_before_reading), T(a_cut_segment_is_truncated),
      T(swapped_and_foreign_segments_are_noticed),  T(the_truth_sets_are_as_told),
      T(chunks_before_a_lost_table_are_found),      T(each_chunk_is_taken_out_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
