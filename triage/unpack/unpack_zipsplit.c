/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_zipsplit.c - a split zip (x.z01, x.z02 ... x.zip) as one: its directory names parts and
 * places in them (APPNOTE 8.5); in the whole there is one part and places count from its start. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_parts.h"
#include <string.h>

enum { EOCD_BYTES = 22, CENTRAL_BYTES = 46 };

typedef struct {
  GArray *starts; /* uint64_t: of each part in the whole, and the end */
  Content *whole;
  uint64_t eocd, central, central_end; /* in the whole */
} Split;

static bool fail_split(GError **error, const char *why) {
  return triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT, "the split zip: %s", why);
}

static void put_le(uint8_t *p, unsigned n, uint64_t value) {
  for (unsigned i = 0; i < n; i++)
    p[i] = (uint8_t)(value >> 8 * i);
}

/* Where byte offset of a part lies in the whole. */
static bool place(const Split *split, uint32_t part, uint64_t offset, uint64_t *at) {
  if (part + 1 >= split->starts->len)
    return false;
  *at = g_array_index(split->starts, uint64_t, part) + offset;
  return *at < UINT32_MAX && *at <= content_size(split->whole);
}

static Content *concatenate(Unpack *unpack, GPtrArray *parts, GArray *starts, GError **error) {
  g_autoptr(ContentBuilder) builder =
      content_builder_new(unpack->options->spool, LIMIT_OBJECT_BYTES);
  uint64_t at = 0;
  for (guint i = 0; i < parts->len; i++) {
    Content *part = parts->pdata[i];
    g_array_append_val(starts, at);
    at += content_size(part);
    if (!content_builder_append(builder, content_data(part), (size_t)content_size(part), error) ||
        !unpack_alive(unpack, content_size(part)))
      return NULL;
  }
  g_array_append_val(starts, at);
  return content_builder_finish(g_steal_pointer(&builder), error);
}

static bool find_directory(Split *split, GError **error) {
  const uint8_t *data = content_data(split->whole);
  uint64_t size = content_size(split->whole);
  uint64_t last = g_array_index(split->starts, uint64_t, split->starts->len - 2);
  uint64_t lowest = MAX(last, size > EOCD_BYTES + 0xFFFF ? size - EOCD_BYTES - 0xFFFF : 0);
  for (uint64_t at = size - MIN(size, EOCD_BYTES) + 1; at-- > lowest;) {
    if (size - at < EOCD_BYTES || memcmp(data + at, "PK\5\6", 4) != 0 ||
        bytes_le16(data + at + 4) + 2u != split->starts->len)
      continue;
    uint64_t length = bytes_le32(data + at + 12);
    split->eocd = at;
    if (!place(split, bytes_le16(data + at + 6), bytes_le32(data + at + 16), &split->central) ||
        split->central > at || length > at - split->central)
      return fail_split(error, "its directory does not lie in its parts, or they are more than "
                               "4 GiB");
    split->central_end = split->central + length;
    return true;
  }
  return fail_split(error, "its last part has no end record");
}

/* The directory with places in the whole; NULL with error. */
static GByteArray *rewrite(const Split *split, GError **error) {
  const uint8_t *data = content_data(split->whole);
  g_autoptr(GByteArray) out = g_byte_array_new();
  uint64_t at = split->central;
  while (split->central_end - at >= CENTRAL_BYTES && memcmp(data + at, "PK\1\2", 4) == 0) {
    const uint8_t *p = data + at;
    uint64_t length =
        CENTRAL_BYTES + (uint64_t)bytes_le16(p + 28) + bytes_le16(p + 30) + bytes_le16(p + 32);
    uint64_t offset = 0;
    if (length > split->central_end - at)
      break;
    if (!place(split, bytes_le16(p + 34), bytes_le32(p + 42), &offset)) {
      fail_split(error, "an entry of its directory leads out of its parts, or needs zip64");
      return NULL;
    }
    guint from = out->len;
    g_byte_array_append(out, p, (guint)length);
    put_le(out->data + from + 34, 2, 0);
    put_le(out->data + from + 42, 4, offset);
    at += length;
  }
  /* What stands behind the last entry (a signature) stays; the end record takes all as one part. */
  g_byte_array_append(out, data + at, (guint)(split->central_end - at));
  guint from = out->len;
  g_byte_array_append(out, data + split->eocd, (guint)(content_size(split->whole) - split->eocd));
  put_le(out->data + from + 4, 4, 0);
  memcpy(out->data + from + 8, out->data + from + 10, 2);
  put_le(out->data + from + 16, 4, split->central);
  return g_steal_pointer(&out);
}

Content *zip_join(Unpack *unpack, GPtrArray *parts, GError **error) {
  g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(uint64_t));
  g_autoptr(Content) whole = concatenate(unpack, parts, starts, error);
  Split split = {.starts = starts, .whole = whole};
  if (whole == NULL || !find_directory(&split, error))
    return NULL;
  g_autoptr(GByteArray) directory = rewrite(&split, error);
  if (directory == NULL)
    return NULL;
  g_autoptr(ContentBuilder) builder =
      content_builder_new(unpack->options->spool, LIMIT_OBJECT_BYTES);
  if (!content_builder_append(builder, content_data(whole), (size_t)split.central, error) ||
      !content_builder_append(builder, directory->data, directory->len, error))
    return NULL;
  return content_builder_finish(g_steal_pointer(&builder), error);
}
