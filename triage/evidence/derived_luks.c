/* SPDX-License-Identifier: Apache-2.0 */
/* derived_luks.c - the plain bytes of a LUKS volume whose passphrase is given. */
#include "base/limits.h"
#include "evidence/derived_private.h"
#include "evidence/luks.h"
#include <string.h>

typedef struct {
  DerivedBase base;
  SectorCipher *cipher;
  uint64_t start, tweak; /* of the encrypted data in the base */
  size_t sector_bytes;
} Plain;

/* Whole sectors into a buffer of their own where the wish is for less. */
static ssize_t plain_read(void *handle, uint8_t *buffer, size_t n, uint64_t offset) {
  enum { PIECE = 64 << 10 };
  Plain *plain = handle;
  g_autofree uint8_t *piece = g_malloc(PIECE);
  for (size_t done = 0; done < n;) {
    uint64_t at = offset + done, first = at / plain->sector_bytes * plain->sector_bytes;
    size_t skip = (size_t)(at - first), take = MIN(n - done, PIECE - skip);
    size_t whole =
        (skip + take + plain->sector_bytes - 1) / plain->sector_bytes * plain->sector_bytes;
    image_read(plain->base.base, plain->base.offset + plain->start + first, piece, whole);
    if (!sector_cipher_decrypt(plain->cipher, plain->tweak + first / 512, piece, whole))
      return -1;
    memcpy(buffer + done, piece + skip, take);
    done += take;
  }
  return (ssize_t)n;
}

static void plain_close(void *handle) {
  Plain *plain = handle;
  sector_cipher_free(plain->cipher);
  g_free(plain);
}

static void hand_over(const DerivedBase *base, const Luks *luks, SectorCipher *cipher,
                      derived_found found, void *user) {
  uint64_t size = base->length - luks->start;
  if (luks->length > 0)
    size = MIN(size, luks->length);
  size -= size % luks->sector_bytes;
  Plain *plain = g_new0(Plain, 1);
  *plain = (Plain){.base = *base,
                   .cipher = cipher,
                   .start = luks->start,
                   .tweak = luks->tweak,
                   .sector_bytes = luks->sector_bytes};
  plain->base.passwords = NULL;
  DerivedVolume volume = {
      .image = derived_image_new(base, NULL, size, plain, plain_read, plain_close),
      .description = g_strdup("the LUKS volume, opened with a given passphrase")};
  found(user, &volume);
}

typedef struct {
  guint n_slots; /* tries */
  bool is_spent;
} Tries;

/* Tries all passphrases on all slots. */
static bool find_key(const DerivedBase *base, const Luks *luks, uint8_t *key, size_t *n_key,
                     Tries *tries) {
  LuksBudget budget = {.rounds = LIMIT_VOLUME_ROUNDS, .argon_kib = LIMIT_ARGON_TOTAL / KIB};
  guint n = base->passwords != NULL ? base->passwords->len : 0;
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < luks->n_slots; k++) {
      const LuksSlot *slot = &luks->slots[k];
      LuksAnswer answer = luks_try(base, luks, slot, base->passwords->pdata[i], &budget, key);
      *n_key = slot->key_bytes;
      if (answer == LUKS_OPEN)
        return true;
      tries->is_spent = tries->is_spent || answer == LUKS_TOO_COSTLY;
      tries->n_slots += answer == LUKS_WRONG ? 1 : 0;
    }
  return false;
}

static gboolean give_up(const DerivedBase *base, const Luks *luks, const Tries *tries,
                        GError **error) {
  guint n = base->passwords != NULL ? base->passwords->len : 0;
  const char *why = n == 0               ? "no passphrase was given (--password-file)"
                    : luks->n_slots == 0 ? "none of its key slots can be used"
                    : tries->is_spent    ? "not all given passphrases were tried on all its key "
                                           "slots: that takes more time or memory than is allowed"
                                         : "none of the given passphrases opens it";
  return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                     "a LUKS volume of version %u (%s, %u key slots%s%s); %s; its bytes are "
                     "examined as they are",
                     luks->version, luks->method, luks->n_slots + luks->n_unreadable,
                     *luks->tokens != '\0' ? ", tokens: " : "", luks->tokens, why);
}

static gboolean luks_open(const DerivedBase *base, derived_found found, void *user,
                          GError **error) {
  g_autofree Luks *luks = g_new0(Luks, 1);
  if (!luks_read_header(base, luks, error))
    return FALSE;
  uint8_t key[CIPHER_KEY_MAX];
  size_t n_key = 0;
  Tries tries = {0};
  if (!find_key(base, luks, key, &n_key, &tries))
    return give_up(base, luks, &tries, error);
  SectorCipher *cipher = sector_cipher_new(luks->method, key, n_key, luks->sector_bytes, error);
  if (cipher == NULL) {
    g_prefix_error(error, "a LUKS volume that a given passphrase opens; ");
    return FALSE;
  }
  hand_over(base, luks, cipher, found, user);
  return TRUE;
}

const DerivedKind DERIVED_LUKS = {
    .row = {.stage = "volume",
            .name = "luks",
            .title = "LUKS",
            .spec =
                "LUKS On-Disk Format Specification 1.2.3, LUKS2 On-Disk Format Specification 1.1.1",
            .library = "libgcrypt",
            .limitations =
                "by passphrase, with AES in XTS or CBC; detached headers, integrity layers and "
                "volumes whose encryption was being changed are listed as encrypted",
            .available = true},
    .probe = luks_probe,
    .open = luks_open,
};
