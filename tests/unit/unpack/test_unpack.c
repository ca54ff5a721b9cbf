/* SPDX-License-Identifier: Apache-2.0 */
/* Recursion, chains, budgets, views: what holds for every format. */
#include "unpack_test.h"
#include <errno.h>

static const char SCRIPT[] = "Set m = CreateObject(\"CDO.Message\")\r\nm.Send\r\n";

static void put_script(const char *name) {
  put_file(name, SCRIPT, sizeof SCRIPT - 1);
}

static Found *unpack_made(const char *command, const char *name, const Options *options) {
  g_autofree char *path = scratch_path(name);
  unlink(path);
  run(command);
  return unpack_file(path, options);
}

static void assert_script(const Found *found, const char *path) {
  if (!seen_is(find_seen(found, path, "raw"), SCRIPT, sizeof SCRIPT - 1)) {
    print_found(found);
    fail_msg("%s did not come out", path);
  }
}

static void test_chains(void **state) {
  (void)state;
  put_script("a.vbs");
  g_autoptr(Found) tgz = unpack_made("tar -czf t.tgz a.vbs", "t.tgz", NULL);
  assert_script(tgz, "a.vbs");
  assert_int_equal(tgz->seen->len, 2); /* no step for the stream, no raw tar beside its members */
  assert_int_equal(tgz->gaps->len, 0);
  g_autoptr(Found) nested = unpack_made("zip -q l1.zip a.vbs && 7z a -bd l2.7z l1.zip && "
                                        "tar -cJf l3.txz l2.7z && zip -q l4.zip l3.txz",
                                        "l4.zip", NULL);
  assert_script(nested, "l3.txz!/l2.7z!/l1.zip!/a.vbs");
  assert_int_equal(nested->gaps->len, 0);
  g_autoptr(Found) twice = unpack_made("gzip -nc a.vbs | xz -c > d.gz.xz", "d.gz.xz", NULL);
  assert_script(twice, "(unxz)!/(gunzip)");
  g_autoptr(Found) joined =
      unpack_made("gzip -nc a.vbs > two.gz; gzip -nc a.vbs >> two.gz", "two.gz", NULL);
  assert_int_equal(find_seen(joined, "(gunzip)", "raw")->got, 2 * (sizeof SCRIPT - 1));
  assert_int_equal(joined->gaps->len, 0);
}

/* What lies behind an archive is looked at too. */
static void test_appended(void **state) {
  (void)state;
  put_script("a.vbs");
  put_script("b.vbs");
  g_autoptr(Found) tars = unpack_made(
      "tar -cf 1.tar a.vbs && tar -cf 2.tar b.vbs && cat 1.tar 2.tar > both.tar", "both.tar", NULL);
  assert_script(tars, "a.vbs");
  assert_script(tars, "b.vbs");
  g_autoptr(Found) mixed =
      unpack_made("tar -cf 1.tar a.vbs && rm -f b.zip && zip -q b.zip b.vbs && "
                  "cat 1.tar b.zip > mixed.bin",
                  "mixed.bin", NULL);
  assert_script(mixed, "a.vbs");
  assert_script(mixed, "b.vbs");
  g_autoptr(Found) program = unpack_made("rm -f s.7z && 7z a -bd s.7z a.vbs && "
                                         "(printf 'MZ'; head -c 9000 /dev/zero | tr '\\0' 'x'; "
                                         "cat s.7z) > sfx.exe",
                                         "sfx.exe", NULL);
  assert_script(program, "a.vbs");
}

/* Behind a whole stream lies padding, another one, or what must be said. */
static void test_behind_stream(void **state) {
  static const struct {
    const char *name, *pack, *member;
  } STREAMS[] = {{"gzip", "gzip -nc a.vbs", "(gunzip)"},
                 {"bzip2", "bzip2 -c a.vbs", "(bunzip2)"},
                 {"xz", "xz -c a.vbs", "(unxz)"},
                 {"zstd", "zstd -qc a.vbs", "(unzstd)"},
                 {"lzip", "bsdtar --format raw --lzip -cf - a.vbs", "(unlzip)"},
                 {"lz4", "bsdtar --format raw --lz4 -cf - a.vbs", "(unlz4)"}};
  (void)state;
  put_script("a.vbs");
  for (size_t i = 0; i < G_N_ELEMENTS(STREAMS); i++) {
    g_autofree char *damaged =
        g_strdup_printf("%s >b.s && { cat b.s; printf Z; tail -c +2 b.s; } >d.s", STREAMS[i].pack);
    g_autofree char *padded =
        g_strdup_printf("{ %s; printf '\\377\\377\\377\\377'; } >p.s", STREAMS[i].pack);
    g_autofree char *ended = g_strdup_printf("{ %s; echo; } >e.s", STREAMS[i].pack);
    g_autoptr(Found) second = unpack_made(damaged, "d.s", NULL);
    const Gap *gap = find_gap(second, "", TRIAGE_REASON_CORRUPT);
    assert_script(second, STREAMS[i].member);
    if (gap == NULL || strstr(gap->detail, "neither padding nor another stream") == NULL) {
      print_found(second);
      fail_msg("%s: what is behind it is not told", STREAMS[i].name);
    }
    const char *const QUIET[][2] = {{padded, "p.s"}, {ended, "e.s"}};
    for (size_t j = 0; j < G_N_ELEMENTS(QUIET); j++) {
      g_autoptr(Found) quiet = unpack_made(QUIET[j][0], QUIET[j][1], NULL);
      assert_script(quiet, STREAMS[i].member);
      assert_int_equal(quiet->gaps->len, 0);
    }
  }
  g_autoptr(Found) many = unpack_made("bzip2 -c a.vbs >b.s; xz -c a.vbs >x.s; "
                                      "for i in $(seq 130); do cat b.s x.s; done >m.s",
                                      "m.s", NULL);
  assert_non_null(find_gap(many, "", TRIAGE_REASON_SIZE_LIMIT));
}

/* What begins with zlib's two bytes and does not unpack is no stream. */
static void test_zlib(void **state) {
  (void)state;
  put_script("a.vbs");
  g_autoptr(Found) found =
      unpack_made("python3 -c 'import zlib; s = open(\"a.vbs\", \"rb\").read() * 40; "
                  "[open(f\"{i}.z\", \"wb\").write(zlib.compress(s, i)) for i in (0, 1, 6, 9)]; "
                  "open(\"cut.z\", \"wb\").write(zlib.compress(s * 40)[:-9])'",
                  "6.z", NULL);
  assert_non_null(find_seen(found, "(inflate)", "raw"));
  static const char *const LEVELS[] = {"0.z", "1.z", "9.z"};
  for (size_t i = 0; i < G_N_ELEMENTS(LEVELS); i++) {
    g_autofree char *path = scratch_path(LEVELS[i]);
    g_autoptr(Found) level = unpack_file(path, NULL);
    assert_int_equal(find_seen(level, "(inflate)", "raw")->got, 40 * (sizeof SCRIPT - 1));
    assert_int_equal(level->gaps->len, 0);
  }
  g_autofree char *path = scratch_path("cut.z");
  g_autoptr(Found) cut = unpack_file(path, NULL);
  assert_int_equal(find_seen(cut, "(inflate)", "raw")->reason, TRIAGE_REASON_TRUNCATED);
  static const char FORMULA[] = "x^2 + y^2 = z^2 has whole solutions, x^3 + y^3 = z^3 has none\n";
  g_autoptr(Found) text = unpack_bytes(FORMULA, sizeof FORMULA - 1, NULL);
  assert_int_equal(text->seen->len, 1);
  assert_int_equal(text->gaps->len, 0);
}

/* The same tar is opened in place; its trailing bytes are not lost: then the stream is a member. */
static void test_tail_in_stream(void **state) {
  (void)state;
  put_script("a.vbs");
  g_autoptr(Found) found = unpack_made(
      "tar -cf t.tar a.vbs && (cat t.tar; echo hidden after the end) | gzip -n > tail.tgz",
      "tail.tgz", NULL);
  assert_script(found, "a.vbs");
  assert_non_null(find_seen(found, "(gunzip)", "raw"));
}

static void test_corrupt_gzip(void **state) {
  (void)state;
  put_script("a.vbs");
  run("gzip -nc a.vbs > a.gz");
  g_autofree char *path = scratch_path("a.gz");
  g_autoptr(GBytes) bytes = read_all(path);
  gsize n;
  const guint8 *data = g_bytes_get_data(bytes, &n);
  g_autofree guint8 *bad = g_memdup2(data, n);
  bad[n - 7] ^= 1; /* the CRC: libarchive would not look at it */
  g_autoptr(Found) found = unpack_bytes(bad, n, NULL);
  const Seen *seen = find_seen(found, "(gunzip)", "raw");
  assert_non_null(seen);
  assert_int_equal(seen->reason, TRIAGE_REASON_BAD_CHECKSUM);
  assert_int_equal(seen->got, sizeof SCRIPT - 1);
}

static void test_depth(void **state) {
  Options options = DEFAULTS;
  (void)state;
  put_script("a.vbs");
  options.max_depth = 3;
  g_autoptr(Found) found =
      unpack_made("cp a.vbs z; for i in 1 2 3 4 5; do rm -f n.zip; zip -q n.zip z; mv n.zip z; "
                  "done; mv z deep",
                  "deep", &options);
  assert_int_equal(found->seen->len, 4); /* depth 3 is still scanned, not opened */
  const Gap *gap = find_gap(found, "z!/z!/z", TRIAGE_REASON_DEPTH_LIMIT);
  assert_non_null(gap);
  assert_int_equal(gap->size, gap->examined);
  options.max_depth = 1000000; /* held to our own maximum */
  g_autofree char *path = scratch_path("deep");
  g_autoptr(Found) whole = unpack_file(path, &options);
  assert_script(whole, "z!/z!/z!/z!/z");
}

static void test_ratio(void **state) {
  (void)state;
  put_script("a.vbs");
  g_autoptr(Found) found =
      unpack_made("head -c 200000000 /dev/zero > 0.bin && rm -f i.bin bomb.zip && zip -q i.bin "
                  "0.bin && zip -q bomb.zip i.bin a.vbs; rm 0.bin",
                  "bomb.zip", NULL);
  const Seen *bomb = find_seen(found, "i.bin!/0.bin", "raw");
  assert_non_null(bomb);
  assert_int_equal(bomb->reason, TRIAGE_REASON_RATIO_LIMIT);
  assert_int_equal(bomb->got, LIMIT_RATIO_FROM);
  assert_script(found, "a.vbs"); /* the rest goes on */
}

static void test_budget(void **state) {
  Options options = DEFAULTS;
  (void)state;
  options.max_expanded = 150000;
  put_script("z.vbs");
  g_autoptr(Found) found =
      unpack_made("head -c 100000 /dev/urandom > r1; head -c 100000 /dev/urandom > r2; "
                  "rm -f b.zip; zip -q b.zip r1 r2 z.vbs",
                  "b.zip", &options);
  assert_null(find_seen(found, "r1", "raw")->error);
  const Seen *second = find_seen(found, "r2", "raw");
  assert_int_equal(second->reason, TRIAGE_REASON_SIZE_LIMIT);
  assert_int_equal(second->got, 50000);
  assert_non_null(find_gap(found, "", TRIAGE_REASON_SIZE_LIMIT));
  assert_null(find_seen(found, "z.vbs", "raw"));
}

/* A gzip in a stream must not be paid twice: the tar of a tgz is a copy. */
static void test_budget_of_tgz(void **state) {
  Options options = DEFAULTS;
  (void)state;
  options.max_expanded = 150000;
  g_autoptr(Found) found =
      unpack_made("head -c 100000 /dev/urandom > r1; tar -czf r.tgz r1", "r.tgz", &options);
  assert_null(find_seen(found, "r1", "raw")->error);
  assert_int_equal(found->gaps->len, 0);
}

static void test_large_member(void **state) {
  (void)state;
  g_autoptr(Found) found = unpack_made("head -c 20000000 /dev/urandom > big; rm -f big.zip; zip -q "
                                       "-0 big.zip big",
                                       "big.zip", NULL);
  assert_int_equal(find_seen(found, "big", "raw")->got, 20000000);
  assert_true(found->alive > 20000000);
}

static void test_links(void **state) {
  (void)state;
  put_script("a.vbs");
  g_autoptr(Found) found = unpack_made("mkdir -p d; ln -f a.vbs hard.vbs; ln -sf a.vbs soft.vbs; "
                                       "tar -cf links.tar a.vbs hard.vbs soft.vbs d",
                                       "links.tar", NULL);
  assert_script(found, "a.vbs");
  assert_int_equal(find_seen(found, "hard.vbs", "raw")->got, 0);
  assert_true(seen_is(find_seen(found, "soft.vbs", "raw"), "a.vbs", 5));
  assert_null(find_seen(found, "d/", "raw"));
  assert_int_equal(found->gaps->len, 0);
  /* libarchive says a zip's link ends at byte 5 and has no data: not five zeros. */
  g_autoptr(Found) zip = unpack_made("rm -f l.zip; zip -qy l.zip soft.vbs", "l.zip", NULL);
  assert_true(seen_is(find_seen(zip, "soft.vbs", "raw"), "a.vbs", 5));
  g_autoptr(Found) seven = unpack_made("rm -f l.7z; 7z a -bd -snl l.7z soft.vbs", "l.7z", NULL);
  assert_true(seen_is(find_seen(seven, "soft.vbs", "raw"), "a.vbs", 5));
}

static void check_utf16(bool is_big, bool has_mark) {
  g_autoptr(GByteArray) text = g_byte_array_new();
  const char *view = is_big ? "utf-16be" : "utf-16le";
  static const guint16 ODD[] = {0x00E4, 0x20AC, 0xD83C, 0xDF83};
  static const char ODD_UTF8[] = "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8E\x83";
  GString *wanted = g_string_new_len(SCRIPT, sizeof SCRIPT - 1);
  g_string_append_len(wanted, ODD_UTF8, sizeof ODD_UTF8 - 1);
  if (has_mark)
    g_byte_array_append(text, (const guint8 *)(is_big ? "\xFE\xFF" : "\xFF\xFE"), 2);
  for (size_t i = 0; i < sizeof SCRIPT - 1 + G_N_ELEMENTS(ODD); i++) {
    guint16 unit = i < sizeof SCRIPT - 1 ? (guint8)SCRIPT[i] : ODD[i - (sizeof SCRIPT - 1)];
    guint8 pair[2] = {(guint8)(is_big ? unit >> 8 : unit), (guint8)(is_big ? unit : unit >> 8)};
    g_byte_array_append(text, pair, 2);
  }
  g_autoptr(Found) found = unpack_bytes(text->data, text->len, NULL);
  assert_int_equal(found->seen->len, 2);
  assert_true(seen_is(find_seen(found, "", view), wanted->str, wanted->len));
  g_string_free(wanted, TRUE);
}

/* A RAR 5 archive whose member's name fits no character set, met by fuzzing: libarchive ends the
 * process over it where an earlier allocation was refused. */
static void test_stale_errno(void **state) {
  static const char ARCHIVE[] =
      "UmFyIRoHAQAikH7bMAEFMDYwAQGAgICAAifnkbE1AgILg4AAC/jVFaSDAAIAADCAAzAwMDAwMDAwMDBJbzDWrhHMg9au"
      "EfKpub527YCRzefU+AMDAyMDAwMDAwMDRJHjg44KUAvO+w==";
  gsize n;
  g_autofree guchar *bytes = g_base64_decode(ARCHIVE, &n);
  (void)state;
  errno = ENOMEM;
  g_autoptr(Found) found = unpack_bytes(bytes, n, NULL);
  assert_true(found->gaps->len > 0);
}

static void test_utf16(void **state) {
  (void)state;
  check_utf16(false, true);
  check_utf16(false, false);
  check_utf16(true, true);
  check_utf16(true, false);
  g_autoptr(Found) ascii = unpack_bytes(SCRIPT, sizeof SCRIPT - 1, NULL);
  assert_int_equal(ascii->seen->len, 1);
  g_autofree guint8 *noise = g_malloc(4096);
  for (int i = 0; i < 4096; i++)
    noise[i] = (guint8)(i * 37 + i / 256);
  noise[0] = 0xFF;
  noise[1] = 0xFE;
  g_autoptr(Found) binary = unpack_bytes(noise, 4096, NULL);
  assert_int_equal(binary->seen->len, 1);
}

static void test_stop(void **state) {
  g_autoptr(Found) found = found_new();
  (void)state;
  put_script("a.vbs");
  run("cp a.vbs b.vbs; rm -f s.zip; zip -q s.zip a.vbs b.vbs");
  g_autofree char *path = scratch_path("s.zip");
  g_autoptr(GBytes) bytes = read_all(path);
  gsize n;
  const void *data = g_bytes_get_data(bytes, &n);
  found->stop_after = 2;
  assert_false(unpack_into(found, data, n, &DEFAULTS));
  assert_int_equal(found->seen->len, 2);
}

/* Damage anywhere must neither crash nor hang nor pass in silence as a shorter list. */
static void test_mutations(void **state) {
  guint32 random = 1;
  (void)state;
  put_script("a.vbs");
  run("rm -f m.*; zip -q m.zip a.vbs; 7z a -bd m.7z a.vbs; tar -czf m.tgz a.vbs; "
      "bsdtar --format xar -cf m.xar a.vbs; genisoimage -quiet -J -R -o m.iso a.vbs; "
      "bsdtar --format newc -cf m.cpio a.vbs");
  static const char *const NAMES[] = {"m.zip", "m.7z", "m.tgz", "m.xar", "m.iso", "m.cpio"};
  for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
    g_autofree char *path = scratch_path(NAMES[i]);
    g_autoptr(GBytes) bytes = read_all(path);
    gsize n;
    const guint8 *data = g_bytes_get_data(bytes, &n);
    for (int round = 0; round < 60; round++) {
      g_autofree guint8 *copy = g_memdup2(data, n);
      for (int flip = 0; flip < 4; flip++) {
        random = random * 1664525 + 1013904223;
        copy[(random >> 8) % MIN(n, 40000)] = (guint8)(random >> 3);
      }
      g_autoptr(Found) found = unpack_bytes(copy, n, NULL);
      assert_true(found->seen->len >= 1);
    }
  }
}

static void test_evidence(void **state) {
  static const struct {
    const char *file, *member;
    TriageReason reason;
  } HANGS[] = {
      {"real/libarchive/test_read_filter_gzip_recursive.gz", NULL, TRIAGE_REASON_DEPTH_LIMIT},
      {"real/libarchive/test_read_format_rar5_dirdata.rar", "", TRIAGE_REASON_CORRUPT},
      {"real/libarchive/test_read_format_rar5_bad_window_sz_in_mltarc_file.rar", "",
       TRIAGE_REASON_TRUNCATED},
  };
  (void)state;
  if (getenv("TRIAGE_EVIDENCE") == NULL) {
    print_message("SKIPPED: TRIAGE_EVIDENCE is not set: hanging and damaged archives not tried\n");
    skip();
  }
  for (size_t i = 0; i < G_N_ELEMENTS(HANGS); i++) {
    g_autofree char *path = evidence_path(HANGS[i].file);
    g_autoptr(Found) found = unpack_file(path, NULL);
    bool is_told = HANGS[i].member != NULL
                       ? find_gap(found, HANGS[i].member, HANGS[i].reason) != NULL
                       : found->gaps->len > 0;
    if (!is_told) {
      print_found(found);
      fail_msg("%s: not reported", HANGS[i].file);
    }
  }
  g_autofree char *nest = evidence_path("truth/loose/nest5.tar");
  g_autoptr(Found) found = unpack_file(nest, NULL);
  assert_non_null(find_seen(found, "x/l1.zip!/l2.7z!/l3.tgz!/d/l4.zip!/batch11.vbs", "raw"));
  assert_int_equal(found->gaps->len, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chains),         cmocka_unit_test(test_appended),
      cmocka_unit_test(test_tail_in_stream), cmocka_unit_test(test_corrupt_gzip),
      cmocka_unit_test(test_depth),          cmocka_unit_test(test_ratio),
      cmocka_unit_test(test_budget),         cmocka_unit_test(test_budget_of_tgz),
      cmocka_unit_test(test_large_member),   cmocka_unit_test(test_links),
      cmocka_unit_test(test_utf16),          cmocka_unit_test(test_stop),
      cmocka_unit_test(test_mutations),      cmocka_unit_test(test_evidence),
      cmocka_unit_test(test_stale_errno),    cmocka_unit_test(test_behind_stream),
      cmocka_unit_test(test_zlib),
  };
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
