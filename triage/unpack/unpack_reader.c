/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_reader.c - an object's bytes as libarchive's input: one format, at most one filter, no
 * programs. Notices when libarchive reads on and on and nothing comes out. */
#include "base/text.h"
#include "unpack/unpack_private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 20, IDLE_READS = 20000 };

struct _Reader {
  Unpack *unpack;
  Content *content;
  struct archive *archive;
  uint64_t position, furthest;
  uint64_t idle_reads, max_idle_reads; /* reads since something came out */
};

static la_ssize_t on_read(struct archive *archive, void *user, const void **buffer) {
  Reader *reader = user;
  uint64_t n = MIN(content_size(reader->content) - reader->position, BLOCK_BYTES);
  if (++reader->idle_reads > reader->max_idle_reads) {
    archive_set_error(archive, EINVAL, "the same bytes were read again and again");
    return ARCHIVE_FATAL;
  }
  *buffer = content_data(reader->content) + reader->position;
  reader->position += n;
  if (reader->position > reader->furthest) {
    uint64_t fresh = reader->position - reader->furthest;
    reader->furthest = reader->position;
    if (!unpack_alive(reader->unpack, fresh)) {
      archive_set_error(archive, ECANCELED, "stopped");
      return ARCHIVE_FATAL;
    }
  }
  return (la_ssize_t)n;
}

static la_int64_t on_skip(struct archive *archive, void *user, la_int64_t request) {
  Reader *reader = user;
  uint64_t left = content_size(reader->content) - reader->position;
  uint64_t n = request > 0 ? MIN((uint64_t)request, left) : 0;
  (void)archive;
  reader->position += n;
  return (la_int64_t)n;
}

static la_int64_t on_seek(struct archive *archive, void *user, la_int64_t offset, int whence) {
  Reader *reader = user;
  int64_t size = (int64_t)content_size(reader->content), base, target;
  (void)archive;
  if (++reader->idle_reads > reader->max_idle_reads)
    return ARCHIVE_FATAL;
  base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)reader->position : size;
  if (__builtin_add_overflow(base, (int64_t)offset, &target))
    return ARCHIVE_FATAL;
  target = CLAMP(target, 0, size);
  reader->position = (uint64_t)target;
  return target;
}

void reader_free(Reader *reader) {
  if (reader == NULL)
    return;
  archive_read_free(reader->archive);
  g_free(reader);
}

struct archive *reader_archive(Reader *reader) {
  return reader->archive;
}

void reader_forget_errno(void) {
  errno = 0;
}

int reader_next(Reader *reader, struct archive_entry **entry) {
  reader_forget_errno();
  return archive_read_next_header(reader->archive, entry);
}

void reader_progress(Reader *reader) {
  reader->idle_reads = 0;
}

Reader *reader_open(Unpack *unpack, Content *content, int (*format)(struct archive *),
                    int (*filter)(struct archive *), GError **error) {
  g_autoptr(Reader) reader = g_new0(Reader, 1);
  reader->unpack = unpack;
  reader->content = content;
  reader->max_idle_reads = IDLE_READS + 16 * (content_size(content) / BLOCK_BYTES);
  reader->archive = archive_read_new();
  if (reader->archive == NULL) {
    triage_fail(error, TRIAGE_REASON_OUT_OF_MEMORY, "no memory to open the container");
    return NULL;
  }
  /* A filter that would run a program answers ARCHIVE_WARN: never used. */
  if ((filter != NULL && filter(reader->archive) != ARCHIVE_OK) ||
      format(reader->archive) != ARCHIVE_OK) {
    triage_fail(error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                "this build of libarchive cannot read it without help from another program");
    return NULL;
  }
  const GPtrArray *passwords = unpack->options->passwords;
  for (guint i = 0; passwords != NULL && i < passwords->len; i++)
    if (((const char *)passwords->pdata[i])[0] != '\0')
      archive_read_add_passphrase(reader->archive, passwords->pdata[i]);
  archive_read_set_read_callback(reader->archive, on_read);
  archive_read_set_skip_callback(reader->archive, on_skip);
  archive_read_set_seek_callback(reader->archive, on_seek);
  archive_read_set_callback_data(reader->archive, reader);
  if (archive_read_open1(reader->archive) < ARCHIVE_WARN) {
    TriageReason reason;
    g_autofree char *text = reader_error(reader, &reason);
    triage_fail(error, reason, "%s", text);
    return NULL;
  }
  return g_steal_pointer(&reader);
}

/* libarchive's error numbers are few and loose; its texts tell more. */
static const struct {
  const char *word;
  TriageReason reason;
} WORDS[] = {
    {"ncrypt", TRIAGE_REASON_ENCRYPTED},
    {"assphrase", TRIAGE_REASON_ENCRYPTED},
    {"assword", TRIAGE_REASON_ENCRYPTED},
    {"Can't allocate", TRIAGE_REASON_OUT_OF_MEMORY},
    {"o memory", TRIAGE_REASON_OUT_OF_MEMORY},
    {"ut of memory", TRIAGE_REASON_OUT_OF_MEMORY},
    {"runcat", TRIAGE_REASON_TRUNCATED},
    {"No progress is possible", TRIAGE_REASON_TRUNCATED},
    {"RAR solid archive support", TRIAGE_REASON_UNSUPPORTED_FORMAT},
    {"nknown codec", TRIAGE_REASON_UNSUPPORTED_FORMAT},
    {"nexpected codec", TRIAGE_REASON_UNSUPPORTED_FORMAT},
    {"remature", TRIAGE_REASON_TRUNCATED},
    {"nexpected end", TRIAGE_REASON_TRUNCATED},
    {"nd of file", TRIAGE_REASON_TRUNCATED},
    {"CRC", TRIAGE_REASON_BAD_CHECKSUM},
    {"hecksum", TRIAGE_REASON_BAD_CHECKSUM},
    {"BLAKE2", TRIAGE_REASON_BAD_CHECKSUM},
    {"nsupported", TRIAGE_REASON_UNSUPPORTED_FORMAT},
    {"not supported", TRIAGE_REASON_UNSUPPORTED_FORMAT},
    {"ulti-volume", TRIAGE_REASON_UNSUPPORTED_FORMAT},
    {"split in multivolume", TRIAGE_REASON_MISSING_SEGMENT},
};

char *reader_error(Reader *reader, TriageReason *reason) {
  const char *text = archive_error_string(reader->archive);
  *reason = TRIAGE_REASON_CORRUPT;
  if (archive_errno(reader->archive) == ENOMEM)
    *reason = TRIAGE_REASON_OUT_OF_MEMORY;
  if (text == NULL)
    return g_strdup("libarchive gives no reason");
  for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++) {
    if (strstr(text, WORDS[i].word) != NULL) {
      *reason = WORDS[i].reason;
      break;
    }
  }
  return text_printable(text, strlen(text));
}
