/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fold.h - expressions of constants as scripts write them (VBA, VBScript, JScript,
 * PowerShell), worked out. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  const char *str;
  gsize len;
} FoldValue;

/* What variables hold; zeroed: nothing. */
typedef struct {
  GHashTable *values; /* char*, in small letters -> FoldValue*; NULL: none is known */
  uint64_t shapes;    /* of its keys: most other names are told by theirs */
  bool is_closed;     /* none is followed any more */
} FoldNames;

typedef struct {
  GString *text;          /* the value */
  unsigned n_ops;         /* operations done; 0: a bare literal */
  const FoldNames *names; /* may be NULL */
} Folded;

/* Reads the expression at p: literals, Chr() and its kin, joined. Returns the byte behind it, NULL
 * where p begins none; folded->text is then to be ignored. Bounded depth and length; what follows a
 * part that is no constant is left. */
const uint8_t *fold_expression(const uint8_t *p, const uint8_t *end, unsigned depth,
                               Folded *folded);

/* False where no part of an expression is: of most words that is seen before room for a value is
 * made. */
bool fold_may_begin(const uint8_t *p, const uint8_t *end);

/* Reads a string literal alone; out may be NULL. NULL where p begins none, or none that ends in its
 * line. */
const uint8_t *fold_literal(const uint8_t *p, const uint8_t *end, GString *out);

/* True where the list with the bracket at p is joined by what stands before or behind it; *n is the
 * length of what stands before. */
bool fold_list_at(const uint8_t *data, const uint8_t *end, const uint8_t *p, size_t *n);

/* True where n letters before the parenthesis at p are a function that folds; *n is their number.
 */
bool fold_function_before(const uint8_t *data, const uint8_t *p, size_t *n);

/* What follows -f or -replace (in any of its cases) at p; NULL where no such operator is there. */
const uint8_t *fold_format_operator(const uint8_t *p, const uint8_t *end);
const uint8_t *fold_replace_operator(const uint8_t *p, const uint8_t *end);

/* p behind word, which is compared without regard to case; NULL where it does not stand there. */
const uint8_t *fold_word(const uint8_t *p, const uint8_t *end, const char *word);

/* unpack_fold_list.c: each returns the byte behind what it read, NULL where it is not that.
 * fold_join: Join(), behind its parenthesis; fold_list: a list and what is done with it;
 * fold_list_behind: the same, behind the comma after its first element, which the list replaces;
 * fold_format: what follows -f, put into the text; fold_concat: elements up to a parenthesis;
 * fold_string_method: what follows [string]:: */
const uint8_t *fold_join(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out);
const uint8_t *fold_list(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out);
const uint8_t *fold_list_behind(const uint8_t *p, const uint8_t *end, unsigned depth,
                                Folded *first);
const uint8_t *fold_format(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out);
const uint8_t *fold_concat(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out);
const uint8_t *fold_string_method(const uint8_t *p, const uint8_t *end, unsigned depth,
                                  Folded *out);

/* unpack_fold_number.c - the integer at p (decimal, &H43, 0x43, sums and products), or NULL. */
const uint8_t *fold_number(const uint8_t *p, const uint8_t *end, unsigned depth, int64_t *value);

/* unpack_fold_names.c */
void fold_names_clear(FoldNames *names);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FoldNames, fold_names_clear)
/* True where the value of some variable is known; names may be NULL here and below. */
static inline bool fold_names_any(const FoldNames *names) {
  return names != NULL && names->shapes != 0;
}
/* Length of the variable's name at p, or before p, 0 where there is none. */
size_t fold_name(const uint8_t *p, const uint8_t *end);
size_t fold_name_before(const uint8_t *floor, const uint8_t *p);
/* Length of what "$name", "${name}" or "$($name)" begins with at p ('$'), 0 where that is none of
 * them; the name, of length *n, may be without the mark before it. */
size_t fold_name_inside(const uint8_t *p, const uint8_t *end, const uint8_t **name, size_t *n);
/* Puts what variables hold in the place of their names in a literal's text. Returns how many were
 * put; where the text would grow past what a variable may hold, the rest stays. */
unsigned fold_interpolate(const FoldNames *names, GString *text);
/* What it holds, NULL where that is not known. */
const FoldValue *fold_names_value(const FoldNames *names, const uint8_t *name, size_t n);
/* Keeps a value, within limits; where it is copied, it need not live on. */
void fold_names_set(FoldNames *names, const uint8_t *name, size_t n, FoldValue value,
                    bool is_copied);
/* Length of the name that what stands at p is assigned to, or (is_append) appended to; 0 where it
 * is not. */
size_t fold_assigned(const uint8_t *floor, const uint8_t *p, const uint8_t **name, bool *is_append);
/* True where a statement may end at p. */
bool fold_ends_statement(const uint8_t *p, const uint8_t *end);
/* True where the statement behind p sets the name, or appends to it. */
bool fold_sets_next(const uint8_t *p, const uint8_t *end, const uint8_t *name, size_t n);

/* Blanks, and line breaks where the language lets an expression go on. */
const uint8_t *fold_blank(const uint8_t *p, const uint8_t *end);
