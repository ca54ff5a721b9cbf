/* SPDX-License-Identifier: Apache-2.0 */
/* image_yal.c - what the formats read through libvhdi, libvmdk and libqcow share: their error texts
 * made ours, and reads that go on after a failure. The libraries are used by one thread. */
#include "base/text.h"
#include "evidence/image_format.h"
#include <string.h>

char *image_yal_text(const char *text) {
  size_t n = strcspn(text, "\n");
  /* "libvhdi_file_open: unable to ..." - the function's name tells the examiner nothing. */
  const char *colon = memchr(text, ':', n);
  if (colon != NULL && g_str_has_prefix(text, "lib") && colon[1] == ' ') {
    n -= (size_t)(colon + 2 - text);
    text = colon + 2;
  }
  n = MIN(n, (size_t)300);
  while (n > 0 && (text[n - 1] == '.' || text[n - 1] == '\r'))
    n--;
  return n > 0 ? text_printable(text, n) : g_strdup("no further detail");
}

/* The pieces a refused read is cut into: a large read, a cluster, a page, a sector. */
static size_t smaller(size_t n) {
  return n > 65536 ? 65536 : n > 4096 ? 4096 : n > 512 ? 512 : 0;
}

void image_yal_read(Image *image, ImageYalRead read, void *handle, uint64_t offset, uint8_t *buffer,
                    size_t n) {
  ssize_t got = read(handle, buffer, n, offset);
  if (got == (ssize_t)n)
    return;
  if (got > 0 && (size_t)got < n) {
    offset += (uint64_t)got, buffer += got, n -= (size_t)got;
  }
  size_t piece = smaller(n);
  if (piece == 0) {
    memset(buffer, 0, n);
    image_note_damage(image, offset, n,
                      got < 0 ? TRIAGE_REASON_READ_ERROR : TRIAGE_REASON_TRUNCATED);
    return;
  }
  while (n > 0) {
    size_t part = MIN(n, piece - (size_t)(offset % piece));
    image_yal_read(image, read, handle, offset, buffer, part);
    offset += part, buffer += part, n -= part;
  }
}
