/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - the one error type; its codes are the words of coverage.csv. */
#include "triage/error.h"

G_DEFINE_QUARK(triage - error, triage_error)

static const char *const REASON_NAMES[] = {
    [TRIAGE_REASON_ENCRYPTED] = "encrypted",
    [TRIAGE_REASON_CORRUPT] = "corrupt",
    [TRIAGE_REASON_UNREADABLE] = "unreadable",
    [TRIAGE_REASON_TRUNCATED] = "truncated",
    [TRIAGE_REASON_UNSUPPORTED_FILESYSTEM] = "unsupported-filesystem",
    [TRIAGE_REASON_UNSUPPORTED_FORMAT] = "unsupported-format",
    [TRIAGE_REASON_DEPTH_LIMIT] = "depth-limit",
    [TRIAGE_REASON_SIZE_LIMIT] = "size-limit",
    [TRIAGE_REASON_RATIO_LIMIT] = "ratio-limit",
    [TRIAGE_REASON_BAD_CHECKSUM] = "bad-checksum",
    [TRIAGE_REASON_MISSING_SEGMENT] = "missing-segment",
    [TRIAGE_REASON_READ_ERROR] = "read-error",
    [TRIAGE_REASON_TIMEOUT] = "timeout",
    [TRIAGE_REASON_WORKER_CRASH] = "worker-crash",
    [TRIAGE_REASON_OUT_OF_MEMORY] = "out-of-memory",
    [TRIAGE_REASON_MATCH_LIMIT] = "match-limit",
    [TRIAGE_REASON_KNOWN_FILE] = "known-file",
    [TRIAGE_REASON_OVERWRITTEN] = "overwritten",
    [TRIAGE_REASON_USAGE] = "usage",
    [TRIAGE_REASON_INTERNAL] = "internal",
};

const char *triage_reason_name(TriageReason reason) {
  if ((unsigned)reason >= G_N_ELEMENTS(REASON_NAMES))
    return "internal";
  return REASON_NAMES[reason];
}

gboolean triage_fail(GError **error, TriageReason reason, const char *format, ...) {
  if (error == NULL)
    return FALSE;
  va_list arguments;
  va_start(arguments, format);
  g_autofree char *message = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  g_set_error_literal(error, TRIAGE_ERROR, (int)reason, message);
  return FALSE;
}

TriageReason triage_error_reason(const GError *error) {
  if (error == NULL || error->domain != TRIAGE_ERROR)
    return TRIAGE_REASON_INTERNAL;
  return (TriageReason)error->code;
}
