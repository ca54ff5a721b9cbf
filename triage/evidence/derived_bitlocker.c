/* SPDX-License-Identifier: Apache-2.0 */
/* derived_bitlocker.c - the plain bytes of a BitLocker volume whose password or recovery key is
 * given. */
#include "base/limits.h"
#include "evidence/derived_private.h"
#include <libbde.h>
#include <string.h>

/* Each secret is hashed so often, and where it is wrong once more for each copy of the metadata. */
enum { ROUNDS = 1 << 20, N_COPIES = 3 };
enum { PROTECTORS_TOLD = 16, GUID_BYTES = 16 };

static bool bitlocker_probe(const DerivedBase *base) {
  /* BitLocker To Go keeps a FAT boot sector; its mark is a GUID. */
  static const uint8_t TO_GO[16] = {0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
                                    0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01};
  return derived_has(base, 3, "-FVE-FS-", 8) ||
         (derived_has(base, 3, "MSWIN4.1", 8) && derived_has(base, 424, TO_GO, sizeof TO_GO));
}

static ssize_t bitlocker_read(void *handle, uint8_t *buffer, size_t n, uint64_t offset) {
  libbde_error_t *failure = NULL;
  ssize_t got = libbde_volume_read_buffer_at_offset(handle, buffer, n, (off64_t)offset, &failure);
  libbde_error_free(&failure);
  return got;
}

static void bitlocker_close(void *handle) {
  libbde_volume_t *volume = handle;
  libbde_volume_close(volume, NULL);
  libbde_volume_free(&volume, NULL);
}

typedef struct {
  DerivedBase base;
  bool takes_recovery, takes_password;
  uint16_t method;
  GString *ways; /* what opens it */
  guint n_tried; /* secrets */
  bool is_spent;
  char *text; /* the library's last complaint */
} Locked;

/* (transfer full), NULL: not to be opened at all. */
static libbde_volume_t *open_volume(Locked *locked, libbfio_handle_t *io, libbde_volume_t *volume) {
  libbde_error_t *failure = NULL;
  if (libbde_volume_open_file_io_handle(volume, io, LIBBDE_OPEN_READ, &failure) >= 0)
    return volume;
  if (failure != NULL) {
    g_free(locked->text);
    locked->text = DERIVED_TEXT(libbde, &failure);
  }
  libbde_volume_free(&volume, NULL);
  return NULL;
}

static const char *way_name(uint16_t type) {
  switch (type) {
  case LIBBDE_KEY_PROTECTION_TYPE_CLEAR_KEY:
    return "clear key";
  case LIBBDE_KEY_PROTECTION_TYPE_TPM:
    return "TPM";
  case LIBBDE_KEY_PROTECTION_TYPE_STARTUP_KEY:
    return "startup key";
  case LIBBDE_KEY_PROTECTION_TYPE_RECOVERY_PASSWORD:
    return "recovery key";
  case LIBBDE_KEY_PROTECTION_TYPE_PASSWORD:
    return "password";
  default:
    return (type & LIBBDE_KEY_PROTECTION_TYPE_TPM) != 0 ? "TPM and more" : "unknown";
  }
}

/* Recovery keys are kept in registers under the identifier that Windows shows. */
static void add_way(Locked *locked, libbde_key_protector_t *protector) {
  uint16_t type = 0;
  uint8_t id[GUID_BYTES] = {0};
  if (libbde_key_protector_get_type(protector, &type, NULL) != 1 ||
      libbde_key_protector_get_identifier(protector, id, sizeof id, NULL) != 1)
    return;
  locked->takes_recovery |= type == LIBBDE_KEY_PROTECTION_TYPE_RECOVERY_PASSWORD;
  locked->takes_password |= type == LIBBDE_KEY_PROTECTION_TYPE_PASSWORD;
  g_string_append_printf(locked->ways, "%s%s {%08X-%04X-%04X-%02X%02X-",
                         locked->ways->len > 0 ? ", " : "", way_name(type), image_le32(id),
                         image_le16(id + 4), image_le16(id + 6), id[8], id[9]);
  for (int i = 10; i < GUID_BYTES; i++)
    g_string_append_printf(locked->ways, "%02X", id[i]);
  g_string_append_c(locked->ways, '}');
}

static void learn_ways(Locked *locked, libbde_volume_t *volume) {
  int n = 0;
  libbde_volume_get_encryption_method(volume, &locked->method, NULL);
  if (libbde_volume_get_number_of_key_protectors(volume, &n, NULL) != 1)
    return;
  for (int i = 0; i < MIN(n, PROTECTORS_TOLD); i++) {
    libbde_key_protector_t *protector = NULL;
    if (libbde_volume_get_key_protector(volume, i, &protector, NULL) == 1)
      add_way(locked, protector);
    if (protector != NULL)
      libbde_key_protector_free(&protector, NULL);
  }
}

/* Opens without a secret (NULL) or with one: as a recovery key where it is one, else as a password.
 * True where found has it. */
static bool try_secret(Locked *locked, const char *secret, derived_found found, void *user) {
  libbde_volume_t *volume = NULL;
  if (libbde_volume_initialize(&volume, NULL) != 1)
    return false;
  const uint8_t *bytes = (const uint8_t *)secret;
  bool is_recovery = secret != NULL && libbde_volume_set_utf8_recovery_password(
                                           volume, bytes, strlen(secret), NULL) == 1;
  bool is_password = secret != NULL && !is_recovery &&
                     libbde_volume_set_utf8_password(volume, bytes, strlen(secret), NULL) == 1;
  if (secret != NULL && !(is_recovery && locked->takes_recovery) &&
      !(is_password && locked->takes_password)) {
    libbde_volume_free(&volume, NULL);
    return false;
  }
  locked->n_tried += secret != NULL ? 1 : 0;
  libbfio_handle_t *io = derived_io_new(&locked->base);
  size64_t size = 0;
  volume = open_volume(locked, io, volume);
  if (volume != NULL && libbde_volume_is_locked(volume, NULL) == 0 &&
      libbde_volume_get_size(volume, &size, NULL) == 1) {
    DerivedVolume plain = {.image = derived_image_new(&locked->base, io, size, volume,
                                                      bitlocker_read, bitlocker_close),
                           .description = g_strdup_printf("the BitLocker volume, opened with %s",
                                                          secret == NULL ? "its clear key"
                                                          : is_recovery  ? "a given recovery key"
                                                                         : "a given password")};
    found(user, &plain);
    return true;
  }
  if (volume != NULL && secret == NULL)
    learn_ways(locked, volume);
  if (volume != NULL)
    bitlocker_close(volume);
  derived_io_free(io);
  return false;
}

/* libbde finds out how large a volume is in the boot sector: in Windows' own, where it says
 * nothing, it looks at the plain one, and refuses all but NTFS. So the boot sector says it, as the
 * libraries see it. */
static uint8_t *tell_size(const DerivedBase *base) {
  enum { SECTORS_16 = 19, SECTORS_32 = 32 };
  uint64_t n = base->length / DERIVED_HEAD;
  uint8_t *head = g_malloc0(DERIVED_HEAD);
  image_read(base->base, base->offset, head, (size_t)MIN(base->length, DERIVED_HEAD));
  if (image_le16(head + SECTORS_16) == 0 && image_le32(head + SECTORS_32) == 0 && n <= UINT32_MAX)
    for (int i = 0; i < 4; i++)
      head[SECTORS_32 + i] = (uint8_t)(n >> (8 * i));
  return head;
}

static gboolean give_up(const Locked *locked, GError **error) {
  guint n = locked->base.passwords != NULL ? locked->base.passwords->len : 0;
  g_autofree char *why =
      locked->is_spent ? g_strdup_printf("only the first %u of its secrets were tried: a key takes "
                                         "more rounds than are left of %u",
                                         locked->n_tried, LIMIT_VOLUME_ROUNDS)
      : locked->n_tried > 0
          ? g_strdup_printf("none of %u given passwords or recovery keys opens it", locked->n_tried)
      : locked->method == LIBBDE_ENCRYPTION_METHOD_AES_256_XTS
          ? g_strdup_printf(
                "it is encrypted with AES-XTS and 256 bits, which libbde %s cannot open",
                libbde_get_version())
      : locked->text != NULL ? g_strdup(locked->text)
      : n == 0               ? g_strdup("no password or recovery key was given (--password-file)")
                             : g_strdup("none of the given secrets is of a kind that opens it");
  return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                     "a BitLocker volume (its keys: %s); %s; its bytes are examined as they are",
                     locked->ways->len > 0 ? locked->ways->str : "none that can be read", why);
}

static gboolean bitlocker_open(const DerivedBase *base, derived_found found, void *user,
                               GError **error) {
  g_autofree uint8_t *head = tell_size(base);
  g_autoptr(GString) ways = g_string_new(NULL);
  Locked locked = {.base = *base, .ways = ways};
  locked.base.head = head;
  guint n = base->passwords != NULL ? base->passwords->len : 0;
  uint64_t left = LIMIT_VOLUME_ROUNDS;
  /* First without any: a volume may hold a clear key (BitLocker suspended). */
  bool is_open = try_secret(&locked, NULL, found, user);
  bool is_refused = locked.method == LIBBDE_ENCRYPTION_METHOD_AES_256_XTS;
  for (guint i = 0; i < n && !is_open && !is_refused && !locked.is_spent; i++) {
    locked.is_spent = left < (uint64_t)ROUNDS * N_COPIES;
    guint before = locked.n_tried;
    is_open = !locked.is_spent && try_secret(&locked, base->passwords->pdata[i], found, user);
    left -= locked.n_tried > before ? (uint64_t)ROUNDS * N_COPIES : 0;
  }
  bool ok = is_open || give_up(&locked, error);
  g_free(locked.text);
  return ok;
}

const DerivedKind DERIVED_BITLOCKER = {
    .row =
        {.stage = "volume",
         .name = "bitlocker",
         .title = "BitLocker",
         .spec = "libbde's description of BitLocker Drive Encryption",
         .library = "libbde",
         .limitations =
             "password, recovery key or clear key; without one, with a startup key or TPM alone, "
             "or with AES-XTS and 256 bits, it is listed as encrypted",
         .available = true},
    .probe = bitlocker_probe,
    .open = bitlocker_open,
};
