/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_vba.c - VBA source: chunks of up to 4096 bytes, each packed by itself, so that a damaged
 * one costs no other and no module needs its project. */
#include "unpack/unpack_vba.h"
#include "unpack/unpack_bytes.h"
#include <string.h>

enum { CHUNK_BYTES = 4096 };

/* One packed chunk. False where it contradicts itself; *n_out bytes came out all the same. */
static bool inflate_chunk(const uint8_t *p, const uint8_t *end, uint8_t *out, unsigned *n_out) {
  unsigned n = 0, bits = 4;
  while (p < end) {
    unsigned flags = *p++;
    for (unsigned i = 0; i < 8 && p < end; i++, flags >>= 1) {
      if ((flags & 1) == 0) {
        if (n == CHUNK_BYTES)
          return false;
        out[n++] = *p++;
        *n_out = n;
        continue;
      }
      if (end - p < 2 || n == 0)
        return false;
      while (bits < 12 && n > 1u << bits)
        bits++;
      unsigned token = bytes_le16(p);
      unsigned length = (token & (0xFFFFu >> bits)) + 3, back = (token >> (16 - bits)) + 1;
      p += 2;
      if (back > n || length > CHUNK_BYTES - n)
        return false;
      for (unsigned k = 0; k < length; k++, n++)
        out[n] = out[n - back];
      *n_out = n;
    }
  }
  return true;
}

bool vba_inflate(Unpack *unpack, const uint8_t *data, uint64_t size, Intake *intake,
                 GError **error) {
  uint8_t out[CHUNK_BYTES];
  uint64_t at = 1;
  if (size < 3 || data[0] != 1)
    return triage_fail(error, TRIAGE_REASON_CORRUPT, "no compressed VBA source begins here");
  while (size - at >= 2) {
    unsigned header = bytes_le16(data + at), n = 0;
    uint64_t packed = (header & 0xFFF) + 1u, left = size - at - 2;
    bool is_whole = true;
    if ((header >> 12 & 7) != 3)
      return at > 1 ||
             triage_fail(error, TRIAGE_REASON_CORRUPT, "no compressed VBA source begins here");
    uint64_t take = MIN(packed, left);
    const uint8_t *p = data + at + 2;
    if ((header & 0x8000) != 0) {
      is_whole = inflate_chunk(p, p + take, out, &n);
    } else {
      n = (unsigned)MIN(take, CHUNK_BYTES);
      memcpy(out, p, n);
    }
    if (!unpack_alive(unpack, take) || !intake_append(intake, out, n, error))
      return false;
    if (!is_whole)
      return triage_fail(
          error, TRIAGE_REASON_CORRUPT,
          "the VBA source is damaged at byte %" G_GUINT64_FORMAT " of its compressed form", at);
    if (take < packed)
      return triage_fail(error, TRIAGE_REASON_TRUNCATED,
                         "the compressed VBA source ends within a chunk");
    at += 2 + take;
    if (n < CHUNK_BYTES)
      break; /* only the last chunk is short */
  }
  return true;
}

uint64_t vba_find(const Content *content, uint64_t from) {
  static const char WORD[] = "Attribut";
  const uint8_t *data = content_data(content);
  uint64_t size = content_size(content);
  for (uint64_t at = MAX(from, 4); at < size; at++) {
    at = content_find(content, at, WORD, sizeof WORD - 1);
    /* Container mark, chunk header, and eight literals: nothing is there to be repeated yet. */
    if (at < size && data[at - 4] == 1 && (data[at - 2] & 0xF0) == 0xB0 && data[at - 1] == 0)
      return at - 4;
  }
  return size;
}

static bool take_budget(Unpack *unpack, const MemberPath *path, uint64_t size, VbaBudget *budget) {
  if (budget->bytes > 0 && budget->modules > 0)
    return true;
  if (!budget->is_told)
    unpack_gap(unpack, path, size, 0, TRIAGE_REASON_SIZE_LIMIT,
               "VBA modules behind the first %u, or the first %" G_GUINT64_FORMAT
               " bytes of source in one object, were not unpacked",
               LIMIT_VBA_MODULES, LIMIT_VBA_BYTES);
  budget->is_told = true;
  return false;
}

static Content *inflate_module(Unpack *unpack, Container *container, const uint8_t *data,
                               uint64_t size, VbaBudget *budget, GError **error) {
  Intake intake;
  intake_init(&intake, unpack, container);
  intake.data_left = MIN(intake.data_left, budget->bytes);
  vba_inflate(unpack, data, size, &intake, error);
  budget->modules--;
  budget->bytes -= MIN(budget->bytes, MAX(intake_size(&intake), CHUNK_BYTES));
  return intake_finish(&intake, *error == NULL ? error : NULL);
}

static void hand_out(Unpack *unpack, const MemberPath *path, Content *content, GError *error) {
  if (unpack->is_stopped)
    return;
  if (content == NULL || (content_size(content) == 0 && error != NULL)) {
    unpack_gap(unpack, path, 0, 0, triage_error_reason(error), "%s", error->message);
    return;
  }
  Member member = {.path = path, .content = content, .size = content_size(content), .error = error};
  unpack_view(unpack, &member);
}

void vba_hand_out(Unpack *unpack, Container *container, GBytes *name, const uint8_t *data,
                  uint64_t size, VbaBudget *budget) {
  const MemberPath path = {container->path, name, "vba", container->path->depth + 1};
  g_autoptr(GError) error = NULL;
  if (!take_budget(unpack, &path, size, budget))
    return;
  g_autoptr(Content) content = inflate_module(unpack, container, data, size, budget, &error);
  hand_out(unpack, &path, content, error);
}

/* The module's name, as its source begins: Attribute VB_Name = "Module1". */
static GBytes *carved_name(uint64_t at, const Content *content) {
  static const char WORD[] = "Attribute VB_Name = \"";
  GString *out = g_string_new(NULL);
  g_string_printf(out, "(carved at %" G_GUINT64_FORMAT ")", at);
  uint64_t size = content != NULL ? content_size(content) : 0;
  if (size > sizeof WORD && memcmp(content_data(content), WORD, sizeof WORD - 1) == 0) {
    const uint8_t *p = content_data(content) + sizeof WORD - 1;
    uint64_t n = MIN(size - (sizeof WORD - 1), 256);
    const uint8_t *quote = memchr(p, '"', n);
    if (quote != NULL && quote > p) {
      g_string_append_c(out, '/');
      g_string_append_len(out, (const char *)p, quote - p);
    }
  }
  return g_string_free_to_bytes(out);
}

void vba_carve(Unpack *unpack, Content *content, const MemberPath *path, GHashTable *known,
               VbaBudget *budget) {
  const uint8_t *data = content_data(content);
  uint64_t size = content_size(content);
  Container container = {.content = content, .path = path};
  for (uint64_t at = vba_find(content, 0); at < size && !unpack->is_stopped;
       at = vba_find(content, at + VBA_LEAST_BYTES)) {
    if (known != NULL && g_hash_table_contains(known, &at))
      continue;
    g_autoptr(GError) error = NULL;
    if (!take_budget(unpack, path, size, budget))
      return;
    g_autoptr(Content) source =
        inflate_module(unpack, &container, data + at, size - at, budget, &error);
    g_autoptr(GBytes) name = carved_name(at, source);
    const MemberPath view = {path, name, "vba", path->depth + 1};
    hand_out(unpack, &view, source, error);
  }
}

/* Records of a directory stream: identifier, size, data. One has a size that is a lie by
 * definition. */
void vba_read_dir(const uint8_t *data, uint64_t size,
                  void (*module)(void *user, const VbaModule *module), void *user) {
  enum { STREAM_NAME = 0x1A, STREAM_NAME_WIDE = 0x32, MODULE = 0x19, OFFSET = 0x31, VERSION = 9 };
  VbaModule current = {0};
  uint64_t at = 0;
  while (size - at >= 6) {
    unsigned id = bytes_le16(data + at);
    uint64_t n = id == VERSION ? 6 : bytes_le32(data + at + 2);
    const uint8_t *p = data + at + 6;
    if (n > size - at - 6)
      return;
    if (id == MODULE || id == STREAM_NAME) {
      current = (VbaModule){0};
    } else if (id == STREAM_NAME_WIDE) {
      current.name = p;
      current.name_bytes = (uint32_t)n;
    } else if (id == OFFSET && n == 4 && current.name != NULL) {
      current.offset = bytes_le32(p);
      module(user, &current);
    }
    at += 6 + n;
  }
}
