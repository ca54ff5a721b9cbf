/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rar3.c - RAR archives of versions 1.5 to 4. libarchive unpacks them and decrypts none:
 * where passwords fit, the archive is written anew without its encryption, and that is what
 * libarchive gets. Nothing in such an archive tells whether a password fits but what comes out. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_cfb.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_rarcrypt.h"
#include <archive_entry.h>
#include <string.h>
#include <zlib.h>

enum {
  SIGNATURE_BYTES = 7,
  BLOCK_BYTES = 7, /* of a header without anything */
  FILE_BYTES = 32,
  HIGH_BYTES = 8, /* upper halves of a large member's sizes */
  TYPE_MAIN = 0x73,
  TYPE_FILE = 0x74,
  TYPE_OLD_FIRST = 0x75, /* of what hung on members before RAR 3 */
  TYPE_OLD_SERVICE = 0x77,
  TYPE_OLD_LAST = 0x79,
  TYPE_SERVICE = 0x7A,
  TYPE_END = 0x7B,
  MAIN_SOLID = 0x0008,
  MAIN_SECRET = 0x0080,
  FILE_SPLIT_BEFORE = 0x0001,
  FILE_SPLIT_AFTER = 0x0002,
  FILE_SECRET = 0x0004,
  FILE_SOLID = 0x0010,
  FILE_DIRECTORY = 0x00E0,
  FILE_LARGE = 0x0100,
  FILE_SALT = 0x0400,
  HAS_DATA = 0x8000,
  END_HAS_NEXT = 0x0001,
  VERSION_AES = 29,
  STORED = 0x30,
  NONE = -1
};
#define TRIAL_BYTES (64 * MIB)

typedef struct {
  GByteArray *bytes; /* plain */
  uint8_t type;
  uint16_t flags;
  uint64_t n_data, data_at, after; /* in the archive */
} Block;

typedef struct {
  Unpack *unpack;
  const uint8_t *data;
  uint64_t size;
  RarKeys *keys;
  int header_password;  /* NONE: headers are plain */
  int password;         /* of the member at hand; NONE: it stays closed */
  int last_password;    /* that did fit */
  uint64_t stored_left; /* of a stored member in several volumes */
  RarStream stream;     /* of the member at hand */
  uint64_t n_closed, end;
  bool is_solid, is_trial;
} Rar3;

static void put_le(uint8_t *p, unsigned n, uint64_t value) {
  for (unsigned i = 0; i < n; i++)
    p[i] = (uint8_t)(value >> 8 * i);
}

static void block_clear(Block *block) {
  g_clear_pointer(&block->bytes, g_byte_array_unref);
}

/* ---- headers ---- */

/* Behind the header at at: how many bytes of data the archive says there are. */
static uint64_t data_size(const GByteArray *bytes, uint8_t type, uint16_t flags) {
  bool is_file = type == TYPE_FILE || type == TYPE_SERVICE;
  if (bytes->len < BLOCK_BYTES + 4 || (!is_file && (flags & HAS_DATA) == 0))
    return 0;
  uint64_t n = bytes_le32(bytes->data + BLOCK_BYTES);
  if (is_file && (flags & FILE_LARGE) != 0 && bytes->len >= FILE_BYTES + HIGH_BYTES)
    n |= (uint64_t)bytes_le32(bytes->data + FILE_BYTES) << 32;
  return n;
}

static bool is_sound(const uint8_t *p, size_t n) {
  return n >= BLOCK_BYTES && (crc32_z(0, p + 2, n - 2) & 0xFFFF) == bytes_le16(p);
}

/* An encrypted header under that password; NULL where it is none. */
static GByteArray *decrypt_header(const Rar3 *rar, uint64_t at, int password, uint64_t *next) {
  uint8_t first[RAR_BLOCK];
  const uint8_t *p = rar->data + at;
  if (rar->size - at < RAR3_SALT + RAR_BLOCK)
    return NULL;
  const RarKey *key = rar3_key(rar->keys, (guint)password, p);
  if (key == NULL || !rar_decrypt_block(key->key, 16, key->iv, p + RAR3_SALT, RAR_BLOCK, first))
    return NULL;
  size_t n = bytes_le16(first + 5);
  size_t padded = (n + RAR_BLOCK - 1) & ~(size_t)(RAR_BLOCK - 1);
  if (n < BLOCK_BYTES || padded > rar->size - at - RAR3_SALT)
    return NULL;
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  g_byte_array_set_size(bytes, (guint)padded);
  if (!rar_decrypt_block(key->key, 16, key->iv, p + RAR3_SALT, padded, bytes->data))
    return NULL;
  g_byte_array_set_size(bytes, (guint)n);
  *next = at + RAR3_SALT + padded;
  return is_sound(bytes->data, n) ? g_steal_pointer(&bytes) : NULL;
}

static GByteArray *plain_header(const Rar3 *rar, uint64_t at, uint64_t *next) {
  uint64_t left = rar->size - at;
  uint16_t n = left >= BLOCK_BYTES ? bytes_le16(rar->data + at + 5) : 0;
  if (n < BLOCK_BYTES || n > left || !is_sound(rar->data + at, n))
    return NULL;
  GByteArray *bytes = g_byte_array_new();
  g_byte_array_append(bytes, rar->data + at, n);
  *next = at + n;
  return bytes;
}

/* False where no sound header lies at byte at. */
static bool read_block(const Rar3 *rar, uint64_t at, Block *block) {
  uint64_t next = 0;
  *block = (Block){.bytes = rar->header_password != NONE
                                ? decrypt_header(rar, at, rar->header_password, &next)
                                : plain_header(rar, at, &next)};
  if (block->bytes == NULL)
    return false;
  block->type = block->bytes->data[2];
  block->flags = bytes_le16(block->bytes->data + 3);
  block->n_data = data_size(block->bytes, block->type, block->flags);
  block->data_at = next;
  block->after = next + block->n_data;
  if (block->n_data <= rar->size - next)
    return true;
  block_clear(block);
  return false;
}

/* libarchive counts the data of such a block into the header's checksum, and stops there. */
static bool is_old_with_data(const Block *block) {
  return block->type >= TYPE_OLD_FIRST && block->type <= TYPE_OLD_LAST && block->n_data > 0;
}

static bool is_secret(const Block *block) {
  return (block->type == TYPE_FILE || block->type == TYPE_SERVICE) &&
         (block->flags & FILE_SECRET) != 0 && block->bytes->len >= FILE_BYTES;
}

/* The password of the headers from byte at on; NONE where none fits. */
static int find_header_password(const Rar3 *rar, uint64_t at) {
  const GPtrArray *passwords = rar->unpack->options->passwords;
  for (guint i = 0; passwords != NULL && i < passwords->len && !rar->unpack->is_stopped; i++) {
    uint64_t next;
    g_autoptr(GByteArray) bytes = decrypt_header(rar, at, (int)i, &next);
    if (bytes != NULL && bytes->data[2] >= TYPE_MAIN && bytes->data[2] <= TYPE_END)
      return (int)i;
  }
  return NONE;
}

/* ---- the archive without its encryption ---- */

static bool put_header(ContentBuilder *out, GByteArray *bytes, uint16_t flags, GError **error) {
  put_le(bytes->data + 3, 2, flags);
  put_le(bytes->data + 5, 2, bytes->len);
  put_le(bytes->data, 2, crc32_z(0, bytes->data + 2, bytes->len - 2));
  return content_builder_append(out, bytes->data, bytes->len, error);
}

static bool copy_block(Rar3 *rar, const Block *block, ContentBuilder *out, GError **error) {
  return content_builder_append(out, block->bytes->data, block->bytes->len, error) &&
         content_builder_append(out, rar->data + block->data_at, (size_t)block->n_data, error) &&
         unpack_alive(rar->unpack, block->n_data);
}

/* Bytes of its data that are the member's: a stored one is padded. */
static uint64_t own_bytes(Rar3 *rar, const Block *block) {
  const uint8_t *p = block->bytes->data;
  if (p[25] != STORED)
    return rar_stream_size(&rar->stream, block->n_data);
  if ((block->flags & FILE_SPLIT_BEFORE) == 0) {
    rar->stored_left = bytes_le32(p + 11);
    if ((block->flags & FILE_LARGE) != 0)
      rar->stored_left |= (uint64_t)bytes_le32(p + FILE_BYTES + 4) << 32;
  }
  uint64_t n = MIN(rar_stream_size(&rar->stream, block->n_data), rar->stored_left);
  rar->stored_left -= n;
  return n;
}

/* False with no error where the member stays closed. */
static bool write_secret(Rar3 *rar, Block *block, ContentBuilder *out, GError **error) {
  uint8_t *p = block->bytes->data;
  bool is_large = (block->flags & FILE_LARGE) != 0;
  uint64_t salt_at = FILE_BYTES + (is_large ? HIGH_BYTES : 0u) + bytes_le16(p + 26);
  bool is_salted = (block->flags & FILE_SALT) != 0;
  if (rar->password == NONE || p[24] < VERSION_AES ||
      salt_at + (is_salted ? RAR3_SALT : 0u) > block->bytes->len)
    return false;
  const RarKey *key = rar3_key(rar->keys, (guint)rar->password, is_salted ? p + salt_at : NULL);
  bool goes_on = (block->flags & FILE_SPLIT_BEFORE) != 0;
  if (key == NULL ||
      (goes_on ? rar->stream.aes == NULL : !rar_stream_start(&rar->stream, key->key, 16, key->iv)))
    return false;
  uint64_t want = own_bytes(rar, block);
  uint16_t gone = FILE_SECRET | FILE_SALT | (rar->is_trial ? FILE_SOLID : 0u);
  put_le(p + BLOCK_BYTES, 4, want);
  if (is_large)
    put_le(p + FILE_BYTES, 4, want >> 32);
  if (is_salted)
    g_byte_array_remove_range(block->bytes, (guint)salt_at, RAR3_SALT);
  return put_header(out, block->bytes, (uint16_t)(block->flags & ~gone), error) &&
         rar_stream_decrypt(rar->unpack, &rar->stream, rar->data + block->data_at, block->n_data,
                            want, out, error);
}

static bool write_main(Rar3 *rar, Block *block, ContentBuilder *out, GError **error) {
  uint16_t gone = MAIN_SECRET | (rar->is_trial ? MAIN_SOLID : 0u);
  rar->is_solid = (block->flags & MAIN_SOLID) != 0;
  if ((block->flags & MAIN_SECRET) != 0)
    rar->header_password = find_header_password(rar, block->after);
  if ((block->flags & MAIN_SECRET) != 0 && rar->header_password == NONE)
    return false;
  return put_header(out, block->bytes, (uint16_t)(block->flags & ~gone), error) &&
         content_builder_append(out, rar->data + block->data_at, (size_t)block->n_data, error);
}

static int find_password(const Rar3 *rar, uint64_t at);

static bool write_member(Rar3 *rar, uint64_t at, Block *block, ContentBuilder *out,
                         GError **error) {
  g_autoptr(GError) own = NULL;
  /* One of a comment, of recovery data: no member, and where it lies between the parts of one
   * libarchive loses the thread. */
  if (block->type == TYPE_SERVICE || is_old_with_data(block))
    return unpack_alive(rar->unpack, block->n_data);
  if (!is_secret(block))
    return copy_block(rar, block, out, error);
  bool is_first = (block->flags & FILE_SPLIT_BEFORE) == 0;
  if (is_first && !rar->is_trial && (!rar->is_solid || rar->last_password == NONE))
    rar->password = find_password(rar, at);
  if (rar->password != NONE)
    rar->last_password = rar->password;
  if (write_secret(rar, block, out, &own))
    return true;
  if (own != NULL || rar->unpack->is_stopped) {
    if (own != NULL)
      g_propagate_error(error, g_steal_pointer(&own));
    return false;
  }
  rar->n_closed++;
  return copy_block(rar, block, out, error);
}

/* Writes what lies at *at and steps behind it; *block tells what it was (type 0: a signature), and
 * before what the last one was. False at the end, and where out takes no more. */
static bool step(Rar3 *rar, uint64_t *at, ContentBuilder *out, Block *block) {
  bool is_last = block->type == TYPE_END && (block->flags & END_HAS_NEXT) == 0;
  *block = (Block){0};
  if (is_last)
    return false;
  if (*at < rar->size && probe_rar(rar->data + *at, rar->size - *at)) {
    const uint8_t *signature = rar->data + *at;
    rar->header_password = NONE;
    *at += SIGNATURE_BYTES;
    return content_builder_append(out, signature, SIGNATURE_BYTES, NULL);
  }
  if (*at >= rar->size || !read_block(rar, *at, block))
    return false;
  bool ok = block->type == TYPE_MAIN ? write_main(rar, block, out, NULL)
            : block->type == TYPE_FILE || block->type == TYPE_SERVICE || is_old_with_data(block)
                ? write_member(rar, *at, block, out, NULL)
                : copy_block(rar, block, out, NULL);
  *at = block->after;
  block_clear(block);
  while (ok && block->type == TYPE_END && *at < rar->size && rar->data[*at] == 0)
    ++*at;
  return ok;
}

/* ---- which password ---- */

/* libarchive compares no checksum of RAR 3: what a wrong password makes of a stored member reads as
 * well as anything. */
static bool reads_well(Rar3 *rar, Content *mini, bool is_stored, uint32_t wanted) {
  g_autoptr(Reader) reader =
      reader_open(rar->unpack, mini, archive_read_support_format_rar, NULL, NULL);
  struct archive_entry *entry;
  uint64_t sum = 0;
  uint32_t crc = 0;
  int status = ARCHIVE_FATAL;
  if (reader == NULL || reader_next(reader, &entry) != ARCHIVE_OK)
    return false;
  bool has_sum = archive_entry_filetype(entry) == AE_IFREG; /* a link's target is taken already */
  do {
    const void *block = NULL;
    size_t n = 0;
    la_int64_t offset;
    status = archive_read_data_block(reader_archive(reader), &block, &n, &offset);
    if (status == ARCHIVE_OK)
      crc = (uint32_t)crc32_z(crc, block, n);
    sum += n;
    reader_progress(reader);
    if (!unpack_alive(rar->unpack, n))
      return false;
  } while (status == ARCHIVE_OK && (is_stored || sum <= TRIAL_BYTES));
  return status == ARCHIVE_OK || (status == ARCHIVE_EOF && (!has_sum || crc == wanted));
}

/* What the header at byte at says, if it is a member's: of one in several volumes the last says the
 * checksum of all of it. */
static void look_at_member(const Rar3 *rar, uint64_t at, bool *is_stored, uint32_t *crc) {
  enum { CRC_AT = 16, METHOD_AT = 25 };
  Block block = {0};
  if (at < rar->size && read_block(rar, at, &block) && block.type == TYPE_FILE &&
      block.bytes->len >= FILE_BYTES) {
    *crc = bytes_le32(block.bytes->data + CRC_AT);
    *is_stored = block.bytes->data[METHOD_AT] == STORED;
  }
  block_clear(&block);
}

/* Does the member at byte at, in all its volumes, come out right? It is tried in an archive of its
 * own, in which nothing comes before it. */
static bool does_fit(const Rar3 *whole, uint64_t at, int password) {
  Rar3 rar = *whole;
  Block block = {0};
  bool is_on = true;
  uint64_t from = SIGNATURE_BYTES;
  rar.password = password;
  rar.is_trial = true;
  rar.stream = (RarStream){0};
  g_autoptr(ContentBuilder) out =
      content_builder_new(rar.unpack->options->spool, LIMIT_OBJECT_BYTES);
  int header_password = rar.header_password;
  rar.header_password = NONE;
  if (!content_builder_append(out, rar.data, SIGNATURE_BYTES, NULL) ||
      !step(&rar, &from, out, &block) || block.type != TYPE_MAIN)
    return false;
  rar.header_password = header_password;
  bool is_stored = false;
  uint32_t crc = 0;
  do {
    look_at_member(&rar, at, &is_stored, &crc);
    if (!step(&rar, &at, out, &block))
      break;
    is_on = block.type != TYPE_FILE || (block.flags & FILE_SPLIT_AFTER) != 0;
  } while (is_on);
  rar_stream_clear(&rar.stream);
  g_autoptr(Content) mini = content_builder_finish(g_steal_pointer(&out), NULL);
  return mini != NULL && !is_on && rar.n_closed == whole->n_closed &&
         reads_well(&rar, mini, is_stored, crc);
}

static int find_password(const Rar3 *rar, uint64_t at) {
  const GPtrArray *passwords = rar->unpack->options->passwords;
  int n = passwords != NULL ? (int)passwords->len : 0;
  if (rar->last_password != NONE && does_fit(rar, at, rar->last_password))
    return rar->last_password;
  for (int i = 0; i < n && !rar->unpack->is_stopped; i++)
    if (i != rar->last_password && does_fit(rar, at, i))
      return i;
  return NONE;
}

/* ---- */

/* Has it encrypted headers or members? Stops at the first header that is not sound. */
static bool is_encrypted(const Rar3 *rar) {
  uint64_t at = SIGNATURE_BYTES;
  bool is_any = false, is_ended = false;
  for (Block block; !is_any && !is_ended && at < rar->size && read_block(rar, at, &block);
       block_clear(&block)) {
    is_any = is_secret(&block) || (block.type == TYPE_MAIN && (block.flags & MAIN_SECRET) != 0);
    is_ended = block.type == TYPE_END;
    at = block.after;
  }
  return is_any;
}

/* Is there a block that libarchive does not step over? A service block between the parts of a
 * member lies in the first volume too. */
static bool has_stumbling_block(const Rar3 *rar) {
  uint64_t at = SIGNATURE_BYTES;
  bool is_any = false, is_ended = false, is_split = false;
  for (Block block; !is_any && !is_ended && at < rar->size && read_block(rar, at, &block);
       block_clear(&block)) {
    is_any = (block.type == TYPE_SERVICE && is_split) || is_old_with_data(&block);
    is_split = block.type == TYPE_FILE && (block.flags & FILE_SPLIT_AFTER) != 0;
    is_ended = block.type == TYPE_END;
    at = block.after;
  }
  return is_any;
}

/* NULL where headers stay closed. */
static Content *rewrite(Rar3 *rar) {
  g_autoptr(ContentBuilder) out =
      content_builder_new(rar->unpack->options->spool, LIMIT_OBJECT_BYTES);
  uint64_t at = 0;
  Block block = {0};
  bool is_ended = false;
  while (step(rar, &at, out, &block)) {
    rar->end = at;
    is_ended = block.type == TYPE_END && (block.flags & END_HAS_NEXT) == 0;
  }
  rar_stream_clear(&rar->stream);
  if (!is_ended && block.type == 0 && at < rar->size) { /* libarchive tells what is wrong there */
    content_builder_append(out, rar->data + at, (size_t)(rar->size - at), NULL);
    rar->end = rar->size;
  }
  if (rar->unpack->is_stopped ||
      (block.type == TYPE_MAIN && rar->header_password == NONE && (block.flags & MAIN_SECRET) != 0))
    return NULL;
  return content_builder_finish(g_steal_pointer(&out), NULL);
}

/* ---- checksums, which libarchive does not compare ---- */

/* Of a member in several volumes the last says the checksum of all of it. */
bool rar3_check(const Content *archive, uint64_t at, const Content *member, GError **error) {
  enum { CRC_AT = 16 };
  const Rar3 rar = {
      .data = content_data(archive), .size = content_size(archive), .header_password = NONE};
  bool is_met = false;
  Block block;
  while (at < rar.size) {
    if (probe_rar(rar.data + at, rar.size - at)) {
      at += SIGNATURE_BYTES;
      continue;
    }
    if (!read_block(&rar, at, &block))
      return true; /* what is wrong there libarchive tells */
    bool is_file = block.type == TYPE_FILE && block.bytes->len >= FILE_BYTES;
    uint32_t crc = is_file ? bytes_le32(block.bytes->data + CRC_AT) : 0;
    uint16_t flags = block.flags;
    at = block.after;
    block_clear(&block);
    while (!is_file && at < rar.size && rar.data[at] == 0)
      at++; /* behind a volume's end header */
    bool goes_on = (flags & FILE_SPLIT_BEFORE) != 0;
    if (!is_file)
      continue;
    if (is_met != goes_on || (flags & FILE_SECRET) != 0)
      return true; /* its first or last part lacks, which is told elsewhere */
    if ((flags & FILE_SPLIT_AFTER) == 0)
      return unpack_check_crc(crc, member, error);
    is_met = true;
  }
  return true;
}

/* Behind an end header another volume may lie. */
static uint64_t next_volume(const Rar3 *rar, uint64_t at, bool *is_ended) {
  uint64_t from = at;
  while (*is_ended && from < rar->size && rar->data[from] == 0)
    from++;
  if (!*is_ended || from >= rar->size || !probe_rar(rar->data + from, rar->size - from))
    return at;
  *is_ended = false;
  return from + SIGNATURE_BYTES;
}

/* libarchive ends at the second member of a solid archive: those from there on are listed here. */
static void list_rest(Unpack *unpack, const Container *container, const Content *whole) {
  Rar3 rar = {.unpack = unpack,
              .data = content_data(whole),
              .size = content_size(whole),
              .header_password = NONE};
  uint64_t at = SIGNATURE_BYTES, n_files = 0;
  bool is_ended = false;
  for (Block block;
       !is_ended && !unpack->is_stopped && at < rar.size && read_block(&rar, at, &block);
       block_clear(&block), at = next_volume(&rar, at, &is_ended)) {
    const uint8_t *p = block.bytes->data;
    bool is_file = block.type == TYPE_FILE && block.bytes->len >= FILE_BYTES &&
                   (block.flags & (FILE_SPLIT_BEFORE | FILE_SECRET)) == 0 &&
                   (block.flags & FILE_DIRECTORY) != FILE_DIRECTORY;
    size_t name_at = FILE_BYTES + ((block.flags & FILE_LARGE) != 0 ? HIGH_BYTES : 0u);
    is_ended = block.type == TYPE_END;
    at = block.after;
    if (!is_file || name_at > block.bytes->len || ++n_files <= container->n_members)
      continue;
    size_t n = MIN(bytes_le16(p + 26), block.bytes->len - name_at);
    g_autofree char *name = g_strndup((const char *)p + name_at, n);
    g_strdelimit(name, "\\", '/');
    g_autoptr(GBytes) raw = g_bytes_new(name, MIN(strlen(name), LIMIT_NAME_BYTES));
    const MemberPath path = {container->path, raw, "raw", container->path->depth + 1};
    unpack_gap(unpack, &path, bytes_le32(p + 11), 0, TRIAGE_REASON_UNSUPPORTED_FORMAT,
               "lies in a solid RAR archive behind its first member, which libarchive 3.6 does not "
               "unpack: unpack it with unrar and examine the result");
  }
}

/* ---- service blocks: comments, streams of NTFS, rights; libarchive steps over all ---- */

/* Name of the member or service in its header, which ends at *end. */
static char *block_name(const Block *block, size_t *end) {
  size_t at = FILE_BYTES + ((block->flags & FILE_LARGE) != 0 ? HIGH_BYTES : 0u);
  size_t n = bytes_le16(block->bytes->data + 26);
  at = MIN(at, block->bytes->len);
  n = MIN(n, block->bytes->len - at);
  *end = at + n;
  return g_strndup((const char *)block->bytes->data + at, n);
}

/* A stream is named as Windows does, "member:stream"; any other by its kind. */
static GBytes *service_name(const Block *block, const char *kind, size_t from, const char *member) {
  g_autoptr(GString) name = g_string_new(kind);
  size_t n = block->bytes->len - from;
  if ((block->flags & FILE_SALT) != 0)
    n -= MIN(n, RAR3_SALT);
  if (strcmp(kind, "STM") == 0) {
    g_string_assign(name, member);
    if (n < 2 || bytes_le16(block->bytes->data + from) != ':')
      g_string_append_c(name, ':');
    cfb_append_utf16(name, block->bytes->data + from, n / 2);
  }
  return g_bytes_new(name->str, MIN(name->len, LIMIT_NAME_BYTES));
}

/* What is stored plainly was scanned with the archive's own bytes; a stream is a member too. */
static void tell_service(Unpack *unpack, Container *container, const Block *block,
                         const char *member) {
  enum { CRC_AT = 16, METHOD_AT = 25 };
  const uint8_t *p = block->bytes->data;
  size_t name_end;
  g_autofree char *kind = block_name(block, &name_end);
  g_strcanon(kind, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS, '?');
  g_autoptr(GBytes) name = service_name(block, kind, name_end, member);
  bool is_secret_one = (block->flags & FILE_SECRET) != 0;
  bool is_part = (block->flags & (FILE_SPLIT_BEFORE | FILE_SPLIT_AFTER)) != 0;
  bool is_stored = p[METHOD_AT] == STORED && !is_secret_one;
  bool is_stream = strcmp(kind, "STM") == 0;
  if (is_stored && (is_part || !is_stream))
    return;
  if (is_stored) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Content) content =
        content_new_part(container->content, block->data_at, block->n_data);
    unpack_check_crc(bytes_le32(p + CRC_AT), content, &error);
    Member stream = {.content = content, .size = block->n_data, .error = error};
    unpack_member(unpack, container, name, &stream);
    return;
  }
  const MemberPath path = {container->path, name, "raw", container->path->depth + 1};
  unpack_gap(unpack, &path, bytes_le32(p + 11), 0,
             is_secret_one ? TRIAGE_REASON_ENCRYPTED : TRIAGE_REASON_UNSUPPORTED_FORMAT,
             "a service block of type %s in a RAR archive, %s, %" G_GUINT64_FORMAT
             " bytes packed, was not unpacked: unpack it with unrar and examine the result",
             kind, is_secret_one ? "encrypted" : "compressed", block->n_data);
}

/* Their subtypes are of RAR 2's time: streams, rights, extended attributes. */
static void tell_old_service(Unpack *unpack, const Container *container, const Block *block,
                             const char *member) {
  enum { SUBTYPE_AT = 11, OLD_BYTES = 14 };
  unsigned subtype =
      block->bytes->len >= OLD_BYTES ? bytes_le16(block->bytes->data + SUBTYPE_AT) : 0;
  g_autoptr(GBytes) name = g_bytes_new(member, MIN(strlen(member), LIMIT_NAME_BYTES));
  const MemberPath path = {container->path, name, "raw", container->path->depth + 1};
  unpack_gap(unpack, &path, block->n_data, 0, TRIAGE_REASON_UNSUPPORTED_FORMAT,
             "a service block of type 0x%X behind this member, %" G_GUINT64_FORMAT
             " bytes packed, was not unpacked: unpack it with unrar and examine the result",
             subtype, block->n_data);
}

static void tell_services(Rar3 *rar, Container *container) {
  g_autofree char *member = g_strdup("");
  uint64_t at = SIGNATURE_BYTES;
  bool is_ended = false;
  rar->header_password = NONE;
  for (Block block;
       !is_ended && !rar->unpack->is_stopped && at < rar->size && read_block(rar, at, &block);
       block_clear(&block), at = next_volume(rar, at, &is_ended)) {
    bool is_long = block.bytes->len >= FILE_BYTES;
    if (block.type == TYPE_MAIN)
      rar->header_password =
          (block.flags & MAIN_SECRET) != 0 ? find_header_password(rar, block.after) : NONE;
    if (block.type == TYPE_FILE && is_long) {
      size_t end;
      g_free(member);
      member = block_name(&block, &end);
      g_strdelimit(member, "\\", '/');
    } else if (block.type == TYPE_SERVICE && is_long && block.n_data > 0) {
      tell_service(rar->unpack, container, &block, member);
    } else if (block.type == TYPE_OLD_SERVICE && block.n_data > 0) {
      tell_old_service(rar->unpack, container, &block, member);
    }
    is_ended = block.type == TYPE_END;
    at = block.after;
  }
}

static bool is_solid(const Content *whole) {
  enum { FLAGS_AT = SIGNATURE_BYTES + 3 };
  return content_size(whole) >= SIGNATURE_BYTES + BLOCK_BYTES &&
         content_data(whole)[SIGNATURE_BYTES + 2] == TYPE_MAIN &&
         (bytes_le16(content_data(whole) + FLAGS_AT) & MAIN_SOLID) != 0;
}

static void list_rest_of_solid(Unpack *unpack, Container *container) {
  if (is_solid(container->content))
    list_rest(unpack, container, container->content);
}

void unpack_rar3_open(Unpack *unpack, const Unpacker *self, Container *container) {
  g_autoptr(RarKeys) keys = rar_keys_new(unpack);
  Rar3 rar = {.unpack = unpack,
              .data = content_data(container->content),
              .size = content_size(container->content),
              .keys = keys,
              .header_password = NONE,
              .password = NONE,
              .last_password = NONE};
  bool is_closed = is_encrypted(&rar);
  if (!is_closed && !has_stumbling_block(&rar)) {
    unpack_archive_open(unpack, self, container);
    list_rest_of_solid(unpack, container);
    tell_services(&rar, container);
    return;
  }
  g_autoptr(Content) whole = rewrite(&rar);
  if (unpack->is_stopped)
    return;
  container->is_encrypted = is_closed && (whole == NULL || rar.n_closed > 0);
  if (rar_keys_spent(keys))
    unpack_damage(unpack, container, TRIAGE_REASON_ENCRYPTED,
                  "not all passwords were tried on this RAR archive: its keys take more rounds "
                  "than are left of %u",
                  LIMIT_PASSWORD_ROUNDS);
  if (whole != NULL)
    unpack_archive_open_rebuilt(unpack, self, container, whole, rar.end, list_rest_of_solid);
  else
    unpack_archive_open(unpack, self, container);
  tell_services(&rar, container);
}
