/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_7z.c - 7z archives. libarchive unpacks them and decrypts none: where a password fits, the
 * archive is written anew without its encryption, and that is what libarchive gets. */
#include "unpack/unpack_7zheader.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_known.h"
#include <archive_entry.h>
#include <lzma.h>
#include <openssl/evp.h>
#include <string.h>
#include <zlib.h>

enum {
  START_BYTES = 32,
  STEP_BYTES = 64 * 1024,
  NESTED_HEADERS = 4,
  CYCLES_MAX = 24,
  ID_HEADER = 1,
  ID_FILES = 5,
  ID_ENCODED_HEADER = 0x17
};
#define HEADER_MAX (64 * MIB)
#define LZMA_MEMORY (256 * MIB)
#define TRIAL_BYTES (64 * MIB)

typedef struct {
  Unpack *unpack;
  const uint8_t *data; /* of the archive, whole */
  uint64_t size;
  uint64_t rounds_left;
  const char *password;
  uint8_t salt[16], key[32]; /* the last one made, for that password */
  unsigned n_salt, cycles;
  bool has_key;
  bool is_spent; /* a key would take more rounds than are left */
  guint n_tried; /* passwords */
} Seven;

/* ---- AES-256 with SHA-256 over and over ---- */

static bool make_key(Seven *seven, const uint8_t *salt, unsigned n_salt, unsigned cycles) {
  if (seven->has_key && seven->cycles == cycles && seven->n_salt == n_salt &&
      memcmp(seven->salt, salt, n_salt) == 0)
    return true;
  glong n_units = 0;
  g_autofree gunichar2 *units = g_utf8_to_utf16(seven->password, -1, NULL, &n_units, NULL);
  uint64_t rounds = UINT64_C(1) << cycles;
  if (units == NULL)
    return false;
  if (cycles > CYCLES_MAX || rounds > seven->rounds_left) {
    seven->is_spent = true;
    return false;
  }
  seven->rounds_left -= rounds;
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
  for (uint64_t i = 0; i < rounds; i++) {
    uint8_t counter[8];
    for (unsigned k = 0; k < 8; k++)
      counter[k] = (uint8_t)(i >> 8 * k);
    EVP_DigestUpdate(digest, salt, n_salt);
    EVP_DigestUpdate(digest, units, (size_t)n_units * 2);
    EVP_DigestUpdate(digest, counter, sizeof counter);
    if (i % STEP_BYTES == STEP_BYTES - 1 && !unpack_alive(seven->unpack, MIB))
      break;
  }
  EVP_DigestFinal_ex(digest, seven->key, NULL);
  EVP_MD_CTX_free(digest);
  memcpy(seven->salt, salt, n_salt);
  seven->n_salt = n_salt;
  seven->cycles = cycles;
  seven->has_key = true;
  return !seven->unpack->is_stopped;
}

/* Key and first vector by the coder's properties. */
static bool start_aes(Seven *seven, const SzCoder *coder, EVP_CIPHER_CTX *aes) {
  uint8_t iv[16] = {0};
  const uint8_t *p = coder->props;
  unsigned n_salt = 0, n_iv = 0;
  if (coder->n_props < 1)
    return false;
  if ((p[0] & 0xC0) != 0 && coder->n_props >= 2) {
    n_salt = (unsigned)(p[0] >> 7) + (unsigned)(p[1] >> 4);
    n_iv = (unsigned)(p[0] >> 6 & 1) + (p[1] & 15u);
  }
  if (n_salt > 16 || n_iv > 16 || coder->n_props < 2 + n_salt + n_iv)
    return false;
  memcpy(iv, p + 2 + n_salt, n_iv);
  return make_key(seven, p + 2, n_salt, p[0] & 0x3F) &&
         EVP_DecryptInit_ex(aes, EVP_aes_256_cbc(), NULL, seven->key, iv) == 1 &&
         EVP_CIPHER_CTX_set_padding(aes, 0) == 1;
}

/* Appends what [at, at + n) of the archive gives, want bytes of it. */
static bool decrypt(Seven *seven, const SzCoder *coder, uint64_t at, uint64_t n, uint64_t want,
                    ContentBuilder *out, GError **error) {
  g_autofree uint8_t *buffer = g_malloc(STEP_BYTES);
  EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
  bool ok = start_aes(seven, coder, aes);
  n &= ~UINT64_C(15);
  while (ok && n > 0 && want > 0) {
    int step = (int)MIN(n, STEP_BYTES), got = 0;
    ok = EVP_DecryptUpdate(aes, buffer, &got, seven->data + at, step) == 1 && got == step &&
         content_builder_append(out, buffer, (size_t)MIN((uint64_t)got, want), error) &&
         unpack_alive(seven->unpack, (uint64_t)step);
    want -= MIN((uint64_t)got, want);
    at += (uint64_t)step;
    n -= (uint64_t)step;
  }
  EVP_CIPHER_CTX_free(aes);
  return ok && want == 0;
}

/* ---- the header ---- */

static bool pack_place(const Seven *seven, const SzStreams *streams, uint32_t pack, uint64_t *at,
                       uint64_t *n) {
  *at = streams->pack_pos;
  if (pack >= streams->packs->len || !g_uint64_checked_add(at, *at, START_BYTES))
    return false;
  for (uint32_t i = 0; i < pack; i++)
    if (!g_uint64_checked_add(at, *at, g_array_index(streams->packs, uint64_t, i)))
      return false;
  *n = g_array_index(streams->packs, uint64_t, pack);
  return *at <= seven->size && *n <= seven->size - *at;
}

static Content *unpack_lzma(const SzCoder *coder, const Content *packed, uint64_t size) {
  lzma_filter filters[2] = {{.id = LZMA_FILTER_LZMA1}, {.id = LZMA_VLI_UNKNOWN}};
  g_autofree uint8_t *out = g_try_malloc(MAX(size, 1));
  if (out == NULL ||
      lzma_properties_decode(&filters[0], NULL, coder->props, coder->n_props) != LZMA_OK)
    return NULL;
  lzma_stream stream = LZMA_STREAM_INIT;
  bool ok = lzma_raw_decoder_memusage(filters) <= LZMA_MEMORY &&
            lzma_raw_decoder(&stream, filters) == LZMA_OK;
  stream.next_in = content_data(packed);
  stream.avail_in = (size_t)content_size(packed);
  stream.next_out = out;
  stream.avail_out = (size_t)size;
  while (ok && stream.avail_out > 0)
    ok = lzma_code(&stream, LZMA_RUN) == LZMA_OK;
  lzma_end(&stream);
  free(filters[0].options); /* liblzma's own, by malloc */
  return stream.avail_out == 0 ? content_new_copy(out, (size_t)size) : NULL;
}

/* What a packed header holds, under the password at hand; NULL where it does not come out. */
static Content *decode_header(Seven *seven, const SzStreams *streams) {
  uint64_t at, n, size;
  uint32_t pack, crc;
  if (streams->folders->len != 1)
    return NULL;
  SzFolder folder = *(const SzFolder *)streams->folders->pdata[0];
  int aes = sz_find_aes(&folder);
  g_autoptr(ContentBuilder) builder =
      content_builder_new(seven->unpack->options->spool, HEADER_MAX);
  if (!pack_place(seven, streams, folder.first_pack, &at, &n) || n > HEADER_MAX)
    return NULL;
  if (aes >= 0) {
    SzCoder coder = folder.coders[aes];
    if (!sz_remove_coder(&folder, aes, &pack, &size) || size > HEADER_MAX ||
        !decrypt(seven, &coder, at, n, size, builder, NULL))
      return NULL;
  } else if (!content_builder_append(builder, seven->data + at, (size_t)n, NULL)) {
    return NULL;
  }
  g_autoptr(Content) packed = content_builder_finish(g_steal_pointer(&builder), NULL);
  if (packed == NULL || folder.n_coders != 1 || folder.sizes[0] > HEADER_MAX)
    return NULL;
  g_autoptr(Content) plain = folder.coders[0].method == SZ_METHOD_LZMA
                                 ? unpack_lzma(&folder.coders[0], packed, folder.sizes[0])
                             : folder.coders[0].method == SZ_METHOD_COPY ? content_ref(packed)
                                                                         : NULL;
  bool is_right = plain != NULL && (!sz_first_digest(streams, &crc) ||
                                    crc == unpack_crc32(content_data(plain), content_size(plain)));
  return is_right ? g_steal_pointer(&plain) : NULL;
}

/* The archive's header, plain; *is_secret: passwords decide whether it can be had. */
static Content *read_header(Seven *seven, bool *is_secret) {
  uint64_t at = bytes_le64(seven->data + 12), n = bytes_le64(seven->data + 20);
  *is_secret = false;
  if (!g_uint64_checked_add(&at, at, START_BYTES) || at > seven->size || n > seven->size - at ||
      n == 0 || n > HEADER_MAX)
    return NULL;
  Content *header = content_new_copy(seven->data + at, (size_t)n);
  for (unsigned i = 0; header != NULL && content_size(header) > 1 && i < NESTED_HEADERS &&
                       content_data(header)[0] == ID_ENCODED_HEADER;
       i++) {
    SzStreams streams;
    Content *inner = NULL;
    if (sz_read_streams(&streams, content_data(header) + 1, content_size(header) - 1)) {
      *is_secret =
          *is_secret || (streams.folders->len > 0 && sz_find_aes(streams.folders->pdata[0]) >= 0);
      inner = seven->password != NULL || !*is_secret ? decode_header(seven, &streams) : NULL;
    }
    sz_streams_clear(&streams);
    content_unref(header);
    header = inner;
  }
  if (header == NULL || content_size(header) < 2 || content_data(header)[0] != ID_HEADER)
    g_clear_pointer(&header, content_unref);
  return header;
}

/* ---- the archive without its encryption ---- */

/* Which coder encrypts each packed stream, the coders taken out of their folders. */
static bool strip(SzStreams *streams, SzCoder **secrets, GArray *sizes) {
  for (guint i = 0; i < streams->folders->len; i++) {
    SzFolder *folder = streams->folders->pdata[i];
    for (int aes; (aes = sz_find_aes(folder)) >= 0;) {
      uint32_t pack;
      uint64_t size;
      SzCoder coder = folder->coders[aes];
      if (!sz_remove_coder(folder, aes, &pack, &size) || pack >= streams->packs->len ||
          secrets[pack] != NULL || size > g_array_index(streams->packs, uint64_t, pack))
        return false;
      secrets[pack] = g_memdup2(&coder, sizeof coder);
      g_array_index(sizes, uint64_t, pack) = size;
    }
  }
  return true;
}

static bool copy_packs(Seven *seven, const SzStreams *streams, SzCoder *const *secrets,
                       const GArray *sizes, ContentBuilder *out, GError **error) {
  uint64_t at, n;
  if (!pack_place(seven, streams, 0, &at, &n))
    return false;
  for (uint32_t i = 0; i < streams->packs->len; i++) {
    n = g_array_index(streams->packs, uint64_t, i);
    if (at > seven->size || n > seven->size - at)
      return false;
    if (secrets[i] != NULL
            ? !decrypt(seven, secrets[i], at, n, g_array_index(sizes, uint64_t, i), out, error)
            : !content_builder_append(out, seven->data + at, (size_t)n, error))
      return false;
    at += n;
  }
  return true;
}

static void put_le(uint8_t *p, unsigned n, uint64_t value) {
  for (unsigned i = 0; i < n; i++)
    p[i] = (uint8_t)(value >> 8 * i);
}

/* Signature and start header before the packed streams, the header behind them. */
static Content *assemble(Seven *seven, const Content *packs, const GByteArray *header) {
  uint8_t start[START_BYTES];
  memcpy(start, seven->data, 8);
  put_le(start + 12, 8, content_size(packs));
  put_le(start + 20, 8, header->len);
  put_le(start + 28, 4, crc32_z(0, header->data, header->len));
  put_le(start + 8, 4, crc32_z(0, start + 12, 20));
  g_autoptr(ContentBuilder) builder =
      content_builder_new(seven->unpack->options->spool, LIMIT_OBJECT_BYTES);
  if (!content_builder_append(builder, start, sizeof start, NULL) ||
      !content_builder_append(builder, content_data(packs), (size_t)content_size(packs), NULL) ||
      !content_builder_append(builder, header->data, header->len, NULL))
    return NULL;
  return content_builder_finish(g_steal_pointer(&builder), NULL);
}

static void coders_free(SzCoder **secrets, guint n) {
  for (guint i = 0; i < n; i++)
    g_free(secrets[i]);
  g_free(secrets);
}

/* Of a header without streams: names alone. */
static Content *rewrite_names(Seven *seven, const Content *header) {
  g_autoptr(Content) nothing = content_new_copy("", 0);
  g_autoptr(GByteArray) names = g_byte_array_new();
  g_byte_array_append(names, content_data(header), (guint)content_size(header));
  return assemble(seven, nothing, names);
}

/* NULL where the archive does not come out under the password at hand. */
static Content *rewrite(Seven *seven, const Content *header, bool *is_all_secret) {
  SzStreams streams;
  Content *whole = NULL;
  *is_all_secret = false;
  if (content_data(header)[1] == ID_FILES)
    return rewrite_names(seven, header);
  if (sz_read_streams(&streams, content_data(header) + 1, content_size(header) - 1) &&
      streams.n_folders == streams.folders->len) {
    guint n = streams.packs->len;
    *is_all_secret = streams.n_secret == streams.n_folders;
    SzCoder **secrets = g_new0(SzCoder *, n + 1);
    g_autoptr(GArray) sizes = g_array_copy(streams.packs);
    g_autoptr(ContentBuilder) builder =
        content_builder_new(seven->unpack->options->spool, LIMIT_OBJECT_BYTES);
    if (strip(&streams, secrets, sizes) &&
        copy_packs(seven, &streams, secrets, sizes, builder, NULL)) {
      g_autoptr(Content) packs = content_builder_finish(g_steal_pointer(&builder), NULL);
      g_autoptr(GByteArray) plain = g_byte_array_new();
      g_array_unref(streams.packs);
      streams.packs = g_array_ref(sizes);
      streams.pack_pos = 0;
      sz_write_header(&streams, plain);
      whole = packs != NULL ? assemble(seven, packs, plain) : NULL;
    }
    coders_free(secrets, n);
  }
  sz_streams_clear(&streams);
  return whole;
}

/* Reads the entry at hand; false where it is damaged. */
static bool try_entry(Seven *seven, Reader *reader, uint64_t *sum) {
  const void *block;
  size_t n;
  la_int64_t offset;
  int status;
  while ((status = archive_read_data_block(reader_archive(reader), &block, &n, &offset)) ==
         ARCHIVE_OK) {
    *sum += n + 1;
    reader_progress(reader);
    if (*sum > TRIAL_BYTES)
      return true;
    if (!unpack_alive(seven->unpack, n))
      return false;
  }
  return status == ARCHIVE_EOF;
}

/* Does it unpack, as far as a trial goes? Where all of it was encrypted, one member whose checksum
 * holds is proof enough, and damage is damage. */
static bool is_sound(Seven *seven, Content *whole, bool is_all_secret) {
  g_autoptr(Reader) reader =
      reader_open(seven->unpack, whole, archive_read_support_format_7zip, NULL, NULL);
  struct archive_entry *entry;
  uint64_t sum = 0, n_read = 0;
  bool is_good = reader != NULL;
  while (is_good && sum <= TRIAL_BYTES && reader_next(reader, &entry) == ARCHIVE_OK) {
    is_good = try_entry(seven, reader, &sum);
    n_read += is_good && archive_entry_size(entry) > 0;
  }
  return !seven->unpack->is_stopped && (is_good || (is_all_secret && n_read > 0));
}

/* One byte tells most wrong passwords: what LZMA and LZMA2 begin with. */
static bool is_likely(Seven *seven, const Content *header) {
  SzStreams streams;
  bool is_any = true;
  uint64_t at, n;
  if (sz_read_streams(&streams, content_data(header) + 1, content_size(header) - 1)) {
    for (guint i = 0; i < streams.folders->len; i++) {
      SzFolder folder = *(const SzFolder *)streams.folders->pdata[i];
      int aes = sz_find_aes(&folder);
      if (aes < 0 || folder.n_coders != 2 ||
          !pack_place(seven, &streams, folder.first_pack, &at, &n))
        continue;
      uint32_t method = folder.coders[1 - aes].method;
      g_autoptr(ContentBuilder) builder = content_builder_new(seven->unpack->options->spool, 16);
      bool ok = n >= 16 && decrypt(seven, &folder.coders[aes], at, 16, 16, builder, NULL);
      g_autoptr(Content) first = content_builder_finish(g_steal_pointer(&builder), NULL);
      uint8_t byte = ok && first != NULL ? content_data(first)[0] : 0xFF;
      is_any = ok && (method != SZ_METHOD_LZMA || byte == 0) &&
               (method != SZ_METHOD_LZMA2 || byte <= 2 || byte >= 0x80);
      break;
    }
  }
  sz_streams_clear(&streams);
  return is_any;
}

/* The archive without encryption, under the first password that opens it. (transfer full) */
static Content *decrypt_archive(Seven *seven, Content *plain_header) {
  const GPtrArray *passwords = seven->unpack->options->passwords;
  for (guint i = 0; passwords != NULL && i < passwords->len && !seven->unpack->is_stopped; i++) {
    if (seven->is_spent)
      return NULL;
    seven->n_tried = i;
    bool is_secret, is_all_secret;
    seven->password = passwords->pdata[i];
    seven->has_key = false;
    g_autoptr(Content) header =
        plain_header != NULL ? content_ref(plain_header) : read_header(seven, &is_secret);
    if (header == NULL || !is_likely(seven, header))
      continue;
    g_autoptr(Content) whole = rewrite(seven, header, &is_all_secret);
    if (whole != NULL && is_sound(seven, whole, is_all_secret))
      return g_steal_pointer(&whole);
  }
  return NULL;
}

/* *is_too_large: it has more folders than can be decrypted. */
static bool is_encrypted(const Content *header, bool is_secret, bool *is_too_large) {
  SzStreams streams;
  *is_too_large = false;
  if (header == NULL)
    return is_secret;
  bool is_any = sz_read_streams(&streams, content_data(header) + 1, content_size(header) - 1) &&
                streams.n_secret > 0;
  *is_too_large = is_any && streams.n_folders > streams.folders->len;
  sz_streams_clear(&streams);
  return is_any;
}

void unpack_7z_open(Unpack *unpack, const Unpacker *self, Container *container) {
  Seven seven = {.unpack = unpack,
                 .data = content_data(container->content),
                 .size = content_size(container->content),
                 .rounds_left = LIMIT_PASSWORD_ROUNDS};
  bool is_secret = false, is_too_large;
  uint64_t extent = extent_7z(seven.data, seven.size);
  g_autoptr(Content) header = extent > 0 ? read_header(&seven, &is_secret) : NULL;
  if (!is_encrypted(header, is_secret, &is_too_large)) {
    unpack_archive_open(unpack, self, container);
    return;
  }
  if (is_too_large && unpack->options->passwords != NULL)
    unpack_damage(unpack, container, TRIAGE_REASON_SIZE_LIMIT,
                  "the 7z archive has more than %u encrypted and other streams: no password was "
                  "tried",
                  SZ_FOLDERS_MAX);
  g_autoptr(Content) whole = is_too_large ? NULL : decrypt_archive(&seven, header);
  if (unpack->is_stopped)
    return;
  if (whole == NULL && seven.is_spent)
    unpack_damage(
        unpack, container, TRIAGE_REASON_ENCRYPTED,
        "only the first %u of %u passwords were tried on this 7z archive: a key takes more "
        "rounds than are left of %u",
        seven.n_tried, unpack->options->passwords->len, LIMIT_PASSWORD_ROUNDS);
  container->is_encrypted = true; /* what fails in it fails for that */
  if (whole == NULL) {
    unpack_archive_open(unpack, self, container);
    return;
  }
  unpack_archive_open_rebuilt(unpack, self, container, whole, MIN(extent, seven.size), NULL);
}
