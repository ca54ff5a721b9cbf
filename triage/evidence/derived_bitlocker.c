/* SPDX-License-Identifier: Apache-2.0 */
/* derived_bitlocker.c - the plain bytes of a BitLocker volume whose password or recovery key is
 * given. */
#include "evidence/derived_private.h"
#include <libbde.h>
#include <string.h>

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

/* Opens without or with one secret: as a recovery key where it is one, else as a password. */
static libbde_volume_t *try_secret(libbfio_handle_t *io, const char *secret, char **text) {
  libbde_volume_t *volume = NULL;
  libbde_error_t *failure = NULL;
  if (libbde_volume_initialize(&volume, &failure) != 1) {
    *text = DERIVED_TEXT(libbde, &failure);
    return NULL;
  }
  const uint8_t *bytes = (const uint8_t *)secret;
  if (secret != NULL &&
      libbde_volume_set_utf8_recovery_password(volume, bytes, strlen(secret), NULL) != 1)
    libbde_volume_set_utf8_password(volume, bytes, strlen(secret), NULL);
  if (libbde_volume_open_file_io_handle(volume, io, LIBBDE_OPEN_READ, &failure) == 1 &&
      libbde_volume_is_locked(volume, &failure) == 0)
    return volume;
  if (failure != NULL) {
    g_free(*text);
    *text = DERIVED_TEXT(libbde, &failure);
  }
  libbde_volume_free(&volume, NULL);
  return NULL;
}

static gboolean bitlocker_open(const DerivedBase *base, derived_found found, void *user,
                               GError **error) {
  guint n = base->passwords != NULL ? base->passwords->len : 0;
  g_autofree char *text = NULL;
  /* First without any: a volume may hold a clear key (BitLocker suspended). */
  for (guint i = 0; i <= n; i++) {
    libbfio_handle_t *io = derived_io_new(base);
    libbde_volume_t *volume = try_secret(io, i == 0 ? NULL : base->passwords->pdata[i - 1], &text);
    size64_t size = 0;
    if (volume != NULL && libbde_volume_get_size(volume, &size, NULL) == 1) {
      DerivedVolume plain = {
          .image = derived_image_new(base, io, size, volume, bitlocker_read, bitlocker_close),
          .description = g_strdup(i == 0 ? "the BitLocker volume, opened with its clear key"
                                         : "the BitLocker volume, opened with a given secret")};
      found(user, &plain);
      return TRUE;
    }
    if (volume != NULL)
      bitlocker_close(volume);
    derived_io_free(io);
  }
  return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                     "a BitLocker volume; %s; its bytes are examined as they are",
                     text != NULL ? text
                     : n == 0     ? "no password or recovery key was given (--password-file)"
                                  : "none of the given passwords or recovery keys opens it");
}

const DerivedKind DERIVED_BITLOCKER = {
    .row = {.stage = "volume",
            .name = "bitlocker",
            .title = "BitLocker",
            .spec = "libbde's description of BitLocker Drive Encryption",
            .library = "libbde",
            .limitations =
                "password, recovery key or clear key; without one it is listed as encrypted",
            .available = true},
    .probe = bitlocker_probe,
    .open = bitlocker_open,
};
