/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_stream.c - single compressed streams: what comes out is one member, "(gunzip)", or, where
 * it is a tar or cpio, the members of that. Knows no archive format. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <archive_entry.h>
#include <string.h>
#include <zlib.h>

enum { OUT_BYTES = 256 * 1024, IDLE_BLOCKS = 1000 };

/* The row of the tar or cpio that content is, or NULL. */
static const Unpacker *archive_in_stream(const Content *content) {
  size_t n_rows;
  const Unpacker *const *rows = unpack_table(&n_rows);
  for (size_t i = 0; i < n_rows; i++)
    if (rows[i]->is_in_stream && rows[i]->probe(content_data(content), content_size(content)))
      return rows[i];
  return NULL;
}

static bool is_zero_from(const Content *content, uint64_t from) {
  const uint8_t *data = content_data(content);
  for (uint64_t i = from; i < content_size(content); i++)
    if (data[i] != 0)
      return false;
  return true;
}

/* Opens a tar in place of its stream. Returns false where bytes of the stream were not looked at
 * that way, so that they are to be scanned as they are too, with the stream's error. */
static bool open_in_place(Unpack *unpack, Container *container, const Unpacker *row,
                          Content *content, const GError *error) {
  uint64_t size = content_size(content);
  Container inner = {.content = content, .path = container->path, .free_bytes = size, .end = size};
  row->open(unpack, row, &inner);
  container->n_members += inner.n_members;
  return error == NULL && !inner.is_damaged && is_zero_from(content, MIN(inner.end, size));
}

void unpack_stream_hand_out(Unpack *unpack, const Unpacker *self, Container *container,
                            Intake *intake, const GError *error) {
  g_autoptr(GError) trouble = NULL;
  g_autoptr(Content) content = intake_finish(intake, &trouble);
  if (unpack->is_stopped)
    return;
  if (unpack->growing == container->path && error != NULL &&
      triage_error_reason(error) == TRIAGE_REASON_TRUNCATED) {
    unpack->wants_more = true;
    return;
  }
  if (content == NULL || (content_size(content) == 0 && error != NULL)) {
    const GError *why = error != NULL ? error : trouble;
    unpack_damage(unpack, container, triage_error_reason(why), "%s", why->message);
    return;
  }
  const Unpacker *row = archive_in_stream(content);
  if (row != NULL && container->path->depth < unpack->max_depth &&
      open_in_place(unpack, container, row, content, error))
    return;
  if (unpack->is_stopped)
    return;
  g_autoptr(GBytes) name = g_bytes_new_static(self->step, strlen(self->step));
  Member member = {.content = content, .size = content_size(content), .error = error};
  if (row == NULL) {
    unpack_member(unpack, container, name, &member);
    return;
  }
  /* The archive inside was opened, or is too deep: here only the bytes as they are. */
  const MemberPath path = {container->path, name, "raw", container->path->depth + 1};
  member.path = &path;
  if (path.depth > unpack->max_depth)
    unpack_gap(unpack, &path, member.size, member.size, TRIAGE_REASON_DEPTH_LIMIT,
               "a %s inside %u other containers is not opened; its bytes were scanned as they are; "
               "--max-depth sets the limit",
               row->row.name, path.depth);
  if (unpack->sink->member != NULL && !unpack->sink->member(unpack->sink->user, &member))
    unpack->is_stopped = true;
}

static bool inflate_fail(const z_stream *stream, int status, uint64_t position, GError **error) {
  TriageReason reason = TRIAGE_REASON_CORRUPT;
  const char *text = stream->msg != NULL ? stream->msg : "damaged data";
  if (status == Z_BUF_ERROR || status == Z_OK) {
    reason = TRIAGE_REASON_TRUNCATED;
    text = "the compressed data ends too early";
  } else if (status == Z_MEM_ERROR) {
    reason = TRIAGE_REASON_OUT_OF_MEMORY;
    text = "no memory";
  } else if (strcmp(text, "incorrect data check") == 0 ||
             strcmp(text, "incorrect length check") == 0) {
    reason = TRIAGE_REASON_BAD_CHECKSUM;
  }
  return triage_fail(error, reason, "deflate: %s at byte %" G_GUINT64_FORMAT " of the packed data",
                     text, position);
}

/* One after the other, all members of the gzip; *position is the byte behind what was read. */
static bool inflate_all(Unpack *unpack, z_stream *stream, bool is_gzip, const uint8_t *data,
                        uint64_t size, uint64_t *position, Intake *intake, GError **error) {
  g_autofree uint8_t *out = g_malloc(OUT_BYTES);
  for (;;) {
    uInt n_in = (uInt)MIN(size - *position, OUT_BYTES);
    stream->next_in = (Bytef *)(data + *position); /* zlib's old interface: it only reads */
    stream->avail_in = n_in;
    stream->next_out = out;
    stream->avail_out = OUT_BYTES;
    int status = inflate(stream, Z_NO_FLUSH);
    size_t n_out = OUT_BYTES - stream->avail_out;
    *position += n_in - stream->avail_in;
    if (!unpack_alive(unpack, n_in - stream->avail_in + n_out) ||
        !intake_append(intake, out, n_out, error))
      return false;
    if (status == Z_STREAM_END) {
      if (!is_gzip || size - *position < 18 || data[*position] != 0x1F ||
          data[*position + 1] != 0x8B)
        return true;
      inflateReset(stream);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      return inflate_fail(stream, status, *position, error);
    } else if (n_out == 0 && *position == size) {
      return inflate_fail(stream, Z_BUF_ERROR, *position, error);
    }
  }
}

bool unpack_inflate_bits(Unpack *unpack, int bits, const uint8_t *data, uint64_t size,
                         uint64_t *position, Intake *intake, GError **error) {
  z_stream stream = {0};
  *position = 0;
  if (inflateInit2(&stream, bits) != Z_OK)
    return triage_fail(error, TRIAGE_REASON_OUT_OF_MEMORY, "no memory to inflate");
  bool is_whole = inflate_all(unpack, &stream, false, data, size, position, intake, error);
  inflateEnd(&stream);
  return is_whole;
}

bool unpack_inflate_raw(Unpack *unpack, const uint8_t *data, uint64_t size, Intake *intake,
                        GError **error) {
  uint64_t position;
  return unpack_inflate_bits(unpack, -15, data, size, &position, intake, error);
}

bool unpack_inflate_zlib(Unpack *unpack, const uint8_t *data, uint64_t size, Intake *intake,
                         GError **error) {
  uint64_t position;
  return unpack_inflate_bits(unpack, 15, data, size, &position, intake, error);
}

/* A gzip of one member, sound to its last byte. */
static bool gunzip_at_once(Unpack *unpack, const uint8_t *data, uint64_t size, Intake *intake) {
  enum { HEAD_AND_TAIL = 18, HEADER_SUM = 2 };
  if (size < HEAD_AND_TAIL || (data[3] & HEADER_SUM) != 0)
    return false;
  uint32_t length = bytes_le32(data + size - 4);
  return unpack_inflate_at_once(unpack, DEFLATE_GZIP, data, size, length, intake) &&
         unpack_alive(unpack, size + length);
}

static bool gunzip(Unpack *unpack, const uint8_t *data, uint64_t size, uint64_t *position,
                   Intake *intake, GError **error) {
  z_stream stream = {0};
  if (inflateInit2(&stream, 15 + 16) != Z_OK)
    return triage_fail(error, TRIAGE_REASON_OUT_OF_MEMORY, "no memory to open the gzip");
  bool is_whole = inflate_all(unpack, &stream, true, data, size, position, intake, error);
  inflateEnd(&stream);
  return is_whole;
}

void unpack_gzip_open(Unpack *unpack, const Unpacker *self, Container *container) {
  g_autoptr(GError) error = NULL;
  uint64_t position = 0, size = content_size(container->content);
  const uint8_t *data = content_data(container->content);
  Intake intake;
  intake_init(&intake, unpack, container);
  bool is_whole = !gunzip_at_once(unpack, data, size, &intake) &&
                  gunzip(unpack, data, size, &position, &intake, &error);
  container->end = is_whole ? position : size;
  unpack_stream_hand_out(unpack, self, container, &intake, error);
}

/* A stream that zlib's own header begins, without a name for the format around it. */
void unpack_zlib_open(Unpack *unpack, const Unpacker *self, Container *container) {
  g_autoptr(GError) error = NULL;
  uint64_t position = 0, size = content_size(container->content);
  Intake intake;
  intake_init(&intake, unpack, container);
  bool is_whole = unpack_inflate_bits(unpack, 15, content_data(container->content), size, &position,
                                      &intake, &error);
  container->end = is_whole ? position : size;
  unpack_stream_hand_out(unpack, self, container, &intake, error);
}

static bool read_stream(Unpack *unpack, Reader *reader, Intake *intake, GError **error) {
  struct archive *archive = reader_archive(reader);
  struct archive_entry *entry;
  unsigned idle = 0;
  int status = reader_next(reader, &entry);
  if (status == ARCHIVE_EOF)
    return true; /* a stream of nothing */
  while (status >= ARCHIVE_WARN && !unpack->is_stopped) {
    const void *block = NULL;
    size_t n = 0;
    la_int64_t offset;
    status = archive_read_data_block(archive, &block, &n, &offset);
    if (status == ARCHIVE_EOF)
      return true;
    if (status < ARCHIVE_WARN)
      break;
    idle = n > 0 ? 0 : idle + 1;
    if (idle > IDLE_BLOCKS)
      return triage_fail(error, TRIAGE_REASON_CORRUPT, "empty blocks without end");
    reader_progress(reader);
    if (!unpack_alive(unpack, n) || !intake_append(intake, block, n, error))
      return false;
  }
  TriageReason reason;
  g_autofree char *text = reader_error(reader, &reason);
  return triage_fail(error, reason, "%s", text);
}

static int raw_or_empty(struct archive *archive) {
  int status = archive_read_support_format_empty(archive);
  return status != ARCHIVE_OK ? status : archive_read_support_format_raw(archive);
}

void unpack_stream_open(Unpack *unpack, const Unpacker *self, Container *container) {
  g_autoptr(GError) error = NULL;
  uint64_t size = content_size(container->content), extent = 0;
  if (self->extent != NULL)
    extent = self->extent(content_data(container->content), size);
  if (extent == 0)
    extent = size;
  g_autoptr(Content) stream = content_new_part(container->content, 0, extent);
  g_autoptr(Reader) reader = reader_open(unpack, stream, raw_or_empty, self->filter, &error);
  if (reader == NULL) {
    unpack_damage(unpack, container, triage_error_reason(error), "the %s cannot be opened: %s",
                  self->row.name, error->message);
    return;
  }
  Intake intake;
  intake_init(&intake, unpack, container);
  bool is_whole = read_stream(unpack, reader, &intake, &error);
  la_int64_t consumed = archive_filter_bytes(reader_archive(reader), -1);
  container->end = is_whole && consumed > 0 ? MIN((uint64_t)consumed, extent) : size;
  unpack_stream_hand_out(unpack, self, container, &intake, error);
}
