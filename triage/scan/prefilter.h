/* SPDX-License-Identifier: Apache-2.0 */
/* prefilter.h - tells most contents that no rule can be true of without asking libyara: a rule is
 * proved false wherever certain bytes are nowhere, and a search for all of those at once is many
 * times as fast as libyara. What cannot be proved is not filtered. Knows nothing of hits. */
#pragma once
#include "base/content.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <yara.h>

typedef struct _Prefilter Prefilter;

/* Never NULL; a prefilter that cannot prove all rules lets everything through. rules must outlive
 * it. */
Prefilter *prefilter_new(const YR_RULES *rules);
void prefilter_free(Prefilter *prefilter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Prefilter, prefilter_free)

/* One sentence: what is searched for, or why nothing is. (transfer none) */
const char *prefilter_state(const Prefilter *prefilter);
bool prefilter_is_on(const Prefilter *prefilter);

/* False: a scan of content finds no rule, and has nothing to complain about either. */
bool prefilter_may_match(Prefilter *prefilter, const Content *content);

/* What the rule's proof rests on, or why there is none: one sentence. (transfer full) */
char *prefilter_explain(const Prefilter *prefilter, uint32_t rule);
