/* SPDX-License-Identifier: Apache-2.0 */
/* html_words.h - the plain language of the page: what each word of the contract means. */
#pragma once
#include "triage/error.h"
#include <glib.h>

/* In the order of the page: what needs a person first. The last is for what no run has assessed. */
enum { VERDICTS = 5 };
typedef struct {
  const char *name;    /* of hits.csv, "" for the last */
  const char *id;      /* of the page's section */
  const char *title;   /* "Suspicious" */
  const char *mark;    /* a sign beside the colour, so that colour never stands alone */
  const char *meaning; /* one sentence */
} VerdictWords;
extern const VerdictWords VERDICT_WORDS[VERDICTS];
/* 0 .. VERDICTS - 1 */
guint verdict_index(const char *name);

enum { REASONS = TRIAGE_REASON_LAST + 2 };
typedef struct {
  const char *name, *plain, *meaning; /* of coverage.csv; "encrypted content"; what it means */
} ReasonWords;
extern const ReasonWords REASON_WORDS[REASONS]; /* the last is for any other word */
guint reason_index(const char *name);

/* "smtp_server" -> "Mail server"; the name itself where it is not known. (transfer none) */
const char *indicator_title(const char *name);
/* All known names and their titles: n pairs. (transfer none) */
const char *const (*indicator_titles(gsize *n))[2];
/* "scheduled-report" -> "scheduled report"; "" stays. (transfer none) */
const char *scenario_title(const char *name);

/* The line that says what a hit would do: "Mail through SERVER, to RECIPIENTS, with ATTACHMENTS".
 */
enum { HTML_GIST_PARTS = 3, HTML_GIST_BYTES = 160 };
typedef struct {
  const char *before;
  const char *const *names; /* of indicators, NULL-terminated */
} GistWords;
extern const GistWords HTML_GIST[HTML_GIST_PARTS];

/* "against" -> "Against it"; in the order of the page, by weight of a ground. */
enum { WEIGHTS = 4 };
extern const char *const WEIGHT_WORDS[WEIGHTS][2];

typedef struct {
  const char *term, *meaning;
} GlossaryWords;
extern const GlossaryWords GLOSSARY[];
extern const gsize GLOSSARY_LENGTH;
