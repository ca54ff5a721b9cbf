/* SPDX-License-Identifier: Apache-2.0 */
/* derived_luks.c - the plain bytes of a LUKS volume whose passphrase is given. */
#include "evidence/derived_private.h"
#include <libluksde.h>
#include <string.h>

/* libluksde 20200205 keeps the master key in 32 bytes of its stack and writes longer ones past
 * them: such a volume must not reach it. */
enum { HEADER_BYTES = 592, KEY_BYTES = 108, KEY_BYTES_MAX = 32 };

static bool luks_probe(const DerivedBase *base) {
  return derived_has(base, 0, "LUKS\xba\xbe", 6);
}

static ssize_t luks_read(void *handle, uint8_t *buffer, size_t n, uint64_t offset) {
  libluksde_error_t *failure = NULL;
  ssize_t got =
      libluksde_volume_read_buffer_at_offset(handle, buffer, n, (off64_t)offset, &failure);
  libluksde_error_free(&failure);
  return got;
}

static void luks_close(void *handle) {
  libluksde_volume_t *volume = handle;
  libluksde_volume_close(volume, NULL);
  libluksde_volume_free(&volume, NULL);
}

/* NULL: this passphrase does not open it; *text says what the library had to say. */
static libluksde_volume_t *try_password(libbfio_handle_t *io, const char *password, char **text) {
  libluksde_volume_t *volume = NULL;
  libluksde_error_t *failure = NULL;
  if (libluksde_volume_initialize(&volume, &failure) != 1) {
    *text = DERIVED_TEXT(libluksde, &failure);
    return NULL;
  }
  if (libluksde_volume_set_utf8_password(volume, (const uint8_t *)password, strlen(password),
                                         &failure) == 1 &&
      libluksde_volume_open_file_io_handle(volume, io, LIBLUKSDE_OPEN_READ, &failure) == 1 &&
      libluksde_volume_is_locked(volume, &failure) == 0)
    return volume;
  if (failure != NULL) {
    g_free(*text);
    *text = DERIVED_TEXT(libluksde, &failure);
  }
  libluksde_volume_free(&volume, NULL);
  return NULL;
}

static gboolean luks_open(const DerivedBase *base, derived_found found, void *user,
                          GError **error) {
  guint n = base->passwords != NULL ? base->passwords->len : 0;
  uint8_t head[HEADER_BYTES];
  const uint8_t *version = head + 6;
  if (base->length < sizeof head)
    return triage_fail(error, TRIAGE_REASON_TRUNCATED, "a LUKS volume cut within its header");
  image_read(base->base, base->offset, head, sizeof head);
  if (version[0] != 0 || version[1] != 1)
    return triage_fail(
        error, TRIAGE_REASON_ENCRYPTED,
        "a LUKS volume of version %u, of which only version 1 can be opened; its bytes "
        "are examined as they are",
        version[0] << 8 | version[1]);
  uint32_t key_bytes = image_be32(head + KEY_BYTES);
  if (key_bytes == 0 || key_bytes > KEY_BYTES_MAX)
    return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                       "a LUKS volume with a key of %u bytes, of which at most %d can be used; its "
                       "bytes are examined as they are",
                       key_bytes, KEY_BYTES_MAX);
  g_autofree char *text = NULL;
  for (guint i = 0; i < n; i++) {
    libbfio_handle_t *io = derived_io_new(base);
    libluksde_volume_t *volume = try_password(io, base->passwords->pdata[i], &text);
    size64_t size = 0;
    if (volume != NULL && libluksde_volume_get_size(volume, &size, NULL) == 1) {
      DerivedVolume plain = {
          .image = derived_image_new(base, io, size, volume, luks_read, luks_close),
          .description = g_strdup("the LUKS volume, opened with a given passphrase")};
      found(user, &plain);
      return TRUE;
    }
    if (volume != NULL)
      luks_close(volume);
    derived_io_free(io);
  }
  return triage_fail(error, TRIAGE_REASON_ENCRYPTED,
                     "a LUKS volume; %s; its bytes are examined as they are",
                     n == 0         ? "no passphrase was given (--password-file)"
                     : text != NULL ? text
                                    : "none of the given passphrases opens it");
}

const DerivedKind DERIVED_LUKS = {
    .row = {.stage = "volume",
            .name = "luks",
            .title = "LUKS",
            .spec = "LUKS On-Disk Format Specification 1.2",
            .library = "libluksde",
            .limitations = "version 1 with keys of 256 bits at most, by passphrase; all others are "
                           "listed as encrypted",
            .available = true},
    .probe = luks_probe,
    .open = luks_open,
};
