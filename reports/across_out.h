/* SPDX-License-Identifier: Apache-2.0 */
/* across_out.h - across.csv and across.html: what the exhibits of one or many cases have in common.
 * A case of many exhibits has them among its reports; of many cases 'triage compare' writes them.
 */
#pragma once
#include "store/across.h"

/* The word of across.csv for a kind of group, and how the page names it. Static. */
const char *across_kind_word(AcrossKind kind);

typedef struct {
  Across *across;
  guint least;
  bool is_case; /* the pages of the exhibits stand beside this one */
} AcrossReport;
bool across_write_csv(const AcrossReport *report, int fd, GError **error);
bool across_write_html(const AcrossReport *report, int fd, GError **error);
/* Both into an existing directory, each through a temporary file, and across.sha256 over them, as
 * sha256sum -c reads it. */
bool across_write(const AcrossReport *report, const char *dir, GError **error);
