/* SPDX-License-Identifier: Apache-2.0 */
/* luks_header.c - LUKS On-Disk Format Specification 1.2.3 and LUKS2 On-Disk Format Specification
 * 1.1.1. Version 2 keeps two copies of a binary header with JSON behind it. */
#include "base/limits.h"
#include "base/text.h"
#include "evidence/derived_private.h"
#include "evidence/luks.h"
#include <gcrypt.h>
#include <jansson.h>
#include <string.h>

enum {
  SECTOR = 512,
  V1_BYTES = 592,
  V1_SLOTS = 208,
  V1_SLOT = 48,
  V1_N_SLOTS = 8,
  V1_SALT = 32,
  V1_DIGEST = 20,
  V1_ACTIVE = 0x00AC71F3,
  V2_BINARY = 4096,
  V2_COPY = 16384, /* where the copy begins by default; larger headers have it further on */
  V2_CHECKSUM = 448,
  V2_CHECKSUM_BYTES = 64,
  STRIPE_BYTES_MAX = 16 << 20,
};
static const char MAGIC[6] = {'L', 'U', 'K', 'S', '\xba', '\xbe'};
static const char MAGIC_COPY[6] = {'S', 'K', 'U', 'L', '\xba', '\xbe'};

/* The copy lies behind the first header, however large that is. */
bool luks_probe(const DerivedBase *base) {
  bool is_there = derived_has(base, 0, MAGIC, sizeof MAGIC);
  for (uint64_t at = V2_COPY; at <= LIMIT_LUKS_HEADER_BYTES && !is_there; at *= 2)
    is_there = derived_has(base, at, MAGIC_COPY, sizeof MAGIC_COPY);
  return is_there;
}

/* Numbers that key derivation and merging rely on. */
static bool is_sound(const DerivedBase *base, const LuksSlot *slot) {
  uint64_t n = (uint64_t)slot->stripes * slot->key_bytes, end;
  unsigned n_hash = gcry_md_get_algo_dlen(slot->hash);
  return slot->key_bytes > 0 && slot->key_bytes <= CIPHER_KEY_MAX && slot->area_key_bytes > 0 &&
         slot->area_key_bytes <= CIPHER_KEY_MAX && slot->stripes > 0 && n <= STRIPE_BYTES_MAX &&
         n_hash > 0 && n_hash <= LUKS_DIGEST_MAX &&
         g_uint64_checked_add(&end, slot->area, n + SECTOR) && end <= base->length;
}

static bool is_sound_kdf(const LuksKdf *kdf) {
  return kdf->rounds > 0 && kdf->n_salt > 0 &&
         (kdf->kind == LUKS_PBKDF2
              ? gcry_md_get_algo_dlen(kdf->hash) > 0
              : kdf->lanes > 0 && kdf->lanes <= 64 && kdf->memory_kib >= 8 * kdf->lanes);
}

/* ---- version 1 ---- */

static bool read_v1(const DerivedBase *base, Luks *luks, GError **error) {
  uint8_t head[V1_BYTES];
  image_read(base->base, base->offset, head, sizeof head);
  char cipher[33] = "", mode[33] = "", hash[33] = "";
  memcpy(cipher, head + 8, 32);
  memcpy(mode, head + 40, 32);
  memcpy(hash, head + 72, 32);
  int md = gcry_md_map_name(hash);
  g_snprintf(luks->method, sizeof luks->method, "%.30s-%.32s", cipher, mode);
  luks->start = (uint64_t)image_be32(head + 104) * SECTOR;
  luks->sector_bytes = SECTOR;
  luks->n_digests = 1;
  LuksDigest *digest = &luks->digests[0];
  *digest = (LuksDigest){.n = V1_DIGEST,
                         .kdf = {.hash = md, .rounds = image_be32(head + 164), .n_salt = V1_SALT}};
  memcpy(digest->value, head + 112, V1_DIGEST);
  memcpy(digest->kdf.salt, head + 132, V1_SALT);
  for (size_t i = 0; i < V1_N_SLOTS; i++) {
    const uint8_t *p = head + V1_SLOTS + i * V1_SLOT;
    if (image_be32(p) != V1_ACTIVE)
      continue;
    LuksSlot slot = {.kdf = {.hash = md, .rounds = image_be32(p + 4), .n_salt = V1_SALT},
                     .area = (uint64_t)image_be32(p + 40) * SECTOR,
                     .key_bytes = image_be32(head + 108),
                     .area_key_bytes = image_be32(head + 108),
                     .stripes = image_be32(p + 44),
                     .hash = md};
    memcpy(slot.kdf.salt, p + 8, V1_SALT);
    memcpy(slot.method, luks->method, sizeof slot.method);
    if (is_sound(base, &slot) && is_sound_kdf(&slot.kdf) && is_sound_kdf(&digest->kdf))
      luks->slots[luks->n_slots++] = slot;
    else
      luks->n_unreadable++;
  }
  return luks->start < base->length ||
         triage_fail(error, TRIAGE_REASON_TRUNCATED, "a LUKS volume cut before its data");
}

/* ---- version 2 ---- */

/* Large numbers are strings in LUKS' JSON. */
static bool get_u64(json_t *object, const char *name, uint64_t *out) {
  json_t *value = json_object_get(object, name);
  if (json_is_integer(value) && json_integer_value(value) >= 0) {
    *out = (uint64_t)json_integer_value(value);
    return true;
  }
  return json_is_string(value) &&
         g_ascii_string_to_unsigned(json_string_value(value), 10, 0, UINT64_MAX, out, NULL);
}

static uint32_t get_u32(json_t *object, const char *name) {
  uint64_t value = 0;
  return get_u64(object, name, &value) && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static const char *get_text(json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  return text != NULL ? text : "";
}

static size_t get_bytes(json_t *object, const char *name, uint8_t *out, size_t n_max) {
  gsize n = 0;
  g_autofree guchar *bytes = g_base64_decode(get_text(object, name), &n);
  if (n > n_max)
    return 0;
  memcpy(out, bytes, n);
  return n;
}

static bool take_kdf(json_t *object, LuksKdf *kdf) {
  const char *type = get_text(object, "type");
  bool is_pbkdf2 = strcmp(type, "pbkdf2") == 0, is_i = strcmp(type, "argon2i") == 0;
  if (!is_pbkdf2 && !is_i && strcmp(type, "argon2id") != 0)
    return false;
  kdf->kind = is_pbkdf2 ? LUKS_PBKDF2 : is_i ? LUKS_ARGON2I : LUKS_ARGON2ID;
  kdf->hash = gcry_md_map_name(get_text(object, "hash"));
  kdf->rounds = get_u32(object, is_pbkdf2 ? "iterations" : "time");
  kdf->memory_kib = get_u32(object, "memory");
  kdf->lanes = get_u32(object, "cpus");
  kdf->n_salt = get_bytes(object, "salt", kdf->salt, sizeof kdf->salt);
  return is_sound_kdf(kdf);
}

static bool holds(json_t *array, const char *name) {
  for (size_t i = 0; i < json_array_size(array); i++) {
    const char *text = json_string_value(json_array_get(array, i));
    if (text != NULL && strcmp(text, name) == 0)
      return true;
  }
  return false;
}

/* The digest that proves the key of a slot for the segment. */
static bool find_digest(json_t *digests, const char *slot, const char *segment, LuksDigest *out) {
  const char *name;
  json_t *digest;
  json_object_foreach(digests, name, digest) {
    if (!holds(json_object_get(digest, "keyslots"), slot) ||
        !holds(json_object_get(digest, "segments"), segment))
      continue;
    out->n = get_bytes(digest, "digest", out->value, sizeof out->value);
    return out->n > 0 && take_kdf(digest, &out->kdf);
  }
  return false;
}

static bool take_slot(const DerivedBase *base, Luks *luks, json_t *object) {
  json_t *area = json_object_get(object, "area"), *af = json_object_get(object, "af");
  LuksSlot slot = {.key_bytes = get_u32(object, "key_size"),
                   .area_key_bytes = get_u32(area, "key_size"),
                   .stripes = get_u32(af, "stripes"),
                   .hash = gcry_md_map_name(get_text(af, "hash")),
                   .digest = luks->n_digests};
  g_strlcpy(slot.method, get_text(area, "encryption"), sizeof slot.method);
  if (strcmp(get_text(object, "type"), "luks2") != 0 ||
      strcmp(get_text(area, "type"), "raw") != 0 || strcmp(get_text(af, "type"), "luks1") != 0 ||
      !get_u64(area, "offset", &slot.area) ||
      !take_kdf(json_object_get(object, "kdf"), &slot.kdf) || !is_sound(base, &slot))
    return false;
  luks->slots[luks->n_slots++] = slot;
  return true;
}

static void take_slots(const DerivedBase *base, Luks *luks, json_t *root, const char *segment) {
  json_t *slots = json_object_get(root, "keyslots"), *digests = json_object_get(root, "digests");
  const char *name;
  json_t *slot;
  json_object_foreach(slots, name, slot) {
    LuksDigest digest = {0};
    if (luks->n_slots < LUKS_SLOTS_MAX && find_digest(digests, name, segment, &digest) &&
        take_slot(base, luks, slot))
      luks->digests[luks->n_digests++] = digest;
    else
      luks->n_unreadable++;
  }
}

static void take_tokens(Luks *luks, json_t *root) {
  const char *name;
  json_t *token;
  json_object_foreach(json_object_get(root, "tokens"), name, token) {
    const char *type = get_text(token, "type");
    g_autofree char *shown = text_printable(type, MIN(strlen(type), 64));
    g_strlcat(luks->tokens, *luks->tokens != '\0' ? ", " : "", sizeof luks->tokens);
    g_strlcat(luks->tokens, shown, sizeof luks->tokens);
  }
}

static bool take_json(const DerivedBase *base, Luks *luks, json_t *root, GError **error) {
  json_t *segments = json_object_get(root, "segments");
  void *first = json_object_iter(segments);
  json_t *segment = first != NULL ? json_object_iter_value(first) : NULL;
  take_tokens(luks, root);
  if (json_object_size(segments) != 1)
    return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                       "a LUKS volume of version 2 with %zu segments (its encryption was being "
                       "changed), which cannot be opened",
                       json_object_size(segments));
  uint32_t sector = get_u32(segment, "sector_size");
  if (strcmp(get_text(segment, "type"), "crypt") != 0 ||
      json_object_get(segment, "integrity") != NULL || sector < SECTOR || sector > V2_BINARY ||
      (sector & (sector - 1)) != 0)
    return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                       "a LUKS volume of version 2 with an integrity layer or sectors of a kind "
                       "that cannot be read");
  luks->sector_bytes = sector;
  g_strlcpy(luks->method, get_text(segment, "encryption"), sizeof luks->method);
  const char *size = get_text(segment, "size");
  if (!get_u64(segment, "offset", &luks->start) || !get_u64(segment, "iv_tweak", &luks->tweak) ||
      (strcmp(size, "dynamic") != 0 && !get_u64(segment, "size", &luks->length)))
    return triage_fail(error, TRIAGE_REASON_CORRUPT, "a LUKS volume without a place of its data");
  take_slots(base, luks, root, json_object_iter_key(first));
  return luks->start < base->length ||
         triage_fail(error, TRIAGE_REASON_TRUNCATED, "a LUKS volume cut before its data");
}

/* One copy of the header; NULL: it is damaged. */
static json_t *load_copy(const DerivedBase *base, uint64_t at, const char *magic, uint64_t *id) {
  uint8_t head[V2_BINARY];
  if (!derived_has(base, at, magic, sizeof MAGIC) || base->length - at < sizeof head)
    return NULL;
  image_read(base->base, base->offset + at, head, sizeof head);
  uint64_t n = image_be64(head + 8);
  char hash[33] = "";
  memcpy(hash, head + 72, 32);
  int md = gcry_md_map_name(hash);
  unsigned n_hash = md != 0 ? gcry_md_get_algo_dlen(md) : 0;
  if (image_be16(head + 6) != 2 || n <= sizeof head || n > LIMIT_LUKS_HEADER_BYTES ||
      n > base->length - at || n_hash == 0 || n_hash > V2_CHECKSUM_BYTES)
    return NULL;
  g_autofree uint8_t *whole = g_malloc0((size_t)n);
  uint8_t digest[V2_CHECKSUM_BYTES];
  image_read(base->base, base->offset + at, whole, (size_t)n);
  memset(whole + V2_CHECKSUM, 0, V2_CHECKSUM_BYTES);
  gcry_md_hash_buffer(md, digest, whole, (size_t)n);
  if (memcmp(digest, head + V2_CHECKSUM, n_hash) != 0)
    return NULL;
  *id = image_be64(head + 16);
  const char *text = (const char *)whole + V2_BINARY;
  return json_loadb(text, strnlen(text, (size_t)n - V2_BINARY), 0, NULL);
}

static bool read_v2(const DerivedBase *base, Luks *luks, GError **error) {
  uint64_t id = 0, id_copy = 0;
  json_t *root = load_copy(base, 0, MAGIC, &id), *copy = NULL;
  for (uint64_t at = V2_COPY; at <= LIMIT_LUKS_HEADER_BYTES && copy == NULL; at *= 2)
    copy = load_copy(base, at, MAGIC_COPY, &id_copy);
  json_t *newer = root == NULL || (copy != NULL && id_copy > id) ? copy : root;
  bool ok = newer != NULL ? take_json(base, luks, newer, error)
                          : triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                                        "a LUKS volume of version 2, both copies of whose header "
                                        "are damaged");
  json_decref(root);
  json_decref(copy);
  return ok;
}

/* A header kept in a file of its own says that its data begins with the device, which is elsewhere:
 * read from here, the header itself would be taken for it. */
static bool is_attached(const Luks *luks, GError **error) {
  return luks->start > 0 ||
         triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                     "a LUKS volume's header of version %u alone (detached); the data that it "
                     "opens lies elsewhere and cannot be opened with it",
                     luks->version);
}

bool luks_read_header(const DerivedBase *base, Luks *luks, GError **error) {
  uint8_t start[8];
  memset(luks, 0, sizeof *luks);
  if (base->length < V1_BYTES)
    return triage_fail(error, TRIAGE_REASON_TRUNCATED, "a LUKS volume cut within its header");
  image_read(base->base, base->offset, start, sizeof start);
  bool has_first = memcmp(start, MAGIC, sizeof MAGIC) == 0;
  luks->version = has_first ? image_be16(start + 6) : 2;
  if (luks->version == 1 || luks->version == 2)
    return (luks->version == 1 ? read_v1 : read_v2)(base, luks, error) && is_attached(luks, error);
  return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                     "a LUKS volume of version %u, which cannot be opened", luks->version);
}
