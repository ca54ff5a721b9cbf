/* SPDX-License-Identifier: Apache-2.0 */
/* html_case.h - what the page shows of a case, read from the store once and bounded: everything is
 * counted, the first LIMIT rows are kept. The parts of the page write themselves from it. */
#pragma once
#include "reports/html_data.h"
#include "reports/html_marks.h"
#include "reports/html_out.h"
#include "reports/html_words.h"
#include "store/store.h"

/* Static rows take a browser milliseconds each: more than these stand in the CSV files, and the
 * page says so. */
enum {
  HTML_HITS = 2000,
  HTML_GAPS = 2000,
  HTML_MATCHES = 20,
  HTML_MARKS = 64,
  HTML_INDICATORS = 40
};

typedef struct {
  HitRow row; /* the first HTML_MARKS matches and HTML_INDICATORS alone */
  guint all_matches, all_indicators;
  const char *grounds; /* as html_case_grounds gives them */
  uint64_t first_byte; /* of the object, in the evidence */
} ShownHit;

/* Hits of the same content with the same verdict and grounds, at one or more places. */
typedef struct {
  GPtrArray *hits; /* ShownHit*, at least one; owned by the case */
  guint rank, no;  /* of its first ground in the documented list; of its first hit among groups */
} HitGroup;
enum { HTML_NO_RANK = 9999 }; /* without any ground: behind the others */

typedef struct {
  EvidenceRecord record;
  GArray *volumes;       /* VolumeRecord */
  GPtrArray *properties; /* char*: name, value, name, value ... */
  GPtrArray *files;      /* char*: path */
  GArray *file_bytes;    /* uint64_t */
  StoreTotals totals;    /* of all volumes together */
} EvidenceInfo;

typedef struct {
  Store *store;
  GStringChunk *texts;     /* every text below lives here */
  char *report_id;         /* "R-" and 16 hex over the results: same results, same id */
  uint64_t n_hits, n_gaps; /* all of them */
  uint64_t hits_of[VERDICTS], shown_of[VERDICTS];
  uint64_t contents_of[VERDICTS]; /* different SHA-256 among them */
  GPtrArray *groups_of[VERDICTS]; /* HitGroup*, by ground, then by their first hit */
  uint64_t n_deleted, n_in_areas, n_in_containers, n_streams; /* of all hits */
  uint64_t gaps_of[REASONS];
  GArray *gap_rows_of[REASONS]; /* GapRow */
  GPtrArray *evidence;          /* EvidenceInfo* */
  GArray *inputs;               /* InputFile */
  StoreTotals totals;
  gboolean has_local_times;
  HtmlMarks marks;
  bool for_paper;    /* printed at once: no script, nothing for one */
  GHashTable *notes; /* hit_id -> char *[2]: tag, text */
  GPtrArray *noted;  /* char*: hit_id, in the order of the hits */
  HtmlData *data;    /* of all hits, for the script */
  GError *problem;   /* of a store that cannot be read, while rows are taken */
} HtmlCase;

/* (transfer full) */
HtmlCase *html_case_read(Store *store, GError **error);
void html_case_free(HtmlCase *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HtmlCase, html_case_free)

/* What the verdict on a hit rests on: items of weight, identifier and text, as html_data.h spells
 * lists; rank: of the gravest in the documented list, HTML_NO_RANK without any. (transfer full) */
char *html_case_grounds(HtmlCase *page, const HitRow *hit, guint *rank);
bool html_notes_read(HtmlCase *page, GError **error);
/* The commands of html_by_hand, each line ended by '\n'. (transfer full) */
char *html_hand_commands(const HtmlCase *page, const HitRow *hit);

/* A recorded fact about the run, "" where there is none. (transfer none), valid with the case. */
const char *html_case_meta(HtmlCase *page, const char *key);
const EvidenceInfo *html_case_evidence(const HtmlCase *page, uint32_t no); /* NULL: none such */
/* Objects that no worker has come to: the run was stopped. */
uint64_t html_case_pending(const HtmlCase *page);
/* True where the run ended and left no row in coverage.csv. */
bool html_case_is_complete(HtmlCase *page);
