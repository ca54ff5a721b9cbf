/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - the one escape of evidence bytes. */
#include "base/text.h"
#include <string.h>

/* Invisible or direction-changing characters let a name look like another one. */
static bool is_printable(gunichar c) {
  if (c == 0x00AD || c == 0x034F || c == 0x115F || c == 0x1160 || c == 0x3164 || c == 0xFFA0)
    return false;
  if ((c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0000 && c <= 0xE0FFF) || (c & 0xFFFE) == 0xFFFE)
    return false;
  switch (g_unichar_type(c)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT:
  case G_UNICODE_UNASSIGNED:
  case G_UNICODE_PRIVATE_USE:
  case G_UNICODE_SURROGATE:
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
    return false;
  default:
    return true;
  }
}

static void append_escaped(GString *out, const uint8_t *p, size_t n) {
  static const char HEX[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    char text[4] = {'\\', 'x', HEX[p[i] >> 4], HEX[p[i] & 15]};
    g_string_append_len(out, text, 4);
  }
}

void text_append_printable(GString *out, const void *bytes, size_t n) {
  if (n == 0)
    return; /* bytes may be NULL */
  const uint8_t *p = bytes, *end = p + n;
  while (p < end) {
    if (*p == '\\' || *p == '\n' || *p == '\t') {
      g_string_append(out, *p == '\\' ? "\\\\" : *p == '\n' ? "\\n" : "\\t");
      p++;
    } else if (*p >= 0x20 && *p < 0x7F) {
      g_string_append_c(out, (char)*p++);
    } else {
      gunichar c = g_utf8_get_char_validated((const char *)p, end - p);
      if (c == 0 || c == (gunichar)-1 || c == (gunichar)-2 || !g_unichar_validate(c)) {
        append_escaped(out, p++, 1);
        continue;
      }
      size_t length = (size_t)g_unichar_to_utf8(c, NULL);
      if (is_printable(c))
        g_string_append_len(out, (const char *)p, (gssize)length);
      else
        append_escaped(out, p, length);
      p += length;
    }
  }
}

char *text_printable(const void *bytes, size_t n) {
  GString *out = g_string_sized_new(n + 1);
  text_append_printable(out, bytes, n);
  return g_string_free(out, FALSE);
}

char *text_hex(const void *bytes, size_t n) {
  static const char HEX[] = "0123456789abcdef";
  const uint8_t *p = bytes;
  char *out = g_malloc(2 * n + 1);
  for (size_t i = 0; i < n; i++) {
    out[2 * i] = HEX[p[i] >> 4];
    out[2 * i + 1] = HEX[p[i] & 15];
  }
  out[2 * n] = '\0';
  return out;
}

bool text_is_printable(const char *text) {
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
    if (*p >= 0x20 && *p < 0x7F)
      continue; /* nearly all there is */
    gunichar c = g_utf8_get_char_validated(p, -1);
    if (c == (gunichar)-1 || c == (gunichar)-2 || !is_printable(c))
      return false;
  }
  return true;
}
