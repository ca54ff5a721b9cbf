/* SPDX-License-Identifier: Apache-2.0 */
/* read_indicators.c - what kind of content a hit lies in, and what its script does. The language is
 * told by what the text can be run as; where two are possible, or part cannot be read, that is an
 * indicator too ("unsure"), so that nothing hidden can count as harmless. */
#include "assess/read_content.h"
#include "assess/read_script.h"
#include "base/limits.h"
#include "base/text.h"
#include <string.h>

void indicator_free(Indicator *indicator) {
  if (indicator == NULL)
    return;
  g_free(indicator->name);
  g_free(indicator->value);
  g_free(indicator->secret);
  g_free(indicator);
}

typedef struct {
  GPtrArray *out;
  bool is_unsure;
  guint n_acts;
} Reading;

static void append(Reading *reading, ScriptReading *script) {
  reading->n_acts += script->n_acts;
  for (guint i = 0; i < script->indicators->len; i++) {
    if (reading->out->len > LIMIT_INDICATORS)
      return;
    g_ptr_array_add(reading->out, script->indicators->pdata[i]);
    script->indicators->pdata[i] = NULL;
  }
}

static bool has_echo(const uint8_t *text, uint32_t size) {
  for (uint32_t at = 0; at + 5 < size; at++) {
    bool is_start = at == 0 || text[at - 1] == '\n';
    uint32_t word = at + (text[at] == '@' ? 1 : 0);
    if (is_start && g_ascii_strncasecmp((const char *)text + word, "echo", 4) == 0)
      return true;
  }
  return false;
}

/* Reads text in the one language that it can be; in all that it can be where there are several. */
static void read_any(Reading *reading, const uint8_t *text, uint32_t size, uint64_t base) {
  guint n_possible = 0;
  bool is_batch = has_echo(text, size);
  ScriptReading fallback = {0};
  for (Language language = 0; language <= LANGUAGE_LAST; language++) {
    if (language == (is_batch ? LANGUAGE_VB : LANGUAGE_BATCH))
      continue;
    Lexed lexed;
    ScriptReading script;
    lex(&lexed, language, text, size);
    script_read(&lexed, base, &script);
    bool is_possible = script.is_valid && script.n_acts > 0;
    if (is_possible) {
      n_possible++;
      reading->is_unsure = reading->is_unsure || lexed.is_unsure || is_batch;
      g_ptr_array_add(reading->out, indicator_new("language", language_name(language),
                                                  strlen(language_name(language)), base));
      append(reading, &script);
    } else if (script.n_acts > fallback.n_acts) {
      ScriptReading other = fallback;
      fallback = script;
      script = other;
    }
    lexed_clear(&lexed);
    script_reading_clear(&script);
  }
  if (n_possible == 0 && fallback.indicators != NULL)
    append(reading, &fallback);
  reading->is_unsure =
      reading->is_unsure || n_possible > 1 || (n_possible == 0 && fallback.n_acts > 0);
  script_reading_clear(&fallback);
}

static void read_one(Reading *reading, Language language, const uint8_t *text, uint32_t size,
                     uint64_t base) {
  Lexed lexed;
  ScriptReading script;
  lex(&lexed, language, text, size);
  script_read(&lexed, base, &script);
  reading->is_unsure = reading->is_unsure || lexed.is_unsure;
  append(reading, &script);
  lexed_clear(&lexed);
  script_reading_clear(&script);
}

static const uint8_t *find_folded(const uint8_t *text, const uint8_t *end, const char *word) {
  size_t n = strlen(word);
  for (; (size_t)(end - text) >= n; text++)
    if (g_ascii_tolower((char)*text) == word[0] &&
        g_ascii_strncasecmp((const char *)text, word, n) == 0)
      return text;
  return NULL;
}

/* One stretch of code between marks; page: the language of the stretches that do not name theirs.
 */
static void read_marked(Reading *reading, Language *page, bool is_inline, const uint8_t *mark,
                        const uint8_t *from, const uint8_t *to, uint64_t place) {
  const uint8_t *head_end = is_inline ? to : from;
  bool says_js = find_folded(mark, head_end, "jscript") != NULL ||
                 find_folded(mark, head_end, "javascript") != NULL;
  if (is_inline && from < to && *from == '@') {
    *page = says_js ? LANGUAGE_JS : LANGUAGE_VB;
    return;
  }
  Language language = *page;
  if (!is_inline && (says_js || find_folded(mark, head_end, "vbscript") == NULL))
    language = says_js ? LANGUAGE_JS : language;
  reading->is_unsure = reading->is_unsure || (!is_inline && find_folded(mark, from, "src") != NULL);
  read_one(reading, language, from, (uint32_t)(to - from), place);
}

/* Pages and script files in which code stands between marks: ASP, HTA, WSF, HTML. */
static bool read_page(Reading *reading, const uint8_t *text, uint32_t size, uint64_t base) {
  const uint8_t *end = text + size, *at = text;
  bool is_page = false;
  Language page = LANGUAGE_VB;
  while ((at = memchr(at, '<', (size_t)(end - at))) != NULL && end - at > 8) {
    bool is_inline = at[1] == '%';
    bool is_script = g_ascii_strncasecmp((const char *)at + 1, "script", 6) == 0 &&
                     (g_ascii_isspace(at[7]) || at[7] == '>');
    if (!is_inline && !is_script) {
      at++;
      continue;
    }
    const uint8_t *from = is_inline ? at + 2 : memchr(at, '>', (size_t)(end - at));
    if (from == NULL)
      break;
    from += is_script ? 1 : 0;
    const uint8_t *to = find_folded(from, end, is_inline ? "%>" : "</script");
    to = to != NULL ? to : end;
    read_marked(reading, &page, is_inline, at, from, to, base + (uint64_t)(from - text));
    is_page = true;
    at = to;
  }
  return is_page && reading->n_acts > 0;
}

static gint by_offset(gconstpointer a, gconstpointer b) {
  const Indicator *one = *(const Indicator *const *)a, *two = *(const Indicator *const *)b;
  if (one->offset != two->offset)
    return one->offset < two->offset ? -1 : 1;
  int order = strcmp(one->name, two->name);
  return order != 0 ? order : strcmp(one->value, two->value);
}

static void read_stretch(Reading *reading, const uint8_t *text, uint32_t size, uint64_t base) {
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
    text += 3;
    size -= 3;
    base += 3;
  }
  /* <!--#include file="x"-->: code that is not here */
  if (memmem(text, size, "<!--", 4) != NULL && find_folded(text, text + size, "#include") != NULL)
    reading->is_unsure = true;
  if (!read_page(reading, text, size, base))
    read_any(reading, text, size, base);
}

/* A short password is told from other text by the quotes around it. */
static bool is_place_of(const char *text, const char *at, size_t n) {
  enum { LONG_ENOUGH = 4 };
  return n >= LONG_ENOUGH || (at > text && strchr("\"'", at[-1]) != NULL && at[n] != '\0' &&
                              strchr("\"'", at[n]) != NULL);
}

static void blot(const char *secret, char *text) {
  size_t n = strlen(secret);
  for (char *at = text; (at = strstr(at, secret)) != NULL; at += n)
    if (is_place_of(text, at, n))
      memset(at, '*', n);
}

/* The greater part of it at an end of the text. */
static void blot_ends(const char *secret, char *text) {
  size_t n = strlen(secret), size = strlen(text);
  for (size_t cut = MIN(n - 1, size); cut > n / 2 && cut > 2; cut--) {
    if (strncmp(text, secret + n - cut, cut) == 0)
      memset(text, '*', cut);
    if (memcmp(text + size - cut, secret, cut) == 0)
      memset(text + size - cut, '*', cut);
  }
}

static void blot_all(const GPtrArray *indicators, char *text, bool is_cut) {
  for (guint i = 0; i < indicators->len; i++) {
    const Indicator *indicator = indicators->pdata[i];
    if (indicator->secret == NULL || *indicator->secret == '\0')
      continue;
    g_autofree char *secret = text_printable(indicator->secret, strlen(indicator->secret));
    blot(secret, text);
    if (is_cut)
      blot_ends(secret, text);
  }
}

void indicators_blot(const GPtrArray *indicators, char *text) {
  blot_all(indicators, text, true);
}

GPtrArray *indicators_read(const uint8_t *data, uint64_t size) {
  if (size == 0)
    data = (const uint8_t *)""; /* NULL is allowed, and no argument for memmem */
  Reading reading = {.out = g_ptr_array_new_with_free_func((GDestroyNotify)indicator_free)};
  bool is_text;
  const char *content = content_kind(data, size, &is_text);
  if (is_text && size <= LIMIT_SCRIPT_BYTES) {
    read_stretch(&reading, data, (uint32_t)size, 0);
  } else {
    reading.is_unsure = true; /* only the text around what names CDO is read */
    Stretch stretch = {0};
    for (guint n = 0; n < LIMIT_SCRIPT_STRETCHES && content_next_stretch(data, size, &stretch) &&
                      reading.out->len <= LIMIT_INDICATORS;
         n++)
      read_stretch(&reading, data + stretch.at, (uint32_t)stretch.n, stretch.at);
  }
  for (guint i = 0; i < reading.out->len; i++) {
    Indicator *indicator = reading.out->pdata[i];
    if (g_str_has_prefix(indicator->value, "= "))
      blot_all(reading.out, indicator->value, false);
  }
  g_ptr_array_sort(reading.out, by_offset);
  if (reading.out->len > LIMIT_INDICATORS - 3) {
    reading.is_unsure = true;
    g_ptr_array_set_size(reading.out, LIMIT_INDICATORS - 3);
  }
  bool is_script = reading.n_acts > 0;
  if (reading.is_unsure && is_script)
    g_ptr_array_insert(reading.out, 0, indicator_new("unsure", "part", 4, 0));
  if (is_script)
    g_ptr_array_insert(reading.out, 0, indicator_new("acts", "yes", 3, 0));
  g_ptr_array_insert(reading.out, 0, indicator_new("content", content, strlen(content), 0));
  return g_steal_pointer(&reading.out);
}
