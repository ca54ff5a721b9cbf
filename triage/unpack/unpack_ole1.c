/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_ole1.c - objects of OLE 1.0 as OLE2 files and RTF still carry them: packages (a file as
 * it was dropped into a document), and the objects inside a PowerPoint stream. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_private.h"
#include <string.h>

typedef struct {
  const uint8_t *p, *end;
  bool is_bad;
} Cursor;

static uint32_t take_number(Cursor *cursor, unsigned n_bytes) {
  if ((size_t)(cursor->end - cursor->p) < n_bytes) {
    cursor->is_bad = true;
    return 0;
  }
  uint32_t value = n_bytes == 2 ? bytes_le16(cursor->p) : bytes_le32(cursor->p);
  cursor->p += n_bytes;
  return value;
}

/* n bytes; as many as are there where n is more, which is then bad. */
static const uint8_t *take_bytes(Cursor *cursor, uint32_t n) {
  const uint8_t *p = cursor->p;
  size_t left = (size_t)(cursor->end - cursor->p);
  cursor->is_bad = cursor->is_bad || n > left;
  cursor->p += MIN(n, left);
  return p;
}

static const char *take_text(Cursor *cursor, size_t *n) {
  const char *text = (const char *)cursor->p;
  *n = strnlen(text, (size_t)(cursor->end - cursor->p));
  take_bytes(cursor, (uint32_t)MIN(*n + 1, UINT32_MAX));
  return text;
}

static void hand_out(Unpack *unpack, Container *container, const char *name, size_t n_name,
                     const uint8_t *data, uint64_t claimed) {
  const uint8_t *start = content_data(container->content);
  uint64_t left = content_size(container->content) - (uint64_t)(data - start);
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) step = g_bytes_new(name, MIN(n_name, LIMIT_NAME_BYTES));
  g_autoptr(Content) part =
      content_new_part(container->content, (uint64_t)(data - start), MIN(claimed, left));
  if (claimed > left)
    triage_fail(&error, TRIAGE_REASON_TRUNCATED,
                "the embedded object claims %" G_GUINT64_FORMAT " bytes, %" G_GUINT64_FORMAT
                " were there",
                claimed, left);
  Member member = {.content = part, .size = claimed, .error = error};
  unpack_member(unpack, container, step, &member);
}

/* A package: label, file name, temporary name, content. */
static bool open_package(Unpack *unpack, Container *container, Cursor cursor) {
  size_t n_label, n_file;
  if (take_number(&cursor, 2) != 2)
    return false;
  const char *label = take_text(&cursor, &n_label);
  const char *file = take_text(&cursor, &n_file);
  take_number(&cursor, 2);
  uint32_t kind = take_number(&cursor, 2);
  if (cursor.is_bad || kind != 3)
    return false; /* a link: no content */
  take_bytes(&cursor, take_number(&cursor, 4));
  uint32_t n = take_number(&cursor, 4);
  if (cursor.is_bad)
    return false;
  if (n_label == 0) {
    label = n_file > 0 ? file : "(package)";
    n_label = n_file > 0 ? n_file : strlen(label);
  }
  hand_out(unpack, container, label, n_label, cursor.p, n);
  return true;
}

void unpack_ole_package_open(Unpack *unpack, const Unpacker *self, Container *container) {
  static const char NATIVE[] = "(native data)";
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content);
  (void)self;
  if (size < 6)
    return;
  uint32_t n = bytes_le32(data); /* the stream \1Ole10Native has it, an OLE 1.0 object has not */
  if (bytes_le16(data + 4) == 2 &&
      open_package(unpack, container, (Cursor){data + 4, data + size, false}))
    return;
  if (open_package(unpack, container, (Cursor){data, data + size, false}))
    return;
  if (n > 0 && n <= size - 4)
    hand_out(unpack, container, NATIVE, sizeof NATIVE - 1, data + 4, n);
}

bool unpack_ole1_object(Unpack *unpack, Container *container, Content *content, const char *name) {
  enum { EMBEDDED = 2, CLASS_BYTES = 256 };
  const uint8_t *data = content_data(content);
  Cursor cursor = {data, data + content_size(content), false};
  take_number(&cursor, 4); /* version: writers of exploits put anything there, and Word reads on */
  uint32_t format = take_number(&cursor, 4), n_class = take_number(&cursor, 4);
  const uint8_t *class_name = take_bytes(&cursor, n_class);
  take_bytes(&cursor, take_number(&cursor, 4));
  take_bytes(&cursor, take_number(&cursor, 4));
  uint32_t n = take_number(&cursor, 4);
  if (cursor.is_bad || format != EMBEDDED || n_class > CLASS_BYTES || n == 0)
    return false;
  g_autoptr(GString) step = g_string_new(name);
  size_t n_text = strnlen((const char *)class_name, n_class);
  g_string_append_c(step, ' ');
  g_string_append_len(step, (const char *)class_name, (gssize)n_text);
  bool is_package = n_text == 7 && g_ascii_strncasecmp((const char *)class_name, "Package", 7) == 0;
  Container inner = {.content = content, .path = container->path};
  hand_out(unpack, &inner, step->str, step->len, cursor.p, n);
  container->n_members++;
  if (is_package && !unpack->is_stopped) {
    g_autoptr(GBytes) bytes = g_bytes_new(step->str, step->len);
    uint64_t at = (uint64_t)(cursor.p - data);
    g_autoptr(Content) part = content_new_part(content, at, MIN(n, content_size(content) - at));
    const MemberPath path = {container->path, bytes, "raw", container->path->depth + 1};
    unpack_open_row(unpack, unpack_row("ole-package"), part, &path);
  }
  return true;
}

/* The storage of an object in a PowerPoint stream: record 0x1011, deflated where its instance is 1
 * ([MS-PPT] 2.10.34). Found by the record's header, not by following the stream: one wrong length
 * would hide what follows. */
static bool open_storage(Unpack *unpack, Container *container, uint64_t at, unsigned number) {
  const uint8_t *data = content_data(container->content) + at;
  uint64_t left = content_size(container->content) - at - 8, n = MIN(bytes_le32(data + 4), left);
  g_autoptr(GError) error = NULL;
  g_autofree char *name = g_strdup_printf("(object %u)", number);
  if (data[0] == 0) {
    if (!probe_ole2(data + 8, n))
      return false;
    hand_out(unpack, container, name, strlen(name), data + 8, bytes_le32(data + 4));
    return true;
  }
  if (n < 10 || (data[12] & 0x0F) != 8 || (data[12] << 8 | data[13]) % 31 != 0)
    return false;
  uint32_t expanded = bytes_le32(data + 8);
  Intake intake;
  intake_init(&intake, unpack, container);
  unpack_inflate_zlib(unpack, data + 12, n - 4, &intake, &error);
  if (expanded > 0 && intake_size(&intake) == expanded)
    g_clear_error(&error); /* PowerPoint writes no end to the deflated data */
  g_autoptr(GBytes) step = g_bytes_new(name, strlen(name));
  intake_hand_out(&intake, step, expanded, error);
  return true;
}

void unpack_ppt_objects_open(Unpack *unpack, const Unpacker *self, Container *container) {
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content), from = 2;
  unsigned number = 0;
  (void)self;
  while (from < size && !unpack->is_stopped) {
    const uint8_t *p = memmem(data + from, size - from, "\x11\x10", 2);
    if (p == NULL || data + size - p < 6)
      return;
    uint64_t at = (uint64_t)(p - data) - 2;
    from = at + 3;
    if ((data[at] != 0 && data[at] != 0x10) || data[at + 1] != 0)
      continue;
    if (number >= LIMIT_EMBEDDED) {
      unpack_damage(unpack, container, TRIAGE_REASON_SIZE_LIMIT,
                    "objects behind the first %u in one stream were not unpacked", LIMIT_EMBEDDED);
      return;
    }
    if (open_storage(unpack, container, at, number + 1)) {
      number++;
      from = at + 8; /* not behind it: its length is only a claim */
    }
  }
}
