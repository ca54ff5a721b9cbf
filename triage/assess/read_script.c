/* SPDX-License-Identifier: Apache-2.0 */
/* read_script.c - assignments to mail properties and configuration fields, calls that attach or
 * send, and what a script may do that cannot be read from its text. */
#include "assess/read_script.h"
#include "assess/read_value.h"
#include "base/limits.h"
#include "base/text.h"
#include <string.h>

typedef struct {
  const Lexed *lexed;
  Values values;
  uint64_t base;
  ScriptReading *out;
} Reader;

typedef struct {
  const char *word, *name;
} Pair;

/* Fields of .../cdo/configuration/ and their constants (with "cdo" before them). */
static const Pair FIELDS[] = {{"smtpserver", "smtp_server"},
                              {"smtpserverport", "smtp_port"},
                              {"sendusing", "sendusing"},
                              {"sendusingmethod", "sendusing"},
                              {"smtpauthenticate", "auth"},
                              {"sendusername", "user"},
                              {"sendpassword", "password_present"},
                              {"smtpusessl", "ssl"},
                              {"smtpserverpickupdirectory", "pickup"},
                              {"sendemailaddress", "mail_from"},
                              {"httpserverurl", "smtp_server"},
                              {"urlproxyserver", "smtp_server"},
                              {"urlgetlatestversion", "option"},
                              {"smtpconnectiontimeout", "option"},
                              {"flushbuffersonwrite", "option"},
                              {"smtpaccountname", "option"},
                              {"languagecode", "option"},
                              {"usemessageresponsetext", "option"},
                              {"autopromotebodyparts", "option"}};
/* urn:schemas:mailheader: and urn:schemas:httpmail:, and the message's own properties. */
static const Pair PROPERTIES[] = {
    {"from", "mail_from"},     {"sender", "mail_from"},     {"to", "mail_to"},
    {"cc", "mail_cc"},         {"bcc", "mail_bcc"},         {"subject", "subject"},
    {"textbody", "body"},      {"htmlbody", "body"},        {"replyto", "reply_to"},
    {"reply-to", "reply_to"},  {"textdescription", "body"}, {"htmldescription", "body"},
    {"recipients", "mail_to"}, {"mailto", "mail_to"}};
static const Pair CALLS[] = {{"addattachment", "attachment"},
                             {"addrelatedbodypart", "attachment"},
                             {"createmhtmlbody", "body_source"},
                             {"addrecipient", "mail_to"},
                             {"addcc", "mail_cc"},
                             {"addbcc", "mail_bcc"}};
/* What makes code or objects at run time: the text does not say what is done. */
static const char *const DYNAMIC[] = {"execute",
                                      "executeglobal",
                                      "eval",
                                      "invoke-expression",
                                      "iex",
                                      "callbyname",
                                      "scriptcontrol",
                                      "sp_executesql",
                                      "setattr",
                                      "__import__",
                                      "exec",
                                      "importlib",
                                      "scriptblock",
                                      "invoke-command",
                                      "xp_cmdshell",
                                      "executestatement",
                                      "invokemember",
                                      "encodedcommand",
                                      "frombase64string",
                                      "b64decode",
                                      "addcode",
                                      "importnode",
                                      "new-alias",
                                      "set-alias"};
/* Other ways out than CDO. */
static const char *const CHANNELS[] = {"xmlhttp",
                                       "winhttprequest",
                                       "serverxmlhttp",
                                       "webclient",
                                       "invoke-webrequest",
                                       "invoke-restmethod",
                                       "smtpclient",
                                       "send-mailmessage",
                                       "smtplib",
                                       "urllib",
                                       "requests",
                                       "ftplib",
                                       "socket",
                                       "tcpclient",
                                       "cdonts",
                                       "mailsender",
                                       "jmail",
                                       "bitstransfer",
                                       "start-bitstransfer",
                                       "httplib",
                                       "curl",
                                       "wget",
                                       "ftp",
                                       "bitsadmin",
                                       "certutil",
                                       "net.mail",
                                       "msxml2",
                                       "mapi",
                                       "sp_send_dbmail",
                                       "xp_sendmail"};
static const char *const LOOPS[] = {"getfolder", "get-childitem", "listdir", "glob",
                                    "walk",      "subfolders",    "gci"};
static const char *const RUNS[] = {"run",   "shellexecute", "start-process",
                                   "popen", "subprocess",   "createprocess"};

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

static const char *find_pair(const Pair *pairs, size_t n, const char *word) {
  for (size_t i = 0; i < n; i++)
    if (g_ascii_strcasecmp(pairs[i].word, word) == 0)
      return pairs[i].name;
  return NULL;
}

static void emit(Reader *reader, const char *name, const char *value, guint at) {
  g_ptr_array_add(reader->out->indicators, indicator_new(name, value, strlen(value),
                                                         reader->base + token_at(reader, at)->at));
}

/* The expression as it stands, where its value is not known. */
static void emit_raw(Reader *reader, const char *name, guint from, guint end) {
  uint32_t start = token_at(reader, from)->at;
  const Token *last = token_at(reader, end > from ? end - 1 : from);
  uint32_t n = MIN(last->at + last->length - start, 240u);
  g_autofree char *raw =
      g_strdup_printf("= %.*s", (int)n, (const char *)reader->lexed->text + start);
  emit(reader, name, raw, from);
}

static void emit_value(Reader *reader, const char *name, guint from, guint to) {
  if (from >= reader->lexed->tokens->len)
    return;
  guint end;
  g_autofree char *value = values_eval(&reader->values, from, to, &end);
  reader->out->n_acts++;
  if (strcmp(name, "password_present") == 0) {
    if (value == NULL || *value != '\0')
      emit(reader, name, value != NULL ? "yes" : "yes, made at run time", from);
  } else if (value == NULL) {
    emit_raw(reader, name, from, end);
  } else if (strcmp(name, "body") == 0) {
    emit(reader, name, "text in the script", from);
  } else if (strcmp(name, "option") != 0) {
    emit(reader, name, value, from);
  }
}

/* The indicator that a field's key stands for; NULL: none, or not known (*is_opaque). */
static const char *field_name(const char *key, bool *is_opaque) {
  static const char *const bases[] = {"/cdo/configuration/",
                                      "urn:schemas:mailheader:", "urn:schemas:httpmail:"};
  g_autofree char *folded = g_ascii_strdown(key, -1);
  *is_opaque = false;
  for (guint i = 0; i < G_N_ELEMENTS(bases); i++) {
    const char *found = strstr(folded, bases[i]);
    if (found == NULL)
      continue;
    const char *word = found + strlen(bases[i]);
    const char *name = i == 0 ? find_pair(FIELDS, G_N_ELEMENTS(FIELDS), word)
                              : find_pair(PROPERTIES, G_N_ELEMENTS(PROPERTIES), word);
    return name;
  }
  const char *name = find_pair(PROPERTIES, G_N_ELEMENTS(PROPERTIES), folded);
  return name;
}

/* A key that is a constant of the type library, not set by the script itself. */
static const char *constant_field(const Reader *reader, guint from, guint end) {
  const Token *token = token_at(reader, from);
  if (end != from + 1 || token->kind != TOKEN_NAME || token->length < 4 || token->length > 64 ||
      g_ascii_strncasecmp((const char *)reader->lexed->text + token->at, "cdo", 3) != 0)
    return NULL;
  g_autofree char *word =
      g_strndup((const char *)reader->lexed->text + token->at + 3, token->length - 3);
  const char *name = find_pair(FIELDS, G_N_ELEMENTS(FIELDS), word);
  return name != NULL ? name : find_pair(PROPERTIES, G_N_ELEMENTS(PROPERTIES), word);
}

/* x.Item(KEY) = VALUE, x(KEY).Value = VALUE, x[KEY] = VALUE: lhs_end is behind the bracket. */
static void read_indexed(Reader *reader, guint close, guint value_from) {
  guint open = values_opening(reader->lexed, close);
  if (open == close || open == 0)
    return;
  guint end;
  g_autofree char *key = values_eval(&reader->values, open + 1, close, &end);
  bool is_opaque = key == NULL;
  const char *name =
      key != NULL ? field_name(key, &is_opaque) : constant_field(reader, open + 1, close);
  const Token *holder = token_at(reader, open - 1);
  if (name != NULL) {
    emit_value(reader, name, value_from, reader->lexed->tokens->len);
  } else if (is_opaque && open + 1 < close && holder->kind == TOKEN_NAME &&
             token_at(reader, open + 1)->kind != TOKEN_NUMBER) {
    /* a(i) of an array is harmless; a field whose name is made at run time is not told */
    if (!values_is_array(&reader->values, holder))
      emit_raw(reader, "dynamic", open + 1, close);
  }
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
  /* "->" of Perl and PHP is a dot too. */
  if (token->kind != TOKEN_NAME || last == 0 || token->length > 32 ||
      !(is_mark(reader, last - 1, '.') || is_mark(reader, last - 1, '>')))
    return;
  g_autofree char *word = g_strndup((const char *)reader->lexed->text + token->at, token->length);
  const char *name = find_pair(PROPERTIES, G_N_ELEMENTS(PROPERTIES), word);
  if (name == NULL)
    return;
  emit_value(reader, name, at + 1, reader->lexed->tokens->len);
  if (is_append)
    emit_raw(reader, name, at + 1, at + 2);
}

static bool is_word_of(const char *word, const char *const *words, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (g_ascii_strcasecmp(word, words[i]) == 0)
      return true;
  return false;
}

static void read_call(Reader *reader, guint at, const char *word) {
  const char *name = find_pair(CALLS, G_N_ELEMENTS(CALLS), word);
  bool is_method = at > 0 && (is_mark(reader, at - 1, '.') || is_mark(reader, at - 1, '>'));
  if (!is_method)
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
  static const char *const makers[] = {"createobject",   "activexobject", "-comobject",
                                       "comobject",      "dispatch",      "dispatchex",
                                       "ensuredispatch", "sp_oacreate",   "getobject"};
  if (!is_word_of(word, makers, G_N_ELEMENTS(makers)))
    return;
  reader->out->n_acts++;
  guint from = at + 1, end, len = reader->lexed->tokens->len;
  while (from < len && is_mark(reader, from, '('))
    from++;
  if (from >= len || g_ascii_strcasecmp(word, "sp_oacreate") == 0)
    return;
  const Token *token = token_at(reader, from);
  if (g_str_has_suffix(word, "omObject") && token->kind == TOKEN_NAME)
    return; /* New-Object -ComObject CDO.Message: bare */
  g_autofree char *id = values_eval(&reader->values, from, len, &end);
  bool is_moniker = id != NULL && (g_ascii_strncasecmp(id, "new:", 4) == 0 ||
                                   g_ascii_strncasecmp(id, "script:", 7) == 0);
  if (is_moniker)
    emit(reader, "dynamic", id, from);
  if (id == NULL && !(reader->lexed->language == LANGUAGE_PS && token->kind == TOKEN_NAME))
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
  if (!is_plain && is_word_of(word, DYNAMIC, G_N_ELEMENTS(DYNAMIC))) {
    emit(reader, "dynamic", word, at);
    reader->out->n_acts++;
  }
  if (is_word_of(word, CHANNELS, G_N_ELEMENTS(CHANNELS)))
    emit(reader, "other_channel", word, at);
  if (is_word_of(word, LOOPS, G_N_ELEMENTS(LOOPS)))
    emit(reader, "file_loop", word, at);
  if ((is_method || reader->lexed->language == LANGUAGE_PS ||
       reader->lexed->language == LANGUAGE_PY) &&
      is_word_of(word, RUNS, G_N_ELEMENTS(RUNS)))
    emit(reader, "runs_program", word, at);
}

/* ProgIDs and command lines stand in strings. */
static void read_text(Reader *reader, guint at) {
  const Token *token = token_at(reader, at);
  if (token->n_inner > 4096)
    return;
  g_autofree char *text =
      g_ascii_strdown((const char *)reader->lexed->text + token->inner, token->n_inner);
  g_auto(GStrv) words = g_strsplit_set(text, " .\t/\\:;,()'\"=|&<>-", 256);
  for (guint i = 0; words[i] != NULL; i++) {
    if (is_word_of(words[i], CHANNELS, G_N_ELEMENTS(CHANNELS)) && strcmp(words[i], "socket") != 0 &&
        strcmp(words[i], "requests") != 0)
      emit(reader, "other_channel", words[i], at);
    if (strcmp(words[i], "scriptcontrol") == 0 || strcmp(words[i], "encodedcommand") == 0)
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
  g_strchomp(key);
  const char *quote = strchr(key, '"'), *dot = strrchr(key, '.');
  bool is_opaque = false;
  g_autofree char *field = quote != NULL ? g_strndup(quote + 1, strcspn(quote + 1, "\"")) : NULL;
  const char *word = dot != NULL && quote == NULL ? dot + 1 : key;
  const char *name = field != NULL ? field_name(field, &is_opaque)
                     : is_set      ? find_pair(PROPERTIES, G_N_ELEMENTS(PROPERTIES), word)
                                   : find_pair(CALLS, G_N_ELEMENTS(CALLS), word);
  if (name != NULL && n > (is_set ? 2u : 3u))
    emit_value(reader, name, args[is_set ? 2 : 3], len);
  else
    reader->out->n_acts++;
}

static bool is_keyword_before_name(const Reader *reader, const Token *token) {
  static const char *const keywords[] = {
      "var",  "let",    "const",      "new",   "return", "function", "typeof", "delete", "throw",
      "else", "case",   "in",         "of",    "void",   "do",       "if",     "not",    "and",
      "or",   "is",     "import",     "from",  "as",     "def",      "class",  "for",    "while",
      "with", "print",  "instanceof", "raise", "lambda", "global",   "yield",  "elif",   "assert",
      "try",  "except", "catch",      "del",   "pass",   "async",    "await",  "extends"};
  for (guint i = 0; i < G_N_ELEMENTS(keywords); i++)
    if (lex_is(reader->lexed, token, keywords[i]))
      return true;
  return false;
}

static bool starts_statement(const Reader *reader, guint at) {
  return at == 0 || token_at(reader, at - 1)->kind == TOKEN_LINE;
}

/* VB has no ';', no braces, and '$' only as the end of a name. "import x" or "var x" would be
 * a call of a procedure that the text then must define. */
static bool is_valid_vb(const Reader *reader) {
  bool has_import = false, has_procedure = false;
  for (guint i = 0; i < reader->lexed->tokens->len; i++) {
    const Token *token = token_at(reader, i);
    uint8_t c = reader->lexed->text[token->at];
    if (token->kind == TOKEN_PUNCT && (c == ';' || c == '{' || c == '}'))
      return false;
    const Token *before = i > 0 ? token_at(reader, i - 1) : NULL;
    bool is_joined =
        before != NULL && before->kind == TOKEN_NAME && before->at + before->length == token->at;
    if (token->kind == TOKEN_PUNCT && c == '$' && !is_joined)
      return false;
    has_import = has_import ||
                 (starts_statement(reader, i) &&
                  (lex_is(reader->lexed, token, "import") || lex_is(reader->lexed, token, "from") ||
                   lex_is(reader->lexed, token, "var")));
    has_procedure = has_procedure || lex_is(reader->lexed, token, "sub") ||
                    lex_is(reader->lexed, token, "function") ||
                    lex_is(reader->lexed, token, "execute") ||
                    lex_is(reader->lexed, token, "executeglobal");
  }
  return !has_import || has_procedure;
}

/* var x, new X: what JScript has and Python has not. */
static bool has_js_pair(const Reader *reader) {
  for (guint i = 0; i + 1 < reader->lexed->tokens->len; i++) {
    const Token *token = token_at(reader, i);
    if (token_at(reader, i + 1)->kind == TOKEN_NAME &&
        (lex_is(reader->lexed, token, "var") || lex_is(reader->lexed, token, "new") ||
         lex_is(reader->lexed, token, "function")))
      return true;
  }
  return false;
}

/* JScript and Python never have two names side by side but for keywords. */
static bool has_name_pair(const Reader *reader) {
  const GArray *tokens = reader->lexed->tokens;
  for (guint i = 0; i + 1 < tokens->len; i++) {
    const Token *token = token_at(reader, i), *next = token_at(reader, i + 1);
    if (token->kind == TOKEN_NAME && next->kind == TOKEN_NAME &&
        !is_keyword_before_name(reader, token) && !is_keyword_before_name(reader, next))
      return true;
  }
  return false;
}

static bool has_name(const Reader *reader, const char *start) {
  size_t n = strlen(start);
  for (guint i = 0; i < reader->lexed->tokens->len; i++) {
    const Token *token = token_at(reader, i);
    if (token->kind == TOKEN_NAME && token->length > n &&
        g_ascii_strncasecmp((const char *)reader->lexed->text + token->at, start, n) == 0)
      return true;
  }
  return false;
}

static bool has_mark(const Reader *reader, char mark) {
  for (guint i = 0; i < reader->lexed->tokens->len; i++)
    if (is_mark(reader, i, mark))
      return true;
  return false;
}

/* Whether the text can be a program of the language at all: a text that two languages could run
 * might hide from one what it shows the other. */
static bool is_valid(const Reader *reader) {
  switch (reader->lexed->language) {
  case LANGUAGE_VB:
    return is_valid_vb(reader);
  case LANGUAGE_JS:
    return !has_name_pair(reader) && !has_mark(reader, '#');
  case LANGUAGE_PY:
    return !has_name_pair(reader) && !has_js_pair(reader) && !has_mark(reader, '$') &&
           !has_mark(reader, ';');
  case LANGUAGE_PS:
    return has_name(reader, "$");
  case LANGUAGE_SQL:
    return has_name(reader, "sp_oa");
  default:
    return true;
  }
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
  out->is_valid = is_valid(&reader);
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
  }
  values_clear(&reader.values);
  g_ptr_array_sort(out->indicators, compare_indicators);
}

void script_reading_clear(ScriptReading *reading) {
  g_clear_pointer(&reading->indicators, g_ptr_array_unref);
}
