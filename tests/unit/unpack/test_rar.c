/* SPDX-License-Identifier: Apache-2.0 */
/* test_rar.c - encrypted RAR archives of both kinds: real ones of WinRAR's making, and others
 * encrypted here from real ones, by volumes too. Opened where a password of the list fits, else
 * listed. unar, where it is at hand, opens what was made here for RAR 5. */
#include "unpack_mutate.h"

#define FOLDER "real/libarchive/test_read_format_"

static Found *unpack_with(const char *path, const char *passwords) {
  Options options = DEFAULTS;
  options.password = passwords;
  return unpack_file(path, &options);
}

static guint count_members(const Found *found) {
  guint n = 0;
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    n += seen->depth == 1 && seen->error == NULL && strcmp(seen->view, "raw") == 0;
  }
  return n;
}

/* closed: a member another password is needed for. */
static void test_real(void **state) {
  static const struct {
    const char *file, *password;
    guint n_members;
    const char *closed;
  } REAL[] = {
      {"rar5_encrypted", "password", 3, "d.txt"},
      {"rar5_encrypted_filenames", "password", 4, NULL},
      {"rar5_solid_encrypted", "password", 4, NULL},
      {"rar5_solid_encrypted_filenames", "password", 4, NULL},
      {"rar4_encrypted", "password", 3, "d.txt"},
      {"rar4_encrypted_filenames", "password", 4, NULL},
      {"rar_encryption_data", "12345678", 2, NULL},
      {"rar_encryption_header", "12345678", 2, NULL},
      {"rar_encryption_partially", "12345678", 2, NULL},
  };
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(REAL); i++) {
    g_autofree char *name = g_strconcat(FOLDER, REAL[i].file, ".rar", NULL);
    g_autofree char *path = evidence_path(name);
    if (path == NULL) {
      g_clear_pointer(&name, g_free); /* skip() jumps over the cleanup */
      print_message("SKIPPED: TRIAGE_EVIDENCE is not set\n");
      skip();
    }
    g_autofree char *list = g_strdup_printf("wrong\n%s", REAL[i].password);
    g_autoptr(Found) found = unpack_with(path, list);
    bool is_listed =
        REAL[i].closed == NULL || find_gap(found, REAL[i].closed, TRIAGE_REASON_ENCRYPTED) != NULL;
    if (count_members(found) != REAL[i].n_members || !is_listed ||
        (REAL[i].closed == NULL && found->gaps->len > 0)) {
      print_found(found);
      fail_msg("%s: %u members", REAL[i].file, count_members(found));
    }
    g_autoptr(Found) shut = unpack_with(path, "wrong");
    bool is_told = false;
    for (guint k = 0; k < shut->gaps->len; k++)
      is_told = is_told || ((const Gap *)shut->gaps->pdata[k])->reason == TRIAGE_REASON_ENCRYPTED;
    if (!is_told || count_members(shut) >= REAL[i].n_members) {
      print_found(shut);
      fail_msg("%s: no word of its being encrypted", REAL[i].file);
    }
  }
}

/* What solid archives hold behind the first member libarchive does not unpack, encrypted or not: it
 * is listed by name. */
static void test_solid(void **state) {
  g_autofree char *path = evidence_path(FOLDER "rar4_solid_encrypted_filenames.rar");
  (void)state;
  if (path == NULL)
    skip();
  g_autoptr(Found) found = unpack_with(path, "password");
  assert_non_null(find_seen(found, "a.txt", "raw"));
  assert_non_null(find_gap(found, "", TRIAGE_REASON_UNSUPPORTED_FORMAT));
  for (const char *const *name = (const char *const[]){"b.txt", "c.txt", "d.txt", NULL};
       *name != NULL; name++) {
    const Gap *gap = find_gap(found, *name, TRIAGE_REASON_UNSUPPORTED_FORMAT);
    assert_non_null(gap);
    assert_int_equal(gap->size, 18);
  }
}

/* The same where it goes on in another volume. */
static void test_solid_volumes(void **state) {
  (void)state;
  run("python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_rar.py solid s.rar");
  g_autofree char *path = scratch_path("s.rar");
  g_autoptr(Found) found = unpack_file(path, NULL);
  if (find_seen(found, "one", "raw") == NULL ||
      find_gap(found, "two", TRIAGE_REASON_UNSUPPORTED_FORMAT) == NULL ||
      find_gap(found, "three", TRIAGE_REASON_UNSUPPORTED_FORMAT) == NULL) {
    print_found(found);
    fail_msg("a member of a solid archive is not listed");
  }
}

/* Recovery data behind each part of a member, as rar -rr writes it. */
static void test_recovery(void **state) {
  static const char TEXT[] = "Set m = CreateObject(\"CDO.Message\")";
  (void)state;
  put_file("a.vbs", TEXT, sizeof TEXT - 1);
  run("python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_rar.py recovery a.vbs a.vbs 13 "
      "r.1 r.2 r.3 && cat r.1 r.2 r.3 >r.rar");
  g_autofree char *path = scratch_path("r.rar");
  g_autoptr(Found) found = unpack_file(path, NULL);
  const Seen *seen = find_seen(found, "a.vbs", "raw");
  if (!seen_is(seen, TEXT, sizeof TEXT - 1) || seen->error != NULL || found->gaps->len > 0) {
    print_found(found);
    fail_msg("a member in volumes with recovery data did not come out");
  }
}

/* A stored stream comes out; of what else hangs on a member and is packed there is word. */
static void test_services(void **state) {
  static const char TEXT[] = "CDO.Message";
  (void)state;
  run("python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_rar.py services v.rar");
  g_autofree char *path = scratch_path("v.rar");
  g_autoptr(Found) found = unpack_file(path, NULL);
  const Seen *stream = find_seen(found, "dir/a.txt:run.vbs", "raw");
  const Gap *old = find_gap(found, "dir/a.txt", TRIAGE_REASON_UNSUPPORTED_FORMAT);
  const Gap *packed = find_gap(found, "dir/a.txt:packed", TRIAGE_REASON_UNSUPPORTED_FORMAT);
  const Gap *comment = find_gap(found, "CMT", TRIAGE_REASON_UNSUPPORTED_FORMAT);
  if (!seen_is(stream, TEXT, sizeof TEXT - 1) || stream->error != NULL || old == NULL ||
      old->size != 5 || packed == NULL || packed->size != 9 || comment == NULL ||
      comment->size != 7 || found->gaps->len != 3) {
    print_found(found);
    fail_msg("a service block vanished");
  }
}

static const struct {
  const char *source, *member;
} SOURCES[] = {
    {FOLDER "rar5_arm.rar", "elf-Linux-ARMv7-ls"},
    {FOLDER "rar5_compressed.rar", "test.bin"},
    {FOLDER "rar5_stored.rar", "helloworld.txt"},
    {FOLDER "rar5_blake2.rar", "cebula.txt"},
    {FOLDER "rar_compress_best.rar", "LibarchiveAddingTest.html"},
    {FOLDER "rar_compress_normal.rar", "LibarchiveAddingTest.html"},
};

static bool make(const char *source, const char *name, const char *options) {
  g_autofree char *path = evidence_path(source);
  if (path == NULL)
    return false;
  g_autofree char *command = g_strdup_printf(
      "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_rar_secret.py '%s' geheim "
      "%s %s",
      path, name, options);
  run(command);
  return true;
}

static GBytes *plain_member(size_t i) {
  g_autofree char *path = evidence_path(SOURCES[i].source);
  g_autoptr(Found) found = unpack_file(path, NULL);
  const Seen *seen = find_seen(found, SOURCES[i].member, "raw");
  assert_true(seen != NULL && seen->error == NULL && seen->bytes != NULL);
  return g_bytes_ref(seen->bytes);
}

static void check_with(const char *name, size_t i, guint n_comments) {
  gsize n;
  g_autoptr(GBytes) wanted = plain_member(i);
  const void *bytes = g_bytes_get_data(wanted, &n);
  g_autofree char *path = scratch_path(name);
  g_autoptr(Found) found = unpack_with(path, "wrong\ngeheim");
  const Seen *seen = find_seen(found, SOURCES[i].member, "raw");
  bool is_told = n_comments == 0 || find_gap(found, "CMT", TRIAGE_REASON_ENCRYPTED) != NULL;
  if (!seen_is(seen, bytes, n) || seen->error != NULL || found->gaps->len != n_comments ||
      !is_told) {
    print_found(found);
    fail_msg("%s of %s is not there, or not the same", SOURCES[i].member, name);
  }
}

static void check(const char *name, size_t i) {
  check_with(name, i, 0);
}

static void test_made(void **state) {
  static const char *const WAYS[] = {"", "names"};
  bool has_unar = system("command -v unar >/dev/null") == 0;
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(SOURCES); i++) {
    for (size_t k = 0; k < G_N_ELEMENTS(WAYS); k++) {
      if (!make(SOURCES[i].source, "out.rar", WAYS[k])) {
        print_message("SKIPPED: TRIAGE_EVIDENCE is not set\n");
        skip();
      }
      check("out.rar", i);
      /* Debian's unar opens no encrypted RAR 3 archive, real ones neither. */
      if (has_unar && strstr(SOURCES[i].source, "rar5") != NULL)
        run("rm -rf un && unar -q -f -p geheim -o un out.rar && test -s un/*");
    }
  }
}

/* A checksum that does not hold is told, though the header hides it. */
static void test_hidden_sum(void **state) {
  (void)state;
  if (!make(SOURCES[1].source, "out.rar", "wrong"))
    skip();
  g_autofree char *path = scratch_path("out.rar");
  g_autoptr(Found) found = unpack_with(path, "geheim");
  const Seen *seen = find_seen(found, SOURCES[1].member, "raw");
  if (seen == NULL || seen->error == NULL || seen->reason != TRIAGE_REASON_BAD_CHECKSUM) {
    print_found(found);
    fail_msg("a wrong checksum is taken for right");
  }
}

/* Volumes one behind the other, as they are joined: the cipher goes on from one to the next. */
static void test_volumes(void **state) {
  static const struct {
    size_t source;
    const char *options;
    guint n_comments; /* encrypted, one a volume */
  } SETS[] = {
      {0, "volumes=21001", 0},
      {0, "volumes=21001 names", 0},
      {4, "volumes=2003", 0},
      {4, "volumes=2003 names", 0},
      {0, "volumes=21001 names service", 0},
      {4, "volumes=2003 service", 3},
  };
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(SETS); i++) {
    run("rm -f set.*");
    if (!make(SOURCES[SETS[i].source].source, "set.rar", SETS[i].options))
      skip();
    run("cat set.part*.rar >set.rar");
    check_with("set.rar", SETS[i].source, SETS[i].n_comments);
  }
}

/* Whether a password fits a stored member of version 3 its checksum alone tells. */
static void test_stored(void **state) {
  static const char *const WAYS[] = {"", "volumes=70000"};
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(WAYS); i++) {
    g_autofree char *command = g_strdup_printf(
        "rm -f out*.rar; python3 - <<'PY'\n"
        "import struct, zlib\n"
        "data = bytes(range(256)) * 1000\n"
        "def block(kind, flags, rest):\n"
        "    head = struct.pack('<BHH', kind, flags, 7 + len(rest)) + rest\n"
        "    return struct.pack('<H', zlib.crc32(head) & 0xFFFF) + head\n"
        "rest = struct.pack('<IIBIIBBHI', len(data), len(data), 3, zlib.crc32(data), 0, 29, 0x30, "
        "7, 0o100644)\n"
        "open('plain.rar', 'wb').write(b'Rar!\\x1a\\x07\\0' + block(0x73, 0, bytes(6)) +\n"
        "    block(0x74, 0x8000, rest + b'big.bin') + data + block(0x7B, 0x4000, b''))\n"
        "open('plain.bin', 'wb').write(data)\n"
        "PY\npython3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_rar_secret.py plain.rar geheim "
        "out.rar %s && cat out*.rar >set.rar",
        WAYS[i]);
    run(command);
    gsize n;
    g_autofree char *path = scratch_path("set.rar"), *plain = scratch_path("plain.bin");
    g_autoptr(GBytes) wanted = read_all(plain);
    const void *bytes = g_bytes_get_data(wanted, &n);
    g_autoptr(Found) found = unpack_with(path, "wrong\ngeheim");
    const Seen *seen = find_seen(found, "big.bin", "raw");
    if (!seen_is(seen, bytes, n) || seen->error != NULL || found->gaps->len > 0) {
      print_found(found);
      fail_msg("the first password was taken for the right one");
    }
    g_autoptr(Found) shut = unpack_with(path, "wrong");
    const Seen *closed = find_seen(shut, "big.bin", "raw");
    if (closed == NULL || closed->error == NULL || closed->reason != TRIAGE_REASON_ENCRYPTED) {
      print_found(shut);
      fail_msg("no word of its being encrypted");
    }
  }
}

/* Damaged ones, under the right password. */
static void test_mutated(void **state) {
  static const char *const FILES[] = {"rar5_encrypted_filenames", "rar5_solid_encrypted",
                                      "rar4_encrypted", "rar4_encrypted_filenames"};
  Options options = DEFAULTS;
  options.password = "password";
  (void)state;
  for (size_t i = 0; i < G_N_ELEMENTS(FILES); i++) {
    g_autofree char *name = g_strconcat(FOLDER, FILES[i], ".rar", NULL);
    g_autofree char *path = evidence_path(name);
    if (path == NULL) {
      g_clear_pointer(&name, g_free); /* skip() jumps over the cleanup */
      skip();
    }
    g_autoptr(GBytes) bytes = read_all(path);
    g_autoptr(GRand) random = g_rand_new_with_seed(815 + (guint32)i);
    for (unsigned k = 0; k < n_mutations() / 20; k++) {
      gsize n;
      const void *data = g_bytes_get_data(bytes, &n);
      g_autoptr(GByteArray) copy = g_byte_array_new();
      g_byte_array_append(copy, data, (guint)n);
      mutate(copy, random);
      g_autoptr(Found) found = unpack_bytes(copy->data, copy->len, &options);
      assert_true(found->seen->len >= 1);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_real),          cmocka_unit_test(test_solid),
      cmocka_unit_test(test_solid_volumes), cmocka_unit_test(test_recovery),
      cmocka_unit_test(test_made),          cmocka_unit_test(test_hidden_sum),
      cmocka_unit_test(test_volumes),       cmocka_unit_test(test_stored),
      cmocka_unit_test(test_mutated),       cmocka_unit_test(test_services),
  };
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
