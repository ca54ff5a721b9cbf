/* SPDX-License-Identifier: Apache-2.0 */
/* reports_out.h - buffered text to a descriptor with one error for all of it, and the spellings
 * that several formats share. */
#pragma once
#include "store/store.h"

typedef struct {
  int fd;
  GString *buffer;
  int problem; /* errno of the first failed write, 0: none */
} Out;

void out_init(Out *out, int fd);
void out_text(Out *out, const char *text);
void out_format(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Writes the rest and frees; false with error where any write failed. */
bool out_finish(Out *out, GError **error);

/* Values of the indicators with one of the names (NULL-terminated), unique, joined by "; ". */
char *report_values(const HitRow *hit, const char *const *names);
