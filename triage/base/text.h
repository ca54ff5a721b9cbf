/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - bytes of evidence made printable. The one escape of names, excerpts and messages:
 * what is not printable UTF-8 becomes \xHH; \n, \t and \\ as in C (contract, hits.csv). */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Printable UTF-8 of n bytes of evidence (transfer full). Control, format and bidirectional
 * characters, unassigned code points and invalid sequences stand as \xHH for each byte. */
char *text_printable(const void *bytes, size_t n);

/* The same, appended to out. */
void text_append_printable(GString *out, const void *bytes, size_t n);

/* Lower-case hex of n bytes (transfer full). */
char *text_hex(const void *bytes, size_t n);

/* True where text is valid UTF-8 of printable characters alone: what text_printable could have
 * made. */
bool text_is_printable(const char *text);
