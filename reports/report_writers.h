/* SPDX-License-Identifier: Apache-2.0 */
/* report_writers.h - the writers of each format, for the table in reports_table.c alone. */
#pragma once
#include "store/store.h"

bool report_write_hits(Store *store, int fd, GError **error);
bool report_write_coverage(Store *store, int fd, GError **error);
bool report_write_entries(Store *store, int fd, GError **error);
bool report_write_notes(Store *store, int fd, GError **error);
bool report_write_jsonl(Store *store, int fd, GError **error);
bool report_write_body(Store *store, int fd, GError **error);
bool report_write_timesketch(Store *store, int fd, GError **error);
bool report_write_timesketch_csv(Store *store, int fd, GError **error);
bool report_write_dfxml(Store *store, int fd, GError **error);
bool report_write_case(Store *store, int fd, GError **error);
bool report_write_stix(Store *store, int fd, GError **error);
bool report_write_ecs(Store *store, int fd, GError **error);
bool report_write_sentinel(Store *store, int fd, GError **error);
bool report_write_kql(Store *store, int fd, GError **error);
bool report_write_exhibits(Store *store, int fd, GError **error);
bool report_write_across(Store *store, int fd, GError **error);
bool report_write_across_csv(Store *store, int fd, GError **error);
bool report_write_pdf(Store *store, int fd, GError **error);
/* The page of report_write_html as it is printed: without script and without what one works on. */
bool report_write_paper(Store *store, int fd, GError **error);
bool report_write_html(Store *store, int fd, GError **error);
