/* SPDX-License-Identifier: Apache-2.0 */
/* read_content.h - what kind of content bytes are, as far as verdicts need it, and the stretches of
 * text within binary content that name CDO. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* "text", "binary", "outlook-data", "mbox", "mail", "program", "rules". *is_text: text throughout.
 * (transfer none), static. */
const char *content_kind(const uint8_t *data, uint64_t size, bool *is_text);

/* "outlook-data" or "mbox" where the bytes are a mail store, else NULL. Reads the first page alone.
 */
const char *content_mail_store(const uint8_t *data, uint64_t size);

typedef struct {
  uint64_t at, n;
} Stretch;

/* The next stretch of text (at most LIMIT_STRETCH_BYTES) that holds "cdo" or starts a mail header;
 * start with {0}. */
bool content_next_stretch(const uint8_t *data, uint64_t size, Stretch *stretch);
