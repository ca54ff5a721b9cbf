/* SPDX-License-Identifier: Apache-2.0 */
/* read_script.h - what the code of one script does with mail, read from its tokens: every value
 * that it may set is told, also where the code may never run (leaving one out would hide it). */
#pragma once
#include "assess/assess.h"
#include "assess/read_lex.h"

typedef struct {
  GPtrArray *indicators; /* Indicator*, in order of offset */
  guint n_acts;          /* places that create, set or send something */
  bool is_valid;         /* the text can be of this language at all */
} ScriptReading;

/* base is added to all offsets. (transfer full): script_reading_clear. */
void script_read(const Lexed *lexed, uint64_t base, ScriptReading *out);
void script_reading_clear(ScriptReading *reading);

/* An indicator over bytes of evidence (transfer full). */
Indicator *indicator_new(const char *name, const void *value, size_t n, uint64_t offset);
