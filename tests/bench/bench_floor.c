/* SPDX-License-Identifier: Apache-2.0 */
/* bench_floor.c - the least that looking into everything can cost: every file below a directory is
 * read, searched for the shipped rule's words, and unpacked where it is a gzip or a zip (a level
 * deep, sums compared), what comes out searched too. No names, no views, no reports, no limits. */
#include <ftw.h>
#include <hs.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ROOM = 256 * 1024 * 1024, EOCD_BYTES = 22, CENTRAL_BYTES = 46, LOCAL_BYTES = 30 };

static struct { /* nftw has no room for a pointer of its own */
  hs_database_t *words;
  hs_scratch_t *scratch;
  struct libdeflate_decompressor *inflater;
  uint8_t *file, *out;
  uint64_t n_read, n_unpacked, n_members, n_found;
} floor_;

static int found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                 void *user) {
  (void)id, (void)from, (void)to, (void)flags, (void)user;
  floor_.n_found++;
  return 1; /* one is enough */
}

static void search(const uint8_t *data, size_t n) {
  hs_scan(floor_.words, (const char *)data, (unsigned)n, 0, floor_.scratch, found, NULL);
}

static uint32_t le32(const uint8_t *p) {
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t le16(const uint8_t *p) {
  return p[0] | (uint32_t)p[1] << 8;
}

static void took(size_t n) {
  floor_.n_members++;
  floor_.n_unpacked += n;
  search(floor_.out, n);
}

static void zip_member(const uint8_t *central, size_t size) {
  uint64_t packed = le32(central + 20), offset = le32(central + 42);
  if (offset > size || size - offset < LOCAL_BYTES)
    return;
  const uint8_t *local = floor_.file + offset;
  uint64_t head = LOCAL_BYTES + (uint64_t)le16(local + 26) + le16(local + 28);
  size_t made = 0;
  if (le16(central + 10) == 8 && head + packed <= size - offset &&
      libdeflate_deflate_decompress(floor_.inflater, local + head, packed, floor_.out, ROOM,
                                    &made) == LIBDEFLATE_SUCCESS &&
      libdeflate_crc32(0, floor_.out, made) == le32(central + 16))
    took(made);
}

static void unzip(size_t size) {
  const uint8_t *end = size >= EOCD_BYTES ? floor_.file + size - EOCD_BYTES : NULL;
  if (end == NULL || memcmp(end, "PK\5\6", 4) != 0 || le32(end + 16) > size)
    return;
  const uint8_t *p = floor_.file + le32(end + 16);
  while (p < end && (size_t)(end - p) >= CENTRAL_BYTES && memcmp(p, "PK\1\2", 4) == 0) {
    zip_member(p, size);
    p += CENTRAL_BYTES + le16(p + 28) + le16(p + 30) + le16(p + 32);
  }
}

static int take_file(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)place;
  FILE *file = kind == FTW_F && S_ISREG(status->st_mode) ? fopen(path, "rb") : NULL;
  if (file == NULL)
    return 0;
  setvbuf(file, NULL, _IONBF, 0);
  size_t n, made = 0, total = 0;
  while ((n = fread(floor_.file, 1, ROOM, file)) > 0) {
    search(floor_.file, n);
    total += n;
  }
  fclose(file);
  floor_.n_read += total;
  if (total < 18 || total > ROOM)
    return 0;
  if (memcmp(floor_.file, "\x1F\x8B\x08", 3) == 0) {
    if (libdeflate_gzip_decompress(floor_.inflater, floor_.file, total, floor_.out, ROOM, &made) ==
        LIBDEFLATE_SUCCESS)
      took(made);
  } else if (memcmp(floor_.file, "PK\3\4", 4) == 0) {
    unzip(total);
  }
  return 0;
}

int main(int argc, char **argv) {
  static const char *const WORDS[] = {"cdo\\.message", "cdosys\\.dll",
                                      "schemas\\.microsoft\\.com/cdo/configuration"};
  static const unsigned FLAGS[] = {HS_FLAG_CASELESS, HS_FLAG_CASELESS, HS_FLAG_CASELESS};
  static const unsigned IDS[] = {0, 1, 2};
  hs_compile_error_t *error = NULL;
  if (argc != 2) {
    fputs("usage: bench_floor DIRECTORY\n", stderr);
    return 2;
  }
  floor_.file = malloc(ROOM);
  floor_.out = malloc(ROOM);
  floor_.inflater = libdeflate_alloc_decompressor();
  if (floor_.file == NULL || floor_.out == NULL || floor_.inflater == NULL ||
      hs_compile_multi(WORDS, FLAGS, IDS, 3, HS_MODE_BLOCK, NULL, &floor_.words, &error) != 0 ||
      hs_alloc_scratch(floor_.words, &floor_.scratch) != 0)
    return 2;
  nftw(argv[1], take_file, 32, FTW_PHYS);
  printf("%llu bytes read, %llu members of %llu bytes unpacked, words in %llu\n",
         (unsigned long long)floor_.n_read, (unsigned long long)floor_.n_members,
         (unsigned long long)floor_.n_unpacked, (unsigned long long)floor_.n_found);
  return 0;
}
