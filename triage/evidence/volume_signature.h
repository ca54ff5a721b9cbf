/* SPDX-License-Identifier: Apache-2.0 */
/* volume_signature.h - marks of what libtsk cannot read, so that a volume is refused by its name.
 */
#pragma once
#include "evidence/image.h"
#include <stdbool.h>

typedef struct {
  uint64_t offset; /* from the start of the volume */
  const char *bytes;
  gsize n;
  TriageReason reason;
  const char *detail;
} Signature;

/* The signature found in a volume, or NULL. (transfer none), static. */
const Signature *signature_find(Image *image, uint64_t offset, uint64_t length);
/* True where the first 64 KiB are zero. */
bool signature_is_empty(Image *image, uint64_t offset, uint64_t length);
bool signature_is_iso9660(Image *image);
