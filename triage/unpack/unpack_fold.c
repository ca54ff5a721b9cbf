/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fold.c - the view of a script in which strings put together from constants stand as what
 * they are, and code in a string as code. It exists only where something was put together. */
#include "unpack/unpack_fold.h"
#include "base/limits.h"
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
  if (end - p > 4 && (p[1] == ' ' || p[1] == '-')) {
    p += p[1] == ' ' ? 2 : 1;
    return fold_replace_operator(p, end) != NULL || fold_format_operator(p, end) != NULL;
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

/* Two of a script's variables, or one and a literal, with the operator at p between. */
static bool is_variable_joint(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  const uint8_t *before = p > data && p[-1] == ' ' ? p - 1 : p, *behind = p + 1;
  if (before == data || !(g_ascii_isalnum(before[-1]) || before[-1] == '_'))
    return false;
  if (behind < end && (*behind == ' ' || *behind == '\t'))
    behind++;
  return end - behind > 1 &&
         (*behind == '"' || *behind == '\'' || (*behind == '$' && g_ascii_isalpha(behind[1])));
}

/* CreateObject(a), Execute(a): with the parenthesis at p. */
static bool is_call_of_variable(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  return end - p > 1 && (g_ascii_isalpha(p[1]) || p[1] == '$') &&
         ((p - data >= 6 && fold_word(p - 6, end, "object") != NULL) ||
          (p - data >= 7 && fold_word(p - 7, end, "execute") != NULL));
}

/* What stands behind the quote at p, before anything else is asked. */
static bool may_go_on(const uint8_t *p, const uint8_t *end) {
  if (end - p < 3 || !goes_on(p[1]))
    return false;
  uint8_t next = p[2] | 0x20;
  switch (p[1]) {
  case '.':
    return next == 'r' || next == 's' || next == 'c';
  case '-':
    return next == 'r' || next == 'f' || next == 'c' || next == 'i';
  case '/':
    return p[2] == '*';
  default:
    return true;
  }
}

/* "$a$b", "$a.Message": a literal that begins with a variable, and goes on right behind it. */
static bool is_interpolated(const uint8_t *p, const uint8_t *end) {
  const uint8_t *name;
  size_t n, length = end - p > 4 && *p == '"' && p[1] == '$'
                         ? fold_name_inside(p + 1, end, &name, &n)
                         : 0;
  const uint8_t *behind = p + 1 + length;
  return length > 0 && behind < end &&
         (*behind == '$' || *behind == '.' || g_ascii_isalnum(*behind));
}

bool fold_at(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  size_t n;
  switch (*p) {
  case '"':
  case '\'':
    return ((may_go_on(p, end) && (is_joint(p, end) || is_method(p, end))) ||
            is_interpolated(p, end)) &&
           is_in_text(data, end, p, 1);
  case '(':
    return (fold_function_before(data, p, &n) || fold_list_at(data, end, p, &n) ||
            is_call_of_variable(data, end, p)) &&
           is_in_text(data, end, p, 1);
  case '&':
  case '+':
    return is_variable_joint(data, end, p) && is_in_text(data, end, p, 1);
  default:
    if (fold_list_at(data, end, p, &n))
      return is_in_text(data, end, p, 1);
    return end - p > 7 && (p[1] | 0x20) == 'c' &&
           g_ascii_strncasecmp((const char *)p, "[char]", 6) == 0 && is_in_text(data, end, p, 6);
  }
}

/* The first byte of [p, stop) that begins(), or (has_names) joins what variables hold; stop where
 * none does. Reads nothing behind end. */
static const uint8_t *find_beginning(const uint8_t *p, const uint8_t *stop, const uint8_t *end,
                                     bool has_names) {
  while (p < stop && end - p >= BITS_BYTES) {
    uint64_t bits = bits_any4(p, BEGINNINGS) | (has_names ? bits_joints(p) : 0);
    if (bits != 0)
      return MIN(p + __builtin_ctzll(bits), stop);
    p += BITS_BYTES;
  }
  while (p < stop && !begins(*p) && !(has_names && (*p == '&' || *p == '+')))
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

/* What is folded: the view, room for the values, and what is known of variables. */
typedef struct {
  ViewBuilder *builder;
  GString *text, *out;
  FoldNames names;
  uint64_t n_grown; /* by what variables stand for */
  bool is_full;
} Fold;

/* True where something may be done with the value that ends before p. */
static bool is_used(const Fold *fold, const uint8_t *p, const uint8_t *end) {
  if (p < end && *p == '.')
    return is_method_of(p, end);
  p = fold_blank(p, end);
  if (p < end && (*p == '&' || *p == '+')) {
    p = fold_blank(p + 1, end);
    return fold_may_begin(p, end) || fold_names_value(&fold->names, p, fold_name(p, end)) != NULL;
  }
  return fold_replace_operator(p, end) != NULL || fold_format_operator(p, end) != NULL;
}

/* p, or where the variable begins whose value is known and that stands before it. */
static const uint8_t *variable_before(const Fold *fold, const uint8_t *floor, const uint8_t *p) {
  if (!fold_names_any(&fold->names))
    return p;
  size_t n = fold_name_before(floor, p);
  return fold_names_value(&fold->names, p - n, n) != NULL ? p - n : p;
}

/* Where the expression with the byte at p begins: at the function's name before a parenthesis, at
 * the variable before an operator; NULL at one that is not joined to anything: it stays, and what
 * is inside is met next. */
static const uint8_t *start_of(const Fold *fold, const uint8_t *floor, const uint8_t *p,
                               const uint8_t *end) {
  size_t n;
  if (*p == '&' || *p == '+') {
    while (p > floor && (p[-1] == ' ' || p[-1] == '\t'))
      p--;
    const uint8_t *start = variable_before(fold, floor, p);
    return start != p ? start : NULL;
  }
  if (*p == '(' && fold_function_before(floor, p, &n)) {
    bool is_method = p - n > floor && *(p - n - 1) == '.';
    const uint8_t *start = is_method ? variable_before(fold, floor, p - n - 1) : p;
    return is_method && start != p - n - 1 ? start : p - n;
  }
  if ((*p == '(' || *p == '[') && fold_list_at(floor, end, p, &n))
    return p - n;
  if (*p != '(')
    return p;
  const uint8_t *close = fold_blank(p + 1, end);
  /* A literal alone is by far the most frequent, and its value is not wanted. */
  const uint8_t *literal = fold_literal(close, end, NULL);
  if (literal != NULL && !is_used(fold, literal, end)) {
    close = literal;
  } else if (!fold_may_begin(close, end)) {
    return NULL;
  } else {
    g_autoptr(GString) ignored = g_string_new(NULL);
    Folded inner = {ignored, 0, NULL};
    close = fold_expression(close, end, 1, &inner);
  }
  close = close != NULL ? fold_blank(close, end) : end;
  if (close >= end || *close != ')')
    return NULL;
  close = fold_blank(close + 1, end);
  return close < end && (*close == '&' || *close == '+' || *close == '.') ? p : NULL;
}

/* Puts the value of [start, stop) in its place, as that of a variable where an operator is there.
 */
static void put_value(Fold *fold, const uint8_t *start, const uint8_t *stop) {
  const uint8_t *data = fold->builder->data;
  bool is_operator = *start == '+' || *start == '&';
  g_string_assign(fold->out, is_operator ? "= \"" : "\"");
  g_string_append_len(fold->out, fold->text->str, (gssize)fold->text->len);
  g_string_append_c(fold->out, '"');
  fold->is_full = !view_put(fold->builder, (uint64_t)(start - data), (uint64_t)(stop - data),
                            fold->out->str, fold->out->len, true);
  uint64_t n = (uint64_t)(stop - start);
  fold->n_grown += fold->out->len > n ? fold->out->len - n : 0;
  if (fold->n_grown > LIMIT_FOLD_GROWTH * fold->builder->size + LIMIT_FOLD_NAME_BYTES)
    fold->names.is_closed = true;
  if (fold->names.is_closed)
    fold_names_clear(&fold->names);
}

/* Keeps the value of [start, stop), fold->text, where a variable is set to it, or it is appended to
 * one. Returns where it is to stand from on: start, or the operator += or &=, as it is then all of
 * the variable. NULL where the next statement sets it anew: text that a thousand statements put
 * together would else stand there a thousand times, longer each time. */
static const uint8_t *keep_value(Fold *fold, const uint8_t *start, const uint8_t *stop,
                                 const uint8_t *end) {
  bool is_append = false;
  const uint8_t *name;
  size_t n = fold_ends_statement(stop, end)
                 ? fold_assigned(fold->builder->data, start, &name, &is_append)
                 : 0;
  if (n == 0)
    return start;
  const FoldValue *old = is_append ? fold_names_value(&fold->names, name, n) : NULL;
  if (old != NULL)
    g_string_prepend_len(fold->text, old->str, (gssize)old->len);
  if (old != NULL || !is_append)
    fold_names_set(&fold->names, name, n, (FoldValue){fold->text->str, fold->text->len}, true);
  if (fold_sets_next(stop, end, name, n))
    return NULL;
  return old != NULL ? fold_blank(name + n, end) : start;
}

/* The same of a literal alone. True where it was appended to something and stands in the view. */
static bool keep_literal(Fold *fold, const uint8_t *p, const uint8_t *stop, const uint8_t *end) {
  bool is_append = false;
  const uint8_t *name;
  size_t n;
  const uint8_t *data = fold->builder->data, *before = p > data && p[-1] == ' ' ? p - 1 : p;
  if (before == data || before[-1] != '=' || !fold_ends_statement(stop, end) ||
      (n = fold_assigned(data, p, &name, &is_append)) == 0)
    return false;
  if (!is_append && memchr(p + 1, *p, (size_t)(stop - p - 2)) == NULL) {
    FoldValue value = {(const char *)p + 1, (gsize)(stop - p - 2)};
    fold_names_set(&fold->names, name, n, value, false);
    return false;
  }
  g_string_truncate(fold->text, 0);
  fold_literal(p, end, fold->text);
  const uint8_t *start = keep_value(fold, p, stop, end);
  if (start == NULL || start == p)
    return false;
  put_value(fold, start, stop);
  return true;
}

/* Folds the expression that begins at start, where it is one. Returns the byte behind it, also
 * where it hides nothing: it is not to be read again from its middle. NULL where there is none. */
static const uint8_t *fold_one(Fold *fold, const uint8_t *start, const uint8_t *end) {
  const uint8_t *data = fold->builder->data, *all = data + fold->builder->size;
  Folded folded = {fold->text, 0, &fold->names};
  g_string_truncate(fold->text, 0);
  const uint8_t *stop = start != NULL ? fold_expression(start, end, 0, &folded) : NULL;
  if (stop == NULL || folded.n_ops == 0)
    return NULL;
  start = keep_value(fold, start, stop, end);
  if (start != NULL && is_worth_it(&folded) && is_in_text(data, all, start, (size_t)(stop - start)))
    put_value(fold, start, stop);
  return stop;
}

/* True where the literal [p, stop) has the name of a variable in it whose value is known. */
static bool has_name(const Fold *fold, const uint8_t *p, const uint8_t *stop) {
  if (*p != '"' || !fold_names_any(&fold->names))
    return false;
  while ((p = memchr(p + 1, '$', (size_t)(stop - p - 1))) != NULL) {
    const uint8_t *name;
    size_t n;
    if (fold_name_inside(p, stop, &name, &n) > 0 && fold_names_value(&fold->names, name, n) != NULL)
      return true;
  }
  return false;
}

/* A literal in which or behind which nothing is that fold_one would do something with: most are
 * such. */
static bool is_alone(const Fold *fold, const uint8_t *p, const uint8_t *end) {
  if (*p != '"' && *p != '\'')
    return false;
  const uint8_t *stop = fold_literal(p, end, NULL);
  return stop == NULL || !(is_used(fold, stop, end) || has_name(fold, p, stop));
}

static const uint8_t *fold_range(Fold *fold, const uint8_t *p, const uint8_t *stop_at,
                                 const uint8_t *end, bool is_inside);

/* A script's text in a literal: Execute("x = ""CDO"" & "".Message"""). Where something is put
 * together in it, it stands in the view as the code it is, for the same view to be made of it once
 * more. */
static bool put_code(Fold *fold, const uint8_t *p, const uint8_t *stop) {
  unsigned n = 0;
  for (const uint8_t *at = p + 1; (at = memchr(at, *p, (size_t)(stop - 1 - at))) != NULL; at += 2)
    n++;
  if (n < 2 || n % 2 != 0) /* they stand in pairs */
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
  if (keep_literal(fold, p, stop, end) || put_code(fold, p, stop))
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
    p = find_beginning(p, stop_at, end, fold_names_any(&fold->names));
    if (p == stop_at)
      break;
    const uint8_t *stop =
        is_alone(fold, p, end) ? NULL : fold_one(fold, start_of(fold, floor, p, end), end);
    if (stop == NULL)
      stop = *p == '"' || *p == '\'' ? pass_literal(fold, p, end, is_inside) : p + 1;
    floor = p = stop;
  }
  return p;
}

void fold_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *p = builder->data + from, *end = builder->data + builder->size;
  g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
  Fold fold = {builder, text, out, {NULL, 0, false}, 0, false};
  while (p < end && !fold.is_full) {
    uint64_t left = (uint64_t)(end - p), n = MIN(left, WINDOW_BYTES);
    uint64_t looked = MIN(left, WINDOW_BYTES + OVERLAP_BYTES);
    /* A whole text is what made the view be asked for. */
    if (looked == builder->size || views_smell(p, looked, SMELL_BIT(SMELL_FOLDED)) != 0)
      p = fold_range(&fold, p, p + n, end, false);
    else
      p += n;
  }
  fold_names_clear(&fold.names);
}
