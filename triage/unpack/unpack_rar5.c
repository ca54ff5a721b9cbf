/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_rar5.c - RAR 5 archives. libarchive unpacks them and decrypts none: where passwords fit,
 * the archive is written anew without its encryption, and that is what libarchive gets. */
#include "unpack/unpack_blake2sp.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_rarcrypt.h"
#include <string.h>
#include <zlib.h>

enum {
  SIGNATURE_BYTES = 8,
  HEADER_FILE = 2,
  HEADER_SERVICE = 3,
  HEADER_CRYPT = 4,
  HEADER_END = 5,
  HAS_EXTRA = 1,
  HAS_DATA = 2,
  SPLIT_BEFORE = 8,
  SPLIT_AFTER = 16,
  EXTRA_CRYPT = 1,
  EXTRA_HASH = 2,
  EXTRA_LINK = 5,
  HASH_BLAKE2SP = 0,
  FILE_HAS_TIME = 2,
  FILE_HAS_CRC = 4,
  CRYPT_HAS_CHECK = 1,
  CRYPT_HIDES_CRC = 2
};
#define HEADER_MAX (2 * MIB)

typedef struct {
  const uint8_t *p, *end;
  bool is_bad;
} Cursor;

static uint64_t take_number(Cursor *cursor) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && cursor->p < cursor->end; shift += 7) {
    uint8_t byte = *cursor->p++;
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80)
      return value;
  }
  cursor->is_bad = true;
  return 0;
}

static const uint8_t *take_bytes(Cursor *cursor, size_t n) {
  const uint8_t *bytes = cursor->p;
  if (n > (size_t)(cursor->end - cursor->p)) {
    cursor->is_bad = true;
    return NULL;
  }
  cursor->p += n;
  return bytes;
}

static void put_number(GByteArray *out, uint64_t value) {
  do {
    uint8_t byte = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
    g_byte_array_append(out, &byte, 1);
    value >>= 7;
  } while (value > 0);
}

static void put_le32(GByteArray *out, uint32_t value) {
  const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                            (uint8_t)(value >> 24)};
  g_byte_array_append(out, bytes, sizeof bytes);
}

/* One header; what it points to lies in its own bytes. */
typedef struct {
  GByteArray *bytes; /* from its type on */
  uint64_t type, flags, n_data;
  Cursor body, extra;      /* behind the sizes, up to the extra area; that */
  uint64_t data_at, after; /* its data, and what follows that, in the archive */
} Block;

static void block_clear(Block *block) {
  g_clear_pointer(&block->bytes, g_byte_array_unref);
}

/* What the encryption record of a member says. */
typedef struct {
  Rar5Secret secret;
  uint8_t iv[RAR_BLOCK];
  bool has_check, hides_crc;
} Crypt;

/* A checksum as libarchive computes it, of the archive's nth file. */
typedef struct {
  uint32_t crc;
  bool is_known;
} Sum;

typedef struct {
  Unpack *unpack;
  const uint8_t *data;
  uint64_t size;
  RarKeys *keys;
  const RarKey *header_key; /* where headers are encrypted */
  const GArray *sums;       /* Sum, of the first run; NULL: this is it */
  uint64_t n_files;         /* met so far */
  uint64_t stored_left;     /* of a stored member in several volumes */
  uint64_t carry;           /* of a packed one: bytes of the block that the last volume ends in */
  RarStream stream;         /* of the member at hand */
  uint8_t iv[RAR_BLOCK];    /* that it began with */
  uint64_t n_closed, n_hidden; /* encrypted members without a key; checksums that are hidden */
  uint64_t end;                /* behind the last end header */
} Rar5;

/* ---- headers ---- */

static bool read_fields(Block *block) {
  Cursor cursor = {block->bytes->data, block->bytes->data + block->bytes->len, false};
  block->type = take_number(&cursor);
  block->flags = take_number(&cursor);
  uint64_t n_extra = (block->flags & HAS_EXTRA) != 0 ? take_number(&cursor) : 0;
  block->n_data = (block->flags & HAS_DATA) != 0 ? take_number(&cursor) : 0;
  if (cursor.is_bad || n_extra > (uint64_t)(cursor.end - cursor.p))
    return false;
  block->extra = (Cursor){cursor.end - n_extra, cursor.end, false};
  block->body = (Cursor){cursor.p, block->extra.p, false};
  return true;
}

/* The bytes of an encrypted header, from its checksum on. */
static GByteArray *decrypt_header(const Rar5 *rar, uint64_t at, uint64_t *next) {
  uint8_t first[RAR_BLOCK];
  if (rar->size - at < (uint64_t)2 * RAR_BLOCK ||
      !rar_decrypt_block(rar->header_key->key, 32, rar->data + at, rar->data + at + RAR_BLOCK,
                         RAR_BLOCK, first))
    return NULL;
  Cursor cursor = {first + 4, first + RAR_BLOCK, false};
  uint64_t n = take_number(&cursor);
  if (cursor.is_bad || n > HEADER_MAX)
    return NULL;
  n = (n + (uint64_t)(cursor.p - first) + RAR_BLOCK - 1) & ~(uint64_t)(RAR_BLOCK - 1);
  if (n > rar->size - at - RAR_BLOCK)
    return NULL;
  GByteArray *bytes = g_byte_array_new();
  g_byte_array_set_size(bytes, (guint)n);
  *next = at + RAR_BLOCK + n;
  if (!rar_decrypt_block(rar->header_key->key, 32, rar->data + at, rar->data + at + RAR_BLOCK,
                         (size_t)n, bytes->data))
    g_clear_pointer(&bytes, g_byte_array_unref);
  return bytes;
}

/* False where no sound header lies at byte at. */
static bool read_block(const Rar5 *rar, uint64_t at, Block *block) {
  g_autoptr(GByteArray) plain = NULL;
  Cursor cursor = {rar->data + at, rar->data + rar->size, false};
  uint64_t next = 0;
  if (rar->header_key != NULL) {
    plain = decrypt_header(rar, at, &next);
    if (plain == NULL)
      return false;
    cursor = (Cursor){plain->data, plain->data + plain->len, false};
  }
  const uint8_t *checksum = take_bytes(&cursor, 4), *sized = cursor.p;
  uint64_t n = take_number(&cursor);
  const uint8_t *bytes = n <= HEADER_MAX ? take_bytes(&cursor, (size_t)n) : NULL;
  if (cursor.is_bad || bytes == NULL || n == 0 ||
      crc32_z(0, sized, (size_t)(cursor.p - sized)) != bytes_le32(checksum))
    return false;
  *block = (Block){.bytes = g_byte_array_new()};
  block->data_at = rar->header_key != NULL ? next : (uint64_t)(cursor.p - rar->data);
  g_byte_array_append(block->bytes, bytes, (guint)n);
  if (read_fields(block) && block->data_at <= rar->size &&
      block->n_data <= rar->size - block->data_at) {
    block->after = block->data_at + block->n_data;
    return true;
  }
  block_clear(block);
  return false;
}

/* The next record of an extra area: its type, and all its bytes. */
static bool next_record(Cursor *extra, uint64_t *type, Cursor *whole) {
  if (extra->p >= extra->end || extra->is_bad)
    return false;
  whole->p = extra->p;
  uint64_t n = take_number(extra);
  if (extra->is_bad || n == 0 || n > (uint64_t)(extra->end - extra->p))
    return false;
  Cursor body = {extra->p, extra->p + n, false};
  extra->p += n;
  whole->end = extra->p;
  whole->is_bad = false;
  *type = take_number(&body);
  return !body.is_bad;
}

static bool read_secret(Cursor *cursor, bool has_check, bool has_iv, Crypt *crypt) {
  const uint8_t *cycles = take_bytes(cursor, 1), *salt = take_bytes(cursor, RAR5_SALT);
  const uint8_t *iv = has_iv ? take_bytes(cursor, RAR_BLOCK) : NULL;
  const uint8_t *check = has_check ? take_bytes(cursor, RAR5_CHECK) : NULL;
  if (cursor->is_bad)
    return false;
  crypt->secret.cycles = *cycles;
  memcpy(crypt->secret.salt, salt, RAR5_SALT);
  if (iv != NULL)
    memcpy(crypt->iv, iv, RAR_BLOCK);
  if (check != NULL)
    memcpy(crypt->secret.check, check, RAR5_CHECK);
  crypt->has_check = has_check;
  return true;
}

/* Is the member encrypted? *crypt tells how, is left without a check where nothing can. */
static bool is_secret(const Block *block, Crypt *crypt) {
  Cursor extra = block->extra, whole;
  uint64_t type;
  *crypt = (Crypt){0};
  if (block->type != HEADER_FILE && block->type != HEADER_SERVICE)
    return false;
  while (next_record(&extra, &type, &whole)) {
    if (type != EXTRA_CRYPT)
      continue;
    take_number(&whole); /* size */
    take_number(&whole); /* type */
    uint64_t version = take_number(&whole), flags = take_number(&whole);
    crypt->hides_crc = (flags & CRYPT_HIDES_CRC) != 0;
    if (whole.is_bad || version != 0 ||
        !read_secret(&whole, (flags & CRYPT_HAS_CHECK) != 0, true, crypt))
      *crypt = (Crypt){0};
    return true;
  }
  return false;
}

/* ---- the archive without its encryption ---- */

static bool put_block(ContentBuilder *out, const uint8_t *bytes, size_t n, GError **error) {
  g_autoptr(GByteArray) head = g_byte_array_new(), sized = g_byte_array_new();
  put_number(sized, n);
  g_byte_array_append(sized, bytes, (guint)n);
  put_le32(head, (uint32_t)crc32_z(0, sized->data, sized->len));
  return content_builder_append(out, head->data, head->len, error) &&
         content_builder_append(out, sized->data, sized->len, error);
}

/* The file's checksum, hidden in the header: what the first run computed, if that is it. */
static bool find_crc(const Rar5 *rar, const Block *block, const RarKey *key, uint32_t hidden,
                     uint32_t *crc) {
  if (rar->sums == NULL || rar->n_files == 0 || rar->n_files > rar->sums->len ||
      block->type != HEADER_FILE || (block->flags & SPLIT_AFTER) != 0)
    return false;
  const Sum *sum = &g_array_index(rar->sums, Sum, rar->n_files - 1);
  *crc = rar5_mac_of_crc(key, sum->crc) == hidden ? sum->crc : ~sum->crc;
  return sum->is_known;
}

/* How much of the data is packed: libarchive takes the padding behind the last of its blocks for
 * another one. A block that a volume ends in goes on in the next one. */
static uint64_t packed_bytes(Rar5 *rar, const Block *block, const RarKey *key) {
  enum { SUM = 0x5A, IS_LAST = 0x40 };
  const uint8_t *data = rar->data + block->data_at;
  uint64_t at = (block->flags & SPLIT_BEFORE) != 0 ? rar->carry : 0;
  uint64_t n = rar_stream_size(&rar->stream, block->n_data);
  uint8_t five[5];
  while (at < n && rar_stream_peek(&rar->stream, key->key, 32, data, block->n_data, at, five)) {
    unsigned n_size = (five[0] >> 3 & 3) + 1u;
    uint32_t size = 0;
    uint8_t sum = SUM ^ five[0];
    for (unsigned i = 0; i < n_size && i < 3; i++) {
      size |= (uint32_t)five[2 + i] << 8 * i;
      sum ^= five[2 + i];
    }
    if (n_size > 3 || sum != five[1])
      return n;
    at += 2 + n_size + size;
    if ((five[0] & IS_LAST) != 0)
      return MIN(at, n);
  }
  rar->carry = at > n ? at - n : 0;
  return n;
}

/* The same of a stored member. */
static uint64_t stored_bytes(Rar5 *rar, const Block *block, uint64_t unpacked) {
  if ((block->flags & SPLIT_BEFORE) == 0)
    rar->stored_left = unpacked;
  uint64_t n = MIN(rar_stream_size(&rar->stream, block->n_data), rar->stored_left);
  rar->stored_left -= n;
  return n;
}

/* The member's header without its encryption record; *want: bytes of data it then claims. */
static GByteArray *plain_header(Rar5 *rar, Block *block, const Crypt *crypt, const RarKey *key,
                                uint64_t *want) {
  g_autoptr(GByteArray) body = g_byte_array_new(), extra = g_byte_array_new();
  Cursor cursor = block->body, records = block->extra, whole;
  uint64_t flags = take_number(&cursor), unpacked = take_number(&cursor),
           attributes = take_number(&cursor), type;
  const uint8_t *time = (flags & FILE_HAS_TIME) != 0 ? take_bytes(&cursor, 4) : NULL;
  const uint8_t *sum = (flags & FILE_HAS_CRC) != 0 ? take_bytes(&cursor, 4) : NULL;
  const uint8_t *rest = cursor.p;
  bool is_stored = (take_number(&cursor) >> 7 & 7) == 0;
  uint32_t crc = sum != NULL ? bytes_le32(sum) : 0;
  if (cursor.is_bad)
    return NULL;
  rar->n_hidden += sum != NULL && crypt->hides_crc;
  if (sum != NULL && crypt->hides_crc && !find_crc(rar, block, key, crc, &crc))
    flags &= ~(uint64_t)FILE_HAS_CRC;
  put_number(body, flags);
  put_number(body, unpacked);
  put_number(body, attributes);
  if (time != NULL)
    g_byte_array_append(body, time, 4);
  if ((flags & FILE_HAS_CRC) != 0)
    put_le32(body, crc);
  g_byte_array_append(body, rest, (guint)(block->body.end - rest));
  while (next_record(&records, &type, &whole))
    if (type != EXTRA_CRYPT && (type != EXTRA_HASH || !crypt->hides_crc))
      g_byte_array_append(extra, whole.p, (guint)(whole.end - whole.p));
  *want = is_stored ? stored_bytes(rar, block, unpacked) : packed_bytes(rar, block, key);
  GByteArray *header = g_byte_array_new();
  put_number(header, block->type);
  put_number(header, (block->flags & ~(uint64_t)HAS_EXTRA) | (extra->len > 0 ? HAS_EXTRA : 0));
  if (extra->len > 0)
    put_number(header, extra->len);
  if ((block->flags & HAS_DATA) != 0)
    put_number(header, *want);
  g_byte_array_append(header, body->data, body->len);
  g_byte_array_append(header, extra->data, extra->len);
  return header;
}

static bool copy_block(Rar5 *rar, const Block *block, ContentBuilder *out, GError **error) {
  return put_block(out, block->bytes->data, block->bytes->len, error) &&
         content_builder_append(out, rar->data + block->data_at, (size_t)block->n_data, error) &&
         unpack_alive(rar->unpack, block->n_data);
}

static bool write_block(Rar5 *rar, Block *block, ContentBuilder *out, GError **error) {
  Crypt crypt;
  uint64_t want;
  rar->n_files += block->type == HEADER_FILE && (block->flags & SPLIT_BEFORE) == 0;
  if (!is_secret(block, &crypt))
    return copy_block(rar, block, out, error);
  const RarKey *key = crypt.has_check ? rar5_key(rar->keys, &crypt.secret) : NULL;
  /* One stream over all volumes, whose headers then say the same. */
  bool goes_on = block->type == HEADER_FILE && (block->flags & SPLIT_BEFORE) != 0 &&
                 memcmp(rar->iv, crypt.iv, RAR_BLOCK) == 0;
  memcpy(rar->iv, crypt.iv, RAR_BLOCK);
  bool is_ready = key != NULL && (goes_on ? rar->stream.aes != NULL
                                          : rar_stream_start(&rar->stream, key->key, 32, crypt.iv));
  g_autoptr(GByteArray) header = is_ready ? plain_header(rar, block, &crypt, key, &want) : NULL;
  if (header == NULL) {
    rar->n_closed++;
    return copy_block(rar, block, out, error);
  }
  return put_block(out, header->data, header->len, error) &&
         rar_stream_decrypt(rar->unpack, &rar->stream, rar->data + block->data_at, block->n_data,
                            want, out, error);
}

/* Between the parts of a member each volume may have a service block: it leaves what goes on from
 * volume to volume alone. */
static bool write_service(Rar5 *rar, Block *block, ContentBuilder *out, GError **error) {
  Rar5 own = *rar;
  own.stream = (RarStream){0};
  bool ok = write_block(&own, block, out, error);
  rar_stream_clear(&own.stream);
  rar->n_closed = own.n_closed;
  rar->n_hidden = own.n_hidden;
  return ok;
}

/* The key of the headers that follow; false where no password fits. */
static bool open_headers(Rar5 *rar, const Block *block) {
  Cursor cursor = block->body;
  Crypt crypt = {0};
  uint64_t version = take_number(&cursor), flags = take_number(&cursor);
  if (cursor.is_bad || version != 0 || (flags & CRYPT_HAS_CHECK) == 0 ||
      !read_secret(&cursor, true, false, &crypt))
    return false;
  rar->header_key = rar5_key(rar->keys, &crypt.secret);
  return rar->header_key != NULL;
}

/* Writes volume after volume to out until no sound header follows; false with error where out takes
 * no more, without one where the headers stay closed. */
static bool write_blocks(Rar5 *rar, ContentBuilder *out, GError **error) {
  uint64_t at = 0;
  while (rar->size - at > SIGNATURE_BYTES && probe_rar5(rar->data + at, rar->size - at)) {
    bool is_ended = false, has_next = false;
    rar->header_key = NULL;
    if (!content_builder_append(out, rar->data + at, SIGNATURE_BYTES, error))
      return false;
    at += SIGNATURE_BYTES;
    for (Block block; !is_ended && read_block(rar, at, &block); block_clear(&block)) {
      bool is_crypt = block.type == HEADER_CRYPT && rar->header_key == NULL;
      if (is_crypt                       ? !open_headers(rar, &block)
          : block.type == HEADER_SERVICE ? !write_service(rar, &block, out, error)
                                         : !write_block(rar, &block, out, error)) {
        block_clear(&block);
        return false;
      }
      is_ended = block.type == HEADER_END;
      has_next = is_ended && (take_number(&block.body) & 1) != 0;
      at = block.after;
    }
    if (!is_ended && at < rar->size) { /* libarchive tells what is wrong there */
      rar->end = rar->size;
      return content_builder_append(out, rar->data + at, (size_t)(rar->size - at), error);
    }
    rar->end = at;
    if (!has_next)
      break;
    while (at < rar->size && rar->data[at] == 0)
      at++;
  }
  return true;
}

/* NULL where headers stay closed, or the limit of what may be unpacked is met. */
static Content *rewrite(Rar5 *rar, const GArray *sums) {
  g_autoptr(ContentBuilder) out =
      content_builder_new(rar->unpack->options->spool, LIMIT_OBJECT_BYTES);
  rar->sums = sums;
  rar_stream_clear(&rar->stream);
  rar->header_key = NULL;
  rar->n_files = rar->stored_left = rar->carry = rar->n_closed = rar->n_hidden = 0;
  bool is_open = write_blocks(rar, out, NULL) && !rar->unpack->is_stopped;
  rar_stream_clear(&rar->stream);
  if (!is_open)
    return NULL;
  return content_builder_finish(g_steal_pointer(&out), NULL);
}

/* ---- checksums that the headers hide ---- */

static bool sum_entry(Rar5 *rar, Reader *reader, uint64_t *left, uint32_t *crc) {
  const void *block;
  size_t n;
  la_int64_t offset;
  int status;
  while ((status = archive_read_data_block(reader_archive(reader), &block, &n, &offset)) ==
         ARCHIVE_OK) {
    *crc = (uint32_t)crc32_z(*crc, block, n);
    reader_progress(reader);
    if (n > *left || !unpack_alive(rar->unpack, n))
      return false;
    *left -= n;
  }
  return status == ARCHIVE_EOF;
}

/* Of all members, as far as they will be unpacked. */
static GArray *sum_members(Rar5 *rar, Content *whole) {
  GArray *sums = g_array_new(FALSE, TRUE, sizeof(Sum));
  g_autoptr(Reader) reader =
      reader_open(rar->unpack, whole, archive_read_support_format_rar5, NULL, NULL);
  struct archive_entry *entry;
  uint64_t left = unpack_budget(rar->unpack);
  while (reader != NULL && left > 0 && sums->len < rar->n_files &&
         reader_next(reader, &entry) == ARCHIVE_OK) {
    Sum sum = {0};
    sum.is_known = sum_entry(rar, reader, &left, &sum.crc);
    g_array_append_val(sums, sum);
  }
  return sums;
}

/* ---- sums, which libarchive does not compare for stored members ---- */

static bool check_blake2(Cursor *cursor, const Content *member, GError **error) {
  uint8_t got[BLAKE2SP_BYTES];
  const uint8_t *wanted = take_bytes(cursor, sizeof got);
  if (wanted == NULL)
    return true;
  blake2sp(content_data(member), content_size(member), got);
  return memcmp(got, wanted, sizeof got) == 0 ||
         triage_fail(error, TRIAGE_REASON_BAD_CHECKSUM,
                     "the BLAKE2 sum of what came out is not the archive's: the member is damaged; "
                     "what came out was examined");
}

static bool check_member(const Block *block, const Content *member, GError **error) {
  Cursor cursor = block->body, records = block->extra, whole;
  uint64_t flags = take_number(&cursor), unpacked = take_number(&cursor), type;
  take_number(&cursor); /* attributes */
  if ((flags & FILE_HAS_TIME) != 0)
    take_bytes(&cursor, 4);
  const uint8_t *sum = (flags & FILE_HAS_CRC) != 0 ? take_bytes(&cursor, 4) : NULL;
  bool is_stored = (take_number(&cursor) >> 7 & 7) == 0;
  Crypt crypt;
  if (cursor.is_bad || !is_stored || is_secret(block, &crypt) || unpacked != content_size(member))
    return true;
  Cursor hash = {0};
  while (next_record(&records, &type, &whole)) {
    take_number(&whole); /* size */
    take_number(&whole); /* type */
    if (type == EXTRA_LINK)
      return true; /* its target stands in the header */
    if (type == EXTRA_HASH && take_number(&whole) == HASH_BLAKE2SP)
      hash = whole;
  }
  if (sum != NULL)
    return unpack_check_crc(bytes_le32(sum), member, error);
  return hash.p == NULL || check_blake2(&hash, member, error);
}

bool rar5_check(const Content *archive, uint64_t at, const Content *member, GError **error) {
  const Rar5 rar = {.data = content_data(archive), .size = content_size(archive)};
  bool is_met = false, is_done = false, is_right = true;
  while (!is_done && at < rar.size) {
    Block block;
    if (rar.size - at > SIGNATURE_BYTES && probe_rar5(rar.data + at, rar.size - at)) {
      at += SIGNATURE_BYTES;
      continue;
    }
    if (!read_block(&rar, at, &block))
      return true; /* what is wrong there libarchive tells */
    at = block.after;
    bool is_file = block.type == HEADER_FILE, goes_on = (block.flags & SPLIT_BEFORE) != 0;
    bool is_last = (block.flags & SPLIT_AFTER) == 0;
    is_done = block.type == HEADER_CRYPT || (is_file && (is_last || is_met != goes_on));
    if (is_file && is_last && is_met == goes_on)
      is_right = check_member(&block, member, error);
    is_met = is_met || is_file;
    while (block.type == HEADER_END && at < rar.size && rar.data[at] == 0)
      at++;
    block_clear(&block);
  }
  return is_right;
}

/* ---- */

/* Has it encrypted headers or members? Stops at the first header that is not sound. */
static bool is_encrypted(Rar5 *rar) {
  uint64_t at = SIGNATURE_BYTES;
  bool is_any = false, is_ended = false;
  Crypt crypt;
  for (Block block; !is_any && !is_ended && at < rar->size && read_block(rar, at, &block);
       block_clear(&block)) {
    is_any = block.type == HEADER_CRYPT || is_secret(&block, &crypt);
    is_ended = block.type == HEADER_END;
    at = block.after;
  }
  return is_any;
}

/* Ends the archive with its end header? Where a header is so damaged that it seems to reach over
 * the end, libarchive ends without a word. */
static void check_end(Unpack *unpack, Container *container) {
  const Rar5 rar = {.data = content_data(container->content),
                    .size = content_size(container->content)};
  uint64_t at = SIGNATURE_BYTES;
  bool is_ended = false, is_closed = false;
  for (Block block; !is_ended && !is_closed && at < rar.size && read_block(&rar, at, &block);
       block_clear(&block)) {
    is_ended = block.type == HEADER_END;
    is_closed = block.type == HEADER_CRYPT;
    at = block.after;
    bool has_next = is_ended && (take_number(&block.body) & 1) != 0;
    while (has_next && at < rar.size && rar.data[at] == 0)
      at++;
    if (has_next && rar.size - at > SIGNATURE_BYTES && probe_rar5(rar.data + at, rar.size - at)) {
      is_ended = false; /* the next volume */
      at += SIGNATURE_BYTES;
    }
  }
  if (!is_ended && !is_closed && !container->is_damaged && !unpack->is_stopped)
    unpack_damage(unpack, container, TRIAGE_REASON_CORRUPT,
                  "the rar5 breaks off at byte %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                  ", where no sound header lies: members may be missing",
                  at, rar.size);
}

void unpack_rar5_open(Unpack *unpack, const Unpacker *self, Container *container) {
  g_autoptr(RarKeys) keys = rar_keys_new(unpack);
  Rar5 rar = {.unpack = unpack,
              .data = content_data(container->content),
              .size = content_size(container->content),
              .keys = keys};
  if (!is_encrypted(&rar)) {
    unpack_archive_open(unpack, self, container);
    check_end(unpack, container);
    return;
  }
  g_autoptr(Content) whole = rewrite(&rar, NULL);
  if (whole != NULL && rar.n_hidden > 0) {
    g_autoptr(GArray) sums = sum_members(&rar, whole);
    Content *checked = unpack->is_stopped ? NULL : rewrite(&rar, sums);
    content_unref(whole);
    whole = checked;
  }
  if (unpack->is_stopped)
    return;
  container->is_encrypted = whole == NULL || rar.n_closed > 0;
  if (rar_keys_spent(keys))
    unpack_damage(unpack, container, TRIAGE_REASON_ENCRYPTED,
                  "not all passwords were tried on this RAR archive: its keys take more rounds "
                  "than are left of %u",
                  LIMIT_PASSWORD_ROUNDS);
  if (container->is_encrypted)
    unpack_damage(unpack, container, TRIAGE_REASON_ENCRYPTED,
                  "members of the rar5 are encrypted and no password given fits: passwords to try "
                  "may be given with --password-file; what could be opened was unpacked");
  if (whole != NULL)
    unpack_archive_open_rebuilt(unpack, self, container, whole, rar.end, check_end);
  else
    unpack_archive_open(unpack, self, container);
}
