/* SPDX-License-Identifier: Apache-2.0 */
/* error.h - the one error type. An error's code IS the reason written to coverage.csv, so that no
 * failure can end nowhere: whoever catches one records it and goes on. */
#pragma once
#include <glib.h>
#include <stdint.h>

/* Reasons of coverage.csv in the contract's order, then two that never reach it. */
typedef enum {
  TRIAGE_REASON_ENCRYPTED,
  TRIAGE_REASON_CORRUPT,
  TRIAGE_REASON_UNREADABLE,
  TRIAGE_REASON_TRUNCATED,
  TRIAGE_REASON_UNSUPPORTED_FILESYSTEM,
  TRIAGE_REASON_UNSUPPORTED_FORMAT,
  TRIAGE_REASON_DEPTH_LIMIT,
  TRIAGE_REASON_SIZE_LIMIT,
  TRIAGE_REASON_RATIO_LIMIT,
  TRIAGE_REASON_BAD_CHECKSUM,
  TRIAGE_REASON_MISSING_SEGMENT,
  TRIAGE_REASON_READ_ERROR,
  TRIAGE_REASON_TIMEOUT,
  TRIAGE_REASON_WORKER_CRASH,
  TRIAGE_REASON_OUT_OF_MEMORY,
  TRIAGE_REASON_MATCH_LIMIT,
  TRIAGE_REASON_KNOWN_FILE,
  TRIAGE_REASON_OVERWRITTEN,
  TRIAGE_REASON_LAST = TRIAGE_REASON_OVERWRITTEN,
  TRIAGE_REASON_USAGE,    /* the caller asked for something impossible: exit status 2 */
  TRIAGE_REASON_INTERNAL, /* a defect of triage itself, or of the machine: exit status 3 */
} TriageReason;

#define TRIAGE_ERROR (triage_error_quark())
GQuark triage_error_quark(void);

/* The reason's word in coverage.csv ("bad-checksum"). (transfer none), static. */
const char *triage_reason_name(TriageReason reason);

/* Sets *error with one sentence saying what, where and what to do. The only place that makes a
 * TRIAGE_ERROR, so a message is never NULL. Returns false so that callers can return its result. */
gboolean triage_fail(GError **error, TriageReason reason, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* The reason an error stands for; a foreign domain's error counts as INTERNAL. */
TriageReason triage_error_reason(const GError *error);
