/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fold.c - the view of a script in which strings put together from constants stand as what
 * they are. It exists only where something was put together. */
#include "unpack/unpack_fold.h"
#include "unpack/unpack_view.h"
#include <string.h>

enum { WINDOW_BYTES = 256 * 1024, OVERLAP_BYTES = 256 };

static const uint8_t *find_byte(const uint8_t *p, const uint8_t *end, uint8_t c) {
  return p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
}

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

static bool is_method(const uint8_t *p, const uint8_t *end) {
  return end - p > 8 && (g_ascii_strncasecmp((const char *)p + 1, ".replace", 8) == 0 ||
                         g_ascii_strncasecmp((const char *)p + 1, ".split(", 7) == 0);
}

bool fold_smells(const uint8_t *data, uint64_t size) {
  static const uint8_t QUOTES[] = {'"', '\''};
  const uint8_t *end = data + size, *p;
  for (size_t i = 0; i < sizeof QUOTES; i++)
    for (p = data; (p = find_byte(p, end, QUOTES[i])) != NULL; p++)
      if ((is_joint(p, end) || is_method(p, end)) && is_in_text(data, end, p, 1))
        return true;
  size_t n;
  for (p = data; (p = find_byte(p, end, '(')) != NULL; p++)
    if (fold_function_before(data, p, &n) && is_in_text(data, end, p, 1))
      return true;
  for (p = data; (p = find_byte(p, end, '[')) != NULL; p++)
    if (end - p > 7 && g_ascii_strncasecmp((const char *)p, "[char]", 6) == 0 &&
        is_in_text(data, end, p, 6))
      return true;
  return false;
}

/* Line breaks and blanks alone hide nothing. */
static bool is_worth_it(const Folded *folded) {
  unsigned n_graph = 0;
  for (gsize i = 0; i < folded->text->len; i++)
    n_graph += (uint8_t)folded->text->str[i] > 0x20;
  return folded->n_ops > 0 && n_graph > 0;
}

static bool begins(uint8_t c) {
  return c == '"' || c == '\'' || c == '(' || c == '[';
}

/* Where the expression with the byte at p begins: at the function's name before a parenthesis. */
static const uint8_t *start_of(const uint8_t *floor, const uint8_t *p) {
  size_t n;
  return *p == '(' && fold_function_before(floor, p, &n) ? p - n : p;
}

/* Folds what begins before stop. Returns where to go on, NULL where the view is full. */
static const uint8_t *fold_window(ViewBuilder *builder, const uint8_t *p, const uint8_t *stop_at) {
  const uint8_t *data = builder->data, *end = data + builder->size, *floor = p;
  g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
  for (; p < stop_at; p++) {
    if (!begins(*p))
      continue;
    const uint8_t *start = start_of(floor, p);
    Folded folded = {text, 0};
    g_string_truncate(text, 0);
    const uint8_t *stop = fold_expression(start, end, 0, &folded);
    if (stop != NULL && is_worth_it(&folded) &&
        is_in_text(data, end, start, (size_t)(stop - start))) {
      g_string_assign(out, "\"");
      g_string_append_len(out, text->str, (gssize)text->len);
      g_string_append_c(out, '"');
      if (!view_put(builder, (uint64_t)(start - data), (uint64_t)(stop - data), out->str, out->len,
                    true))
        return NULL;
    } else if (*p == '"' || *p == '\'') {
      g_string_truncate(text, 0);
      stop = fold_literal(p, end, text);
    } else {
      stop = NULL;
    }
    if (stop == NULL)
      continue;
    floor = stop;
    p = stop - 1;
  }
  return p;
}

void fold_make(ViewBuilder *builder, uint64_t from) {
  const uint8_t *p = builder->data + from, *end = builder->data + builder->size;
  while (p != NULL && p < end) {
    uint64_t left = (uint64_t)(end - p), n = MIN(left, WINDOW_BYTES);
    p = fold_smells(p, MIN(left, WINDOW_BYTES + OVERLAP_BYTES)) ? fold_window(builder, p, p + n)
                                                                : p + n;
  }
}
