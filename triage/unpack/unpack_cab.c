/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_cab.c - Microsoft cabinets, which libarchive unpacks one by one: of a set it says nothing
 * of the cabinets before and behind, in which a member may begin or go on. */
#include "base/text.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_parts.h"
#include <string.h>

enum {
  HEAD_BYTES = 36,
  FLAGS_AT = 30,
  HAS_BEFORE = 1,
  HAS_NEXT = 2,
  HAS_RESERVED = 4,
  RESERVED_BYTES = 4 /* that say how many more there are */
};

/* Steps over a text that ends with a NUL; false where it does not. */
static bool take_text(const uint8_t *data, uint64_t size, uint64_t *at, char **shown) {
  uint64_t from = *at;
  const uint8_t *end = from < size ? memchr(data + from, 0, (size_t)(size - from)) : NULL;
  if (end == NULL)
    return false;
  *at = (uint64_t)(end - data) + 1;
  *shown = text_printable(data + from, (size_t)MIN(*at - 1 - from, LIMIT_NAME_BYTES));
  return true;
}

static void tell(Unpack *unpack, Container *container, const char *where, uint64_t *at) {
  g_autofree char *cabinet = NULL, *disk = NULL;
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content);
  if (take_text(data, size, at, &cabinet) && take_text(data, size, at, &disk))
    unpack_damage(unpack, container, TRIAGE_REASON_MISSING_SEGMENT,
                  "one of a set of cabinets, which are not joined: the one %s is %s (%s); a member "
                  "that lies in both was not unpacked whole: join them with cabextract and examine "
                  "the result",
                  where, cabinet, disk);
}

/* libarchive 3.6 refuses cabinets whose neighbours' disks have no name. In this copy the names of
 * the neighbours are bytes reserved for others, which it steps over. */
static Content *without_neighbours(Unpack *unpack, const Content *content, uint16_t flags,
                                   uint64_t names_at, uint64_t names_end) {
  const uint8_t *data = content_data(content);
  uint64_t n_names = names_end - names_at;
  bool has_reserved = (flags & HAS_RESERVED) != 0;
  uint64_t reserved = has_reserved ? bytes_le16(data + HEAD_BYTES) + n_names
                                   : n_names - MIN(n_names, RESERVED_BYTES);
  uint8_t head[HEAD_BYTES + RESERVED_BYTES];
  if ((!has_reserved && n_names < RESERVED_BYTES) || reserved > G_MAXUINT16)
    return NULL;
  memcpy(head, data, sizeof head);
  head[FLAGS_AT] = (uint8_t)((flags & ~(HAS_BEFORE | HAS_NEXT)) | HAS_RESERVED);
  if (!has_reserved)
    memset(head + HEAD_BYTES, 0, RESERVED_BYTES);
  head[HEAD_BYTES] = (uint8_t)reserved;
  head[HEAD_BYTES + 1] = (uint8_t)(reserved >> 8);
  g_autoptr(ContentBuilder) out = content_builder_new(unpack->options->spool, LIMIT_OBJECT_BYTES);
  if (!content_builder_append(out, head, sizeof head, NULL) ||
      !content_builder_append(out, data + sizeof head,
                              (size_t)(content_size(content) - sizeof head), NULL))
    return NULL;
  return content_builder_finish(g_steal_pointer(&out), NULL);
}

void unpack_cab_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content), at = HEAD_BYTES;
  uint16_t flags = size >= HEAD_BYTES + RESERVED_BYTES ? bytes_le16(data + FLAGS_AT) : 0;
  if ((flags & HAS_RESERVED) != 0)
    at += RESERVED_BYTES + (uint64_t)bytes_le16(data + HEAD_BYTES);
  uint64_t names_at = at;
  if ((flags & HAS_BEFORE) != 0)
    tell(unpack, container, "before it", &at);
  if ((flags & HAS_NEXT) != 0)
    tell(unpack, container, "behind it", &at);
  g_autoptr(Content) alone =
      at > names_at ? without_neighbours(unpack, container->content, flags, names_at, at) : NULL;
  if (alone == NULL) {
    unpack_archive_open(unpack, self, container);
    return;
  }
  Container own = {.content = alone, .path = container->path};
  unpack_archive_open(unpack, self, &own);
  container->n_members += own.n_members;
  container->is_damaged = container->is_damaged || own.is_damaged;
  container->end = MIN(own.end, size);
}
