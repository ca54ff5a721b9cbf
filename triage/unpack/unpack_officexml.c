/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_officexml.c - Office documents as one XML file (flat OPC, Word 2003, flat OpenDocument):
 * what they hold in base64, the VBA project above all; and ActiveMime, in which Word wraps that. */
#include "unpack/unpack_private.h"
#include <string.h>

enum { CHUNK_BYTES = 32 * 1024, LOOK_BACK = 4096 };

static bool read_base64(Unpack *unpack, const uint8_t *p, uint64_t n, Intake *intake,
                        GError **error) {
  g_autofree guchar *out = g_malloc(CHUNK_BYTES / 4 * 3 + 8);
  gint state = 0;
  guint save = 0;
  for (uint64_t done = 0; done < n; done += CHUNK_BYTES) {
    gsize take = (gsize)MIN(n - done, CHUNK_BYTES);
    gsize got = g_base64_decode_step((const gchar *)p + done, take, out, &state, &save);
    if (!unpack_alive(unpack, take) || !intake_append(intake, out, got, error))
      return false;
  }
  return true;
}

static const uint8_t *find(const uint8_t *from, const uint8_t *end, const char *text) {
  return from < end ? memmem(from, (size_t)(end - from), text, strlen(text)) : NULL;
}

/* The value of the last attribute called name between from and end. */
static GBytes *last_attribute(const uint8_t *from, const uint8_t *end, const char *name) {
  const uint8_t *value = NULL;
  for (const uint8_t *p = from; (p = find(p, end, name)) != NULL;)
    value = p += strlen(name);
  const uint8_t *quote = value != NULL ? memchr(value, '"', (size_t)(end - value)) : NULL;
  if (quote == NULL || quote == value)
    return NULL;
  value += *value == '/' && quote - value > 1; /* as the same part is called in a zip */
  return g_bytes_new(value, (gsize)(quote - value));
}

static GBytes *part_name(const uint8_t *start, const uint8_t *tag, const uint8_t *tag_end,
                         unsigned number) {
  GBytes *name = last_attribute(tag, tag_end, ":name=\"");
  if (name == NULL)
    name = last_attribute(tag - MIN(tag - start, LOOK_BACK), tag, "pkg:name=\"");
  if (name != NULL)
    return name;
  g_autofree char *made = g_strdup_printf("(unnamed %u)", number);
  return g_bytes_new(made, strlen(made));
}

/* The nearest tag whose data are base64: *tag its first letter, returns the byte behind its '>'. */
static const uint8_t *next_tag(const uint8_t *from, const uint8_t *end, const uint8_t **tag) {
  static const char *const TAGS[] = {"<pkg:binaryData", "<w:binData", "<office:binary-data"};
  for (const uint8_t *p = from; p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL; p++) {
    for (size_t i = 0; i < G_N_ELEMENTS(TAGS); i++) {
      size_t n = strlen(TAGS[i]);
      if ((size_t)(end - p) <= n || memcmp(p, TAGS[i], n) != 0)
        continue;
      const uint8_t *close = memchr(p, '>', MIN((size_t)(end - p), LOOK_BACK));
      if (close == NULL || close[-1] == '/')
        break;
      *tag = p;
      return close + 1;
    }
  }
  return NULL;
}

void unpack_officexml_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *start = content_data(container->content);
  const uint8_t *end = start + content_size(container->content), *tag = NULL, *p = start;
  (void)self;
  for (unsigned number = 1; !unpack->is_stopped && (p = next_tag(p, end, &tag)) != NULL; number++) {
    const uint8_t *stop = memchr(p, '<', (size_t)(end - p));
    g_autoptr(GError) error = NULL;
    if (number > LIMIT_EMBEDDED || unpack_budget(unpack) == 0) {
      unpack_damage(unpack, container, TRIAGE_REASON_SIZE_LIMIT,
                    "parts behind the first %u of the document were not decoded", number - 1);
      return;
    }
    g_autoptr(GBytes) name = part_name(start, tag, p, number);
    Intake intake;
    intake_init(&intake, unpack, container);
    uint64_t n = (uint64_t)((stop != NULL ? stop : end) - p);
    if (read_base64(unpack, p, n, &intake, &error) && stop == NULL)
      triage_fail(&error, TRIAGE_REASON_TRUNCATED, "the document ends within this part");
    intake_hand_out(&intake, name, 0, error);
    p += n;
  }
}

/* A header of 50 bytes, then zlib data; the header's own length field is not to be trusted. */
void unpack_activemime_open(Unpack *unpack, const Unpacker *self, Container *container) {
  enum { USUAL = 0x32, FURTHEST = 1024 };
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content), at = USUAL;
  while (size > 2 && at < MIN(size - 2, FURTHEST) &&
         ((data[at] & 0x0F) != 8 || (data[at] << 8 | data[at + 1]) % 31 != 0))
    at++;
  if (size <= 2 || at >= MIN(size - 2, FURTHEST)) {
    unpack_damage(unpack, container, TRIAGE_REASON_TRUNCATED,
                  "no compressed data follow the ActiveMime header");
    return;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) name = g_bytes_new_static(self->step, strlen(self->step));
  Intake intake;
  intake_init(&intake, unpack, container);
  unpack_inflate_zlib(unpack, data + at, size - at, &intake, &error);
  intake_hand_out(&intake, name, 0, error);
}
