/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fold_expression.c - strings put together from constants. The language is not known: what
 * VBA, VBScript, JScript and PowerShell have in common is read, and what differs is told by the
 * word that stands there. */
#include "base/limits.h"
#include "unpack/unpack_bits.h"
#include "unpack/unpack_fold.h"
#include "unpack/unpack_view.h"
#include <string.h>

enum { COMMENT_BYTES = 256, FUNCTION_LETTERS = 20 };

/* Its first byte is looked at before anything else is asked. */
const uint8_t *fold_word(const uint8_t *p, const uint8_t *end, const char *word) {
  if (p == NULL || p >= end || g_ascii_tolower((gchar)*p) != *word)
    return NULL;
  size_t n = strlen(word);
  bool is_there = (size_t)(end - p) >= n && g_ascii_strncasecmp((const char *)p, word, n) == 0;
  return is_there ? p + n : NULL;
}

const uint8_t *fold_format_operator(const uint8_t *p, const uint8_t *end) {
  p = fold_word(p, end, "-f");
  return p != NULL && p < end && *p != '\0' && strchr(" \t\"'($@", *p) != NULL ? p : NULL;
}

const uint8_t *fold_replace_operator(const uint8_t *p, const uint8_t *end) {
  static const char *const OPERATORS[] = {"-replace", "-creplace", "-ireplace"};
  const uint8_t *behind = NULL;
  for (size_t i = 0; behind == NULL && i < G_N_ELEMENTS(OPERATORS); i++)
    behind = fold_word(p, end, OPERATORS[i]);
  return behind;
}

const uint8_t *fold_blank(const uint8_t *p, const uint8_t *end) {
  for (; p < end; p++) {
    if (*p == '/' && end - p > 3 && p[1] == '*') {
      const uint8_t *close = memmem(p + 2, (size_t)MIN(end - p - 2, COMMENT_BYTES), "*/", 2);
      if (close == NULL)
        break;
      p = close + 1;
      continue;
    }
    bool is_mark = *p == '_' || *p == '`'; /* of a line that goes on, right before the line break */
    if (is_mark && p + 1 < end && p[1] != '\r' && p[1] != '\n' && p[1] != ' ')
      break;
    if (!is_mark && *p != ' ' && *p != '\t' && *p != '\r' && *p != '\n')
      break;
  }
  return p;
}

/* The next byte that a literal may end at; limit where there is none. */
static const uint8_t *find_stop(const uint8_t *p, const uint8_t *limit, uint8_t quote) {
  const uint8_t stops[4] = {quote, quote, '\n', '\0'};
  for (; limit - p >= BITS_BYTES; p += BITS_BYTES) {
    uint64_t bits = bits_any4(p, stops);
    if (bits != 0)
      return p + __builtin_ctzll(bits);
  }
  while (p < limit && *p != quote && *p != '\n' && *p != '\0')
    p++;
  return p;
}

const uint8_t *fold_literal(const uint8_t *p, const uint8_t *end, GString *out) {
  if (p >= end || (*p != '"' && *p != '\''))
    return NULL;
  uint8_t quote = *p++;
  const uint8_t *last = NULL; /* doubled quote, and what the value was there */
  gsize last_length = 0, length = out != NULL ? out->len : 0;
  while (p < end && *p != '\n' && *p != '\0' && length < LIMIT_FOLD_BYTES) {
    if (*p != quote) {
      uint64_t room = LIMIT_FOLD_BYTES - length;
      const uint8_t *start = p, *limit = (uint64_t)(end - p) > room ? p + room : end;
      p = find_stop(p, limit, quote);
      length += (gsize)(p - start);
      if (out != NULL)
        g_string_append_len(out, (const char *)start, p - start);
    } else if (end - p > 1 && p[1] == quote) {
      last = p + 1;
      last_length = length++;
      if (out != NULL)
        g_string_append_c(out, (char)quote);
      p += 2;
    } else {
      return p + 1;
    }
  }
  /* No end in this line: the last doubled quote was two, the second an attribute's that ends there.
   */
  if (last != NULL && out != NULL)
    g_string_truncate(out, last_length);
  return last;
}

static bool put_character(GString *out, int64_t c) {
  uint8_t bytes[4];
  if (c < 0 || c > 0x10FFFF)
    return false;
  g_string_append_len(out, (const char *)bytes, (gssize)utf8_put(bytes, (uint32_t)c));
  return true;
}

/* ---- functions: each reads its arguments up to its closing parenthesis ---- */

typedef const uint8_t *Function(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out);

static const uint8_t *take_close(const uint8_t *p, const uint8_t *end) {
  if (p == NULL)
    return NULL;
  p = fold_blank(p, end);
  return p < end && *p == ')' ? p + 1 : NULL;
}

/* Chr(67), String.fromCharCode(67, 68) */
static const uint8_t *call_character(const uint8_t *p, const uint8_t *end, unsigned depth,
                                     Folded *out) {
  for (;;) {
    int64_t c;
    p = fold_number(fold_blank(p, end), end, depth, &c);
    if (p == NULL || !put_character(out->text, c) || out->text->len > LIMIT_FOLD_BYTES)
      return NULL;
    p = fold_blank(p, end);
    if (p >= end || *p != ',')
      return take_close(p, end);
    p++;
  }
}

static const uint8_t *take_argument(const uint8_t *p, const uint8_t *end, unsigned depth,
                                    Folded *out) {
  if (p == NULL)
    return NULL;
  p = fold_blank(p, end);
  const uint8_t *name = p; /* Find:="x" */
  while (p < end && g_ascii_isalpha(*p))
    p++;
  if (end - p < 2 || p[0] != ':' || p[1] != '=')
    p = name;
  else
    p = fold_blank(p + 2, end);
  return fold_expression(p, end, depth + 1, out);
}

static const uint8_t *take_comma(const uint8_t *p, const uint8_t *end) {
  if (p == NULL)
    return NULL;
  p = fold_blank(p, end);
  return p < end && *p == ',' ? p + 1 : NULL;
}

static void reverse(GString *text) {
  for (gsize i = 0, k = text->len; i + 1 < k; i++) {
    char c = text->str[i];
    text->str[i] = text->str[--k];
    text->str[k] = c;
  }
}

static const uint8_t *call_reverse(const uint8_t *p, const uint8_t *end, unsigned depth,
                                   Folded *out) {
  p = take_close(take_argument(p, end, depth, out), end);
  if (p != NULL)
    reverse(out->text);
  return p;
}

static const uint8_t *call_lower(const uint8_t *p, const uint8_t *end, unsigned depth,
                                 Folded *out) {
  p = take_close(take_argument(p, end, depth, out), end);
  if (p != NULL)
    g_string_ascii_down(out->text);
  return p;
}

static const uint8_t *call_upper(const uint8_t *p, const uint8_t *end, unsigned depth,
                                 Folded *out) {
  p = take_close(take_argument(p, end, depth, out), end);
  if (p != NULL)
    g_string_ascii_up(out->text);
  return p;
}

static const uint8_t *call_same(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out) {
  return take_close(take_argument(p, end, depth, out), end);
}

/* Replaces in place; false where that would grow past the limit. */
static bool replace(GString *text, const GString *what, const GString *with) {
  g_autoptr(GString) out = g_string_new(NULL);
  const char *p = text->str, *end = text->str + text->len, *hit;
  if (what->len == 0)
    return true;
  while ((hit = memmem(p, (size_t)(end - p), what->str, what->len)) != NULL) {
    g_string_append_len(out, p, hit - p);
    g_string_append_len(out, with->str, (gssize)with->len);
    p = hit + what->len;
    if (out->len > LIMIT_FOLD_BYTES)
      return false;
  }
  g_string_append_len(out, p, end - p);
  g_string_assign(text, "");
  g_string_append_len(text, out->str, (gssize)out->len);
  return true;
}

/* Replace("CxDxO", "x", "" [, 1, -1]) */
static const uint8_t *call_replace(const uint8_t *p, const uint8_t *end, unsigned depth,
                                   Folded *out) {
  g_autoptr(GString) what = g_string_new(NULL), with = g_string_new(NULL);
  Folded second = {what, 0, out->names}, third = {with, 0, out->names};
  p = take_comma(take_argument(p, end, depth, out), end);
  p = take_comma(take_argument(p, end, depth, &second), end);
  p = take_argument(p, end, depth, &third);
  for (unsigned i = 0; p != NULL && i < 3; i++) {
    const uint8_t *next = take_comma(p, end);
    int64_t ignored;
    if (next == NULL)
      break;
    p = fold_number(fold_blank(next, end), end, depth, &ignored);
  }
  p = take_close(p, end);
  return p != NULL && replace(out->text, what, with) ? p : NULL;
}

/* String(3, "x"), Space(3) */
static const uint8_t *call_repeat(const uint8_t *p, const uint8_t *end, unsigned depth,
                                  Folded *out) {
  g_autoptr(GString) text = g_string_new(" ");
  int64_t n;
  p = fold_number(fold_blank(p, end), end, depth, &n);
  const uint8_t *next = take_comma(p, end);
  if (next != NULL)
    p = fold_literal(fold_blank(next, end), end, (g_string_truncate(text, 0)));
  p = take_close(p, end);
  if (p == NULL || n < 0 || n > LIMIT_FOLD_REPEATS || text->len == 0)
    return NULL;
  for (int64_t i = 0; i < n; i++)
    g_string_append_c(out->text, text->str[0]);
  return p;
}

/* atob("Q0RP"), FromBase64String("Q0RP"): what is too short for the view of its own. */
static const uint8_t *call_base64(const uint8_t *p, const uint8_t *end, unsigned depth,
                                  Folded *out) {
  g_autoptr(GString) text = g_string_new(NULL);
  Folded argument = {text, 0, out->names};
  p = take_close(take_argument(p, end, depth, &argument), end);
  if (p == NULL || text->len == 0 || text->len >= BASE64_LEAST)
    return NULL;
  gsize n = 0;
  g_base64_decode_inplace(text->str, &n);
  for (gsize i = 0; i < n; i++)
    if (!g_ascii_isprint(text->str[i]))
      return NULL;
  g_string_append_len(out->text, text->str, (gssize)n);
  return p;
}

/* The escapes of its argument are the next view's to undo. */
#define FUNCTION(NAME, CALL)                                                                       \
  { NAME, sizeof NAME - 1, CALL }
static const struct {
  const char *name;
  uint8_t length;
  Function *call;
} FUNCTIONS[] = {
    FUNCTION("fromcharcode", call_character),
    FUNCTION("strreverse", call_reverse),
    FUNCTION("replace", call_replace),
    FUNCTION("unescape", call_same),
    FUNCTION("chrw$", call_character),
    FUNCTION("chrb$", call_character),
    FUNCTION("chr$", call_character),
    FUNCTION("chrw", call_character),
    FUNCTION("chrb", call_character),
    FUNCTION("chr", call_character),
    FUNCTION("lcase$", call_lower),
    FUNCTION("lcase", call_lower),
    FUNCTION("ucase$", call_upper),
    FUNCTION("ucase", call_upper),
    FUNCTION("trim", call_same),
    FUNCTION("cstr", call_same),
    FUNCTION("join", fold_join),
    FUNCTION("string", call_repeat),
    FUNCTION("space", call_repeat),
    FUNCTION("atob", call_base64),
    FUNCTION("frombase64string", call_base64),
    FUNCTION("decodeuricomponent", call_same),
    FUNCTION("eval", call_same),
};

/* The number in FUNCTIONS of the name of n letters at p, or -1. */
static int find_function(const uint8_t *p, size_t n) {
  for (size_t i = 0; n >= 3 && i < G_N_ELEMENTS(FUNCTIONS); i++)
    if (FUNCTIONS[i].length == n && FUNCTIONS[i].name[0] == (char)(*p | 0x20) &&
        g_ascii_strncasecmp((const char *)p, FUNCTIONS[i].name, n) == 0)
      return (int)i;
  return -1;
}

/* The last letters of FUNCTIONS: most parentheses stand behind others. */
static bool may_end_function(uint8_t c) {
  static const bool LAST[256] = {
      ['e'] = true, ['E'] = true, ['w'] = true, ['W'] = true, ['b'] = true,
      ['B'] = true, ['r'] = true, ['R'] = true, ['m'] = true, ['M'] = true,
      ['n'] = true, ['N'] = true, ['l'] = true, ['L'] = true, ['$'] = true,
      ['g'] = true, ['G'] = true, ['t'] = true, ['T'] = true};
  return LAST[c];
}

/* What a list may begin with, so that most brackets are passed at once. */
static bool begins_element(const uint8_t *p, const uint8_t *end) {
  p = fold_blank(p, end);
  return p < end && (*p == '"' || *p == '\'' || fold_word(p, end, "[char]") != NULL);
}

/* What -join and @ take before the bracket at p. */
static size_t joined_before(const uint8_t *data, const uint8_t *end, const uint8_t *p) {
  const uint8_t *before = p > data && p[-1] == '@' ? p - 1 : p;
  while (before > data && p - before < 4 && before[-1] == ' ')
    before--;
  if (before - data >= 5 && fold_word(before - 5, end, "-join") != NULL)
    return (size_t)(p - before) + 5;
  return p > data && p[-1] == '@' ? 1 : 0;
}

/* A bracket behind a name is a call's or an index's. */
static bool is_behind_name(const uint8_t *data, const uint8_t *p) {
  return p > data && (g_ascii_isalnum(p[-1]) || p[-1] == '_' || p[-1] == ')' || p[-1] == ']');
}

bool fold_list_at(const uint8_t *data, const uint8_t *end, const uint8_t *p, size_t *n) {
  *n = 0;
  bool is_method = *p == '[' && fold_word(p, end, "[string]::") != NULL;
  if (!is_method) {
    bool is_typed = *p == '[' && fold_word(p, end, "[char[]]") != NULL;
    if (!is_typed && !begins_element(p + 1, end))
      return false;
    *n = joined_before(data, end, p);
    if (*n == 0 && is_behind_name(data, p))
      return false;
  }
  g_autoptr(GString) ignored = g_string_new(NULL);
  Folded folded = {ignored, 0, NULL};
  if (is_method)
    return fold_expression(p, end, 1, &folded) != NULL;
  return fold_list(p - *n, end, 1, &folded) != NULL;
}

bool fold_function_before(const uint8_t *data, const uint8_t *p, size_t *n) {
  size_t have = 0;
  *n = 0;
  if (p == data || !may_end_function(p[-1]))
    return false;
  while (have < FUNCTION_LETTERS && p - data > (ptrdiff_t)have &&
         (g_ascii_isalnum(p[-1 - (ptrdiff_t)have]) || p[-1 - (ptrdiff_t)have] == '$'))
    have++;
  *n = have;
  return find_function(p - have, have) >= 0;
}

/* The number in FUNCTIONS of the call at p, or -1; *arguments is what stands in its parentheses. */
static int function_at(const uint8_t *p, const uint8_t *end, const uint8_t **arguments) {
  const uint8_t *start = p;
  static const char *const BEFORE[] = {"string.", "vba.strings.", "vba.", "strings."};
  const uint8_t *method = NULL;
  for (size_t i = 0; method == NULL && i < G_N_ELEMENTS(BEFORE); i++)
    method = fold_word(p, end, BEFORE[i]);
  if (method != NULL)
    p = method;
  while (p < end && p - start < 32 && (g_ascii_isalnum(*p) || *p == '$'))
    p++;
  size_t n = (size_t)(p - (method != NULL ? method : start));
  const uint8_t *name = p - n;
  while (p < end && *p == ' ')
    p++;
  if (p >= end || *p != '(')
    return -1;
  *arguments = p + 1;
  return find_function(name, n);
}

static const uint8_t *take_function(const uint8_t *p, const uint8_t *end, unsigned depth,
                                    Folded *out) {
  const uint8_t *arguments;
  int i = function_at(p, end, &arguments);
  if (i < 0)
    return NULL;
  out->n_ops++;
  return FUNCTIONS[i].call(arguments, end, depth, out);
}

/* ---- terms ---- */

/* [char]67 */
static const uint8_t *take_cast(const uint8_t *p, const uint8_t *end, Folded *out) {
  int64_t c = 0;
  p = fold_word(p, end, "[char]");
  if (p == NULL)
    return NULL;
  p = fold_blank(p, end);
  if (p < end && *p == '(') {
    p = take_close(fold_number(p + 1, end, 1, &c), end);
  } else if (fold_word(p, end, "0x") != NULL) {
    for (p += 2; p < end && g_ascii_isxdigit(*p) && c < 0x110000; p++)
      c = c * 16 + g_ascii_xdigit_value((char)*p);
  } else {
    for (; p < end && g_ascii_isdigit(*p) && c < 0x110000; p++)
      c = c * 10 + (*p - '0');
  }
  out->n_ops++;
  return p != NULL && c > 0 && put_character(out->text, c) ? p : NULL;
}

static const uint8_t *take_constant(const uint8_t *p, const uint8_t *end, Folded *out) {
  static const struct {
    const char *name, *value;
  } CONSTANTS[] = {{"vbcrlf", "\r\n"}, {"vbnewline", "\r\n"}, {"vbcr", "\r"},    {"vblf", "\n"},
                   {"vbtab", "\t"},    {"vbnullstring", ""},  {"vbnullchar", ""}};
  if (fold_word(p, end, "vb") == NULL)
    return NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(CONSTANTS); i++) {
    const uint8_t *stop = fold_word(p, end, CONSTANTS[i].name);
    if (stop == NULL || (stop < end && (g_ascii_isalnum(*stop) || *stop == '_')))
      continue;
    g_string_append(out->text, CONSTANTS[i].value);
    return stop;
  }
  return NULL;
}

/* What stands behind a value: .replace("x", ""), .Replace('x','') and -replace 'x','' */
static const uint8_t *take_other_call(const uint8_t *p, const uint8_t *end, unsigned depth,
                                      Folded *out) {
  const uint8_t *at = fold_word(p, end, ".concat(");
  if (at != NULL)
    return fold_concat(at, end, depth, out);
  at = fold_format_operator(fold_blank(p, end), end);
  return at != NULL ? fold_format(at, end, depth, out) : NULL;
}

static const uint8_t *take_call(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out) {
  const uint8_t *other = take_other_call(p, end, depth, out);
  if (other != NULL) {
    out->n_ops++;
    return other;
  }
  g_autoptr(GString) what = g_string_new(NULL), with = g_string_new(NULL);
  const uint8_t *reversed = fold_word(p, end, ".split(\"\").reverse().join(\"\")");
  if (reversed == NULL)
    reversed = fold_word(p, end, ".split('').reverse().join('')");
  if (reversed != NULL) {
    reverse(out->text);
    out->n_ops++;
    return reversed;
  }
  const uint8_t *at = fold_word(p, end, ".replace(");
  bool is_operator = at == NULL;
  if (is_operator)
    at = fold_replace_operator(fold_blank(p, end), end);
  if (at == NULL)
    return NULL;
  at = fold_blank(at, end);
  if (at < end && *at == '/') {
    for (at++; at < end && *at != '/' && *at != '\n' && what->len < 64; at++)
      if (*at != '\\')
        g_string_append_c(what, (char)*at);
    at = at < end && *at == '/' ? at + 1 : NULL;
    while (at != NULL && at < end && (*at == 'g' || *at == 'i'))
      at++;
  } else {
    at = fold_literal(at, end, what);
  }
  at = take_comma(at, end);
  at = at != NULL ? fold_literal(fold_blank(at, end), end, with) : NULL;
  if (!is_operator)
    at = take_close(at, end);
  if (at == NULL || !replace(out->text, what, with))
    return NULL;
  out->n_ops++;
  return at;
}

static const uint8_t *take_method(const uint8_t *p, const uint8_t *end, unsigned depth,
                                  Folded *out) {
  bool is_call = p < end && *p == '.';
  const uint8_t *next = is_call ? p : fold_blank(p, end);
  return is_call || (next < end && *next == '-') ? take_call(p, end, depth, out) : NULL;
}

/* A term in brackets, or the first of a list: what the bracket holds is read once, as each try of
 * its own would double the work with every bracket within. */
static const uint8_t *take_parenthesis(const uint8_t *p, const uint8_t *end, unsigned depth,
                                       Folded *term) {
  p = fold_expression(fold_blank(p + 1, end), end, depth + 1, term);
  const uint8_t *close = take_close(p, end), *comma = take_comma(p, end);
  if (close != NULL || comma == NULL)
    return close;
  return fold_list_behind(comma, end, depth, term);
}

/* A list, a cast or a method of a type. */
static const uint8_t *take_bracket(const uint8_t *p, const uint8_t *end, unsigned depth,
                                   Folded *term) {
  const uint8_t *stop = fold_word(p, end, "[string]::");
  if (stop != NULL)
    return fold_string_method(stop, end, depth, term);
  stop = take_cast(p, end, term);
  if (stop != NULL)
    return stop;
  g_string_truncate(term->text, 0);
  term->n_ops = 0;
  return fold_list(p, end, depth, term);
}

bool fold_may_begin(const uint8_t *p, const uint8_t *end) {
  const uint8_t *ignored;
  if (p < end && g_ascii_isalpha(*p))
    return fold_word(p, end, "vb") != NULL || function_at(p, end, &ignored) >= 0;
  return p < end && (*p == '(' || *p == '"' || *p == '\'' || *p == '[' || *p == '-' || *p == '@');
}

/* A variable whose value is known, and which is not called, indexed or a part of something. */
static const uint8_t *take_variable(const uint8_t *p, const uint8_t *end, Folded *out) {
  size_t n = fold_names_any(out->names) ? fold_name(p, end) : 0;
  const FoldValue *value = fold_names_value(out->names, p, n);
  const uint8_t *stop = p + n;
  if (value == NULL || (stop < end && (*stop == '(' || *stop == '[' || *stop == ':')))
    return NULL;
  g_string_append_len(out->text, value->str, (gssize)value->len);
  return stop;
}

static const uint8_t *take_term(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out) {
  if (!fold_may_begin(p, end) && !fold_names_any(out->names))
    return NULL;
  g_autoptr(GString) text = g_string_new(NULL);
  Folded term = {text, 0, out->names};
  const uint8_t *behind = take_variable(p, end, &term);
  if (behind != NULL)
    p = behind;
  else if (!fold_may_begin(p, end))
    return NULL;
  else if (*p == '(')
    p = take_parenthesis(p, end, depth, &term);
  else if (*p == '[')
    p = take_bracket(p, end, depth, &term);
  else if (*p == '"' || *p == '\'') {
    bool may_hold_names = *p == '"';
    p = fold_literal(p, end, text);
    term.n_ops += may_hold_names ? fold_interpolate(out->names, text) : 0;
  } else if (*p == '-' || *p == '@')
    p = fold_list(p, end, depth, &term);
  else {
    const uint8_t *constant = take_constant(p, end, &term);
    p = constant != NULL ? constant : take_function(p, end, depth, &term);
  }
  for (unsigned i = 0; p != NULL && i < LIMIT_FOLD_DEPTH; i++) {
    const uint8_t *next = take_method(p, end, depth, &term);
    if (next == NULL)
      break;
    p = next;
  }
  if (p == NULL || out->text->len + text->len > LIMIT_FOLD_BYTES)
    return NULL;
  g_string_append_len(out->text, text->str, (gssize)text->len);
  out->n_ops += term.n_ops;
  return p;
}

const uint8_t *fold_expression(const uint8_t *p, const uint8_t *end, unsigned depth,
                               Folded *folded) {
  if (depth >= LIMIT_FOLD_DEPTH)
    return NULL;
  p = take_term(p, end, depth, folded);
  while (p != NULL) {
    const uint8_t *next = fold_blank(p, end);
    if (next >= end || (*next != '&' && *next != '+'))
      return p;
    next = take_term(fold_blank(next + 1, end), end, depth, folded);
    if (next == NULL)
      return p;
    folded->n_ops++;
    p = next;
  }
  return NULL;
}
