/* SPDX-License-Identifier: Apache-2.0 */
/* reports_out.h - buffered text to a descriptor with one error for all of it, and the spellings
 * that several formats share. */
#pragma once
#include "store/store.h"

typedef struct {
  int fd;
  GString *buffer;
  int problem; /* errno of the first failed write, 0: none */
} Out;

void out_init(Out *out, int fd);
void out_text(Out *out, const char *text);
void out_format(Out *out, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Writes the rest and frees; false with error where any write failed. */
bool out_finish(Out *out, GError **error);

/* The path with the member behind it (transfer full). */
char *report_whole_path(const HitRow *hit);
typedef struct {
  const TriageTime *time;
  const char *description; /* in Timesketch's words */
} ReportEvent;
enum { REPORT_EVENTS = 4 };
/* The times of a hit that can be set in order with others: those of an unknown zone stay out.
 * Returns how many; pointers into the hit. */
guint report_events(const HitRow *hit, ReportEvent out[REPORT_EVENTS]);
/* What happened to the path, in one sentence (transfer full). */
char *report_event_message(const HitRow *hit, const char *path);
/* The time as RFC 3339 (without Z where its zone is unknown); false where there is none, or its
 * year has not four digits, which other tools' formats demand. */
bool report_time(const TriageTime *time, char *out, gsize size);

/* Namespaces of name-based identifiers: our own, and that of STIX observables. */
#define REPORT_UUID_OWN "5a2f6c1e-8d0b-4b7a-9e53-1f0c7d9b6a44"
#define REPORT_UUID_STIX "00abedb4-aa42-466c-9c01-fed23315a9b7"
/* UUID version 5 (RFC 4122) of name (transfer full). */
char *report_uuid(const char *name_space, const char *name);

/* Values of the indicators with one of the names (NULL-terminated), unique, joined by "; ". */
char *report_values(const HitRow *hit, const char *const *names);
