/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table: one made by its real tool must come out whole and without a gap, one cut
 * off must be reported, and a known but unsupported one must be listed. */
#include "unpack_mutate.h"

/* libpff 20180714, libregf 20201007 and libevtx 20181227 lose a few bytes of some damaged files; a
 * worker's memory is limited anyway. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libpff_column_definition_initialize\nleak:libregf_key_item_initialize\n"
         "leak:libcdata_array_initialize\nleak:libfwevt_xml\nleak:libfvalue_\nleak:libfdata_list_"
         "initialize\n";
}

typedef struct {
  const char *row;
  const char *command;  /* makes "out" from payload.vbs; NULL: evidence is taken */
  const char *evidence; /* under TRIAGE_EVIDENCE */
  const char *member;   /* that must come out */
} Fixture;

#define MAKE_MAIL                                                                                  \
  "cp payload.vbs a.vbs && python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_mail.py && "
#define MAKE_OFFICE "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_office.py && "

static const Fixture FIXTURES[] = {
    {"zip", "zip -q out.zip payload.vbs && mv out.zip out", NULL, "payload.vbs"},
    {"7zip", "7z a -bd out.7z payload.vbs && mv out.7z out", NULL, "payload.vbs"},
    {"tar", "tar -cf out payload.vbs", NULL, "payload.vbs"},
    {"cpio", "bsdtar --format newc -cf out payload.vbs", NULL, "payload.vbs"},
    {"ar", "bsdtar --format ar -cf out payload.vbs", NULL, "payload.vbs"},
    {"cab", NULL, "truth/loose/drv.cab", "ledger56.vbs"},
    {"rar", NULL, "real/libarchive/test_read_format_rar_compress_best.rar",
     "LibarchiveAddingTest.html"},
    {"rar5", NULL, "real/libarchive/test_read_format_rar5_compressed.rar", "test.bin"},
    {"lha", NULL, "real/libarchive/test_read_format_lha_header2.lzh", "file1"},
    {"iso9660", "genisoimage -quiet -J -R -o out payload.vbs", NULL, "payload.vbs"},
    {"xar", "bsdtar --format xar -cf out payload.vbs", NULL, "payload.vbs"},
    {"warc", "bsdtar --format warc -cf out payload.vbs", NULL, "payload.vbs"},
    {"rpm", NULL, "real/libarchive/test_read_format_cpio_svr4_gzip_rpm.rpm", "./etc/file1"},
    {"gzip", "gzip -c payload.vbs > out", NULL, "(gunzip)"},
    {"zlib",
     "python3 -c 'import sys, zlib; "
     "sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))' "
     "<payload.vbs >out",
     NULL, "(inflate)"},
    {"bzip2", "bzip2 -c payload.vbs > out", NULL, "(bunzip2)"},
    {"xz", "xz -c payload.vbs > out", NULL, "(unxz)"},
    {"lzma", "xz --format=lzma -c payload.vbs > out", NULL, "(unlzma)"},
    {"lzip", "bsdtar --format raw --lzip -cf out payload.vbs", NULL, "(unlzip)"},
    {"zstd", "bsdtar --format raw --zstd -cf out payload.vbs", NULL, "(unzstd)"},
    {"lz4", "bsdtar --format raw --lz4 -cf out payload.vbs", NULL, "(unlz4)"},
    {"compress", "bsdtar --compress -cf out payload.vbs", NULL, "payload.vbs"},
    {"uu", "bsdtar --format raw --uuencode -cf out payload.vbs", NULL, "(uudecode)"},
    {"mime", MAKE_MAIL "cp b64.eml out", NULL, "x.vbs"},
    {"mbox", MAKE_MAIL "cp box out", NULL, "message-1!/x0.vbs"},
    {"ole2", MAKE_OFFICE "cp installer.msi out", NULL, "Binary.Script"},
    {"ole-package", MAKE_OFFICE "cp package.bin out", NULL, "\\x01Ole10Native!/payload.vbs"},
    {"ppt-objects", MAKE_OFFICE "cp package.ppt out", NULL,
     "PowerPoint Document!/(object 1)!/payload"},
    {"rtf", MAKE_OFFICE "cp package.rtf out", NULL, "(object 1) Package!/payload.vbs"},
    {"compressed-rtf", MAKE_OFFICE "cp payload.lzfu out", NULL, "(rtf)"},
    {"office-xml", MAKE_OFFICE "cp payload.xml out", NULL, "word/payload.vbs"},
    {"pst", NULL, "real/bulk_extractor/tests/Data/Outlook_Files/outlook.pst",
     "Top of Outlook data file/Drafts/a test message for outlook [2097252]/body.txt"},
    {"registry",
     "printf 'hive of %s' \"$PWD\" | iconv -t utf-16le >text && python3 "
     "${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_hive.py out 'Soft Ware\\\\Inner' text 1 text "
     "'Soft Ware\\\\Inner' script 3 payload.vbs",
     NULL, "Soft Ware/Inner/script"},
    {"evtx", "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_evtx.py out payload.vbs 700", NULL,
     "script block 5f0ae4a2-0000-4000-8000-000000000001 (records 1 to 56)"},
    {"sqlite",
     "sqlite3 out \"CREATE TABLE t(a TEXT); INSERT INTO t SELECT CAST(readfile('payload.vbs') AS "
     "TEXT)\"",
     NULL, "t/1/a"},
    {"pdf", MAKE_OFFICE "cp plain.pdf out", NULL, "(object 7 at 49)"},
    {"activemime", MAKE_OFFICE "cp payload.mso out", NULL, "(activemime)"},
};

/* Known by the name of what holds them: opened alone they are nobody's evidence. */
static bool is_inner(const char *row) {
  static const char *const INNER[] = {"iso9660", "ole-package", "ppt-objects"};
  for (size_t i = 0; i < G_N_ELEMENTS(INNER); i++)
    if (strcmp(INNER[i], row) == 0)
      return true;
  return false;
}

/* Walked by the evidence stage, which is not linked here: tests/e2e/test_nested_images.sh. Without
 * it they are listed as known. */
static bool is_image(const char *row) {
  return strcmp(row, "disk-image") == 0 || strcmp(row, "raw-image") == 0;
}

static GBytes *payload;

static void make_payload(int n_lines) {
  GString *text = g_string_new("Set message = CreateObject(\"CDO.Message\")\r\n");
  guint32 state = 12345;
  for (int i = 0; i < n_lines; i++) {
    state = state * 1664525 + 1013904223;
    g_string_append_printf(text, "line %d %08x\r\n", i, state);
  }
  put_file("payload.vbs", text->str, text->len);
  payload = g_string_free_to_bytes(text);
}

static GBytes *make_fixture(const Fixture *fixture) {
  if (fixture->command != NULL) {
    g_autofree char *path = scratch_path("out");
    unlink(path);
    run(fixture->command);
    return read_all(path);
  }
  g_autofree char *path = evidence_path(fixture->evidence);
  return path != NULL ? read_all(path) : NULL;
}

static bool is_complaint(const Found *found) {
  for (guint i = 0; i < found->seen->len; i++)
    if (((const Seen *)found->seen->pdata[i])->error != NULL)
      return true;
  return found->gaps->len > 0;
}

static const Fixture *fixture_of(const char *row) {
  for (size_t i = 0; i < G_N_ELEMENTS(FIXTURES); i++)
    if (strcmp(FIXTURES[i].row, row) == 0)
      return &FIXTURES[i];
  fail_msg("the unpacker %s has no fixture in this test", row);
  return NULL;
}

static void check_whole(const Fixture *fixture, const void *data, size_t n) {
  g_autoptr(Found) found = unpack_bytes(data, n, NULL);
  const Seen *seen = find_seen(found, fixture->member, "raw");
  gsize n_payload;
  const void *wanted = g_bytes_get_data(payload, &n_payload);
  const char *name = "";
  bool is_right = seen != NULL && seen->error == NULL && seen->got > 0 && !is_complaint(found) &&
                  (fixture->command == NULL || seen_is(seen, wanted, n_payload) ||
                   (strcmp(fixture->row, "warc") == 0 && seen->got == n_payload + 4));
  if (!is_right) {
    print_found(found);
    fail_msg("%s: %s did not come out whole", fixture->row, fixture->member);
  }
  assert_string_equal(((const Seen *)found->seen->pdata[0])->path, "");
  if (!is_inner(fixture->row)) {
    assert_true(unpack_recognises(data, n, &name));
    assert_string_equal(name, fixture->row);
  }
}

static void check_cut(const Fixture *fixture, const void *data, size_t n) {
  static const unsigned TENTHS[] = {9, 6, 3};
  for (size_t i = 0; i < G_N_ELEMENTS(TENTHS); i++) {
    size_t length = n / 10 * TENTHS[i];
    g_autoptr(Found) found = unpack_bytes(data, length, NULL);
    if (!is_complaint(found)) {
      print_found(found);
      fail_msg("%s cut to %zu of %zu bytes: no word about it", fixture->row, length, n);
    }
  }
}

static void test_rows(void **state) {
  size_t n_rows;
  unsigned skipped = 0;
  const Row *const *rows = unpack_rows(&n_rows);
  (void)state;
  make_payload(2000);
  for (size_t i = 0; i < n_rows; i++) {
    gsize n;
    if (!rows[i]->available || is_image(rows[i]->name))
      continue;
    const Fixture *fixture = fixture_of(rows[i]->name);
    g_autoptr(GBytes) bytes = make_fixture(fixture);
    if (bytes == NULL) {
      print_message("SKIPPED: %s: TRIAGE_EVIDENCE is not set\n", fixture->row);
      skipped++;
      continue;
    }
    const void *data = g_bytes_get_data(bytes, &n);
    check_whole(fixture, data, n);
    check_cut(fixture, data, n);
  }
  g_bytes_unref(payload);
  if (skipped > 0)
    skip();
}

/* Every row on damaged copies of its fixture. */
static void test_mutated(void **state) {
  size_t n_rows;
  const Row *const *rows = unpack_rows(&n_rows);
  (void)state;
  make_payload(60);
  for (size_t i = 0; i < n_rows; i++) {
    gsize n;
    if (!rows[i]->available || is_image(rows[i]->name) || strcmp(rows[i]->name, "mime") == 0 ||
        strcmp(rows[i]->name, "mbox") == 0)
      continue; /* test_mail has its own */
    g_autoptr(GBytes) bytes = make_fixture(fixture_of(rows[i]->name));
    if (bytes == NULL)
      continue; /* test_rows says so */
    const void *data = g_bytes_get_data(bytes, &n);
    gint64 start = g_get_monotonic_time();
    unpack_mutated(data, n, 4711 + (guint32)i);
    print_message("%s: %u damaged copies in %.1f s\n", rows[i]->name, n_mutations(),
                  (double)(g_get_monotonic_time() - start) / 1e6);
  }
  g_bytes_unref(payload);
}

/* Known, not opened: magic at an offset, in so many bytes. */
static const struct {
  const char *row;
  size_t at;
  const char *magic;
  size_t n_magic, size;
} KNOWN[] = {
    {"wim", 0, "MSWIM\0\0\0", 8, 1024},
    {"squashfs", 0,
     "hsqs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
     "\4\0",
     30, 4096},
    {"disk-image", 0, "QFI\xFB\0\0\0\2", 8, 1024},
    {"disk-image", 0, "QED\0\0\0\1\0", 8, 4096},
    {"disk-image", 0, "WithoutFreeSpace", 16, 4096},
    {"disk-image", 0, "LEF2\r\n\x81\0", 8, 4096},
    {"raw-image", 512, "EFI PART", 8, 128 * 1024},
    {"raw-image", 512,
     "WEV\x82"
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
     "WEV\x82",
     136, 128 * 1024}, /* the two marks of a BSD label */
    {"raw-image", 1024,
     "BD\0\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0\x64\0\0\2\0\0\0\0\0\0\x10\0\0\0\0\0\0\4Disk", 41,
     128 * 1024},
    {"dmg", 1536, "koly\0\0\0\4\0\0\2\0", 12, 2048},
    {"encrypted-volume", 0, "LUKS\xBA\xBE\0\1", 8, 8192},
    {"rar1", 0, "RE~^", 4, 256},
    {"alz", 0, "ALZ\1\n\0\0\0BLZ\1", 12, 256},
    {"egg", 0, "EGGA\0\1", 6, 256},
    {"ace", 7, "**ACE**", 7, 256},
    {"zoo", 20, "\xDC\xA7\xC4\xFD", 4, 256},
    {"stuffit", 0, "StuffIt (c)1997-", 16, 256},
    {"chm", 0, "ITSF\3\0\0\0", 8, 256},
    {"installshield", 0, "ISc(", 4, 256},
    {"lzop", 0, "\x89LZO\0\r\n\x1A\n", 9, 256},
    {"lrzip", 0, "LRZI\0\6", 6, 256},
    {"grzip", 0, "GRZipII\0\2\4:)", 12, 256},
    {"cramfs", 0, "\x45\x3D\xCD\x28\0\0\0\0\0\0\0\0\0\0\0\0Compressed ROMFS", 32, 256},
    {"romfs", 0, "-rom1fs-", 8, 256},
};

static void check_known(const Row *row) {
  if (strcmp(row->name, "arj") == 0) {
    g_autofree char *path = evidence_path("real/pocs/mini/arj.arj");
    if (path == NULL) {
      print_message("SKIPPED: arj: TRIAGE_EVIDENCE is not set\n");
      return;
    }
    g_autoptr(Found) found = unpack_file(path, NULL);
    assert_non_null(find_gap(found, "", TRIAGE_REASON_UNSUPPORTED_FORMAT));
    return;
  }
  guint n = 0;
  for (size_t i = 0; i < G_N_ELEMENTS(KNOWN); i++) {
    if (strcmp(KNOWN[i].row, row->name) != 0)
      continue;
    n++;
    g_autofree guint8 *data = g_malloc0(KNOWN[i].size);
    memcpy(data + KNOWN[i].at, KNOWN[i].magic, KNOWN[i].n_magic);
    g_autoptr(Found) found = unpack_bytes(data, KNOWN[i].size, NULL);
    const Gap *gap = find_gap(found, "", TRIAGE_REASON_UNSUPPORTED_FORMAT);
    if (gap == NULL || found->gaps->len != 1 || found->seen->len != 1)
      fail_msg("%s: not listed once", row->name);
    if (!row->available)
      assert_string_equal(gap->detail, row->why_not);
    assert_false(unpack_recognises(data, KNOWN[i].size, NULL));
  }
  if (n == 0)
    fail_msg("the known format %s has no fixture in this test", row->name);
}

static void test_known(void **state) {
  size_t n_rows;
  const Row *const *rows = unpack_rows(&n_rows);
  (void)state;
  for (size_t i = 0; i < n_rows; i++) {
    assert_true(rows[i]->limitations[0] != '\0');
    assert_true(rows[i]->available || rows[i]->why_not != NULL);
    if (!rows[i]->available || is_image(rows[i]->name))
      check_known(rows[i]);
  }
}

/* Plain files are no containers: no row may claim them. */
static void test_plain(void **state) {
  static const struct {
    const char *bytes;
    size_t n;
  } PLAIN[] = {
      {"", 0},
      {"P", 1},
      {"PK\3", 3},
      {"begin with a word\n", 18},
      {"\x1F\x8B", 2},
      {"MZ", 2},
      {"070707 is no archive, only a number at the beginning of a text of some length.....", 82},
  };
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(PLAIN); i++) {
    g_autoptr(Found) found = unpack_bytes(PLAIN[i].bytes, PLAIN[i].n, NULL);
    assert_int_equal(found->seen->len, 1);
    assert_int_equal(found->gaps->len, 0);
  }
  g_autofree guint8 *zeros = g_malloc0(300000);
  g_autoptr(Found) found = unpack_bytes(zeros, 300000, NULL);
  assert_int_equal(found->seen->len, 1);
  assert_int_equal(found->gaps->len, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plain),
      cmocka_unit_test(test_known),
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_mutated),
  };
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
