/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fold_list.c - lists of constants, joined or put into a format: Join(Array("C", "DO"), ""),
 * ["C", "DO"].join(""), ("C", "DO") -join "", "{1}{0}" -f "DO", "C". */
#include "base/limits.h"
#include "unpack/unpack_fold.h"
#include <string.h>

/* TRY_DEPTH: what may turn out to be another form and be read again counts as so many brackets. */
enum { FORMAT_DIGITS = 4, TRY_DEPTH = LIMIT_FOLD_DEPTH / 4 };

typedef struct {
  GPtrArray *parts; /* char* */
  gsize total;
  const uint8_t *behind; /* the last element; NULL: there is none */
  const FoldNames *names;
} List;

static void list_clear(List *list) {
  g_ptr_array_unref(list->parts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(List, list_clear)

static List list_new(const FoldNames *names) {
  return (List){g_ptr_array_new_with_free_func(g_free), 0, NULL, names};
}

static bool list_add(List *list, const char *text, gsize n) {
  list->total += n;
  if (list->parts->len >= LIMIT_FOLD_PARTS || list->total > LIMIT_FOLD_BYTES)
    return false;
  g_ptr_array_add(list->parts, g_strndup(text, n));
  return true;
}

static const uint8_t *take_mark(const uint8_t *p, const uint8_t *end, uint8_t mark) {
  if (p == NULL)
    return NULL;
  p = fold_blank(p, end);
  return p < end && *p == mark ? p + 1 : NULL;
}

/* One element: a constant, or the number of a character. */
static const uint8_t *take_element(const uint8_t *p, const uint8_t *end, unsigned depth,
                                   bool is_chars, List *list) {
  g_autoptr(GString) text = g_string_new(NULL);
  Folded element = {text, 0, list->names};
  int64_t c;
  p = fold_blank(p, end);
  if (is_chars) {
    p = fold_number(p, end, depth + 1, &c);
    if (p == NULL || c < 1 || c > 0x10FFFF)
      return NULL;
    g_string_append_unichar(text, (gunichar)c);
  } else {
    p = fold_expression(p, end, depth + 1, &element);
  }
  if (p == NULL || !list_add(list, text->str, text->len))
    return NULL;
  list->behind = p;
  return p;
}

/* Elements up to the closing bracket, or (close 0) as many as are joined by commas. */
static const uint8_t *take_elements(const uint8_t *p, const uint8_t *end, unsigned depth,
                                    uint8_t close, bool is_chars, List *list) {
  for (;;) {
    p = take_element(p, end, depth, is_chars, list);
    const uint8_t *next = take_mark(p, end, ',');
    if (next == NULL)
      return close != 0 ? take_mark(p, end, close) : p;
    p = next;
  }
}

/* Split("C,DO", ","), behind its parenthesis; blanks where no mark is named. */
static const uint8_t *take_split(const uint8_t *p, const uint8_t *end, unsigned depth, List *list) {
  g_autoptr(GString) text = g_string_new(NULL), mark = g_string_new(NULL);
  Folded whole = {text, 0, list->names}, second = {mark, 0, list->names};
  p = fold_expression(fold_blank(p, end), end, depth + 1, &whole);
  const uint8_t *next = take_mark(p, end, ',');
  if (next != NULL)
    p = fold_expression(fold_blank(next, end), end, depth + 1, &second);
  p = take_mark(p, end, ')');
  if (p == NULL)
    return NULL;
  g_auto(GStrv) parts = g_strsplit(text->str, mark->len > 0 ? mark->str : " ", LIMIT_FOLD_PARTS);
  for (guint i = 0; parts[i] != NULL; i++)
    if (!list_add(list, parts[i], strlen(parts[i])))
      return NULL;
  return p;
}

/* The list at p in any of its forms. */
static const uint8_t *take_list(const uint8_t *p, const uint8_t *end, unsigned depth, List *list) {
  static const struct {
    const char *word;
    uint8_t close;
    bool is_chars;
  } FORMS[] = {{"array(", ')', false}, {"[char[]](", ')', true}, {"[char[]]@(", ')', true},
               {"@(", ')', false},     {"(", ')', false},        {"[", ']', false}};
  if (p == NULL || depth >= LIMIT_FOLD_DEPTH)
    return NULL;
  p = fold_blank(p, end);
  const uint8_t *inside = fold_word(p, end, "split(");
  if (inside != NULL)
    return take_split(inside, end, depth, list);
  for (gsize i = 0; i < G_N_ELEMENTS(FORMS); i++) {
    inside = fold_word(p, end, FORMS[i].word);
    if (inside != NULL)
      return take_elements(inside, end, depth, FORMS[i].close, FORMS[i].is_chars, list);
  }
  return NULL;
}

static bool put_joined(const List *list, const char *between, gsize n, GString *out) {
  if (list->total + n * list->parts->len > LIMIT_FOLD_BYTES)
    return false;
  for (guint i = 0; i < list->parts->len; i++) {
    if (i > 0)
      g_string_append_len(out, between, (gssize)n);
    g_string_append(out, list->parts->pdata[i]);
  }
  return true;
}

const uint8_t *fold_join(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out) {
  g_auto(List) list = list_new(out->names);
  g_autoptr(GString) between = g_string_new(NULL);
  Folded last = {between, 0, out->names};
  p = take_list(p, end, depth, &list);
  const uint8_t *next = take_mark(p, end, ',');
  if (next != NULL)
    p = fold_expression(fold_blank(next, end), end, depth + 1, &last);
  else
    g_string_assign(between, " ");
  p = take_mark(p, end, ')');
  return p != NULL && put_joined(&list, between->str, between->len, out->text) ? p : NULL;
}

static void reverse(const List *list) {
  for (guint i = 0, k = list->parts->len; i + 1 < k; i++) {
    gpointer part = list->parts->pdata[i];
    list->parts->pdata[i] = list->parts->pdata[--k];
    list->parts->pdata[k] = part;
  }
}

/* A literal, also in a parenthesis of its own. */
static const uint8_t *take_between(const uint8_t *p, const uint8_t *end, GString *between) {
  if (p < end && *p == '(')
    return take_mark(fold_literal(fold_blank(p + 1, end), end, between), end, ')');
  return fold_literal(p, end, between);
}

/* What is done with the list: .join(""), .reverse().join(""), -join "". */
static const uint8_t *take_use(const uint8_t *p, const uint8_t *end, unsigned depth,
                               const List *list, GString *out) {
  g_autoptr(GString) between = g_string_new(NULL);
  Folded last = {between, 0, list->names};
  const uint8_t *at = fold_blank(p, end), *next = fold_word(at, end, ".reverse()");
  if (next != NULL) {
    reverse(list);
    at = next;
  }
  next = fold_word(at, end, ".join(");
  if (next != NULL)
    p = take_mark(fold_expression(fold_blank(next, end), end, depth + 1, &last), end, ')');
  else if ((next = fold_word(at, end, "-join")) != NULL)
    p = take_between(fold_blank(next, end), end, between);
  else
    return NULL;
  return p != NULL && put_joined(list, between->str, between->len, out) ? p : NULL;
}

const uint8_t *fold_list(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out) {
  g_auto(List) list = list_new(out->names);
  const uint8_t *joined = fold_word(p, end, "-join");
  const uint8_t *stop = take_list(joined != NULL ? joined : p, end, depth, &list);
  if (stop == NULL && joined == NULL && *p == '(' && list.parts->len > 1) {
    out->n_ops++;
    return take_mark(take_use(list.behind, end, depth, &list, out->text), end, ')');
  }
  if (stop == NULL)
    return NULL;
  out->n_ops++;
  if (joined != NULL)
    return put_joined(&list, "", 0, out->text) ? stop : NULL;
  return take_use(stop, end, depth, &list, out->text);
}

const uint8_t *fold_list_behind(const uint8_t *p, const uint8_t *end, unsigned depth,
                                Folded *first) {
  g_auto(List) list = list_new(first->names);
  if (!list_add(&list, first->text->str, first->text->len))
    return NULL;
  p = take_elements(p, end, depth, 0, false, &list);
  const uint8_t *close = take_mark(p, end, ')');
  if (p == NULL)
    return NULL;
  g_string_truncate(first->text, 0);
  first->n_ops = 1;
  if (close != NULL)
    return take_use(close, end, depth, &list, first->text);
  /* ("CDO", "Message" -join ".") */
  return take_mark(take_use(p, end, depth, &list, first->text), end, ')');
}

/* Puts list into the places {0}, {1:x} of format. */
static bool put_format(const GString *format, const List *list, GString *out) {
  const char *p = format->str, *end = p + format->len;
  while (p < end) {
    if ((*p == '{' || *p == '}') && p[1] == *p) {
      g_string_append_c(out, *p);
      p += 2;
      continue;
    }
    guint number = 0, n = 0;
    while (*p == '{' && n < FORMAT_DIGITS && g_ascii_isdigit(p[n + 1]))
      number = number * 10 + (guint)(p[++n] - '0');
    const char *close = n > 0 ? memchr(p, '}', (size_t)(end - p)) : NULL;
    if (close == NULL) {
      g_string_append_c(out, *p++);
      continue;
    }
    if (number >= list->parts->len ||
        out->len + strlen(list->parts->pdata[number]) > LIMIT_FOLD_BYTES)
      return false;
    g_string_append(out, list->parts->pdata[number]);
    p = close + 1;
  }
  return true;
}

static bool format(GString *text, const List *list) {
  g_autoptr(GString) out = g_string_new(NULL);
  if (!put_format(text, list, out))
    return false;
  g_string_truncate(text, 0);
  g_string_append_len(text, out->str, (gssize)out->len);
  return true;
}

const uint8_t *fold_format(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out) {
  g_auto(List) list = list_new(out->names);
  const uint8_t *inside = fold_word(fold_blank(p, end), end, "@(");
  if (inside == NULL)
    inside = fold_word(fold_blank(p, end), end, "(");
  const uint8_t *stop =
      inside != NULL ? take_elements(inside, end, depth + TRY_DEPTH, ')', false, &list) : NULL;
  if (stop == NULL || take_mark(stop, end, ',') != NULL) { /* ("a" + "b"), "c" */
    g_ptr_array_set_size(list.parts, 0);
    list.total = 0;
    stop = take_elements(p, end, depth, 0, false, &list);
  }
  return stop != NULL && format(out->text, &list) ? stop : NULL;
}

const uint8_t *fold_concat(const uint8_t *p, const uint8_t *end, unsigned depth, Folded *out) {
  g_auto(List) list = list_new(out->names);
  p = take_elements(p, end, depth, ')', false, &list);
  return p != NULL && put_joined(&list, "", 0, out->text) ? p : NULL;
}

/* Join(", ", list), Format("{0}", a) and Concat(a, b) of .NET's String, behind the two colons. */
const uint8_t *fold_string_method(const uint8_t *p, const uint8_t *end, unsigned depth,
                                  Folded *out) {
  g_auto(List) list = list_new(out->names);
  g_autoptr(GString) text = g_string_new(NULL);
  Folded first = {text, 0, out->names};
  const uint8_t *at = fold_word(p, end, "concat(");
  out->n_ops++;
  if (at != NULL)
    return fold_concat(at, end, depth, out);
  bool is_join = (at = fold_word(p, end, "join(")) != NULL;
  if (!is_join)
    at = fold_word(p, end, "format(");
  at = at != NULL ? fold_expression(fold_blank(at, end), end, depth + 1, &first) : NULL;
  at = take_mark(at, end, ',');
  if (at == NULL)
    return NULL;
  const uint8_t *stop =
      is_join ? take_mark(take_list(at, end, depth + TRY_DEPTH, &list), end, ')') : NULL;
  if (stop == NULL) {
    g_ptr_array_set_size(list.parts, 0);
    list.total = 0;
    stop = take_elements(at, end, depth, ')', false, &list);
  }
  if (stop == NULL)
    return NULL;
  if (is_join)
    return put_joined(&list, text->str, text->len, out->text) ? stop : NULL;
  if (!format(text, &list))
    return NULL;
  g_string_append_len(out->text, text->str, (gssize)text->len);
  return stop;
}
