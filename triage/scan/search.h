/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - does any of many byte sequences occur? By Hyperscan or Vectorscan; where neither is
 * there, or the processor is too old for it, there is no search. Knows no rules. */
#pragma once
#include "base/content.h"
#include "scan/needles.h"

typedef struct _Search Search;

/* NULL with *why (transfer none) where there can be none. needles: const Needle*. */
Search *search_new(const GPtrArray *needles, const char **why);
void search_free(Search *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Search, search_free)
/* True also where the search itself fails. */
bool search_finds(Search *search, const Content *content);
const char *search_library(void); /* name and version; NULL: not built in */
