/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_zipcrypto.c - zip's old encryption (APPNOTE 6.1). By hand, because one password in 256
 * passes its one-byte check: libarchive takes the first that does and gives its garbage out. Here
 * only content whose CRC holds counts, so that a list of thousands of passwords can be tried. */
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <string.h>
#include <zlib.h>

enum { HEAD_BYTES = 12, BUFFER_BYTES = 64 * 1024 };

typedef struct {
  uint32_t key[3];
  const z_crc_t *table;
} Keys;

static uint32_t crc_step(const Keys *keys, uint32_t crc, uint8_t byte) {
  return (uint32_t)keys->table[(crc ^ byte) & 0xFF] ^ crc >> 8;
}

static void update(Keys *keys, uint8_t byte) {
  keys->key[0] = crc_step(keys, keys->key[0], byte);
  keys->key[1] = (keys->key[1] + (keys->key[0] & 0xFF)) * UINT32_C(134775813) + 1;
  keys->key[2] = crc_step(keys, keys->key[2], (uint8_t)(keys->key[1] >> 24));
}

static uint8_t decrypt(Keys *keys, uint8_t byte) {
  uint32_t t = (keys->key[2] & 0xFFFF) | 2;
  uint8_t plain = byte ^ (uint8_t)((t * (t ^ 1)) >> 8);
  update(keys, plain);
  return plain;
}

/* True where the password passes the check; the keys then stand behind the head. */
static bool start(Keys *keys, const char *password, const uint8_t *head, uint8_t by_crc,
                  uint8_t by_time) {
  *keys = (Keys){{0x12345678, 0x23456789, 0x34567890}, get_crc_table()};
  uint8_t last = 0;
  for (const char *p = password; *p != '\0'; p++)
    update(keys, (uint8_t)*p);
  for (unsigned i = 0; i < HEAD_BYTES; i++)
    last = decrypt(keys, head[i]);
  return last == by_crc || last == by_time;
}

static Content *decrypt_all(Unpack *unpack, Keys *keys, const uint8_t *data, uint64_t size,
                            GError **error) {
  g_autofree uint8_t *buffer = g_malloc(BUFFER_BYTES);
  g_autoptr(ContentBuilder) builder = content_builder_new(unpack->options->spool, size);
  for (uint64_t at = 0; at < size;) {
    size_t n = (size_t)MIN(size - at, BUFFER_BYTES);
    for (size_t i = 0; i < n; i++)
      buffer[i] = decrypt(keys, data[at + i]);
    at += n;
    if (!unpack_alive(unpack, n) || !content_builder_append(builder, buffer, n, error))
      return NULL;
  }
  return content_builder_finish(g_steal_pointer(&builder), error);
}

/* The member as this password gives it; NULL where its CRC does not hold. */
static Content *try_keys(Unpack *unpack, Container *container, Keys *keys, const ZipSecret *secret,
                         GError **error) {
  g_autoptr(Content) plain =
      decrypt_all(unpack, keys, secret->data + HEAD_BYTES, secret->size - HEAD_BYTES, error);
  if (plain == NULL || secret->method == 0)
    return plain != NULL && unpack_crc32(content_data(plain), content_size(plain)) == secret->crc
               ? g_steal_pointer(&plain)
               : NULL;
  Intake intake;
  uint64_t expanded = unpack->expanded, is_free = container->free_bytes;
  intake_init(&intake, unpack, container);
  bool is_whole =
      unpack_inflate_raw(unpack, content_data(plain), content_size(plain), &intake, error);
  g_autoptr(Content) content = intake_finish(&intake, is_whole ? error : NULL);
  TriageReason reason = triage_error_reason(*error);
  bool is_limit =
      !is_whole && (reason == TRIAGE_REASON_SIZE_LIMIT || reason == TRIAGE_REASON_RATIO_LIMIT);
  if (content != NULL &&
      (is_limit ||
       (is_whole && unpack_crc32(content_data(content), content_size(content)) == secret->crc)))
    return g_steal_pointer(&content);
  g_clear_error(error);
  unpack->expanded = expanded; /* garbage is no one's to pay */
  container->free_bytes = is_free;
  return NULL;
}

Content *unpack_zip_decrypt(Unpack *unpack, Container *container, const ZipSecret *secret,
                            GError **error) {
  const GPtrArray *passwords = unpack->options->passwords;
  Keys keys;
  for (guint i = 0; secret->size >= HEAD_BYTES && passwords != NULL && i < passwords->len; i++) {
    if (unpack->is_stopped)
      return NULL;
    if (!start(&keys, passwords->pdata[i], secret->data, (uint8_t)(secret->crc >> 24),
               (uint8_t)(secret->time >> 8)))
      continue;
    Content *content = try_keys(unpack, container, &keys, secret, error);
    if (content != NULL)
      return content;
    g_clear_error(error);
  }
  triage_fail(error, TRIAGE_REASON_ENCRYPTED,
              "encrypted, and no password given fits (or the member is damaged); passwords to try "
              "may be given with --password-file");
  return NULL;
}
