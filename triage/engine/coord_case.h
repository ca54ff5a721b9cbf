/* SPDX-License-Identifier: Apache-2.0 */
/* coord_case.h - what a case records beside its findings. */
#pragma once
#include "engine/coord_private.h"

char *case_now(void); /* RFC 3339 UTC (transfer full) */
/* Which digests of the whole media a run computes: SHA-256, each that --digest adds and each that
 * the container stores (probe; NULL: not asked), so that it can be compared; 0 for --digest none.
 */
DigestSet case_digest_set(const ScanOptions *options, const Probe *probe);

bool case_begin(Run *run, const char *libraries, GError **error);
bool case_put_probe(Run *run, GError **error);
/* "size, modified, changed, accessed" of a file, tab between; empty fields where it cannot be had.
 * (transfer full) */
char *case_file_state(const char *path);
/* Records the state of the evidence's files, as the probe met them or as it is now; one that has
 * changed meanwhile is a row of coverage. */
bool case_put_files(Run *run, bool is_after, GError **error);
/* Adds the time since began to what the evidence at hand has taken. */
bool case_add_seconds(Run *run, gint64 began, GError **error);
/* The limits a case was examined under, for a second look at its objects. */
void case_recorded_limits(Store *store, ScanOptions *options);
/* Where a piece of evidence is: as given now (in order of the scan), else where it was. (transfer
 * none) */
const char *case_evidence_path(char **given, const EvidenceRecord *record);
