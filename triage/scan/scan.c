/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c - rules compiled and run by libyara. */
#include "scan/scan.h"
#include "base/limits.h"
#include "scan/gain.h"
#include "scan/prefilter.h"
#include "scan/search.h"
#include <string.h>
#include <yara.h>

struct _Scanner {
  YR_RULES *rules;
  YR_SCANNER *scanner;
  guint n_rules;
  Prefilter *prefilter; /* NULL: not wanted */
  Gain gain;
};

typedef struct {
  GPtrArray *messages;
  const char *file;
  guint n_errors;
  char *first;
} Compilation;

void rule_message_free(RuleMessage *message) {
  g_free(message->file);
  g_free(message->message);
  g_free(message);
}

static void on_message(int level, const char *file, int line, const YR_RULE *rule, const char *text,
                       void *user) {
  (void)rule;
  Compilation *compilation = user;
  if (level == YARA_ERROR_LEVEL_ERROR && compilation->n_errors++ == 0)
    compilation->first =
        g_strdup_printf("%s:%d: %s", file != NULL ? file : compilation->file, line, text);
  if (compilation->messages == NULL)
    return;
  RuleMessage *message = g_new0(RuleMessage, 1);
  message->file = g_strdup(file != NULL ? file : compilation->file);
  message->line = line;
  message->is_warning = level != YARA_ERROR_LEVEL_ERROR;
  message->message = g_strdup(text);
  g_ptr_array_add(compilation->messages, message);
}

static void refuse(Compilation *compilation, const char *text) {
  on_message(YARA_ERROR_LEVEL_ERROR, compilation->file, 0, NULL, text, compilation);
}

static YR_COMPILER *new_compiler(Compilation *compilation) {
  YR_COMPILER *compiler;
  if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
    return NULL;
  yr_compiler_set_callback(compiler, on_message, compilation);
  /* A rule file must not read others: what was compiled is what the manifest has digests of. */
  yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
  /* Rule sets in the wild refer to these; yara leaves them to its caller, too. */
  static const char *const EXTERNALS[] = {"filename", "filepath", "extension", "filetype", "owner"};
  for (gsize i = 0; i < G_N_ELEMENTS(EXTERNALS); i++)
    yr_compiler_define_string_variable(compiler, EXTERNALS[i], "");
  return compiler;
}

static bool add_file(YR_COMPILER *compiler, const RuleFile *file, Compilation *compilation) {
  gsize n;
  const char *text = g_bytes_get_data(file->text, &n);
  compilation->file = file->name;
  if (n >= 4 && memcmp(text, "YARA", 4) == 0) {
    refuse(compilation, "compiled rules are not taken: give their source");
    return false;
  }
  if (n > 0 && memchr(text, '\0', n) != NULL) {
    refuse(compilation, "the file holds a NUL byte and is no rule source");
    return false;
  }
  g_autofree char *copy = g_strndup(text != NULL ? text : "", n);
  guint before = compilation->n_errors;
  int errors = yr_compiler_add_string(compiler, copy, file->rule_namespace);
  if (errors > 0 && compilation->n_errors == before)
    refuse(compilation, "the file does not compile");
  return errors == 0;
}

Scanner *scanner_new(const RuleFile *files, guint n, GPtrArray *messages, GError **error) {
  if (yr_initialize() != ERROR_SUCCESS) {
    triage_fail(error, TRIAGE_REASON_INTERNAL, "libyara cannot be initialised");
    return NULL;
  }
  Compilation compilation = {.messages = messages};
  YR_COMPILER *compiler = new_compiler(&compilation);
  bool usable = true;
  for (guint i = 0; i < n && compiler != NULL; i++) {
    /* After an error a compiler of libyara 4.2 must not be used again: the others are compiled on
     * their own, for their messages. */
    if (usable) {
      usable = add_file(compiler, &files[i], &compilation);
    } else {
      YR_COMPILER *other = new_compiler(&compilation);
      if (other != NULL) {
        add_file(other, &files[i], &compilation);
        yr_compiler_destroy(other);
      }
    }
  }
  Scanner *scanner = g_new0(Scanner, 1);
  if (compiler == NULL || !usable) {
    triage_fail(error, TRIAGE_REASON_USAGE, "the rules do not compile: %s",
                compilation.first != NULL ? compilation.first : "libyara has no memory");
  } else if (yr_compiler_get_rules(compiler, &scanner->rules) != ERROR_SUCCESS ||
             yr_scanner_create(scanner->rules, &scanner->scanner) != ERROR_SUCCESS) {
    triage_fail(error, TRIAGE_REASON_INTERNAL, "libyara has no memory for the rules");
  }
  if (compiler != NULL)
    yr_compiler_destroy(compiler);
  g_free(compilation.first);
  if (scanner->scanner == NULL) {
    scanner_free(scanner);
    return NULL;
  }
  YR_RULE *rule;
  yr_rules_foreach(scanner->rules, rule) scanner->n_rules++;
  return scanner;
}

void scanner_free(Scanner *scanner) {
  if (scanner == NULL)
    return;
  prefilter_free(scanner->prefilter);
  if (scanner->scanner != NULL)
    yr_scanner_destroy(scanner->scanner);
  if (scanner->rules != NULL)
    yr_rules_destroy(scanner->rules);
  yr_finalize();
  g_free(scanner);
}

guint scanner_n_rules(const Scanner *scanner) {
  return scanner->n_rules;
}

void scanner_use_prefilter(Scanner *scanner) {
  if (scanner->prefilter == NULL)
    scanner->prefilter = prefilter_new(scanner->rules);
  gain_init(&scanner->gain);
}

const char *scanner_prefilter_state(const Scanner *scanner) {
  return scanner->prefilter != NULL ? prefilter_state(scanner->prefilter) : "off: not wanted";
}

char *scanner_explain_rule(const Scanner *scanner, guint i, const char **rule) {
  *rule = scanner->rules->rules_table[i].identifier;
  return prefilter_explain(scanner->prefilter, i);
}

const char *scanner_search_library(void) {
  return search_library();
}

typedef struct {
  GPtrArray *hits;
  const Content *content;
  uint64_t own;
  bool too_many;
  char *too_many_in;
} Scan;

static void scan_match_free(ScanMatch *match) {
  g_free(match->identifier);
  g_bytes_unref(match->bytes);
  g_free(match);
}

void scan_hit_free(ScanHit *hit) {
  g_free(hit->rule_namespace);
  g_free(hit->rule);
  g_ptr_array_unref(hit->identifiers);
  g_ptr_array_unref(hit->matches);
  g_free(hit);
}

static int compare_matches(gconstpointer a, gconstpointer b) {
  const ScanMatch *x = *(const ScanMatch *const *)a, *y = *(const ScanMatch *const *)b;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  return strcmp(x->identifier, y->identifier);
}

static int compare_texts(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Keeps the LIMIT_MATCHES_KEPT lowest offsets without ever holding more than twice as many. */
static void keep_lowest(GPtrArray *matches) {
  g_ptr_array_sort(matches, compare_matches);
  if (matches->len > LIMIT_MATCHES_KEPT)
    g_ptr_array_set_size(matches, LIMIT_MATCHES_KEPT);
}

static bool is_own(const Scan *scan, const YR_MATCH *match) {
  return (uint64_t)(match->base + match->offset) < scan->own;
}

static void add_match(ScanHit *hit, const Scan *scan, const YR_STRING *string,
                      const YR_MATCH *match) {
  uint64_t offset = (uint64_t)(match->base + match->offset), size = content_size(scan->content);
  hit->match_count++;
  hit->first_offset = MIN(hit->first_offset, offset);
  if (hit->matches->len >= 2 * LIMIT_MATCHES_KEPT)
    keep_lowest(hit->matches);
  ScanMatch *kept = g_new0(ScanMatch, 1);
  kept->identifier = g_strdup(string->identifier);
  kept->offset = offset;
  kept->length = (uint64_t)match->match_length;
  uint64_t n = offset < size ? MIN(MIN(kept->length, LIMIT_MATCH_BYTES), size - offset) : 0;
  kept->bytes = g_bytes_new(content_data(scan->content) + (n > 0 ? offset : 0), n);
  g_ptr_array_add(hit->matches, kept);
}

static void add_hit(Scan *scan, YR_SCAN_CONTEXT *context, const YR_RULE *rule) {
  ScanHit *hit = g_new0(ScanHit, 1);
  hit->rule_namespace = g_strdup(rule->ns->name);
  hit->rule = g_strdup(rule->identifier);
  hit->identifiers = g_ptr_array_new_with_free_func(g_free);
  hit->matches = g_ptr_array_new_with_free_func((GDestroyNotify)scan_match_free);
  hit->first_offset = UINT64_MAX;
  bool has_others = false;
  YR_STRING *string;
  yr_rule_strings_foreach(rule, string) {
    uint64_t before = hit->match_count;
    /* yr_string_matches_foreach by hand: libyara's notebook does not align what it hands out. */
    YR_MATCH match;
    for (const YR_MATCH *at = context->matches[string->idx].head; at != NULL; at = match.next) {
      memcpy(&match, at, sizeof match);
      if (match.is_private)
        continue;
      if (is_own(scan, &match))
        add_match(hit, scan, string, &match);
      else
        has_others = true;
    }
    if (hit->match_count > before &&
        !g_ptr_array_find_with_equal_func(hit->identifiers, string->identifier, g_str_equal, NULL))
      g_ptr_array_add(hit->identifiers, g_strdup(string->identifier));
  }
  g_ptr_array_sort(hit->identifiers, compare_texts);
  keep_lowest(hit->matches);
  if (hit->match_count == 0 && has_others)
    scan_hit_free(hit);
  else
    g_ptr_array_add(scan->hits, hit);
}

static int on_event(YR_SCAN_CONTEXT *context, int message, void *data, void *user) {
  Scan *scan = user;
  if (message == CALLBACK_MSG_RULE_MATCHING) {
    add_hit(scan, context, data);
  } else if (message == CALLBACK_MSG_TOO_MANY_MATCHES) {
    const YR_STRING *string = data;
    if (!scan->too_many)
      scan->too_many_in = g_strdup(string->identifier);
    scan->too_many = true;
  }
  return CALLBACK_CONTINUE;
}

GPtrArray *scanner_scan(Scanner *scanner, const Content *content, uint32_t timeout_seconds,
                        GError **error) {
  return scanner_scan_own(scanner, content, UINT64_MAX, timeout_seconds, error);
}

/* False where libyara is known to find nothing. */
static bool is_to_scan(Scanner *scanner, const Content *content) {
  uint64_t size = content_size(content);
  if (scanner->prefilter == NULL || !prefilter_is_on(scanner->prefilter) ||
      !gain_is_worth(&scanner->gain, size))
    return true;
  bool is_through = prefilter_may_match(scanner->prefilter, content);
  gain_tried(&scanner->gain, size, !is_through);
  return is_through;
}

static int run_scan(Scanner *scanner, Scan *scan, uint32_t timeout_seconds) {
  yr_scanner_set_callback(scanner->scanner, on_event, scan);
  yr_scanner_set_flags(scanner->scanner, SCAN_FLAGS_REPORT_RULES_MATCHING);
  yr_scanner_set_timeout(scanner->scanner, (int)MIN(timeout_seconds, 1000000u));
  return yr_scanner_scan_mem(scanner->scanner, content_data(scan->content),
                             (size_t)content_size(scan->content));
}

GPtrArray *scanner_scan_own(Scanner *scanner, const Content *content, uint64_t own,
                            uint32_t timeout_seconds, GError **error) {
  Scan scan = {.hits = g_ptr_array_new_with_free_func((GDestroyNotify)scan_hit_free),
               .content = content,
               .own = own};
  if (!is_to_scan(scanner, content))
    return scan.hits;
  int rc = run_scan(scanner, &scan, timeout_seconds);
  if (rc == ERROR_SCAN_TIMEOUT)
    triage_fail(error, TRIAGE_REASON_TIMEOUT, "the rules were not done after %u seconds",
                timeout_seconds);
  else if (rc == ERROR_INSUFFICIENT_MEMORY)
    triage_fail(error, TRIAGE_REASON_OUT_OF_MEMORY, "libyara had no memory left for this object");
  else if (rc != ERROR_SUCCESS && rc != ERROR_TOO_MANY_MATCHES)
    triage_fail(error, TRIAGE_REASON_CORRUPT, "libyara gave up with error %d", rc);
  else if (scan.too_many || rc == ERROR_TOO_MANY_MATCHES)
    triage_fail(error, TRIAGE_REASON_MATCH_LIMIT,
                "string %s matches more often than libyara counts (%d): further matches of it are "
                "not listed",
                scan.too_many_in != NULL ? scan.too_many_in : "of a rule", YR_MAX_STRING_MATCHES);
  g_free(scan.too_many_in);
  return scan.hits;
}

void scanner_warm_up(Scanner *scanner) {
  g_autoptr(Content) content = content_new_copy("warm up", 7);
  Scan scan = {.hits = g_ptr_array_new_with_free_func((GDestroyNotify)scan_hit_free),
               .content = content,
               .own = UINT64_MAX};
  run_scan(scanner, &scan, 60);
  g_free(scan.too_many_in);
  g_ptr_array_unref(scan.hits);
}
