/* SPDX-License-Identifier: Apache-2.0 */
/* test_7z.c - encrypted 7z archives, made by 7z itself in every way it packs, and real ones: opened
 * where a password of the list fits, else listed. */
#include "unpack/unpack_7zheader.h"
#include "unpack_mutate.h"

static GBytes *payload;

static void make_payload(void) {
  GString *text = g_string_new("");
  for (unsigned i = 0; i < 900; i++)
    g_string_append_printf(text, "Set m%u = CreateObject(\"CDO.Message\")\r\n", i);
  g_autofree char *path = scratch_path("payload.vbs");
  assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
  payload = g_string_free_to_bytes(text);
}

static Found *unpack_with(const char *name, const char *passwords) {
  Options options = DEFAULTS;
  options.password = passwords;
  g_autofree char *path = scratch_path(name);
  return unpack_file(path, &options);
}

static void assert_payload(const Found *found, const char *path, const char *what) {
  gsize n;
  const void *bytes = g_bytes_get_data(payload, &n);
  if (!seen_is(find_seen(found, path, "raw"), bytes, n)) {
    print_found(found);
    fail_msg("%s: %s is not there, or not the same", what, path);
  }
}

static void assert_no_gaps(const Found *found) {
  if (found->gaps->len > 0)
    print_found(found);
  assert_int_equal(found->gaps->len, 0);
}

/* libarchive stops in a PPMd archive behind its first member, encrypted or not. */
static void test_methods(void **state) {
  static const char *const WAYS[] = {
      "",
      "-mhe=on",
      "-mhe=on -mhc=off",
      "-mhc=off",
      "-m0=copy",
      "-m0=lzma",
      "-m0=ppmd -x!program",
      "-m0=bzip2",
      "-m0=deflate",
      "-mx=9 -mf=BCJ2",
      "-ms=off",
      "-m0=lzma2 -mf=BCJ",
  };
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(WAYS); i++) {
    g_autofree char *command = g_strdup_printf(
        "rm -f out.7z && cp /bin/true program && 7z a -bd -pgeheim %s out.7z payload.vbs program",
        WAYS[i]);
    run(command);
    g_autoptr(Found) found = unpack_with("out.7z", "wrong\ngeheim");
    assert_payload(found, "payload.vbs", WAYS[i]);
    if (find_seen(found, "program", "raw") == NULL && strstr(WAYS[i], "ppmd") == NULL) {
      print_found(found);
      fail_msg("%s: only one of two members", WAYS[i]);
    }
    assert_no_gaps(found);
  }
}

/* What stays closed is listed with its name and size; what is not encrypted is there. */
static void test_closed(void **state) {
  (void)state;
  run("rm -f part.7z && cp payload.vbs open.vbs && 7z a -bd part.7z open.vbs && "
      "7z a -bd -pgeheim part.7z payload.vbs");
  g_autoptr(Found) closed = unpack_with("part.7z", "wrong");
  const Gap *gap = find_gap(closed, "payload.vbs", TRIAGE_REASON_ENCRYPTED);
  assert_non_null(gap);
  assert_int_equal(gap->size, g_bytes_get_size(payload));
  assert_payload(closed, "open.vbs", "not encrypted");
  g_autoptr(Found) opened = unpack_with("part.7z", "wrong\ngeheim");
  assert_payload(opened, "open.vbs", "not encrypted");
  assert_payload(opened, "payload.vbs", "encrypted");
  assert_no_gaps(opened);
  run("rm -f names.7z && 7z a -bd -mhe=on -pgeheim names.7z payload.vbs");
  g_autoptr(Found) nameless = unpack_with("names.7z", "wrong");
  assert_non_null(find_gap(nameless, "", TRIAGE_REASON_ENCRYPTED));
}

static void test_real(void **state) {
  static const struct {
    const char *file, *password;
    guint n_members;
  } REAL[] = {
      {"real/py7zr/encrypted_1.7z", "secret", 2},
      {"real/py7zr/encrypted_2.7z", "secret", 10},
      {"real/py7zr/encrypted_3.7z", "secret", 1},
      {"real/libarchive/test_read_format_7zip_encryption.7z", "12345678", 1},
      {"real/libarchive/test_read_format_7zip_encryption_header.7z", "12345678", 1},
      {"real/libarchive/test_read_format_7zip_encryption_partially.7z", "12345678", 2},
  };
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(REAL); i++) {
    g_autofree char *path = evidence_path(REAL[i].file);
    if (path == NULL) {
      print_message("SKIPPED: TRIAGE_EVIDENCE is not set\n");
      skip();
    }
    Options options = DEFAULTS;
    options.password = REAL[i].password;
    g_autoptr(Found) found = unpack_file(path, &options);
    guint n = 0;
    for (guint k = 0; k < found->seen->len; k++)
      n += ((const Seen *)found->seen->pdata[k])->depth == 1;
    if (n < REAL[i].n_members || found->gaps->len > 0) {
      print_found(found);
      fail_msg("%s: %u members", REAL[i].file, n);
    }
  }
}

/* Passwords that were not tried for their cost are not said to be wrong. */
static void test_costly(void **state) {
  static const uint8_t AES[] = {6, 0xF1, 7, 1};
  Options options = DEFAULTS;
  options.password = "wrong\ngeheim";
  (void)state;
  run("rm -f out.7z && 7z a -bd -pgeheim -mhc=off out.7z payload.vbs");
  g_autofree char *path = scratch_path("out.7z");
  g_autoptr(GBytes) bytes = io_read_file(path, MIB, NULL);
  g_autoptr(GByteArray) copy = g_bytes_unref_to_array(g_steal_pointer(&bytes));
  uint8_t *method = memmem(copy->data, copy->len, AES, sizeof AES);
  assert_non_null(method);
  method[sizeof AES + 1] |= 0x3E; /* behind the length: as many rounds as 63 bits count */
  g_autoptr(Found) found = unpack_bytes(copy->data, copy->len, &options);
  const Gap *gap = find_gap(found, "", TRIAGE_REASON_ENCRYPTED);
  assert_non_null(gap);
  assert_non_null(strstr(gap->detail, "only the first 0 of 2 passwords"));
}

static void put_long(GByteArray *out, uint64_t value) {
  uint8_t bytes[9] = {0xFF};
  for (unsigned i = 0; i < 8; i++)
    bytes[1 + i] = (uint8_t)(value >> 8 * i);
  g_byte_array_append(out, bytes, sizeof bytes);
}

static void put(GByteArray *out, const char *bytes, guint n, guint times) {
  while (times-- > 0)
    g_byte_array_append(out, (const guint8 *)bytes, n);
}

/* An archive that is not solid has a folder for each member: they are counted, not all kept. */
static void test_many_folders(void **state) {
  enum { N = 600000 };
  (void)state;
  g_autoptr(GByteArray) header = g_byte_array_new();
  put(header, "\4\6\0", 3, 1);
  put_long(header, N);
  put(header, "\11", 1, 1);
  put(header, "\1", 1, N);
  put(header, "\0\7\13", 3, 1);
  put_long(header, N);
  put(header, "\0", 1, 1);
  put(header, "\1\1\0", 3, N - 1);
  put(header, "\1\4\6\xF1\7\1", 6, 1); /* the last one is encrypted */
  put(header, "\14", 1, 1);
  put(header, "\1", 1, N);
  put(header, "\0", 1, 1);
  SzStreams streams;
  assert_true(sz_read_streams(&streams, header->data, header->len));
  assert_int_equal(streams.n_folders, N);
  assert_int_equal(streams.n_secret, 1);
  assert_int_equal(streams.folders->len, SZ_FOLDERS_MAX);
  assert_int_equal(streams.end - streams.rest, 1);
  sz_streams_clear(&streams);
}

/* Few: each copy costs half a million rounds of SHA-256. */
static void test_damaged(void **state) {
  Options options = DEFAULTS;
  options.password = "geheim";
  (void)state;
  run("rm -f out.7z && 7z a -bd -pgeheim -mhc=off out.7z payload.vbs");
  g_autofree char *path = scratch_path("out.7z");
  g_autoptr(GBytes) bytes = io_read_file(path, MIB, NULL);
  gsize n;
  const guint8 *data = g_bytes_get_data(bytes, &n);
  g_autoptr(GRand) random = g_rand_new_with_seed(7);
  for (unsigned i = 0; i < n_mutations() / 20; i++) {
    g_autoptr(GByteArray) copy = g_byte_array_new();
    g_byte_array_append(copy, data, (guint)n);
    mutate(copy, random);
    g_autoptr(Found) found = unpack_bytes(copy->data, copy->len, &options);
    assert_true(found->seen->len >= 1);
  }
}

static int setup(void **state) {
  int rc = scratch_setup(state);
  make_payload();
  return rc;
}

static int teardown(void **state) {
  g_bytes_unref(payload);
  return scratch_teardown(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_methods), cmocka_unit_test(test_closed),
      cmocka_unit_test(test_costly),  cmocka_unit_test(test_many_folders),
      cmocka_unit_test(test_damaged), cmocka_unit_test(test_real),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
