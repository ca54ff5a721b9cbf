/* SPDX-License-Identifier: Apache-2.0 */
/* test_flips.c - a bit of an archive turns over, anywhere: for each format, and each way of packing
 * in it, that is told, or changes nothing of what comes out. Where a format keeps no sum of its
 * members, changed bytes are no one's to notice; a member that is gone is. Not turned are the first
 * bytes, by which a format is known. TRIAGE_FLIPS sets another number than a dozen. */
#include "unpack_mutate.h"

#define REAL "real/libarchive/test_read_format_"

typedef struct {
  const char *name, *command; /* makes out of a.txt, b.bin; or a file of the evidence */
  const char *password;
  bool is_real, has_no_sum;
  guint from, to; /* bytes that turn over; 0: behind MAGIC_BYTES, to the end */
} Format;

enum { MAGIC_BYTES = 8, FLIPS = 12 };

static const Format FORMATS[] = {
    {.name = "zip-deflate", .command = "zip -q -9 out a.txt b.bin && mv out.zip out"},
    {.name = "zip-store", .command = "zip -q -0 out a.txt b.bin && mv out.zip out"},
    {.name = "zip-bzip2", .command = "zip -q -Z bzip2 out a.txt b.bin && mv out.zip out"},
    {.name = "zip-stream", .command = "bsdtar --format zip -cf - a.txt b.bin | cat >out"},
    {.name = "zip-fd", .command = "zip -q - a.txt b.bin | cat >out"},
    {.name = "zip-lzma",
     .command = "7z a -bd -tzip -mm=LZMA out.zip a.txt b.bin && mv out.zip out"},
    {.name = "zip-ppmd",
     .command = "7z a -bd -tzip -mm=PPMd out.zip a.txt b.bin && mv out.zip out"},
    {.name = "zip-crypto",
     .command = "zip -q -P infected out a.txt b.bin && mv out.zip out",
     .password = "infected"},
    {.name = "zip-crypto-store",
     .command = "zip -q -0 -P infected out a.txt b.bin && mv out.zip out",
     .password = "infected"},
    {.name = "zip-aes",
     .command = "7z a -bd -tzip -mem=AES256 -pinfected out.zip a.txt b.bin && mv out.zip out",
     .password = "infected"},
    {.name = "zip-aes-store",
     .command =
         "7z a -bd -tzip -mm=Copy -mem=AES256 -pinfected out.zip a.txt b.bin && mv out.zip out",
     .password = "infected"},
    {.name = "7z-lzma", .command = "7z a -bd -m0=LZMA out.7z a.txt b.bin && mv out.7z out"},
    {.name = "7z-lzma2", .command = "7z a -bd -m0=LZMA2 out.7z a.txt b.bin && mv out.7z out"},
    {.name = "7z-ppmd1", .command = "7z a -bd -m0=PPMd out.7z a.txt && mv out.7z out"},
    {.name = "7z-ppmd", .command = "7z a -bd -m0=PPMd out.7z a.txt b.bin && mv out.7z out"},
    {.name = "7z-bzip2", .command = "7z a -bd -m0=BZip2 out.7z a.txt b.bin && mv out.7z out"},
    {.name = "7z-deflate", .command = "7z a -bd -m0=Deflate out.7z a.txt b.bin && mv out.7z out"},
    {.name = "7z-copy", .command = "7z a -bd -m0=Copy out.7z a.txt b.bin && mv out.7z out"},
    {.name = "7z-bcj", .command = "7z a -bd -m0=BCJ -m1=LZMA out.7z a.txt b.bin && mv out.7z out"},
    {.name = "7z-bcj2",
     .command = "7z a -bd -m0=BCJ2 -m1=LZMA -m2=LZMA -m3=LZMA -mb0:1 -mb0s1:2 -mb0s2:3 out.7z "
                "a.txt b.bin && mv out.7z out"},
    {.name = "7z-folders", .command = "7z a -bd -ms=off out.7z a.txt b.bin && mv out.7z out"},
    {.name = "7z-secret",
     .command = "7z a -bd -pinfected out.7z a.txt b.bin && mv out.7z out",
     .password = "infected"},
    {.name = "7z-secret-he",
     .command = "7z a -bd -mhe=on -pinfected out.7z a.txt b.bin && mv out.7z out",
     .password = "infected"},
    {.name = "7z-secret-copy",
     .command = "7z a -bd -m0=Copy -mhe=on -pinfected out.7z a.txt b.bin && mv out.7z out",
     .password = "infected"},
    {.name = "rar3-best", .command = REAL "rar_compress_best.rar", .is_real = true},
    {.name = "rar3-normal", .command = REAL "rar_compress_normal.rar", .is_real = true},
    {.name = "rar3-store",
     .command = "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_rar.py a.txt a.txt 99999 out"},
    {.name = "rar3-vol", .command = REAL "rar.rar", .is_real = true},
    {.name = "rar3-secret",
     .command = REAL "rar_encryption_data.rar",
     .password = "12345678",
     .is_real = true},
    {.name = "rar5-packed", .command = REAL "rar5_compressed.rar", .is_real = true},
    {.name = "rar5-store", .command = REAL "rar5_stored.rar", .is_real = true},
    {.name = "rar5-stored-blake",
     .command = "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_rar5.py a.txt a.txt out"},
    {.name = "rar5-blake", .command = REAL "rar5_blake2.rar", .is_real = true},
    {.name = "rar5-files", .command = REAL "rar5_multiple_files.rar", .is_real = true},
    {.name = "rar5-stored-files", .command = REAL "rar5_stored_manyfiles.rar", .is_real = true},
    {.name = "rar5-solid", .command = REAL "rar5_multiple_files_solid.rar", .is_real = true},
    {.name = "rar5-secret",
     .command = REAL "rar5_encrypted_filenames.rar",
     .password = "password",
     .is_real = true},
    {.name = "lha0", .command = REAL "lha_header0.lzh", .is_real = true, .from = 21},
    {.name = "lha1", .command = REAL "lha_header1.lzh", .is_real = true, .from = 256},
    {.name = "lha2", .command = REAL "lha_header2.lzh", .is_real = true, .from = 21},
    {.name = "lha3", .command = REAL "lha_header3.lzh", .is_real = true, .from = 21},
    {.name = "lha-lh0", .command = REAL "lha_lh0.lzh", .is_real = true, .from = 21},
    {.name = "lha-lh6", .command = REAL "lha_lh6.lzh", .is_real = true, .from = 21},
    {.name = "cab1", .command = REAL "cab_1.cab", .is_real = true},
    {.name = "cab2", .command = REAL "cab_2.cab", .is_real = true},
    {.name = "cab3", .command = REAL "cab_3.cab", .is_real = true},
    {.name = "xar", .command = "bsdtar --format xar -cf out a.txt b.bin"},
    {.name = "xar-bz",
     .command = "bsdtar --format xar --options compression=bzip2,checksum=md5 -cf out a.txt b.bin"},
    {.name = "xar-nosum",
     .command = "bsdtar --format xar --options compression=none,checksum=none,toc-checksum=none "
                "-cf out a.txt "
                "b.bin",
     .has_no_sum = true},
    {.name = "cpio-crc", .command = "real/libarchive/test_gcpio_compat_ref.crc", .is_real = true},
    {.name = "cpio-newc",
     .command = "bsdtar --format newc -cf out a.txt b.bin",
     .has_no_sum = true},
    {.name = "cpio-odc", .command = "bsdtar --format odc -cf out a.txt b.bin", .has_no_sum = true},
    {.name = "iso", .command = "bsdtar --format iso9660 -cf out a.txt b.bin", .has_no_sum = true},
    {.name = "warc",
     .command = "bsdtar --format warc -cf out a.txt b.bin",
     .has_no_sum = true,
     .from = 1000,
     .to = 13000},
    {.name = "warc-digest",
     .command = "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_warc.py a.txt out sha1",
     .from = 300},
    {.name = "warc-sha256",
     .command = "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_warc.py a.txt out sha256",
     .from = 400},
    {.name = "warc-md5",
     .command = "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_warc.py a.txt out md5",
     .from = 400},
    {.name = "rpm6",
     .command = "python3 ${TRIAGE_SOURCE:-.}/tests/unit/unpack/make_rpm.py a.txt out",
     .from = 300},
    {.name = "ar", .command = "bsdtar --format ar -cf out a.txt b.bin", .has_no_sum = true},
    {.name = "ustar", .command = "bsdtar --format ustar -cf out a.txt b.bin", .has_no_sum = true},
    {.name = "pax", .command = "bsdtar --format pax -cf out a.txt b.bin", .has_no_sum = true},
    {.name = "gnutar", .command = "bsdtar --format gnutar -cf out a.txt b.bin", .has_no_sum = true},
    {.name = "gzip", .command = "gzip -9 <a.txt >out"},
    {.name = "gzip2", .command = "{ gzip -9 <a.txt; gzip <b.bin; } >out"},
    {.name = "gzip-large", .command = "{ head -c 5000000 /dev/zero; cat a.txt; } | gzip -9 >out"},
    {.name = "tgz", .command = "bsdtar -czf out a.txt b.bin"},
    {.name = "zlib",
     .command = "python3 -c 'import sys, zlib; "
                "sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))' <a.txt >out",
     .from = 1024},
    {.name = "bzip2", .command = "bzip2 <a.txt >out"},
    {.name = "bzip2-2", .command = "{ bzip2 <a.txt; bzip2 <b.bin; } >out"},
    {.name = "xz", .command = "xz <a.txt >out"},
    {.name = "xz-2", .command = "{ xz <a.txt; xz <b.bin; } >out"},
    {.name = "xz-crc32", .command = "xz -Ccrc32 <a.txt >out"},
    {.name = "xz-sha", .command = "xz -Csha256 <a.txt >out"},
    {.name = "xz-none", .command = "xz -Cnone <a.txt >out", .has_no_sum = true},
    {.name = "lzma", .command = "xz --format=lzma <a.txt >out", .has_no_sum = true, .from = 13},
    {.name = "lzip", .command = "bsdtar --format raw --lzip -cf out a.txt"},
    {.name = "zstd", .command = "zstd -q --check <a.txt >out"},
    {.name = "zstd-2", .command = "{ zstd -q --check <a.txt; zstd -q <b.bin; } >out"},
    {.name = "zstd-nosum", .command = "zstd -q --no-check <a.txt >out", .has_no_sum = true},
    {.name = "lz4", .command = "lz4 -q <a.txt >out"},
    {.name = "lz4-2", .command = "{ lz4 -q <a.txt; lz4 -q <b.bin; } >out"},
    {.name = "lz4-blocks", .command = "lz4 -q -BX <a.txt >out"},
    {.name = "lz4-nosum", .command = "lz4 -q --no-frame-crc <a.txt >out", .has_no_sum = true},
    {.name = "lz4-legacy", .command = "lz4 -q -l <a.txt >out", .has_no_sum = true},
    {.name = "compress", .command = "bsdtar --format raw -Z -cf out a.txt", .has_no_sum = true},
    {.name = "uu", .command = "bsdtar --format raw --uuencode -cf out a.txt", .has_no_sum = true},
    {.name = "rpm", .command = REAL "cpio_svr4_gzip_rpm.rpm", .is_real = true},
    {.name = "rpm-bz", .command = REAL "cpio_svr4_bzip2_rpm.rpm", .is_real = true},
};

/* Is there word of damage that the sound archive gives none of? */
static bool is_told(const Found *found, const Found *whole) {
  for (guint i = 0; i < found->gaps->len; i++) {
    const Gap *gap = found->gaps->pdata[i];
    bool is_new = true;
    for (guint k = 0; k < whole->gaps->len; k++) {
      const Gap *old = whole->gaps->pdata[k];
      is_new =
          is_new && (strcmp(old->path, gap->path) != 0 || strcmp(old->detail, gap->detail) != 0);
    }
    if (is_new)
      return true;
  }
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    const Seen *old = find_seen(whole, seen->path, seen->view);
    if (seen->error != NULL && (old == NULL || old->error == NULL))
      return true;
  }
  return false;
}

static gint by_text(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *contents(const Found *found, guint *n) {
  g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < found->seen->len; i++) {
    const Seen *seen = found->seen->pdata[i];
    if (seen->depth == 0 || strcmp(seen->view, "raw") != 0)
      continue;
    if (seen->bytes == NULL) {
      g_ptr_array_add(list, g_strdup_printf("large %lu", (unsigned long)seen->got));
      continue;
    }
    gsize size;
    const void *bytes = g_bytes_get_data(seen->bytes, &size);
    g_ptr_array_add(list, g_compute_checksum_for_data(G_CHECKSUM_SHA1, bytes, size));
  }
  *n = list->len;
  g_ptr_array_sort(list, by_text);
  g_ptr_array_add(list, NULL);
  return g_strjoinv("\n", (char **)list->pdata);
}

/* The archive's bytes; NULL where there is no evidence. */
static GBytes *make(const Format *format) {
  if (format->is_real) {
    g_autofree char *path = evidence_path(format->command);
    return path != NULL ? read_all(path) : NULL;
  }
  g_autofree char *line = g_strconcat("rm -f out*; ", format->command, NULL);
  g_autofree char *path = scratch_path("out");
  run(line);
  return read_all(path);
}

static void check(const Format *format, unsigned n_flips) {
  Options options = DEFAULTS;
  options.password = format->password;
  g_autoptr(GBytes) bytes = make(format);
  if (bytes == NULL)
    return;
  gsize n;
  const void *data = g_bytes_get_data(bytes, &n);
  guint n_members, n_now, from = format->from > 0 ? format->from : MAGIC_BYTES, n_told = 0;
  g_autoptr(Found) whole = unpack_bytes(data, n, &options);
  g_autofree char *wanted = contents(whole, &n_members);
  if (n_members == 0 || whole->gaps->len > 0) {
    print_found(whole);
    fail_msg("%s: not unpacked before any damage", format->name);
  }
  g_autoptr(GRand) random = g_rand_new_with_seed(4711);
  for (unsigned i = 0; i < n_flips; i++) {
    g_autoptr(GByteArray) copy = g_byte_array_new();
    g_byte_array_append(copy, data, (guint)n);
    guint at =
        (guint)g_rand_int_range(random, (gint32)from, (gint32)(format->to > 0 ? format->to : n));
    copy->data[at] ^= (guint8)(1u << g_rand_int_range(random, 0, 8));
    g_autoptr(Found) found = unpack_bytes(copy->data, copy->len, &options);
    g_autofree char *got = contents(found, &n_now);
    bool is_known = is_told(found, whole);
    n_told += is_known;
    if (is_known || strcmp(got, wanted) == 0 || (format->has_no_sum && n_now >= n_members))
      continue;
    print_found(found);
    fail_msg("%s: byte %u of %zu is damaged and no word of it", format->name, at, n);
  }
  print_message("%s: %u of %u flips told\n", format->name, n_told, n_flips);
}

static void test_flips(void **state) {
  const char *wanted = getenv("TRIAGE_FLIPS");
  unsigned n_flips = wanted != NULL ? (unsigned)g_ascii_strtoull(wanted, NULL, 10) : FLIPS;
  g_autoptr(GString) text = g_string_new("");
  g_autoptr(GRand) random = g_rand_new_with_seed(1);
  (void)state;
  for (unsigned i = 0; i < 400; i++)
    g_string_append_printf(text, "line %u of the text, %u\r\n", i, g_rand_int(random));
  put_file("a.txt", text->str, text->len);
  g_string_truncate(text, 0);
  for (unsigned i = 0; i < 3000; i++)
    g_string_append_c(text, (char)g_rand_int_range(random, 0, 256));
  put_file("b.bin", text->str, text->len);
  for (size_t i = 0; i < G_N_ELEMENTS(FORMATS); i++)
    check(&FORMATS[i], n_flips);
  if (getenv("TRIAGE_EVIDENCE") == NULL)
    print_message("SKIPPED in part: TRIAGE_EVIDENCE is not set\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_flips)};
  return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
