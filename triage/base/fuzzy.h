/* SPDX-License-Identifier: Apache-2.0 */
/* fuzzy.h - context-triggered piecewise digests (Kornblum 2006), the same text and the same scores
 * as ssdeep 2.14 gives: examiners hold lists of them. Debian's libfuzzy is under the GPL, which
 * does not go with libtsk's licences in one program, and libtlsh tells scripts of less than a
 * kilobyte apart by chance (one changed letter of 600: 60; ssdeep: 96 of 100). */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
  FUZZY_PART = 64,                            /* characters of a part */
  FUZZY_TEXT = 11 + 2 * (FUZZY_PART + 1) + 1, /* bytes of a whole digest's text with its end */
  FUZZY_WINDOW = 7
};

/* "BLOCK:PART:PART" of n bytes. */
void fuzzy_digest(const uint8_t *bytes, gsize n, char out[FUZZY_TEXT]);

/* A digest taken apart: runs of more than three of a letter are three. */
typedef struct {
  uint32_t block;
  uint8_t n[2];
  char part[2][FUZZY_PART]; /* of block and of twice the block */
} Fuzzy;
/* False where the text is none. */
bool fuzzy_parse(const char *text, Fuzzy *out);

/* 0 (nothing in common) to 100. */
guint fuzzy_compare(const Fuzzy *a, const Fuzzy *b);
