/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fold_names.c - what the variables of a script hold, as far as it was read: a = "CDO",
 * a = a & ".Message", a += "x". Neither branches nor procedures are told apart: what a variable
 * held last, from the top down, is its value. */
#include "base/keyhash.h"
#include "base/limits.h"
#include "unpack/unpack_fold.h"
#include <string.h>

enum { NAME_BYTES = 64, BLANKS = 16 };

/* One block for each variable: most files have many. */
typedef struct {
  FoldValue value;
  char *own; /* the value's bytes, where they are no one else's */
  char key[];
} Variable;

static void variable_free(gpointer pointer) {
  Variable *variable = pointer;
  g_free(variable->own);
  g_free(variable);
}

void fold_names_clear(FoldNames *names) {
  g_clear_pointer(&names->values, g_hash_table_unref);
  names->shapes = 0;
}

static bool is_name(uint8_t c) {
  return g_ascii_isalnum(c) || c == '_';
}

size_t fold_name(const uint8_t *p, const uint8_t *end) {
  const uint8_t *at = p < end && *p == '$' ? p + 1 : p;
  if (at >= end || g_ascii_isdigit(*at))
    return 0;
  while (at < end && at - p < NAME_BYTES && is_name(*at))
    at++;
  return at - p < NAME_BYTES && is_name(at[-1]) ? (size_t)(at - p) : 0;
}

size_t fold_name_before(const uint8_t *floor, const uint8_t *p) {
  size_t n = 0;
  while (n < NAME_BYTES && p - floor > (ptrdiff_t)n && is_name(*(p - n - 1)))
    n++;
  if (n == 0 || n == NAME_BYTES || g_ascii_isdigit(*(p - n)))
    return 0;
  uint8_t before = p - floor > (ptrdiff_t)n ? *(p - n - 1) : ' ';
  if (before == '.' || before == '-') /* a property, an option */
    return 0;
  return before == '$' ? n + 1 : n;
}

/* The key of a name, with or without the mark before it. */
static const char *key_of(const uint8_t *name, size_t n, char *key) {
  size_t skip = *name == '$' ? 1 : 0, length = n - skip;
  for (size_t i = 0; i < length; i++)
    key[i] = g_ascii_tolower((gchar)name[skip + i]);
  key[length] = '\0';
  return key;
}

static uint64_t shape_of(const uint8_t *name, size_t n) {
  size_t skip = *name == '$' ? 1 : 0;
  return UINT64_C(1) << (((name[skip] | 0x20u) + (name[n - 1] | 0x20u) * 7u + (n - skip) * 5u) %
                         64);
}

const FoldValue *fold_names_value(const FoldNames *names, const uint8_t *name, size_t n) {
  char key[NAME_BYTES + 1];
  if (!fold_names_any(names) || n == 0 || (names->shapes & shape_of(name, n)) == 0)
    return NULL;
  return g_hash_table_lookup(names->values, key_of(name, n, key));
}

size_t fold_name_inside(const uint8_t *p, const uint8_t *end, const uint8_t **name, size_t *n) {
  uint8_t open = end - p > 2 ? p[1] : 0, close = open == '{' ? '}' : ')';
  if (open != '{' && open != '(') {
    *name = p;
    *n = fold_name(p, end);
    return *n > 1 ? *n : 0;
  }
  *name = p + 2;
  *n = fold_name(p + 2, end);
  const uint8_t *behind = p + 2 + *n;
  bool is_whole = *n > 0 && behind < end && *behind == close && (open == '{' || p[2] == '$');
  return is_whole ? *n + 3 : 0;
}

unsigned fold_interpolate(const FoldNames *names, GString *text) {
  const uint8_t *p = (const uint8_t *)text->str, *end = p + text->len, *name, *done = p;
  if (!fold_names_any(names) || memchr(p, '$', text->len) == NULL)
    return 0;
  g_autoptr(GString) out = g_string_new(NULL);
  unsigned n_put = 0;
  while (p < end && (p = memchr(p, '$', (size_t)(end - p))) != NULL) {
    size_t n, length = fold_name_inside(p, end, &name, &n);
    const FoldValue *value = length > 0 ? fold_names_value(names, name, n) : NULL;
    if (value == NULL) {
      p++;
      continue;
    }
    if (out->len + value->len > LIMIT_FOLD_NAME_BYTES)
      break;
    g_string_append_len(out, (const char *)done, p - done);
    g_string_append_len(out, value->str, (gssize)value->len);
    done = p += length;
    n_put++;
  }
  if (n_put == 0)
    return 0;
  g_string_append_len(out, (const char *)done, end - done);
  g_string_truncate(text, 0);
  g_string_append_len(text, out->str, (gssize)out->len);
  return n_put;
}

void fold_names_set(FoldNames *names, const uint8_t *name, size_t n, FoldValue value,
                    bool is_copied) {
  char key[NAME_BYTES + 1];
  if (names->is_closed)
    return;
  if (names->values == NULL)
    names->values = g_hash_table_new_full(keyhash_str, g_str_equal, NULL, variable_free);
  Variable *variable = g_hash_table_lookup(names->values, key_of(name, n, key));
  if (value.len > LIMIT_FOLD_NAME_BYTES) {
    g_hash_table_remove(names->values, key);
    return;
  }
  if (variable == NULL) {
    if (g_hash_table_size(names->values) >= LIMIT_FOLD_NAMES)
      return;
    size_t length = strlen(key) + 1;
    variable = g_malloc(sizeof *variable + length);
    variable->own = NULL;
    memcpy(variable->key, key, length);
    g_hash_table_insert(names->values, variable->key, variable);
    names->shapes |= shape_of(name, n);
  }
  char *own = is_copied ? g_memdup2(value.str, value.len) : NULL;
  g_free(variable->own);
  variable->own = own;
  variable->value = (FoldValue){is_copied ? own : value.str, value.len};
}

static const uint8_t *skip_back(const uint8_t *floor, const uint8_t *p) {
  for (unsigned i = 0; i < BLANKS && p > floor && (p[-1] == ' ' || p[-1] == '\t'); i++)
    p--;
  return p;
}

size_t fold_assigned(const uint8_t *floor, const uint8_t *p, const uint8_t **name,
                     bool *is_append) {
  p = skip_back(floor, p);
  if (p == floor || *--p != '=')
    return 0;
  *is_append = p > floor && (p[-1] == '+' || p[-1] == '&');
  p = skip_back(floor, *is_append ? p - 1 : p);
  size_t n = fold_name_before(floor, p);
  *name = p - n;
  return n;
}

static const uint8_t *skip(const uint8_t *p, const uint8_t *end) {
  while (p < end && (*p == ' ' || *p == '\t'))
    p++;
  return p;
}

bool fold_ends_statement(const uint8_t *p, const uint8_t *end) {
  p = skip(p, end);
  return p == end || *p == '\r' || *p == '\n' || *p == ':' || *p == ';' || *p == ',' ||
         *p == '\'' || *p == '#' || *p == '}' ||
         ((*p == '/' || *p == '>') && end - p > 1 && p[1] == *p); /* a comment, echo x = "a" >> b */
}

bool fold_sets_next(const uint8_t *p, const uint8_t *end, const uint8_t *name, size_t n) {
  char wanted[NAME_BYTES + 1], key[NAME_BYTES + 1];
  for (unsigned i = 0; i < BLANKS && p < end && (g_ascii_isspace(*p) || *p == ':' || *p == ';');
       i++)
    p++;
  size_t length = fold_name(p, end);
  if (length == 0 || !g_str_equal(key_of(name, n, wanted), key_of(p, length, key)))
    return false;
  p = skip(p + length, end);
  return p < end && (*p == '=' || ((*p == '+' || *p == '&') && end - p > 1 && p[1] == '='));
}
