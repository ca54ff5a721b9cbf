/* SPDX-License-Identifier: Apache-2.0 */
/* read_script.c - assignments to mail properties and configuration fields, calls that attach or
 * send, and what a script may do that cannot be read from its text. */
#include "assess/read_script.h"
#include "assess/read_value.h"
#include "assess/read_words.h"
#include "base/limits.h"
#include "base/text.h"
#include <string.h>

typedef struct {
  const Lexed *lexed;
  Values values;
  uint64_t base;
  ScriptReading *out;
  guint n_parameters; /* passwords looked for behind a parameter */
  bool has_with; /* JScript's with (m) { ... } was met: bare names may be members from there on */
} Reader;

Indicator *indicator_new(const char *name, const void *value, size_t n, uint64_t offset) {
  Indicator *indicator = g_new0(Indicator, 1);
  indicator->name = g_strdup(name);
  indicator->value = text_printable(value, MIN(n, LIMIT_INDICATOR_BYTES / 4));
  indicator->offset = offset;
  return indicator;
}

static const Token *token_at(const Reader *reader, guint at) {
  return &g_array_index(reader->lexed->tokens, Token, at);
}

static bool is_mark(const Reader *reader, guint at, char mark) {
  return at < reader->lexed->tokens->len && token_at(reader, at)->kind == TOKEN_PUNCT &&
         reader->lexed->text[token_at(reader, at)->at] == (uint8_t)mark;
}

/* Told of too many names rather than of too few: "with" itself is a doubt in any case. */
static bool is_bare_member(const Reader *reader, guint at) {
  return reader->has_with && (at == 0 || token_at(reader, at - 1)->kind == TOKEN_LINE ||
                              is_mark(reader, at - 1, ';') || is_mark(reader, at - 1, '{'));
}

static void emit(Reader *reader, const char *name, const char *value, guint at) {
  g_ptr_array_add(reader->out->indicators, indicator_new(name, value, strlen(value),
                                                         reader->base + token_at(reader, at)->at));
}

/* The expression as it stands, where its value is not known. */
static void emit_raw(Reader *reader, const char *name, guint from, guint end) {
  from = MIN(from, reader->lexed->tokens->len - 1);
  end = MIN(end, reader->lexed->tokens->len);
  uint32_t start = token_at(reader, from)->at;
  const Token *last = token_at(reader, end > from ? end - 1 : from);
  uint32_t n = MIN(last->at + last->length - start, 240u);
  g_autofree char *raw =
      g_strdup_printf("= %.*s", (int)n, (const char *)reader->lexed->text + start);
  emit(reader, name, raw, from);
}

/* The password itself stays in the worker, to be blotted out of excerpts. */
static void emit_password(Reader *reader, const char *value, guint at) {
  if (value != NULL && *value == '\0')
    return;
  emit(reader, "password_present", value != NULL ? "yes" : "yes, made at run time", at);
  GPtrArray *indicators = reader->out->indicators;
  ((Indicator *)indicators->pdata[indicators->len - 1])->secret = g_strdup(value);
}

static bool is_same_name(const Reader *reader, guint one, guint two) {
  const Token *a = token_at(reader, one), *b = token_at(reader, two);
  return a->kind == TOKEN_NAME && b->kind == TOKEN_NAME && a->length == b->length &&
         g_ascii_strncasecmp((const char *)reader->lexed->text + a->at,
                             (const char *)reader->lexed->text + b->at, a->length) == 0;
}

/* The token after number n of the arguments that start at from: Post("a", "b") and Post "a", "b".
 */
static guint argument_at(const Reader *reader, guint from, guint n) {
  enum { FARTHEST = 256 };
  int depth = 0;
  guint len = MIN(reader->lexed->tokens->len, from + FARTHEST);
  for (guint i = from; i < len && n > 0; i++) {
    depth += is_mark(reader, i, '(') ? 1 : is_mark(reader, i, ')') ? -1 : 0;
    if (depth < 0 || (depth == 0 && token_at(reader, i)->kind == TOKEN_LINE))
      return len;
    if (depth == 0 && is_mark(reader, i, ',') && --n == 0)
      return MIN(i + 1, len);
  }
  return n == 0 ? from : len;
}

/* A password that comes by a parameter stands where the procedure is called: blotted there too. */
static void emit_parameter_password(Reader *reader, guint parameter) {
  enum { MOST = 8 }; /* each goes through all tokens */
  if (reader->n_parameters++ >= MOST)
    return;
  guint len = reader->lexed->tokens->len, procedure = 0, number = 0, calls = 0;
  for (guint i = 1; i + 1 < parameter && token_at(reader, parameter)->kind == TOKEN_NAME; i++) {
    bool is_definition = lex_is(reader->lexed, token_at(reader, i - 1), "function") ||
                         lex_is(reader->lexed, token_at(reader, i - 1), "sub") ||
                         lex_is(reader->lexed, token_at(reader, i - 1), "def");
    guint n = 0;
    for (guint k = i + 2; is_definition && k < len && k < i + 64 && !is_mark(reader, k, ')'); k++) {
      n += is_mark(reader, k, ',') ? 1 : 0;
      if (is_same_name(reader, k, parameter)) {
        procedure = i;
        number = n;
      }
    }
  }
  for (guint i = 0; procedure > 0 && i + 1 < len && calls < LIMIT_INDICATORS; i++) {
    if (i == procedure || !is_same_name(reader, i, procedure))
      continue;
    guint at = argument_at(reader, i + (is_mark(reader, i + 1, '(') ? 2 : 1), number);
    if (at >= len || token_at(reader, at)->kind != TOKEN_STRING)
      continue;
    g_autofree char *value = lex_string(reader->lexed, token_at(reader, at));
    emit_password(reader, value, at);
    calls++;
  }
}

static void emit_value(Reader *reader, const char *name, guint from, guint to) {
  if (from >= reader->lexed->tokens->len)
    return;
  guint end;
  g_autofree char *value = values_eval(&reader->values, from, to, &end);
  reader->out->n_acts++;
  if (strcmp(name, "password_present") == 0) {
    emit_password(reader, value, from);
    if (value == NULL)
      emit_parameter_password(reader, from);
  } else if (value == NULL) {
    emit_raw(reader, name, from, end);
  } else if (strcmp(name, "body") == 0) {
    emit(reader, name, "text in the script", from);
  } else {
    emit(reader, name, value, from);
  }
}

/* A key that is a constant of the type library, not set by the script itself. */
static bool is_cdo_constant(const Reader *reader, guint from, guint end) {
  const Token *token = token_at(reader, from);
  return end == from + 1 && token->kind == TOKEN_NAME && token->length > 3 && token->length <= 64 &&
         g_ascii_strncasecmp((const char *)reader->lexed->text + token->at, "cdo", 3) == 0;
}

static const char *constant_field(const Reader *reader, guint from, guint end) {
  if (!is_cdo_constant(reader, from, end))
    return NULL;
  const Token *token = token_at(reader, from);
  g_autofree char *word =
      g_strndup((const char *)reader->lexed->text + token->at + 3, token->length - 3);
  const char *name = word_field(word);
  return name != NULL ? name : word_property(word);
}

/* A password stays one where its key is misspelt with spaces, which CDO does not take: nothing else
 * of such a key counts. */
static bool is_spaced_password(const char *key) {
  g_autofree char *bare = g_strstrip(g_strdup(key));
  bool is_odd;
  const char *name = strcmp(bare, key) != 0 ? word_key(bare, &is_odd) : NULL;
  return name != NULL && strcmp(name, "password_present") == 0;
}

/* x.Item(KEY) = VALUE, x(KEY).Value = VALUE, x[KEY] = VALUE: lhs_end is behind the bracket. */
static void read_indexed(Reader *reader, guint close, guint value_from) {
  guint open = values_opening(reader->lexed, close);
  if (open == close || open == 0)
    return;
  guint end;
  g_autofree char *key = values_eval(&reader->values, open + 1, close, &end);
  bool is_odd = false;
  const char *name = key != NULL ? word_key(key, &is_odd) : constant_field(reader, open + 1, close);
  if (name == NULL && key != NULL && is_spaced_password(key))
    name = "password_present";
  const Token *holder = token_at(reader, open - 1);
  bool is_number = token_at(reader, open + 1)->kind == TOKEN_NUMBER && open + 2 == close;
  bool is_constant = key == NULL && is_cdo_constant(reader, open + 1, close);
  /* a(i) of an array is harmless; a field whose name is made at run time is not told */
  bool is_array = holder->kind == TOKEN_NAME && values_is_array(&reader->values, holder);
  if (name != NULL)
    emit_value(reader, name, value_from, reader->lexed->tokens->len);
  else if (is_odd || (key == NULL && !is_constant && !is_number && !is_array && open + 1 < close))
    emit_raw(reader, "dynamic", open + 1, close);
}

static void read_assignment(Reader *reader, guint at) {
  guint lhs_end;
  bool is_append;
  if (!values_is_assignment(reader->lexed, at, &lhs_end, &is_append))
    return;
  guint last = lhs_end - 1;
  if (lex_is(reader->lexed, token_at(reader, last), "value") && last >= 2 &&
      is_mark(reader, last - 1, '.'))
    last -= 2;
  const Token *token = token_at(reader, last);
  if (is_mark(reader, last, ')') || is_mark(reader, last, ']')) {
    read_indexed(reader, last, at + 1);
    return;
  }
  /* "->" of Perl and PHP and "!" of VBA are dots too; PowerShell takes $m."To" and $m.$name. */
  bool is_member = last > 0 && (is_mark(reader, last - 1, '.') || is_mark(reader, last - 1, '>') ||
                                is_mark(reader, last - 1, '!'));
  if ((!is_member && !is_bare_member(reader, last)) || token->length > 96)
    return;
  bool is_sigil = token->kind == TOKEN_NAME && reader->lexed->text[token->at] == '$';
  if (reader->lexed->language == LANGUAGE_PS && is_sigil) {
    emit_raw(reader, "dynamic", last, at);
    return;
  }
  g_autofree char *word =
      token->kind == TOKEN_STRING
          ? lex_string(reader->lexed, token)
          : g_strndup((const char *)reader->lexed->text + token->at, token->length);
  bool is_odd;
  const char *name = word_key(word, &is_odd);
  if (name == NULL && !is_odd && !(token->kind == TOKEN_STRING && token->is_dynamic))
    return;
  emit_value(reader, name != NULL ? name : "dynamic", at + 1, reader->lexed->tokens->len);
  if (is_append)
    emit_raw(reader, name != NULL ? name : "dynamic", at + 1, at + 2);
}

static void read_call(Reader *reader, guint at, const char *word) {
  const char *name = word_call(word);
  bool is_method = at > 0 && (is_mark(reader, at - 1, '.') || is_mark(reader, at - 1, '>'));
  if (!is_method && !is_bare_member(reader, at))
    return;
  if (name == NULL && g_ascii_strcasecmp(word, "add") == 0 && at >= 2 &&
      lex_is(reader->lexed, token_at(reader, at - 2), "attachments"))
    name = "attachment";
  if (name == NULL && g_ascii_strcasecmp(word, "send") == 0)
    reader->out->n_acts++;
  if (name == NULL)
    return;
  guint from = at + 1;
  guint to = reader->lexed->tokens->len;
  if (is_mark(reader, from, '('))
    from++;
  emit_value(reader, name, from, to);
}

/* What the object is made from: ProgIDs that are not CDO's are told where they lead out. */
static void read_creation(Reader *reader, guint at, const char *word) {
  static const char makers[] =
      " createobject activexobject -comobject comobject dispatch dispatchex "
      "ensuredispatch sp_oacreate getobject gencache ";
  g_autofree char *folded = g_ascii_strdown(word, -1);
  g_autofree char *padded = g_strdup_printf(" %s ", folded);
  if (strstr(makers, padded) == NULL)
    return;
  reader->out->n_acts++;
  guint from = at + 1, end, len = reader->lexed->tokens->len;
  while (from < len && is_mark(reader, from, '('))
    from++;
  if (from >= len || g_ascii_strcasecmp(word, "sp_oacreate") == 0)
    return;
  const Token *token = token_at(reader, from);
  if (reader->lexed->language == LANGUAGE_PS && token->kind == TOKEN_NAME &&
      reader->lexed->text[token->at] != '$')
    return; /* New-Object -ComObject CDO.Message: bare */
  g_autofree char *id = values_eval(&reader->values, from, len, &end);
  bool is_moniker = id != NULL && (g_ascii_strncasecmp(id, "new:", 4) == 0 ||
                                   g_ascii_strncasecmp(id, "script:", 7) == 0);
  if (is_moniker)
    emit(reader, "dynamic", id, from);
  bool is_import = strcmp(folded, "dispatch") == 0 && !is_mark(reader, at + 1, '(');
  if (id == NULL && !is_import && strcmp(folded, "gencache") != 0)
    emit_raw(reader, "dynamic", from, end);
}

static void read_name(Reader *reader, guint at) {
  const Token *token = token_at(reader, at);
  if (token->length > 40)
    return;
  g_autofree char *word = g_strndup((const char *)reader->lexed->text + token->at, token->length);
  bool is_method = at > 0 && is_mark(reader, at - 1, '.');
  read_call(reader, at, word);
  read_creation(reader, at, word);
  bool is_exec = g_ascii_strcasecmp(word, "exec") == 0 || g_ascii_strcasecmp(word, "execute") == 0;
  /* EXEC of SQL calls by name, .Execute of ADO runs a query: only EXEC(...) builds code. */
  bool is_plain =
      is_exec &&
      (is_method || (reader->lexed->language == LANGUAGE_SQL && !is_mark(reader, at + 1, '(')));
  if (!is_plain && word_is(WORD_DYNAMIC, word)) {
    emit(reader, "dynamic", word, at);
    reader->out->n_acts++;
  }
  if (word_is(WORD_CHANNEL, word))
    emit(reader, "other_channel", word, at);
  if (word_is(WORD_LOOP, word))
    emit(reader, "file_loop", word, at);
  if ((is_method || reader->lexed->language == LANGUAGE_PS ||
       reader->lexed->language == LANGUAGE_PY) &&
      word_is(WORD_RUN, word))
    emit(reader, "runs_program", word, at);
}

/* A string that is nothing but the name of a mail server: where the server that is used is made at
 * run time (a parameter, a list to choose from), it tells what it may be. */
static bool is_server_name(const char *text) {
  const char *last = strrchr(text, '.');
  bool is_mail = g_str_has_prefix(text, "smtp") || g_str_has_prefix(text, "mail.") ||
                 strstr(text, ".smtp.") != NULL;
  return is_mail && last != NULL && strlen(last) > 2 && strlen(text) < 254 &&
         strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(text);
}

/* ProgIDs, servers and command lines stand in strings. */
static void read_text(Reader *reader, guint at) {
  const Token *token = token_at(reader, at);
  if (token->n_inner > 4096)
    return;
  g_autofree char *text =
      g_ascii_strdown((const char *)reader->lexed->text + token->inner, token->n_inner);
  if (is_server_name(text))
    emit(reader, "names_server", text, at);
  g_auto(GStrv) words = g_strsplit_set(text, " .\t/\\:;,()'\"=|&<>-", 256);
  for (guint i = 0; words[i] != NULL; i++) {
    bool is_word = strcmp(words[i], "socket") == 0 || strcmp(words[i], "requests") == 0;
    if (!is_word && word_is(WORD_CHANNEL, words[i]))
      emit(reader, "other_channel", words[i], at);
    else if (strcmp(words[i], "scriptcontrol") == 0 || strcmp(words[i], "encodedcommand") == 0 ||
             (i == 0 && word_is(WORD_PROGRAM, words[i])))
      emit(reader, "dynamic", words[i], at);
  }
}

/* sp_OASetProperty @object, 'property', value; sp_OAMethod @object, 'method', result, value */
static void read_sql_call(Reader *reader, guint at) {
  bool is_set = lex_is(reader->lexed, token_at(reader, at), "sp_oasetproperty");
  if (!is_set && !lex_is(reader->lexed, token_at(reader, at), "sp_oamethod"))
    return;
  guint len = reader->lexed->tokens->len, args[4] = {at + 1}, n = 1;
  int depth = 0;
  for (guint i = at + 1; i < len && i < at + 64 && n < G_N_ELEMENTS(args); i++) {
    depth += is_mark(reader, i, '(') ? 1 : is_mark(reader, i, ')') ? -1 : 0;
    if (depth == 0 && is_mark(reader, i, ','))
      args[n++] = i + 1;
  }
  guint end;
  g_autofree char *key = n >= 2 ? values_eval(&reader->values, args[1], len, &end) : NULL;
  if (key == NULL) {
    emit_raw(reader, "dynamic", args[n - 1], args[n - 1] + 1);
    return;
  }
  static const char indirect[] = " item fields value default ";
  g_strchomp(key);
  const char *quote = strchr(key, '"'), *dot = strrchr(key, '.');
  bool is_odd = false;
  g_autofree char *field = quote != NULL ? g_strndup(quote + 1, strcspn(quote + 1, "\"")) : NULL;
  const char *word = dot != NULL && quote == NULL ? dot + 1 : key;
  const char *name = field != NULL ? word_key(field, &is_odd)
                     : is_set      ? word_property(word)
                                   : word_call(word);
  g_autofree char *padded = g_strdup_printf(" %s ", word);
  g_autofree char *folded = g_ascii_strdown(padded, -1);
  if (name != NULL && n > (is_set ? 2u : 3u))
    emit_value(reader, name, args[is_set ? 2 : 3], len);
  else if (is_odd || (is_set && strstr(indirect, folded) != NULL))
    emit(reader, "dynamic", key, at); /* which field is told by a further argument */
  else
    reader->out->n_acts++;
}

/* What one language can do beside: with(m){To=...} and x["ev"+"al"]() of JScript, & $x and
 * . file of PowerShell, EXEC @name of SQL, modules of Python. */
static void read_habit(Reader *reader, guint at) {
  const Lexed *lexed = reader->lexed;
  const Token *token = token_at(reader, at);
  bool is_start = at == 0 || token_at(reader, at - 1)->kind == TOKEN_LINE ||
                  is_mark(reader, at - 1, ';') || is_mark(reader, at - 1, '{') ||
                  is_mark(reader, at - 1, '|');
  const Token *next = at + 1 < lexed->tokens->len ? token_at(reader, at + 1) : NULL;
  bool is_odd = false;
  switch (lexed->language) {
  case LANGUAGE_JS:
    reader->has_with = reader->has_with || lex_is(lexed, token, "with");
    is_odd =
        lex_is(lexed, token, "with") || (is_mark(reader, at, ']') && is_mark(reader, at + 1, '('));
    is_odd = is_odd || (token->kind == TOKEN_NAME && token->length == 8 &&
                        memcmp(lexed->text + token->at, "Function", 8) == 0);
    break;
  case LANGUAGE_PS:
    is_odd = is_start && (is_mark(reader, at, '&') || is_mark(reader, at, '.')) && next != NULL;
    break;
  case LANGUAGE_SQL:
    is_odd = next != NULL && lexed->text[next->at] == '@' && !is_mark(reader, at + 2, '=') &&
             (lex_is(lexed, token, "exec") || lex_is(lexed, token, "execute"));
    break;
  case LANGUAGE_PY:
    is_odd = lex_is(lexed, token, "import") && next != NULL && next->kind == TOKEN_NAME &&
             next->length < 40;
    if (is_odd) {
      g_autofree char *word = g_strndup((const char *)lexed->text + next->at, next->length);
      is_odd = !word_is(WORD_MODULE, word);
    }
    break;
  default:
    break;
  }
  if (is_odd)
    emit_raw(reader, "dynamic", at, at + 2);
}

static gint compare_indicators(gconstpointer a, gconstpointer b) {
  const Indicator *one = *(const Indicator *const *)a, *two = *(const Indicator *const *)b;
  if (one->offset != two->offset)
    return one->offset < two->offset ? -1 : 1;
  int order = strcmp(one->name, two->name);
  return order != 0 ? order : strcmp(one->value, two->value);
}

void script_read(const Lexed *lexed, uint64_t base, ScriptReading *out) {
  *out =
      (ScriptReading){.indicators = g_ptr_array_new_with_free_func((GDestroyNotify)indicator_free)};
  Reader reader = {.lexed = lexed, .base = base, .out = out};
  values_init(&reader.values, lexed);
  out->is_valid = language_is_possible(lexed);
  /* One more than may be given, so that the caller sees that there are more. */
  for (guint i = 0; i < lexed->tokens->len && out->indicators->len <= LIMIT_INDICATORS; i++) {
    const Token *token = token_at(&reader, i);
    if (token->kind == TOKEN_PUNCT)
      read_assignment(&reader, i);
    else if (token->kind == TOKEN_STRING)
      read_text(&reader, i);
    else if (token->kind == TOKEN_NAME && lexed->language == LANGUAGE_SQL)
      read_sql_call(&reader, i);
    if (token->kind == TOKEN_NAME)
      read_name(&reader, i);
    if (token->kind == TOKEN_NAME || token->kind == TOKEN_PUNCT)
      read_habit(&reader, i);
  }
  values_clear(&reader.values);
  g_ptr_array_sort(out->indicators, compare_indicators);
}

void script_reading_clear(ScriptReading *reading) {
  g_clear_pointer(&reading->indicators, g_ptr_array_unref);
}
