/* SPDX-License-Identifier: Apache-2.0 */
/* read_lex.c - one loop for six languages: their comments, strings and names differ, no more is
 * needed here. */
#include "assess/read_lex.h"
#include <string.h>

typedef struct {
  Lexed *out;
  uint32_t at;
  bool at_start; /* of a statement */
} Lexer;

const char *language_name(Language language) {
  static const char *const names[] = {"vbscript",   "batch",  "jscript",
                                      "powershell", "python", "sql"};
  return names[language];
}

static int peek(const Lexer *lexer, uint32_t ahead) {
  uint64_t at = (uint64_t)lexer->at + ahead;
  return at < lexer->out->size ? lexer->out->text[at] : -1;
}

static bool is_line_end(int c) {
  return c == '\n' || c == '\r' || c == -1;
}

static bool is_name_start(const Lexer *lexer, int c) {
  Language language = lexer->out->language;
  return c >= 0x80 || g_ascii_isalpha(c) || c == '_' ||
         (c == '$' && (language == LANGUAGE_PS || language == LANGUAGE_JS)) ||
         (c == '@' && language == LANGUAGE_SQL);
}

static bool is_name_part(const Lexer *lexer, int c) {
  if (is_name_start(lexer, c) || g_ascii_isdigit(c))
    return true;
  return c == '-' && lexer->out->language == LANGUAGE_PS && peek(lexer, 1) >= 0 &&
         g_ascii_isalpha(peek(lexer, 1));
}

static bool has_word(const Lexer *lexer, const char *word) {
  size_t n = strlen(word);
  if (lexer->out->size - lexer->at < n ||
      g_ascii_strncasecmp((const char *)lexer->out->text + lexer->at, word, n) != 0)
    return false;
  int after = peek(lexer, (uint32_t)n);
  return after == -1 || !(g_ascii_isalnum(after) || after == '_' || after >= 0x80);
}

static void add(Lexer *lexer, TokenKind kind, uint32_t start) {
  Token token = {.kind = kind, .at = start, .length = lexer->at - start};
  g_array_append_val(lexer->out->tokens, token);
  lexer->at_start = kind == TOKEN_LINE;
}

static void skip_line(Lexer *lexer) {
  while (!is_line_end(peek(lexer, 0)))
    lexer->at++;
}

static void skip_to(Lexer *lexer, const char *end) {
  const uint8_t *text = lexer->out->text + lexer->at;
  const uint8_t *found = memmem(text, lexer->out->size - lexer->at, end, strlen(end));
  lexer->at = found != NULL ? lexer->at + (uint32_t)(found - text) + (uint32_t)strlen(end)
                            : lexer->out->size;
}

/* Skips one comment; false where none starts here. */
static bool skip_comment(Lexer *lexer) {
  int c = peek(lexer, 0), d = peek(lexer, 1);
  switch (lexer->out->language) {
  case LANGUAGE_VB:
  case LANGUAGE_BATCH:
    if (c != '\'' && !(lexer->at_start && has_word(lexer, "rem")))
      return false;
    skip_line(lexer);
    return true;
  case LANGUAGE_JS:
    if (c != '/' || (d != '/' && d != '*'))
      return false;
    lexer->at += 2;
    if (peek(lexer, 0) == '@') { /* conditional compilation: JScript runs what stands in it */
      lexer->out->is_unsure = true;
      return true;
    }
    if (d == '/')
      skip_line(lexer);
    else
      skip_to(lexer, "*/");
    return true;
  case LANGUAGE_SQL:
    if (!(c == '-' && d == '-') && !(c == '/' && d == '*'))
      return false;
    lexer->at += 2;
    if (c == '-')
      skip_line(lexer);
    else
      skip_to(lexer, "*/");
    return true;
  case LANGUAGE_PS:
    if (c == '<' && d == '#') {
      skip_to(lexer, "#>");
      return true;
    }
    break;
  case LANGUAGE_PY:
    break;
  }
  if (c != '#')
    return false;
  int before = lexer->at > 0 ? lexer->out->text[lexer->at - 1] : ' ';
  if (lexer->out->language == LANGUAGE_PS && before > ' ' && strchr(";{}()|,", before) == NULL)
    lexer->out->is_unsure = true; /* within a word it is no comment */
  skip_line(lexer);
  return true;
}

static void add_string(Lexer *lexer, uint32_t start, uint32_t inner, uint32_t inner_end,
                       bool is_dynamic) {
  Token token = {.kind = TOKEN_STRING,
                 .is_dynamic = is_dynamic,
                 .at = start,
                 .length = lexer->at - start,
                 .inner = inner,
                 .n_inner = inner_end - inner};
  g_array_append_val(lexer->out->tokens, token);
  lexer->at_start = false;
}

/* """...""", '''...''' of Python and @"..."@ of PowerShell: up to their end mark. */
static bool take_long_string(Lexer *lexer) {
  int c = peek(lexer, 0), d = peek(lexer, 1);
  Language language = lexer->out->language;
  uint32_t start = lexer->at;
  char end[4] = {0};
  if (language == LANGUAGE_PY && (c == '"' || c == '\'') && d == c && peek(lexer, 2) == c) {
    lexer->at += 3;
    memset(end, c, 3);
  } else if (language == LANGUAGE_PS && c == '@' && (d == '"' || d == '\'')) {
    lexer->at += 2;
    end[0] = (char)d;
    end[1] = '@';
  } else {
    return false;
  }
  uint32_t inner = lexer->at;
  skip_to(lexer, end);
  uint32_t n = (uint32_t)strlen(end);
  add_string(lexer, start, inner, lexer->at - inner >= n ? lexer->at - n : inner,
             language == LANGUAGE_PS && d == '"');
  return true;
}

static bool is_quote(const Lexer *lexer, int c) {
  switch (lexer->out->language) {
  case LANGUAGE_VB:
  case LANGUAGE_BATCH:
    return c == '"';
  case LANGUAGE_JS:
    return c == '"' || c == '\'' || c == '`';
  default:
    return c == '"' || c == '\'';
  }
}

static int escape_of(Language language, int quote) {
  switch (language) {
  case LANGUAGE_JS:
  case LANGUAGE_PY:
    return '\\';
  case LANGUAGE_PS:
    return quote == '"' ? '`' : -2;
  default:
    return -2;
  }
}

static bool is_hole(Language language, int quote, int c, int d) {
  switch (language) {
  case LANGUAGE_PS:
    return quote == '"' && c == '$' && d != '"';
  case LANGUAGE_JS:
    return quote == '`' && c == '$' && d == '{';
  case LANGUAGE_BATCH:
    return c == '%' || c == '!';
  default:
    return false;
  }
}

/* Escapes that lex_string does not read: numbers in octal, names of characters. */
static bool is_odd_escape(Language language, int c) {
  if (language == LANGUAGE_PS)
    return c == 'u';
  return (c >= '0' && c <= '7') || c == 'N' || c == 'U';
}

static bool is_doubled(Language language) {
  return language == LANGUAGE_VB || language == LANGUAGE_BATCH || language == LANGUAGE_SQL ||
         language == LANGUAGE_PS;
}

/* A string of one line; of PowerShell, SQL and `` also of several. */
static void take_string(Lexer *lexer, bool is_formatted) {
  Language language = lexer->out->language;
  uint32_t start = lexer->at++;
  int quote = lexer->out->text[start], escape = escape_of(language, quote);
  bool is_dynamic = is_formatted,
       spans = language == LANGUAGE_PS || language == LANGUAGE_SQL || quote == '`';
  uint32_t inner = lexer->at;
  for (;; lexer->at++) {
    int c = peek(lexer, 0);
    if (c == -1 || (is_line_end(c) && !spans))
      break;
    if (c == escape && peek(lexer, 1) != -1) {
      is_dynamic = is_dynamic || is_odd_escape(language, peek(lexer, 1));
      lexer->at++;
      continue;
    }
    is_dynamic = is_dynamic || is_hole(language, quote, c, peek(lexer, 1));
    if (c != quote)
      continue;
    if (!is_doubled(language) || peek(lexer, 1) != quote)
      break;
    lexer->at++;
  }
  uint32_t end = lexer->at;
  if (peek(lexer, 0) == quote)
    lexer->at++;
  add_string(lexer, start, inner, end, is_dynamic);
}

/* The start of a batch line: "echo" and a redirection before it are not part of what is echoed. */
static void skip_echo(Lexer *lexer) {
  while (peek(lexer, 0) == ' ' || peek(lexer, 0) == '\t' || peek(lexer, 0) == '@' ||
         peek(lexer, 0) == '(')
    lexer->at++;
  if (peek(lexer, 0) == '>') {
    while (!is_line_end(peek(lexer, 0)) && !has_word(lexer, "echo"))
      lexer->at++;
  }
  if (has_word(lexer, "echo")) {
    lexer->at += 4;
    if (peek(lexer, 0) == '.')
      lexer->at++;
  }
}

/* Line ends, and the marks by which a line goes on in the next. */
static bool take_space(Lexer *lexer) {
  int c = peek(lexer, 0), d = peek(lexer, 1);
  Language language = lexer->out->language;
  if (c == '\n' || c == '\r') {
    uint32_t start = lexer->at;
    lexer->at += c == '\r' && d == '\n' ? 2 : 1;
    add(lexer, TOKEN_LINE, start);
    if (language == LANGUAGE_BATCH)
      skip_echo(lexer);
    return true;
  }
  int mark = language == LANGUAGE_VB ? '_' : language == LANGUAGE_PS ? '`' : '\\';
  if (c == mark && language != LANGUAGE_JS && language != LANGUAGE_BATCH) {
    uint32_t n = 1;
    while (peek(lexer, n) == ' ' || peek(lexer, n) == '\t')
      n++;
    if (peek(lexer, n) == '\n' || peek(lexer, n) == '\r') {
      lexer->at += n + (peek(lexer, n) == '\r' && peek(lexer, n + 1) == '\n' ? 2 : 1);
      return true;
    }
  }
  if (c > ' ')
    return false;
  lexer->at++;
  return true;
}

/* [any words] of VBScript and SQL is one name, whatever stands in it. */
static bool take_bracketed(Lexer *lexer) {
  Language language = lexer->out->language;
  if (peek(lexer, 0) != '[' || (language != LANGUAGE_VB && language != LANGUAGE_SQL))
    return false;
  enum { MAX_NAME = 512 };
  const uint8_t *text = lexer->out->text + lexer->at;
  size_t most = MIN((size_t)MAX_NAME, lexer->out->size - lexer->at);
  const uint8_t *close = memchr(text, ']', most);
  uint32_t n = close != NULL ? (uint32_t)(close - text) : 0;
  if (close == NULL || memchr(text, '\n', n) != NULL || memchr(text, '\r', n) != NULL)
    return false;
  Token token = {.kind = TOKEN_NAME, .at = lexer->at + 1, .length = n - 1};
  g_array_append_val(lexer->out->tokens, token);
  lexer->at_start = false;
  lexer->at += n + 1;
  return true;
}

/* A regular expression of JScript may hold quotes. Where / may also divide, the reading is unsure.
 */
static bool take_regex(Lexer *lexer) {
  const GArray *tokens = lexer->out->tokens;
  if (peek(lexer, 0) != '/' || lexer->out->language != LANGUAGE_JS)
    return false;
  enum { MAX_REGEX = 4096 };
  bool has_quote = false, in_class = false;
  uint32_t n = 1;
  for (; n < MAX_REGEX && !is_line_end(peek(lexer, n)) && (peek(lexer, n) != '/' || in_class);
       n++) {
    int c = peek(lexer, n);
    has_quote = has_quote || is_quote(lexer, c);
    in_class = c == '[' || (in_class && c != ']');
    if (c == '\\' && !is_line_end(peek(lexer, n + 1)))
      n++;
  }
  lexer->out->is_unsure = lexer->out->is_unsure || n >= MAX_REGEX;
  if (peek(lexer, n) != '/')
    return false;
  const Token *last = tokens->len > 0 ? &g_array_index(tokens, Token, tokens->len - 1) : NULL;
  bool may_divide = last != NULL && (last->kind == TOKEN_NAME || last->kind == TOKEN_NUMBER ||
                                     last->kind == TOKEN_STRING ||
                                     strchr(")]}", lexer->out->text[last->at]) != NULL);
  if (may_divide) {
    lexer->out->is_unsure = lexer->out->is_unsure || has_quote;
    return false;
  }
  uint32_t start = lexer->at;
  lexer->at += n + 1;
  add(lexer, TOKEN_PUNCT, start);
  return true;
}

static void take_token(Lexer *lexer) {
  Language language = lexer->out->language;
  int c = peek(lexer, 0);
  uint32_t start = lexer->at;
  if (take_long_string(lexer) || take_bracketed(lexer) || take_regex(lexer))
    return;
  int d = peek(lexer, 1);
  bool is_prefix = language == LANGUAGE_PY && (d == '"' || d == '\'') && strchr("rRuUbBfF", c);
  if (is_prefix || (language == LANGUAGE_SQL && (c == 'N' || c == 'n') && d == '\'')) {
    lexer->at++;
    take_string(lexer, c == 'f' || c == 'F' || c == 'b' || c == 'B');
    return;
  }
  if (is_quote(lexer, c)) {
    take_string(lexer, false);
    return;
  }
  if (is_name_start(lexer, c)) {
    do
      lexer->at++;
    while (peek(lexer, 0) != -1 && is_name_part(lexer, peek(lexer, 0)));
    add(lexer, TOKEN_NAME, start);
    return;
  }
  if (g_ascii_isdigit(c)) {
    while (peek(lexer, 0) != -1 && (g_ascii_isalnum(peek(lexer, 0)) || peek(lexer, 0) == '.'))
      lexer->at++;
    add(lexer, TOKEN_NUMBER, start);
    return;
  }
  if (language == LANGUAGE_BATCH && c == '>') { /* where the echoed line goes */
    skip_line(lexer);
    return;
  }
  lexer->at++;
  if (language == LANGUAGE_BATCH && c == '^')
    return; /* escapes the next character */
  if (language == LANGUAGE_JS && c == '\\')
    lexer->out->is_unsure = true; /* a name may be spelt with \uHHHH */
  add(lexer, TOKEN_PUNCT, start);
  lexer->at_start = c == ':';
}

/* Quotation marks of print are quotes in PowerShell; U+2028 and U+2029 end lines of JScript. */
static bool has_odd_mark(Language language, const uint8_t *text, size_t size) {
  if (language != LANGUAGE_PS && language != LANGUAGE_JS)
    return false;
  for (size_t at = 0; size - at >= 3;) {
    const uint8_t *mark = memmem(text + at, size - at - 1, "\xe2\x80", 2);
    if (mark == NULL)
      return false;
    if (language == LANGUAGE_PS ? mark[2] >= 0x98 && mark[2] <= 0x9f
                                : mark[2] == 0xa8 || mark[2] == 0xa9)
      return true;
    at = (size_t)(mark - text) + 2;
  }
  return false;
}

void lex(Lexed *out, Language language, const uint8_t *text, uint32_t size) {
  *out = (Lexed){.language = language,
                 .text = text,
                 .size = size,
                 .tokens = g_array_new(FALSE, FALSE, sizeof(Token))};
  Lexer lexer = {.out = out, .at_start = true};
  out->is_unsure = has_odd_mark(language, text, size);
  if (language == LANGUAGE_BATCH)
    skip_echo(&lexer);
  while (lexer.at < size)
    if (!take_space(&lexer) && !skip_comment(&lexer))
      take_token(&lexer);
}

void lexed_clear(Lexed *lexed) {
  g_clear_pointer(&lexed->tokens, g_array_unref);
}

static char simple_escape(char c) {
  return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* \xHH and \uHHHH of JScript and Python, where they name an ASCII character. */
static size_t hex_escape(const uint8_t *text, size_t n, char *value) {
  size_t digits = text[0] == 'x' ? 2 : text[0] == 'u' ? 4 : 0;
  if (digits == 0 || n < digits + 1)
    return 0;
  int number = 0;
  for (size_t i = 1; i <= digits; i++) {
    int digit = g_ascii_xdigit_value((char)text[i]);
    if (digit < 0)
      return 0;
    number = number * 16 + digit;
  }
  if (number == 0 || number > 0x7f)
    return 0;
  *value = (char)number;
  return digits + 1;
}

char *lex_string(const Lexed *lexed, const Token *token) {
  GString *out = g_string_sized_new(token->n_inner);
  const uint8_t *text = lexed->text + token->inner;
  int quote = lexed->text[token->inner - 1];
  int escape = escape_of(lexed->language, quote);
  for (size_t i = 0; i < token->n_inner && text[i] != '\0'; i++) {
    char value;
    size_t n;
    if (text[i] == escape && i + 1 < token->n_inner) {
      n = escape == '\\' ? hex_escape(text + i + 1, token->n_inner - i - 1, &value) : 0;
      g_string_append_c(out, n > 0 ? value : simple_escape((char)text[i + 1]));
      i += n > 0 ? n : 1;
      continue;
    }
    g_string_append_c(out, (char)text[i]);
    if (text[i] == quote && is_doubled(lexed->language))
      i++;
  }
  return g_string_free(out, FALSE);
}

bool lex_is(const Lexed *lexed, const Token *token, const char *word) {
  return token->kind != TOKEN_STRING && token->kind != TOKEN_LINE &&
         token->length == strlen(word) &&
         g_ascii_strncasecmp((const char *)lexed->text + token->at, word, token->length) == 0;
}
