/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_text.c - UTF-16 text as UTF-8, a view of its own beside the raw bytes: rules are written
 * in ASCII. By hand, because character set converters load files and the sandbox has none. */
#include "unpack/unpack_private.h"
#include <string.h>

enum { SAMPLE_BYTES = 64 * 1024, LEAST_BYTES = 16, BUFFER_BYTES = 64 * 1024 };

static uint16_t unit_at(const uint8_t *p, bool is_big) {
  return (uint16_t)(is_big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

/* The blocks that hold the world's running text: all but half of the code points are none of it. */
static bool is_text_unit(uint16_t unit) {
  if (unit < 0x20)
    return unit == '\t' || unit == '\n' || unit == '\r';
  return (unit < 0x0800 && unit != 0x7F) || (unit >= 0x0900 && unit <= 0x0DFF) ||
         (unit >= 0x1E00 && unit <= 0x206F) || (unit >= 0x20A0 && unit <= 0x214F) ||
         (unit >= 0x3000 && unit <= 0x30FF) || (unit >= 0x4E00 && unit <= 0x9FFF) ||
         (unit >= 0xAC00 && unit <= 0xD7A3) || (unit >= 0xFF00 && unit <= 0xFFEF);
}

/* Nearly all of the sample text; without a mark half of it plain ASCII too. */
static bool looks_like(const uint8_t *data, uint64_t size, bool is_big, bool has_mark) {
  uint64_t n_units = MIN(size, SAMPLE_BYTES) / 2, n_plain = 0, n_text = 0;
  for (uint64_t i = has_mark ? 1 : 0; i < n_units; i++) {
    uint16_t unit = unit_at(data + 2 * i, is_big);
    bool is_text = is_text_unit(unit) || (unit >= 0xD83C && unit <= 0xD83E) ||
                   (i > 0 && unit >= 0xDC00 && unit <= 0xDFFF);
    n_text += is_text;
    n_plain += is_text && unit < 0x7F;
  }
  return n_text * 10 >= (n_units - has_mark) * 9 && (has_mark || n_plain * 2 >= n_units);
}

static size_t put_utf8(uint8_t *out, uint32_t c) {
  if (c < 0x80) {
    out[0] = (uint8_t)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (uint8_t)(0xC0 | c >> 6);
    out[1] = (uint8_t)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (uint8_t)(0xE0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (uint8_t)(0xF0 | c >> 18);
  out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
  out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
  out[3] = (uint8_t)(0x80 | (c & 0x3F));
  return 4;
}

/* The character at p, of 2 or 4 bytes; a lone surrogate stands as U+FFFD. */
static uint32_t take_character(const uint8_t **p, const uint8_t *end, bool is_big) {
  uint32_t c = unit_at(*p, is_big);
  *p += 2;
  if (c < 0xD800 || c > 0xDFFF)
    return c;
  if (c < 0xDC00 && end - *p >= 2) {
    uint32_t low = unit_at(*p, is_big);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      *p += 2;
      return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
  }
  return 0xFFFD;
}

static Content *convert(Unpack *unpack, const uint8_t *data, uint64_t size, bool is_big,
                        GError **error) {
  const uint8_t *p = data, *end = data + (size & ~UINT64_C(1));
  g_autofree uint8_t *buffer = g_malloc(BUFFER_BYTES);
  g_autoptr(ContentBuilder) builder = content_builder_new(unpack->options->spool, size / 2 * 3 + 4);
  while (p < end) {
    const uint8_t *from = p;
    size_t n = 0;
    while (p < end && n <= BUFFER_BYTES - 4)
      n += put_utf8(buffer + n, take_character(&p, end, is_big));
    if (!content_builder_append(builder, buffer, n, error) ||
        !unpack_alive(unpack, (uint64_t)(p - from)))
      return NULL;
  }
  return content_builder_finish(g_steal_pointer(&builder), error);
}

void unpack_text_views(Unpack *unpack, const Member *member) {
  const uint8_t *data = content_data(member->content);
  uint64_t size = content_size(member->content);
  bool is_little_mark = size >= 2 && data[0] == 0xFF && data[1] == 0xFE;
  bool is_big_mark = size >= 2 && data[0] == 0xFE && data[1] == 0xFF;
  bool has_mark = is_little_mark || is_big_mark;
  if (unpack->is_stopped || size < LEAST_BYTES)
    return;
  bool is_little = !is_big_mark && looks_like(data, size, false, is_little_mark);
  bool is_big = !is_little && !is_little_mark && looks_like(data, size, true, is_big_mark);
  if (!is_little && !is_big)
    return;
  MemberPath path = *member->path;
  path.view = is_big ? "utf-16be" : "utf-16le";
  g_autoptr(GError) error = NULL;
  unsigned skip = has_mark ? 2 : 0;
  g_autoptr(Content) content = convert(unpack, data + skip, size - skip, is_big, &error);
  if (unpack->is_stopped)
    return;
  if (content == NULL) {
    unpack_gap(unpack, &path, size, 0, triage_error_reason(error),
               "the text is UTF-16 and could not be converted for scanning: %s", error->message);
    return;
  }
  Member view = *member;
  view.path = &path;
  view.content = content;
  view.size = content_size(content);
  view.error = NULL;
  if (unpack->sink->member != NULL && !unpack->sink->member(unpack->sink->user, &view))
    unpack->is_stopped = true;
}
