/* SPDX-License-Identifier: Apache-2.0 */
/* reports_seal.h - the manifest's ties: to the action log, and to the manifest before it. */
#pragma once
#include "triage/error.h"
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* True for the name of a signature, time stamp or kept manifest: files beside the manifest that it
 * cannot list, because they speak of it. */
bool reports_is_seal(const char *name);

typedef struct {
  char sha256[65]; /* of the manifest.sha256 that is about to be replaced; "": there is none */
  guint number;    /* it was sealed and is kept as manifest.NUMBER.sha256 ...; 0: it is not kept */
} Supersedes;
/* Before a new manifest is written. */
bool reports_keep_sealed(const char *dir, Supersedes *out, GError **error);

/* How far the action log goes now: lines, bytes, digest; null where there is none. */
json_t *reports_pin_log(const char *dir);
bool reports_log(const char *dir, const char *event, const char *const *fields, GError **error);
