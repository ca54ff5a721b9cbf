/* SPDX-License-Identifier: Apache-2.0 */
/* read_content.c - content is told by its bytes alone; names do not count here. */
#include "assess/read_content.h"
#include "base/limits.h"
#include <string.h>

static bool starts(const uint8_t *data, uint64_t size, const char *mark, size_t n) {
  return size >= n && memcmp(data, mark, n) == 0;
}

static bool is_text_byte(uint8_t c) {
  return c >= 0x20 ? c != 0x7f : c == '\n' || c == '\r' || c == '\t' || c == '\f';
}

static bool is_all_text(const uint8_t *data, uint64_t size) {
  for (uint64_t i = 0; i < size; i++)
    if (!is_text_byte(data[i]) && !(data[i] == 0x1a && i + 1 == size))
      return false;
  return true;
}

static bool has_line(const uint8_t *data, uint64_t n, const char *word) {
  size_t length = strlen(word);
  for (const uint8_t *at = data; (uint64_t)(at - data) + length <= n; at++) {
    if (g_ascii_strncasecmp((const char *)at, word, length) == 0)
      return true;
    at = memchr(at, '\n', n - (uint64_t)(at - data));
    if (at == NULL)
      return false;
  }
  return false;
}

/* "From " lines with header fields behind them, as mail programs write them: two of the fields that
 * only a stored message has. */
static bool is_mbox(const uint8_t *data, uint64_t size) {
  uint64_t n = MIN(size, 4 * KIB);
  if (!starts(data, size, "From ", 5))
    return false;
  static const char *const fields[] = {
      "Message-ID:", "X-Mozilla-Status:", "Received:", "Date:", "Subject:", "From:", "To:"};
  guint found = 0;
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
    found += has_line(data, n, fields[i]) ? 1 : 0;
  return found >= 3;
}

static bool is_mail(const uint8_t *data, uint64_t size) {
  static const char *const first[] = {
      "Received:",   "Return-Path:",  "From:",    "To:", "Date:",
      "Message-ID:", "MIME-Version:", "Subject:", "X-",  "Delivered-To:"};
  uint64_t n = MIN(size, 4 * KIB);
  for (guint i = 0; i < G_N_ELEMENTS(first); i++)
    if (starts(data, size, first[i], strlen(first[i])))
      return has_line(data, n, "From:") &&
             (has_line(data, n, "Date:") || has_line(data, n, "MIME-Version:") ||
              has_line(data, n, "Message-ID:"));
  return false;
}

/* [MS-PST] 2.2.2.6: dwMagic, wMagicClient "SM", wVer (14, 15: ANSI; 23 and up: Unicode). */
static bool is_outlook_data(const uint8_t *data, uint64_t size) {
  return size >= 512 && starts(data, size, "!BDN", 4) &&
         (memcmp(data + 8, "SM", 2) == 0 || memcmp(data + 8, "SO", 2) == 0);
}

static bool is_program(const uint8_t *data, uint64_t size) {
  if (starts(data, size, "MZ", 2) && size >= 0x40) {
    uint32_t at = data[0x3c] | (uint32_t)data[0x3d] << 8 | (uint32_t)data[0x3e] << 16 |
                  (uint32_t)data[0x3f] << 24;
    return at <= size - 4 &&
           (memcmp(data + at, "PE\0\0", 4) == 0 || memcmp(data + at, "NE", 2) == 0);
  }
  return starts(data, size, "\177ELF", 4);
}

static bool is_rules(const uint8_t *data, uint64_t size) {
  uint64_t n = MIN(size, 64 * KIB);
  return (has_line(data, n, "rule ") || has_line(data, n, "private rule ")) &&
         memmem(data, n, "condition:", 10) != NULL;
}

const char *content_mail_store(const uint8_t *data, uint64_t size) {
  return is_outlook_data(data, size) ? "outlook-data" : is_mbox(data, size) ? "mbox" : NULL;
}

const char *content_kind(const uint8_t *data, uint64_t size, bool *is_text) {
  *is_text = is_all_text(data, size);
  const char *store = content_mail_store(data, size);
  if (store != NULL)
    return store;
  if (is_program(data, size))
    return "program";
  if (!*is_text)
    return "binary";
  if (is_mail(data, size))
    return "mail";
  return is_rules(data, size) ? "rules" : "text";
}

static const uint8_t *find_anchor(const uint8_t *data, uint64_t n) {
  for (uint64_t i = 1; i + 1 < n; i++)
    if ((data[i] | 0x20) == 'd' && (data[i - 1] | 0x20) == 'c' && (data[i + 1] | 0x20) == 'o')
      return data + i;
  return NULL;
}

bool content_next_stretch(const uint8_t *data, uint64_t size, Stretch *stretch) {
  uint64_t from = stretch->at + stretch->n;
  const uint8_t *anchor = from < size ? find_anchor(data + from, size - from) : NULL;
  if (anchor == NULL)
    return false;
  uint64_t middle = (uint64_t)(anchor - data), start = middle, end = middle;
  while (start > from && middle - start < LIMIT_STRETCH_BYTES / 4 && is_text_byte(data[start - 1]))
    start--;
  while (end < size && end - start < LIMIT_STRETCH_BYTES && is_text_byte(data[end]))
    end++;
  *stretch = (Stretch){start, end - start};
  return true;
}
