/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - rules compiled by libyara and content scanned with them. libyara is the authority: a
 * scan of content gives what 'yara' gives on the exported file. Knows nothing of where bytes come
 * from. */
#pragma once
#include "base/content.h"
#include "triage/error.h"
#include <glib.h>

typedef struct {
  char *rule_namespace; /* "default", or as given with -r ns:file */
  char *name;           /* file name for messages */
  GBytes *text;
} RuleFile;

typedef struct {
  char *file;
  int line;
  bool is_warning;
  char *message;
} RuleMessage;

typedef struct _Scanner Scanner;

/* Compiles the files ('include' is off; compiled rules are refused). messages (RuleMessage*, may be
 * NULL) receives every error and warning with file and line. NULL with error (usage) on any error.
 */
Scanner *scanner_new(const RuleFile *files, guint n, GPtrArray *messages, GError **error);
void scanner_free(Scanner *scanner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scanner, scanner_free)
guint scanner_n_rules(const Scanner *scanner);
void rule_message_free(RuleMessage *message);

/* From now on content is not given to libyara where it is proved to find nothing. */
void scanner_use_prefilter(Scanner *scanner);
/* One sentence: how the prefilter works here, or why it does not. (transfer none) */
const char *scanner_prefilter_state(const Scanner *scanner);
/* Of rule number i: name, and what the prefilter proves of it, one sentence. (transfer full) */
char *scanner_explain_rule(const Scanner *scanner, guint i, const char **rule);
const char *scanner_search_library(void); /* name and version; NULL: none is built in */

/* Scans an empty buffer once, so that modules open their databases before the lock-in. */
void scanner_warm_up(Scanner *scanner);

typedef struct {
  char *identifier; /* "$c1" */
  uint64_t offset, length;
  GBytes *bytes; /* at most LIMIT_MATCH_BYTES */
} ScanMatch;

typedef struct {
  char *rule_namespace, *rule;
  GPtrArray *identifiers; /* char*: all that matched, sorted, unique */
  uint64_t match_count;   /* all matches, of all strings */
  uint64_t first_offset;  /* lowest offset; UINT64_MAX where the rule matched without a string */
  GPtrArray *matches;     /* ScanMatch*, by offset then identifier, at most LIMIT_MATCHES_KEPT */
} ScanHit;
void scan_hit_free(ScanHit *hit);

/* Scans content; returns ScanHit* in rule order (transfer full), possibly empty. *error is set
 * where the scan is incomplete (timeout, match-limit, out-of-memory); hits found so far are
 * returned. */
GPtrArray *scanner_scan(Scanner *scanner, const Content *content, uint32_t timeout_seconds,
                        GError **error);

/* The same, but that matches which begin at own or behind it are somebody else's: they are not
 * counted, and a rule is left out where all its matches are such. */
GPtrArray *scanner_scan_own(Scanner *scanner, const Content *content, uint64_t own,
                            uint32_t timeout_seconds, GError **error);
