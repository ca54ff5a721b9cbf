/* SPDX-License-Identifier: Apache-2.0 */
/* read_possible.c - what keeps a text from being a program of a language. */
#include "assess/read_words.h"

static const Token *token_at(const Lexed *lexed, guint at) {
  return &g_array_index(lexed->tokens, Token, at);
}

static bool is_mark(const Lexed *lexed, guint at, char mark) {
  return at < lexed->tokens->len && token_at(lexed, at)->kind == TOKEN_PUNCT &&
         lexed->text[token_at(lexed, at)->at] == (uint8_t)mark;
}

static bool is_keyword_before_name(const Lexed *lexed, const Token *token) {
  static const char *const keywords[] = {
      "var",  "let",    "const",      "new",   "return", "function", "typeof", "delete", "throw",
      "else", "case",   "in",         "of",    "void",   "do",       "if",     "not",    "and",
      "or",   "is",     "import",     "from",  "as",     "def",      "class",  "for",    "while",
      "with", "print",  "instanceof", "raise", "lambda", "global",   "yield",  "elif",   "assert",
      "try",  "except", "catch",      "del",   "pass",   "async",    "await",  "extends"};
  for (guint i = 0; i < G_N_ELEMENTS(keywords); i++)
    if (lex_is(lexed, token, keywords[i]))
      return true;
  return false;
}

static bool starts_statement(const Lexed *lexed, guint at) {
  return at == 0 || token_at(lexed, at - 1)->kind == TOKEN_LINE;
}

/* VB has no ';', no braces, and '$' only as the end of a name. "import x" or "var x" would be
 * a call of a procedure that the text then must define. */
static bool is_valid_vb(const Lexed *lexed) {
  bool has_import = false, has_procedure = false;
  for (guint i = 0; i < lexed->tokens->len; i++) {
    const Token *token = token_at(lexed, i);
    uint8_t c = lexed->text[token->at];
    if (token->kind == TOKEN_PUNCT && (c == ';' || c == '{' || c == '}'))
      return false;
    const Token *before = i > 0 ? token_at(lexed, i - 1) : NULL;
    bool is_joined =
        before != NULL && before->kind == TOKEN_NAME && before->at + before->length == token->at;
    if (token->kind == TOKEN_PUNCT && c == '$' && !is_joined)
      return false;
    has_import = has_import || (starts_statement(lexed, i) &&
                                (lex_is(lexed, token, "import") || lex_is(lexed, token, "from") ||
                                 lex_is(lexed, token, "var")));
    has_procedure = has_procedure || lex_is(lexed, token, "sub") ||
                    lex_is(lexed, token, "function") || lex_is(lexed, token, "execute") ||
                    lex_is(lexed, token, "executeglobal");
  }
  return !has_import || has_procedure;
}

/* var x, new X: what JScript has and Python has not. */
static bool has_js_pair(const Lexed *lexed) {
  for (guint i = 0; i + 1 < lexed->tokens->len; i++) {
    const Token *token = token_at(lexed, i);
    if (token_at(lexed, i + 1)->kind == TOKEN_NAME &&
        (lex_is(lexed, token, "var") || lex_is(lexed, token, "new") ||
         lex_is(lexed, token, "function")))
      return true;
  }
  return false;
}

/* JScript and Python never have two names side by side but for keywords. */
static bool has_name_pair(const Lexed *lexed) {
  const GArray *tokens = lexed->tokens;
  for (guint i = 0; i + 1 < tokens->len; i++) {
    const Token *token = token_at(lexed, i), *next = token_at(lexed, i + 1);
    if (token->kind == TOKEN_NAME && next->kind == TOKEN_NAME &&
        !is_keyword_before_name(lexed, token) && !is_keyword_before_name(lexed, next))
      return true;
  }
  return false;
}

static bool has_name(const Lexed *lexed, const char *start) {
  size_t n = strlen(start);
  for (guint i = 0; i < lexed->tokens->len; i++) {
    const Token *token = token_at(lexed, i);
    if (token->kind == TOKEN_NAME && token->length > n &&
        g_ascii_strncasecmp((const char *)lexed->text + token->at, start, n) == 0)
      return true;
  }
  return false;
}

static bool has_mark(const Lexed *lexed, char mark) {
  for (guint i = 0; i < lexed->tokens->len; i++)
    if (is_mark(lexed, i, mark))
      return true;
  return false;
}

bool language_is_possible(const Lexed *lexed) {
  switch (lexed->language) {
  case LANGUAGE_VB:
    return is_valid_vb(lexed);
  case LANGUAGE_JS:
    return !has_name_pair(lexed) && !has_mark(lexed, '#');
  case LANGUAGE_PY:
    return !has_name_pair(lexed) && !has_js_pair(lexed) && !has_mark(lexed, '$') &&
           !has_mark(lexed, ';');
  case LANGUAGE_PS:
    return has_name(lexed, "$");
  case LANGUAGE_SQL:
    return has_name(lexed, "sp_oa");
  default:
    return true;
  }
}
