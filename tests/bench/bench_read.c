/* SPDX-License-Identifier: Apache-2.0 */
/* bench_read.c - reads an image forward to its end through the product's own reader and does
 * nothing with the bytes: the floor of everything that has to read it. */
#include "evidence/image.h"
#include <stdio.h>

int main(int argc, char **argv) {
  enum { STEP = 1024 * 1024 };
  g_autoptr(GError) error = NULL;
  if (argc != 2) {
    fputs("usage: bench_read IMAGE\n", stderr);
    return 2;
  }
  g_autoptr(GPtrArray) segments = image_segments(argv[1], &error);
  g_autoptr(Image) image = segments != NULL ? image_open(segments, &error) : NULL;
  if (image == NULL) {
    fprintf(stderr, "bench_read: %s\n", error->message);
    return 2;
  }
  g_autofree uint8_t *buffer = g_malloc(STEP);
  uint64_t sum = 0;
  for (uint64_t at = 0; at < image_size(image); at += STEP) {
    image_read(image, at, buffer, (size_t)MIN(STEP, image_size(image) - at));
    sum += buffer[0];
  }
  printf("%llu bytes, %llu\n", (unsigned long long)image_size(image), (unsigned long long)sum);
  return 0;
}
