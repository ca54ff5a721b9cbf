/* SPDX-License-Identifier: Apache-2.0 */
/* prefilter.c - which bytes must occur for any rule to be true, and the search for them.
 *
 * The search decides alone where every rule that is reported is proved false without what is
 * searched for. What libyara would complain about must not get lost either: a string that matches a
 * million times, or an expression it gives up on. So expressions are always searched for, and
 * content large enough for a million matches of something else has a search of its own, for all. */
#include "scan/prefilter.h"
#include "base/limits.h"
#include "base/text.h"
#include "scan/condition.h"
#include "scan/search.h"
#include <string.h>

enum { NEEDLES_SHOWN = 8 };

typedef enum {
  PROOF_IS_THERE,
  PROOF_NOT_ASKED_FOR, /* a private rule: never reported */
  PROOF_NONE,          /* true, or not understood, without any of its strings */
  PROOF_ANYWHERE       /* a string it hangs on may match anywhere */
} ProofKind;

struct _Prefilter {
  const YR_RULES *rules;
  Needles *needles;
  Conditions *conditions;
  uint8_t *proofs; /* ProofKind, by rule */
  bool *is_used;   /* by string: it is searched for */
  Search *few, *all;
  uint64_t few_below;     /* size of content for which few will do */
  GPtrArray *all_needles; /* until all is made, when it is first asked for; NULL: not to be had */
  char *state;
};

/* The string a part of a chain ("{ 01 [300-] 02 }") belongs to. */
static const YR_STRING *head_of(const YR_STRING *string) {
  while (string->chained_to != NULL)
    string = string->chained_to;
  return string;
}

/* How well a string can be searched for: the length of its shortest needle, 0: not at all. */
static uint32_t quality(const Prefilter *p, uint32_t string) {
  const GArray *list = p->needles->strings[string].list;
  uint32_t least = list->len > 0 ? G_MAXUINT32 : 0;
  for (guint i = 0; i < list->len; i++)
    least = MIN(least, g_array_index(list, Needle, i).n);
  return least;
}

/* Of a chain all parts must match: the one that is found best stands for it. */
static uint32_t best_part(const Prefilter *p, const YR_STRING *head) {
  uint32_t best = head->idx;
  for (const YR_STRING *part = head; part != NULL;
       part = STRING_IS_LAST_IN_RULE(part) ? NULL : part + 1)
    if (head_of(part) == head && quality(p, part->idx) > quality(p, best))
      best = part->idx;
  return best;
}

static int compare_quality(gconstpointer a, gconstpointer b, gpointer user) {
  uint32_t x = quality(user, *(const uint32_t *)a), y = quality(user, *(const uint32_t *)b);
  return x < y ? -1 : x > y;
}

/* What libyara may give up on: it follows so many ways through one at most. Hexadecimal strings
 * with alternatives are run like expressions, those without are not. */
static bool is_expression(const YR_STRING *string) {
  return !STRING_IS_LITERAL(string) && (STRING_IS_REGEXP(string) || !STRING_IS_FAST_REGEXP(string));
}

/* Proves the rule and marks what is searched for it: as little as will do, the shortest left out
 * first. absent and is_false as for condition_is_false. */
static ProofKind prove(Prefilter *p, uint32_t rule, bool *absent, const bool *is_false) {
  g_autoptr(GArray) heads = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  bool has_all = true;
  const YR_RULE *of = &p->rules->rules_table[rule];
  const YR_STRING *string;
  yr_rule_strings_foreach(of, string) {
    if (string->chained_to != NULL)
      continue;
    absent[string->idx] = quality(p, best_part(p, string)) > 0;
    has_all = has_all && absent[string->idx];
    if (absent[string->idx])
      g_array_append_val(heads, string->idx);
  }
  if (!condition_is_false(p->conditions, rule, absent, is_false))
    return has_all ? PROOF_NONE : PROOF_ANYWHERE;
  g_array_sort_with_data(heads, compare_quality, p);
  for (guint i = 0; i < heads->len; i++) {
    uint32_t head = g_array_index(heads, uint32_t, i);
    absent[head] = false;
    absent[head] = is_expression(&p->rules->strings_table[head]) ||
                   !condition_is_false(p->conditions, rule, absent, is_false);
  }
  for (guint i = 0; i < heads->len; i++) {
    const YR_STRING *head = &p->rules->strings_table[g_array_index(heads, uint32_t, i)];
    if (absent[head->idx])
      p->is_used[best_part(p, head)] = true;
  }
  return PROOF_IS_THERE;
}

/* Rules may refer to those before them. */
static void prove_all(Prefilter *p) {
  g_autofree bool *absent = g_new0(bool, p->rules->num_strings + 1);
  g_autofree bool *is_false = g_new0(bool, p->rules->num_rules + 1);
  for (uint32_t i = 0; i < p->rules->num_rules; i++) {
    ProofKind kind = prove(p, i, absent, is_false);
    is_false[i] = kind == PROOF_IS_THERE;
    if (kind != PROOF_IS_THERE && RULE_IS_PRIVATE(&p->rules->rules_table[i]))
      kind = PROOF_NOT_ASKED_FOR;
    p->proofs[i] = (uint8_t)kind;
  }
}

static void set_state(Prefilter *p, char *state) {
  g_free(p->state);
  p->state = state;
}

/* The rule is not in the way of the others: proved, or not asked for. */
static bool is_proved(const Prefilter *p, uint32_t rule) {
  return p->proofs[rule] == PROOF_IS_THERE || p->proofs[rule] == PROOF_NOT_ASKED_FOR;
}

static bool has_all_proofs(Prefilter *p) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < p->rules->num_rules; i++)
    n += !is_proved(p, i);
  if (n > 0)
    set_state(p, g_strdup_printf("off: of %u of %u rules it is not proved that they need bytes "
                                 "that can be searched for",
                                 n, p->rules->num_rules));
  return n == 0;
}

/* The needles of what is used, or of everything; NULL with *why where it cannot be searched for. */
static GPtrArray *collect(const Prefilter *p, bool is_all, char **why) {
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  for (uint32_t i = 0; i < p->needles->n; i++) {
    const GArray *needles = p->needles->strings[i].list;
    bool is_wanted = is_all || p->is_used[i] || is_expression(&p->rules->strings_table[i]);
    if (is_wanted && needles->len == 0) {
      const YR_STRING *string = &p->rules->strings_table[i];
      *why =
          g_strdup_printf("off: string %s of rule %s has no byte that is always the same",
                          string->identifier, p->rules->rules_table[string->rule_idx].identifier);
      return NULL;
    }
    for (guint k = 0; is_wanted && k < needles->len; k++)
      g_ptr_array_add(list, &g_array_index(needles, Needle, k));
  }
  if (list->len > LIMIT_NEEDLES) {
    *why = g_strdup_printf("off: %u byte sequences would have to be searched for, at most %u are",
                           list->len, LIMIT_NEEDLES);
    return NULL;
  }
  return g_steal_pointer(&list);
}

/* Below this size no string that is left out can match as often as libyara complains about. */
static uint64_t safe_size(const Prefilter *p) {
  uint64_t size = G_MAXUINT64;
  for (uint32_t i = 0; i < p->needles->n; i++)
    if (!p->is_used[i] && !is_expression(&p->rules->strings_table[i]))
      size = MIN(size, p->needles->strings[i].spacing * (YR_MAX_STRING_MATCHES - 1));
  return size;
}

static void make_search(Prefilter *p) {
  g_autofree char *why_few = NULL, *why_all = NULL;
  g_autoptr(GPtrArray) few = collect(p, false, &why_few), all = collect(p, true, &why_all);
  const char *why = "";
  if (few == NULL || few->len == 0) {
    set_state(p, few == NULL ? g_steal_pointer(&why_few) : g_strdup("off: no rule can be true"));
    return;
  }
  p->few_below = safe_size(p);
  p->few = search_new(few, &why);
  if (p->few == NULL) {
    set_state(p, g_strdup_printf("off: %s", why));
    return;
  }
  p->all_needles = g_steal_pointer(&all);
  set_state(p, g_strdup_printf("on: %u byte sequences for %u rules, by Hyperscan %s", few->len,
                               p->rules->num_rules, search_library()));
}

Prefilter *prefilter_new(const YR_RULES *rules) {
  Prefilter *p = g_new0(Prefilter, 1);
  p->rules = rules;
  p->proofs = g_new0(uint8_t, rules->num_rules + 1);
  p->is_used = g_new0(bool, rules->num_strings + 1);
  p->conditions = conditions_new(rules);
  p->needles = p->conditions != NULL ? needles_new(rules) : NULL;
  if (p->needles == NULL) {
    memset(p->proofs, PROOF_NONE, rules->num_rules);
    set_state(p, g_strdup("off: the rules are compiled in a way that is not known"));
    return p;
  }
  prove_all(p);
  if (has_all_proofs(p))
    make_search(p);
  return p;
}

void prefilter_free(Prefilter *prefilter) {
  if (prefilter == NULL)
    return;
  search_free(prefilter->few);
  search_free(prefilter->all);
  g_clear_pointer(&prefilter->all_needles, g_ptr_array_unref);
  needles_free(prefilter->needles);
  conditions_free(prefilter->conditions);
  g_free(prefilter->proofs);
  g_free(prefilter->is_used);
  g_free(prefilter->state);
  g_free(prefilter);
}

const char *prefilter_state(const Prefilter *prefilter) {
  return prefilter->state;
}

bool prefilter_is_on(const Prefilter *prefilter) {
  return prefilter->few != NULL;
}

bool prefilter_may_match(Prefilter *prefilter, const Content *content) {
  const char *why;
  bool is_few = content_size(content) < prefilter->few_below;
  if (!is_few && prefilter->all_needles != NULL) {
    prefilter->all = search_new(prefilter->all_needles, &why);
    g_clear_pointer(&prefilter->all_needles, g_ptr_array_unref);
  }
  Search *search = is_few ? prefilter->few : prefilter->all;
  return search == NULL || search_finds(search, content);
}

static char *explain_needles(const Prefilter *p, uint32_t rule) {
  g_autoptr(GString) out = g_string_new("false without any of");
  guint n = 0;
  const YR_RULE *of = &p->rules->rules_table[rule];
  const YR_STRING *string;
  yr_rule_strings_foreach(of, string) {
    const GArray *list = p->needles->strings[string->idx].list;
    if (!p->is_used[string->idx])
      continue;
    for (guint i = 0; i < list->len; i++) {
      const Needle *needle = &g_array_index(list, Needle, i);
      g_autofree char *text = text_printable(needle->bytes, needle->n);
      if (n++ < NEEDLES_SHOWN)
        g_string_append_printf(out, "%s %s \"%s\"%s", n > 1 ? "," : "", string->identifier, text,
                               needle->is_caseless ? " in any case" : "");
    }
  }
  if (n == 0)
    g_string_assign(out, "never true");
  else if (n > NEEDLES_SHOWN)
    g_string_append_printf(out, ", and %u more", n - NEEDLES_SHOWN);
  return g_string_free(g_steal_pointer(&out), FALSE);
}

char *prefilter_explain(const Prefilter *prefilter, uint32_t rule) {
  switch ((ProofKind)prefilter->proofs[rule]) {
  case PROOF_IS_THERE:
    return explain_needles(prefilter, rule);
  case PROOF_NOT_ASKED_FOR:
    return g_strdup("private, and not needed");
  case PROOF_ANYWHERE:
    return g_strdup("not proved: it may hang on a string without bytes that are always the same");
  default:
    return g_strdup("not proved: it may be true although none of its strings is there");
  }
}
