/* SPDX-License-Identifier: Apache-2.0 */
/* read_value.c - constants and variables: one that is set in one place has a known value, one that
 * is set in several has none. */
#include "assess/read_value.h"
#include "base/keyhash.h"
#include "base/limits.h"
#include <string.h>

enum { MAX_NESTING = 16, MAX_GROUP = 256 };

typedef struct {
  guint from; /* first token of the expression */
  bool is_ambiguous, is_known, is_busy;
  char *value; /* once known */
} Variable;

static void variable_free(gpointer data) {
  Variable *variable = data;
  g_free(variable->value);
  g_free(variable);
}

static const Token *token_at(const Lexed *lexed, guint at) {
  return &g_array_index(lexed->tokens, Token, at);
}

static char mark_at(const Lexed *lexed, guint at) {
  if (at >= lexed->tokens->len || token_at(lexed, at)->kind != TOKEN_PUNCT ||
      token_at(lexed, at)->length != 1)
    return '\0';
  return (char)lexed->text[token_at(lexed, at)->at];
}

/* Punctuation that stands right behind the token before it. */
static bool is_joined(const Lexed *lexed, guint at) {
  const Token *before = token_at(lexed, at - 1), *token = token_at(lexed, at);
  return before->at + before->length == token->at;
}

static char *folded(const Lexed *lexed, const Token *token) {
  return g_ascii_strdown((const char *)lexed->text + token->at, token->length);
}

guint values_opening(const Lexed *lexed, guint at) {
  char close = mark_at(lexed, at), open = close == ')' ? '(' : close == ']' ? '[' : '\0';
  int depth = 0;
  for (guint n = 0; open != '\0' && n <= at && n < MAX_GROUP; n++) {
    char mark = mark_at(lexed, at - n);
    depth += mark == close ? 1 : mark == open ? -1 : 0;
    if (depth == 0)
      return at - n;
  }
  return at;
}

/* True within the condition of a VB statement, or behind its first '=': there '=' compares. */
static bool is_vb_comparison(const Lexed *lexed, guint at) {
  static const char *const conditions[] = {"if", "elseif", "while", "until"};
  for (guint i = at; i-- > 0 && at - i < MAX_GROUP;) {
    const Token *token = token_at(lexed, i);
    if (token->kind == TOKEN_LINE || mark_at(lexed, i) == ':' || lex_is(lexed, token, "then") ||
        lex_is(lexed, token, "else"))
      return false;
    if (mark_at(lexed, i) == '=' && mark_at(lexed, at) == '=' && i + 1 != at) {
      /* Const A = 1, B = 2 goes on; any other second '=' compares. */
      for (guint k = i; k < at; k++)
        if (mark_at(lexed, k) == ',')
          return false;
      return true;
    }
    for (guint k = 0; k < G_N_ELEMENTS(conditions); k++)
      if (lex_is(lexed, token, conditions[k]))
        return true;
  }
  return false;
}

bool values_is_assignment(const Lexed *lexed, guint at, guint *lhs_end, bool *is_append) {
  if (mark_at(lexed, at) != '=' || at == 0)
    return false;
  char before = is_joined(lexed, at) ? mark_at(lexed, at - 1) : '\0';
  char after =
      at + 1 < lexed->tokens->len && is_joined(lexed, at + 1) ? mark_at(lexed, at + 1) : '\0';
  bool is_vb = lexed->language == LANGUAGE_VB || lexed->language == LANGUAGE_BATCH;
  *is_append = before != '\0' && strchr("+-*/%&|^?", before) != NULL && !is_vb;
  *lhs_end = *is_append ? at - 1 : at;
  if (before != '\0' && strchr("=!<>:", before) != NULL)
    return false;
  if (after == '=' || (after == '>' && lexed->language == LANGUAGE_JS))
    return false;
  return *lhs_end > 0 && !(is_vb && is_vb_comparison(lexed, at));
}

static void set_variable(Values *values, char *name, guint from, bool is_ambiguous) {
  Variable *variable = g_hash_table_lookup(values->variables, name);
  if (variable != NULL) {
    variable->is_ambiguous = true;
    g_free(name);
    return;
  }
  variable = g_new0(Variable, 1);
  variable->from = from;
  variable->is_ambiguous = is_ambiguous;
  g_hash_table_insert(values->variables, name, variable);
}

/* DECLARE @x varchar(99) = ..., Const X As String = ...: the name stands before its type. */
static const Token *name_before(const Lexed *lexed, guint lhs_end) {
  guint at = lhs_end - 1;
  const Token *token = token_at(lexed, at);
  if (lexed->language == LANGUAGE_SQL) {
    for (guint n = 0; n < 8 && n <= at; n++) {
      token = token_at(lexed, at - n);
      if (token->kind == TOKEN_NAME && lexed->text[token->at] == '@')
        return token;
    }
    return NULL;
  }
  if (at >= 2 && token->kind == TOKEN_NAME && lex_is(lexed, token_at(lexed, at - 1), "as"))
    return token_at(lexed, at - 2);
  if (token->kind != TOKEN_NAME || (at > 0 && mark_at(lexed, at - 1) == '.'))
    return NULL;
  return token;
}

/* What else than '=' may give a variable a value: loops, procedures' parameters, OUTPUT. */
static bool is_set_otherwise(const Lexed *lexed, guint at) {
  if (at + 1 < lexed->tokens->len) {
    const Token *next = token_at(lexed, at + 1);
    if (lex_is(lexed, next, "output") || lex_is(lexed, next, "out") || lex_is(lexed, next, "in"))
      return true;
  }
  return at > 0 && (lex_is(lexed, token_at(lexed, at - 1), "each") ||
                    lex_is(lexed, token_at(lexed, at - 1), "byref"));
}

static bool is_definition(const Lexed *lexed, guint at) {
  return at > 0 && (lex_is(lexed, token_at(lexed, at - 1), "sub") ||
                    lex_is(lexed, token_at(lexed, at - 1), "function"));
}

/* A variable handed to the script's own procedure may come back changed. */
static void find_calls(Values *values, GHashTable *procedures) {
  const Lexed *lexed = values->lexed;
  bool is_call = false;
  for (guint i = 0; i < lexed->tokens->len; i++) {
    const Token *token = token_at(lexed, i);
    if (token->kind == TOKEN_LINE) {
      is_call = false;
      continue;
    }
    if (token->kind != TOKEN_NAME)
      continue;
    g_autofree char *name = folded(lexed, token);
    is_call = is_call || g_hash_table_contains(procedures, name);
    Variable *variable = g_hash_table_lookup(values->variables, name);
    if (variable != NULL && is_call)
      variable->is_ambiguous = true;
  }
}

/* Dim a(9), b(): arrays. Set a = ...: an object. */
static void find_arrays(Values *values) {
  const Lexed *lexed = values->lexed;
  g_autoptr(GHashTable) objects = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  bool is_declaration = false;
  for (guint i = 0; i < lexed->tokens->len; i++) {
    const Token *token = token_at(lexed, i);
    if (token->kind == TOKEN_LINE || mark_at(lexed, i) == ':')
      is_declaration = false;
    if (lex_is(lexed, token, "dim") || lex_is(lexed, token, "redim"))
      is_declaration = true;
    if (token->kind != TOKEN_NAME)
      continue;
    if (is_declaration && mark_at(lexed, i + 1) == '(')
      g_hash_table_add(values->arrays, folded(lexed, token));
    bool is_parameter = i > 0 && (lex_is(lexed, token_at(lexed, i - 1), "byref") ||
                                  lex_is(lexed, token_at(lexed, i - 1), "byval"));
    if (is_parameter || (i > 0 && lex_is(lexed, token_at(lexed, i - 1), "set")))
      g_hash_table_add(objects, folded(lexed, token));
  }
  GHashTableIter iter;
  gpointer name;
  g_hash_table_iter_init(&iter, objects);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    g_hash_table_remove(values->arrays, name);
}

bool values_is_array(const Values *values, const Token *name) {
  g_autofree char *text = folded(values->lexed, name);
  return g_hash_table_contains(values->arrays, text);
}

void values_init(Values *values, const Lexed *lexed) {
  values->lexed = lexed;
  values->variables = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, variable_free);
  values->arrays = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  find_arrays(values);
  g_autoptr(GHashTable) procedures = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  for (guint i = 0; i < lexed->tokens->len; i++) {
    guint lhs_end;
    bool is_append;
    const Token *token = token_at(lexed, i);
    if (token->kind == TOKEN_NAME && is_definition(lexed, i))
      g_hash_table_add(procedures, folded(lexed, token));
    else if (token->kind == TOKEN_NAME && is_set_otherwise(lexed, i))
      set_variable(values, folded(lexed, token), i, true);
    if (!values_is_assignment(lexed, i, &lhs_end, &is_append))
      continue;
    const Token *name = name_before(lexed, lhs_end);
    if (name != NULL)
      set_variable(values, folded(lexed, name), i + 1, is_append);
  }
  if (g_hash_table_size(procedures) > 0 && lexed->language != LANGUAGE_SQL)
    find_calls(values, procedures);
}

void values_clear(Values *values) {
  g_clear_pointer(&values->variables, g_hash_table_unref);
  g_clear_pointer(&values->arrays, g_hash_table_unref);
}

static bool ends_expression(const Lexed *lexed, guint at) {
  const Token *token = token_at(lexed, at);
  char mark = mark_at(lexed, at);
  if (token->kind == TOKEN_LINE || (mark != '\0' && strchr(",;)]}", mark) != NULL))
    return true;
  if (lexed->language == LANGUAGE_SQL)
    return lex_is(lexed, token, "exec") || lex_is(lexed, token, "execute") ||
           lex_is(lexed, token, "set") || lex_is(lexed, token, "go");
  bool is_vb = lexed->language == LANGUAGE_VB || lexed->language == LANGUAGE_BATCH;
  return is_vb && (mark == ':' || lex_is(lexed, token, "else") || lex_is(lexed, token, "end"));
}

static const char *constant_of(const Lexed *lexed, const Token *token) {
  static const char *const constants[][2] = {{"true", "True"},
                                             {"false", "False"},
                                             {"$true", "True"},
                                             {"$false", "False"},
                                             {"vbcrlf", "\r\n"},
                                             {"vbnewline", "\n"},
                                             {"vblf", "\n"},
                                             {"vbcr", "\r"},
                                             {"vbtab", "\t"},
                                             {"cdobasic", "1"},
                                             {"cdosendusingport", "2"},
                                             {"cdoanonymous", "0"},
                                             {"cdosendusingpickup", "1"}};
  for (guint i = 0; i < G_N_ELEMENTS(constants); i++)
    if (lex_is(lexed, token, constants[i][0]))
      return constants[i][1];
  return NULL;
}

static char *eval(Values *values, guint from, guint to, guint *end, guint depth);

static char *eval_variable(Values *values, const Token *token, guint depth) {
  g_autofree char *name = folded(values->lexed, token);
  Variable *variable = g_hash_table_lookup(values->variables, name);
  const char *constant = variable == NULL ? constant_of(values->lexed, token) : NULL;
  if (constant != NULL)
    return g_strdup(constant);
  if (variable == NULL || variable->is_ambiguous || variable->is_busy)
    return NULL;
  if (!variable->is_known) {
    guint end;
    variable->is_busy = true;
    variable->value = eval(values, variable->from, values->lexed->tokens->len, &end, depth + 1);
    variable->is_busy = false;
    variable->is_known = true;
  }
  return g_strdup(variable->value);
}

/* One operand at *at; moves past it. NULL: not known. */
static char *eval_term(Values *values, guint *at, guint to, guint depth) {
  const Lexed *lexed = values->lexed;
  const Token *token = token_at(lexed, *at);
  guint here = (*at)++;
  if (mark_at(lexed, here) == '(' && depth < MAX_NESTING) {
    char *value = eval(values, here + 1, to, at, depth + 1);
    if (*at < to && mark_at(lexed, *at) == ')') {
      (*at)++;
      return value;
    }
    g_free(value);
    return NULL;
  }
  if (mark_at(lexed, here) == '-' && *at < to && token_at(lexed, *at)->kind == TOKEN_NUMBER) {
    const Token *number = token_at(lexed, (*at)++);
    return g_strdup_printf("-%.*s", (int)MIN(number->length, 32),
                           (const char *)lexed->text + number->at);
  }
  if (token->kind == TOKEN_STRING)
    return token->is_dynamic ? NULL : lex_string(lexed, token);
  if (token->kind == TOKEN_NUMBER)
    return g_strndup((const char *)lexed->text + token->at, token->length);
  char next = *at < to ? mark_at(lexed, *at) : '\0';
  if (token->kind != TOKEN_NAME || next == '.' || next == '(' || next == '[' ||
      depth >= MAX_NESTING)
    return NULL;
  return eval_variable(values, token, depth);
}

static bool is_operator(const Lexed *lexed, guint at, guint to) {
  return at < to && (mark_at(lexed, at) == '+' ||
                     (mark_at(lexed, at) == '&' && lexed->language != LANGUAGE_JS));
}

/* The place where an expression that could not be understood ends, brackets counted. */
static guint expression_end(const Lexed *lexed, guint at, guint to) {
  int depth = 0;
  to = MIN(to, at + MAX_GROUP);
  for (; at < to; at++) {
    char mark = mark_at(lexed, at);
    if (depth <= 0 && ends_expression(lexed, at))
      break;
    depth += mark == '(' || mark == '[' ? 1 : mark == ')' || mark == ']' ? -1 : 0;
    if (depth > 0 && token_at(lexed, at)->kind == TOKEN_LINE && lexed->language == LANGUAGE_VB)
      break;
  }
  return at;
}

static char *eval(Values *values, guint from, guint to, guint *end, guint depth) {
  const Lexed *lexed = values->lexed;
  g_autoptr(GString) out = g_string_new(NULL);
  bool is_known = true;
  guint at = from;
  for (;;) {
    while (at < to && token_at(lexed, at)->kind == TOKEN_LINE && at > from)
      at++; /* behind an operator */
    g_autofree char *term =
        at < to && !ends_expression(lexed, at) ? eval_term(values, &at, to, depth) : NULL;
    is_known = is_known && term != NULL && out->len + strlen(term) < LIMIT_INDICATOR_BYTES;
    if (is_known)
      g_string_append(out, term);
    guint next = at;
    while (lexed->language != LANGUAGE_VB && next < to && token_at(lexed, next)->kind == TOKEN_LINE)
      next++;
    if (!is_known || !is_operator(lexed, next, to))
      break;
    at = next + 1;
  }
  if (is_known && (at >= to || ends_expression(lexed, at))) {
    *end = at;
    return g_strdup(out->str);
  }
  *end = expression_end(lexed, is_known ? at : from, to);
  return NULL;
}

char *values_eval(Values *values, guint from, guint to, guint *end) {
  return eval(values, from, to, end, 0);
}
