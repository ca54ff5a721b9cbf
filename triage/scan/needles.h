/* SPDX-License-Identifier: Apache-2.0 */
/* needles.h - for each string of compiled rules, byte sequences one of which must occur where the
 * string matches. Of a plain text that is the text; of all else (expressions, wildcards, xor,
 * base64) what libyara's own automaton searches for, read from its compiled tables: it looks for
 * nothing else, so without one of them it finds no match. Knows no conditions. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <yara.h>

typedef struct {
  uint8_t *bytes;
  uint32_t n;
  bool is_caseless; /* of ASCII letters */
} Needle;

typedef struct {
  GArray *list;     /* Needle; empty: the string may match anywhere */
  uint64_t spacing; /* least number of bytes from one match to the next */
  bool is_text;     /* the needles are the string itself */
} StringNeedles;

typedef struct {
  StringNeedles *strings; /* by libyara's number */
  uint32_t n;
} Needles;

/* NULL where libyara's tables are not as they are known. (transfer full) */
Needles *needles_new(const YR_RULES *rules);
void needles_free(Needles *needles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Needles, needles_free)
