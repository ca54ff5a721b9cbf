/* SPDX-License-Identifier: Apache-2.0 */
/* bench_read.c - reads an image forward to its end through the product's own reader, and at most
 * computes the digests named: the floor of everything that has to read it. */
#include "base/digest.h"
#include "evidence/image.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  enum { STEP = 1024 * 1024 };
  g_autoptr(GError) error = NULL;
  if (argc != 2 && argc != 3) {
    fputs("usage: bench_read IMAGE [sha256,sha1,md5]\n", stderr);
    return 2;
  }
  const char *words = argc == 3 ? argv[2] : "";
  unsigned set = (strstr(words, "sha256") != NULL ? DIGEST_SHA256 : 0U) |
                 (strstr(words, "sha1") != NULL ? DIGEST_SHA1 : 0U) |
                 (strstr(words, "md5") != NULL ? DIGEST_MD5 : 0U);
  g_autoptr(GPtrArray) segments = image_segments(argv[1], &error);
  g_autoptr(Image) image = segments != NULL ? image_open(segments, &error) : NULL;
  if (image == NULL) {
    fprintf(stderr, "bench_read: %s\n", error->message);
    return 2;
  }
  g_autofree uint8_t *buffer = g_malloc(STEP);
  g_autoptr(Digester) digester = digester_new((DigestSet)set);
  for (uint64_t at = 0; at < image_size(image); at += STEP) {
    size_t n = (size_t)MIN(STEP, image_size(image) - at);
    image_read_passing(image, at, buffer, n);
    digester_update(digester, buffer, n);
  }
  Digests digests;
  digester_finish(digester, &digests);
  printf("%llu bytes %s %s %s\n", (unsigned long long)image_size(image), digests.sha256,
         digests.sha1, digests.md5);
  return 0;
}
