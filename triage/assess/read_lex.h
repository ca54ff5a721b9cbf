/* SPDX-License-Identifier: Apache-2.0 */
/* read_lex.h - script text cut into tokens, as the language that runs it would: what stands in a
 * comment is no token. Knows nothing of mail. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  LANGUAGE_VB,    /* VBScript, VBA, ASP */
  LANGUAGE_BATCH, /* a batch file that echoes VBScript */
  LANGUAGE_JS,
  LANGUAGE_PS,
  LANGUAGE_PY,
  LANGUAGE_SQL,
  LANGUAGE_LAST = LANGUAGE_SQL
} Language;
const char *language_name(Language language); /* "vbscript" ... */

typedef enum { TOKEN_NAME, TOKEN_STRING, TOKEN_NUMBER, TOKEN_PUNCT, TOKEN_LINE } TokenKind;

typedef struct {
  TokenKind kind;
  bool is_dynamic; /* a string whose value is made at run time: "$x", f"{x}", `${x}`, "%X%" */
  uint32_t at;     /* byte of the text, of strings that of the opening quote */
  uint32_t length; /* with quotes */
  uint32_t inner;  /* of strings: first byte and length inside the quotes, escapes as they stand */
  uint32_t n_inner;
} Token;

typedef struct {
  Language language;
  const uint8_t *text;
  uint32_t size;
  GArray *tokens; /* Token */
  bool is_unsure; /* a place that the language itself may read otherwise: something may be hidden */
} Lexed;

/* size is at most UINT32_MAX. (transfer full): lexed_clear. The text is borrowed. */
void lex(Lexed *out, Language language, const uint8_t *text, uint32_t size);
void lexed_clear(Lexed *lexed);

/* The value of a string token (transfer full), bytes without escapes; NUL bytes end it. */
char *lex_string(const Lexed *lexed, const Token *token);
/* True where the token is this name (letters compared without case) or this punctuation mark. */
bool lex_is(const Lexed *lexed, const Token *token, const char *word);
