/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fold_number.c - integer expressions inside Chr() and its kin. Doubles, variables and
 * anything that overflows are no constants. */
#include "base/limits.h"
#include "unpack/unpack_fold.h"

static const uint8_t *skip(const uint8_t *p, const uint8_t *end) {
  while (p < end && (*p == ' ' || *p == '\t'))
    p++;
  return p;
}

static const uint8_t *take_digits(const uint8_t *p, const uint8_t *end, int base, int64_t *value) {
  const uint8_t *start = p;
  *value = 0;
  for (; p < end && g_ascii_isxdigit(*p) && g_ascii_xdigit_value((char)*p) < base; p++)
    if (__builtin_mul_overflow(*value, base, value) ||
        __builtin_add_overflow(*value, g_ascii_xdigit_value((char)*p), value))
      return NULL;
  return p > start ? p : NULL;
}

static bool has_word(const uint8_t *p, const uint8_t *end, const char *word, size_t n) {
  return (size_t)(end - p) >= n && g_ascii_strncasecmp((const char *)p, word, n) == 0;
}

/* CInt(67), CLng("&H43"), Asc("C"), a number in quotes. */
static const uint8_t *take_call(const uint8_t *p, const uint8_t *end, unsigned depth,
                                int64_t *value) {
  static const char *const CASTS[] = {"cint(", "clng(", "cbyte(", "int(", "parseint(", "number("};
  if (has_word(p, end, "asc(\"", 5) || has_word(p, end, "ascw(\"", 6)) {
    p += p[3] == '(' ? 5 : 6;
    if (end - p < 3 || p[1] != '"' || p[2] != ')')
      return NULL;
    *value = p[0];
    return p + 3;
  }
  for (size_t i = 0; i < G_N_ELEMENTS(CASTS); i++) {
    size_t n = strlen(CASTS[i]);
    if (!has_word(p, end, CASTS[i], n))
      continue;
    p = fold_number(p + n, end, depth + 1, value);
    p = p != NULL ? skip(p, end) : NULL;
    return p != NULL && p < end && *p == ')' ? p + 1 : NULL;
  }
  if (p >= end || *p != '"')
    return NULL;
  p = fold_number(p + 1, end, depth + 1, value);
  return p != NULL && p < end && *p == '"' ? p + 1 : NULL;
}

static const uint8_t *take_atom(const uint8_t *p, const uint8_t *end, unsigned depth,
                                int64_t *value) {
  p = skip(p, end);
  if (p >= end || depth >= LIMIT_FOLD_DEPTH)
    return NULL;
  if (*p == '-' || *p == '+') {
    bool is_minus = *p == '-';
    p = take_atom(p + 1, end, depth + 1, value);
    if (p != NULL && is_minus && __builtin_sub_overflow(0, *value, value))
      return NULL;
    return p;
  }
  if (*p == '(') {
    p = fold_number(p + 1, end, depth + 1, value);
    p = p != NULL ? skip(p, end) : NULL;
    return p != NULL && p < end && *p == ')' ? p + 1 : NULL;
  }
  if (end - p > 2 && *p == '&' && (p[1] == 'H' || p[1] == 'h' || p[1] == 'O' || p[1] == 'o')) {
    const uint8_t *stop = take_digits(p + 2, end, (p[1] | 0x20) == 'h' ? 16 : 8, value);
    return stop != NULL && stop < end && *stop == '&' ? stop + 1 : stop;
  }
  if (end - p > 2 && *p == '0' && (p[1] == 'x' || p[1] == 'X'))
    return take_digits(p + 2, end, 16, value);
  if (!g_ascii_isdigit(*p))
    return take_call(p, end, depth, value);
  p = take_digits(p, end, 10, value);
  return p != NULL && p < end && *p == '.' ? NULL : p;
}

static bool apply(uint8_t op, int64_t right, int64_t *value) {
  switch (op) {
  case '+':
    return !__builtin_add_overflow(*value, right, value);
  case '-':
    return !__builtin_sub_overflow(*value, right, value);
  case '*':
    return !__builtin_mul_overflow(*value, right, value);
  case '^': /* Xor, as JScript and PowerShell's -bxor have it; a power is never wanted here */
    *value ^= right;
    return true;
  default:
    if (right == 0 || (right == -1 && *value == INT64_MIN) || *value % right != 0)
      return false;
    *value /= right;
    return true;
  }
}

/* The operator at p as one letter, 0 where there is none. */
static uint8_t take_operator(const uint8_t **p, const uint8_t *end) {
  const uint8_t *at = skip(*p, end);
  if (has_word(at, end, "xor ", 4)) {
    *p = at + 4;
    return '^';
  }
  if (has_word(at, end, "-bxor ", 6)) {
    *p = at + 6;
    return '^';
  }
  if (at >= end ||
      (*at != '+' && *at != '-' && *at != '*' && *at != '/' && *at != '\\' && *at != '^'))
    return 0;
  *p = at + 1;
  return *at;
}

static bool binds_tighter(uint8_t op) {
  return op == '*' || op == '/' || op == '\\';
}

const uint8_t *fold_number(const uint8_t *p, const uint8_t *end, unsigned depth, int64_t *value) {
  if (depth >= LIMIT_FOLD_DEPTH)
    return NULL;
  p = take_atom(p, end, depth, value);
  int64_t sum = 0;
  uint8_t pending = '+';
  while (p != NULL) {
    const uint8_t *next = p;
    uint8_t op = take_operator(&next, end);
    if (!binds_tighter(op)) {
      if (!apply(pending, *value, &sum))
        return NULL;
      pending = op;
    }
    if (op == 0)
      break;
    int64_t right;
    p = take_atom(next, end, depth, &right);
    if (p == NULL)
      return NULL;
    if (!binds_tighter(op))
      *value = right;
    else if (!apply(op, right, value))
      return NULL;
  }
  *value = sum;
  return p;
}
