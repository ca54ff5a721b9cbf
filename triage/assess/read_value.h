/* SPDX-License-Identifier: Apache-2.0 */
/* read_value.h - the value of an expression, where literals, constants and concatenation give it.
 */
#pragma once
#include "assess/read_lex.h"

typedef struct {
  const Lexed *lexed;
  GHashTable *variables; /* folded name -> Variable */
  GHashTable *arrays;    /* folded names that VB declares as arrays, and never sets to an object */
} Values;

/* Finds every variable of the script and where it gets its one value. */
void values_init(Values *values, const Lexed *lexed);
void values_clear(Values *values);

/* The value of the expression that starts at token from and ends before to or where it ends by
 * itself; *end is the token after it. NULL where it is not known. (transfer full) */
char *values_eval(Values *values, guint from, guint to, guint *end);

/* True where name(...) can only be an element of an array. */
bool values_is_array(const Values *values, const Token *name);

/* Where '=' at token at assigns (and does not compare). *is_append: += and the like. */
bool values_is_assignment(const Lexed *lexed, guint at, guint *lhs_end, bool *is_append);

/* The token before at that opens what token at closes; at itself where it closes nothing. */
guint values_opening(const Lexed *lexed, guint at);
