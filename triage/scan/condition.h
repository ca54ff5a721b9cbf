/* SPDX-License-Identifier: Apache-2.0 */
/* condition.h - can a rule be true although some strings are nowhere? Answered by running the
 * code that libyara compiled the condition to, with values of which some are not known: it is what
 * libyara executes, so there is no second reading of the language to get wrong. Knows no bytes. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <yara.h>

typedef struct _Conditions Conditions;

/* NULL where the compiled code is not of the one known kind (libyara 4.2). rules must outlive it.
 */
Conditions *conditions_new(const YR_RULES *rules);
void conditions_free(Conditions *conditions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Conditions, conditions_free)

/* True where rule number rule is surely not true of any content in which no string whose number is
 * set in absent matches, and of which no rule set in is_false is true. Both are by libyara's
 * numbers. False also where an instruction is not known or the code takes too long. */
bool condition_is_false(const Conditions *conditions, uint32_t rule, const bool *absent,
                        const bool *is_false);
