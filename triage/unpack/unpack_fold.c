/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fold.c - the view of a script in which strings put together from constants stand as what
 * they are, and code in a string as code. It exists only where something was put together. */
#include "unpack/unpack_fold.h"
#include "unpack/unpack_bits.h"
#include "unpack/unpack_view.h"
#include <string.h>

enum { WINDOW_BYTES = 256 * 1024, OVERLAP_BYTES = 256 };

/* True where n bytes at p stand in text. */
static bool is_in_text(const uint8_t *data, const uint8_t *end, const uint8_t *p, size_t n) {
  uint64_t at = (uint64_t)(p - data);
  return view_is_in_text(data, (uint64_t)(end - data), at, at + n);
}

/* A quote with an operator behind it, and behind that something a constant may begin with. */
static bool is_joint(const uint8_t *p, const uint8_t *end) {
  const uint8_t *limit = end - p > 128 ? p + 128 : end;
  p = fold_blank(p + 1, limit);
  if (p >= limit || (*p != '&' && *p != '+'))
    return false;
  p = fold_blank(p + 1, limit);
  return p < limit && (*p == '"' || *p == '\'' || *p == '(' || *p == '[' || g_ascii_isalpha(*p));
}

static bool has_word(const uint8_t *p, const uint8_t *end, const char *word, size_t n) {
  return (size_t)(end - p) >= n && g_ascii_strncasecmp((const char *)p, word, n) == 0;
}

/* With the point at p. */
static bool is_method_of(const uint8_t *p, const uint8_t *end) {
  return has_word(p, end, ".replace", sizeof ".replace" - 1) ||
         has_word(p, end, ".split(", sizeof ".split(" - 1) || fold_word(p, end, ".concat(") != NULL;
}

static bool is_method(const uint8_t *p, const uint8_t *end) {
  if (end - p > 11 && (p[1] == ' ' || p[1] == '-')) {
    p += p[1] == ' ' ? 2 : 1;
    return fold_word(p, end, "-replace") != NULL || fold_word(p, end, "-f ") != NULL;
  }
  return end - p > 8 && is_method_of(p + 1, end);
}

/* What an expression, or a part of one, may begin with: the four bytes looked for everywhere. */
static const uint8_t BEGINNINGS[4] = {'"', '\'', '(', '['};

static bool begins(uint8_t c) {
  return c == '"' || c == '\'' || c == '(' || c == '[';
}

/* What may stand behind a quote that something is joined to, or done with. */
static bool goes_on(uint8_t c) {
  return c == '&' || c == '+' || c == '.' || c == '-' || c == '/' || c == ' ' || c == '\t' ||
         c == '\r' || c == '\n' || c == '_' || c == '`';
}

bool fold_at(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  size_t n;
  switch (*p) {
  case '"':
  case '\'':
    return end - p > 1 && goes_on(p[1]) && (is_joint(p, end) || is_method(p, end)) &&
           is_in_text(data, end, p, 1);
  case '(':
    return (fold_function_before(data, p, &n) || fold_list_at(data, end, p, &n)) &&
           is_in_text(data, end, p, 1);
  default:
    if (fold_list_at(data, end, p, &n))
      return is_in_text(data, end, p, 1);
    return end - p > 7 && (p[1] | 0x20) == 'c' &&
           g_ascii_strncasecmp((const char *)p, "[char]", 6) == 0 && is_in_text(data, end, p, 6);
  }
}

/* The first byte of [p, stop) that begins(); stop where none does. Reads nothing behind end. */
static const uint8_t *find_beginning(const uint8_t *p, const uint8_t *stop, const uint8_t *end) {
  while (p < stop && end - p >= BITS_BYTES) {
    uint64_t bits = bits_any4(p, BEGINNINGS);
    if (bits != 0)
      return MIN(p + __builtin_ctzll(bits), stop);
    p += BITS_BYTES;
  }
  while (p < stop && !begins(*p))
    p++;
  return MIN(p, stop);
}

/* Line breaks and blanks alone hide nothing. */
static bool is_worth_it(const Folded *folded) {
  unsigned n_graph = 0;
  for (gsize i = 0; i < folded->text->len; i++)
    n_graph += (uint8_t)folded->text->str[i] > 0x20;
  return folded->n_ops > 0 && n_graph > 0;
}

/* True where something may be done with the value that ends before p. */
static bool is_used(const uint8_t *p, const uint8_t *end) {
  if (p < end && *p == '.')
    return is_method_of(p, end);
  p = fold_blank(p, end);
  if (p < end && (*p == '&' || *p == '+'))
    return fold_may_begin(fold_blank(p + 1, end), end);
  return fold_word(p, end, "-replace") != NULL || fold_word(p, end, "-f ") != NULL;
}

/* Where the expression with the byte at p begins: at the function's name before a parenthesis; NULL
 * at one that is not joined to anything: it stays, and what is inside is met next. */
static const uint8_t *start_of(const uint8_t *floor, const uint8_t *p, const uint8_t *end) {
  size_t n;
  if (*p == '(' && fold_function_before(floor, p, &n))
    return p - n;
  if ((*p == '(' || *p == '[') && fold_list_at(floor, end, p, &n))
    return p - n;
  if (*p != '(')
    return p;
  const uint8_t *close = fold_blank(p + 1, end);
  /* A literal alone is by far the most frequent, and its value is not wanted. */
  const uint8_t *literal = fold_literal(close, end, NULL);
  if (literal != NULL && !is_used(literal, end)) {
    close = literal;
  } else if (!fold_may_begin(close, end)) {
    return NULL;
  } else {
    g_autoptr(GString) ignored = g_string_new(NULL);
    Folded inner = {ignored, 0};
    close = fold_expression(close, end, 1, &inner);
  }
  close = close != NULL ? fold_blank(close, end) : end;
  if (close >= end || *close != ')')
    return NULL;
  close = fold_blank(close + 1, end);
  return close < end && (*close == '&' || *close == '+' || *close == '.') ? p : NULL;
}

/* What is folded: the view, the bytes that expressions may reach to, and room for the values. */
typedef struct {
  ViewBuilder *builder;
  GString *text, *out;
  bool is_full;
} Fold;

/* Puts the value of [start, stop) in its place. */
static void put_value(Fold *fold, const uint8_t *start, const uint8_t *stop) {
  const uint8_t *data = fold->builder->data;
  g_string_assign(fold->out, "\"");
  g_string_append_len(fold->out, fold->text->str, (gssize)fold->text->len);
  g_string_append_c(fold->out, '"');
  fold->is_full = !view_put(fold->builder, (uint64_t)(start - data), (uint64_t)(stop - data),
                            fold->out->str, fold->out->len, true);
}

/* Folds the expression that begins at start, where it is one. Returns the byte behind it, also
 * where it hides nothing: it is not to be read again from its middle. NULL where there is none. */
static const uint8_t *fold_one(Fold *fold, const uint8_t *start, const uint8_t *end) {
  const uint8_t *data = fold->builder->data, *all = data + fold->builder->size;
  Folded folded = {fold->text, 0};
  g_string_truncate(fold->text, 0);
  const uint8_t *stop = start != NULL ? fold_expression(start, end, 0, &folded) : NULL;
  if (stop == NULL || folded.n_ops == 0)
    return NULL;
  if (is_worth_it(&folded) && is_in_text(data, all, start, (size_t)(stop - start)))
    put_value(fold, start, stop);
  return stop;
}

/* A literal behind which nothing is that fold_one would do something with: most are such. */
static bool is_alone(const uint8_t *p, const uint8_t *end) {
  if (*p != '"' && *p != '\'')
    return false;
  p = fold_literal(p, end, NULL);
  return p == NULL || !is_used(p, end);
}

static const uint8_t *fold_range(Fold *fold, const uint8_t *p, const uint8_t *stop_at,
                                 const uint8_t *end, bool is_inside);

/* A script's text in a literal: Execute("x = ""CDO"" & "".Message"""). Where something is put
 * together in it, it stands in the view as the code it is, for the same view to be made of it once
 * more. */
static bool put_code(Fold *fold, const uint8_t *p, const uint8_t *stop) {
  const uint8_t doubled[2] = {*p, *p};
  if (stop - p < 4 || memmem(p + 1, (size_t)(stop - p - 2), doubled, 2) == NULL)
    return false;
  g_string_assign(fold->text, "\n");
  fold_literal(p, stop, fold->text);
  g_string_append_c(fold->text, '\n');
  const uint8_t *code = (const uint8_t *)fold->text->str;
  if ((views_smell(code, fold->text->len, SMELL_BIT(SMELL_FOLDED)) & SMELL_BIT(SMELL_FOLDED)) == 0)
    return false;
  fold->is_full = !view_put(fold->builder, (uint64_t)(p - fold->builder->data),
                            (uint64_t)(stop - fold->builder->data), code, fold->text->len, true);
  return true;
}

/* A literal that is none of its kind: an attribute's value, with code and its quotes in it. Returns
 * where to go on. */
static const uint8_t *pass_literal(Fold *fold, const uint8_t *p, const uint8_t *end,
                                   bool is_inside) {
  const uint8_t *stop = fold_literal(p, end, NULL);
  if (stop == NULL)
    return p + 1;
  if (put_code(fold, p, stop))
    return stop;
  uint8_t other = *p == '"' ? '\'' : '"';
  if (!is_inside && memchr(p + 1, other, (size_t)(stop - p - 1)) != NULL)
    fold_range(fold, p + 1, stop - 1, stop - 1, true);
  /* onload="x = "CDO" & ".Message"": the quotes were entities; the first closes nothing. */
  if (p > fold->builder->data && p[-1] == '=' && !fold->is_full) {
    const uint8_t *next = fold_one(fold, stop - 1, end);
    return next != NULL ? next : stop;
  }
  return stop;
}

/* Folds what begins before stop_at and does not reach past end. Returns where to go on. */
static const uint8_t *fold_range(Fold *fold, const uint8_t *p, const uint8_t *stop_at,
                                 const uint8_t *end, bool is_inside) {
  const uint8_t *floor = p;
  while (p < stop_at && !fold->is_full) {
    p = find_beginning(p, stop_at, end);
    if (p == stop_at)
      break;
    const uint8_t *stop = is_alone(p, end) ? NULL : fold_one(fold, start_of(floor, p, end), end);
    if (stop == NULL)
      stop = *p == '"' || *p == '\'' ? pass_literal(fold, p, end, is_inside) : p + 1;
    floor = p = stop;
  }
  return p;
}

void fold_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *p = builder->data + from, *end = builder->data + builder->size;
  g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
  Fold fold = {builder, text, out, false};
  while (p < end && !fold.is_full) {
    uint64_t left = (uint64_t)(end - p), n = MIN(left, WINDOW_BYTES);
    uint64_t looked = MIN(left, WINDOW_BYTES + OVERLAP_BYTES);
    /* A whole text is what made the view be asked for. */
    if (looked == builder->size || views_smell(p, looked, SMELL_BIT(SMELL_FOLDED)) != 0)
      p = fold_range(&fold, p, p + n, end, false);
    else
      p += n;
  }
}
