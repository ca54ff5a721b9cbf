/* SPDX-License-Identifier: Apache-2.0 */
/* coord_assess.c - the verdicts, once all evidence is examined: computed here from checked fields,
 * never by a worker. */
#include "base/timestomp.h"
#include "engine/coord_private.h"
#include <string.h>

/* A fact that owns its texts. */
typedef struct {
  FactRef ref;
  char *texts[6];
} OwnedFact;

static void owned_fact_free(OwnedFact *fact) {
  for (guint i = 0; i < G_N_ELEMENTS(fact->texts); i++)
    g_free(fact->texts[i]);
  g_free(fact);
}

/* The last that an entry's times record. Times of an unknown zone are hours off, not days. */
static int64_t last_of(const TriageTime *const times[4]) {
  int64_t last = 0;
  for (guint i = 0; i < 4; i++)
    if (times[i]->is_set)
      last = MAX(last, times[i]->seconds);
  return last;
}

static bool collect_fact(void *user, const FactRow *row) {
  OwnedFact *fact = g_new0(OwnedFact, 1);
  g_autofree char *path =
      *row->member != '\0' ? g_strconcat(row->path, "!/", row->member, NULL) : g_strdup(row->path);
  const char *texts[] = {row->kind, row->target, row->detail, path, row->sha256, row->evidence};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    fact->texts[i] = g_strdup(texts[i]);
  fact->ref = (FactRef){.kind = fact->texts[0],
                        .target = fact->texts[1],
                        .detail = fact->texts[2],
                        .path = fact->texts[3],
                        .sha256 = fact->texts[4],
                        .evidence = fact->texts[5],
                        .volume = row->volume,
                        .is_live = row->is_live};
  if (*row->member == '\0') { /* a member's container has times of its own */
    fact->ref.made = row->created.is_set ? row->created.seconds : 0;
    fact->ref.last = last_of(
        (const TriageTime *const[]){&row->created, &row->modified, &row->changed, &row->accessed});
  }
  g_ptr_array_add(user, fact);
  return true;
}

typedef struct {
  int64_t rowid;
  Verdict verdict;
} Decision;

static void decision_clear(gpointer decision) {
  verdict_clear(&((Decision *)decision)->verdict);
}

typedef struct {
  const ProfileSet *profiles;
  const ExhibitList *exhibits;
  const GPtrArray *facts;
  GArray *decisions;
} Assessment;

/* A hit under several names is decided by its first one: rows of the same hit come together. */
static bool decide(void *user, const HitRow *row) {
  Assessment *assessment = user;
  guint n = assessment->decisions->len;
  if (n > 0 && g_array_index(assessment->decisions, Decision, n - 1).rowid == row->rowid)
    return true;
  g_autoptr(GPtrArray) indicators = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < row->n_indicators; i++) {
    Indicator *indicator = g_new0(Indicator, 1); /* texts stay the row's */
    indicator->name = (char *)row->indicators[i].name;
    indicator->value = (char *)row->indicators[i].value;
    indicator->offset = row->indicators[i].offset;
    g_ptr_array_add(indicators, indicator);
  }
  HitView view = {
      .evidence = row->evidence,
      .volume = row->volume,
      .path = row->path,
      .member = row->member,
      .view = row->view,
      .state = row->state,
      .sha256 = row->digests.sha256,
      .rule = row->rule,
      .is_named_stream = row->is_named_stream,
      .is_timestomped = timestomp_is(row->timestomp),
      .last = last_of((const TriageTime *const[]){&row->object_created, &row->object_modified,
                                                  &row->object_changed, &row->object_accessed}),
      .indicators = indicators,
      .facts = assessment->facts,
      .excerpt = row->excerpt};
  Decision decision = {.rowid = row->rowid};
  assess_hit(exhibit_list_profiles(assessment->exhibits, row->evidence_no, assessment->profiles),
             &view, &decision.verdict);
  g_array_append_val(assessment->decisions, decision);
  return true;
}

static bool put_decision(Run *run, const Decision *decision, GError **error) {
  const Verdict *verdict = &decision->verdict;
  g_autoptr(GPtrArray) corroboration = g_ptr_array_new();
  for (guint i = 0; verdict->corroboration != NULL && i < verdict->corroboration->len; i++)
    g_ptr_array_add(corroboration, verdict->corroboration->pdata[i]);
  g_ptr_array_add(corroboration, NULL);
  g_autoptr(GArray) grounds = g_array_new(FALSE, FALSE, sizeof(GroundRecord));
  for (guint i = 0; verdict->grounds != NULL && i < verdict->grounds->len; i++) {
    const VerdictGround *ground = &g_array_index(verdict->grounds, VerdictGround, i);
    GroundRecord record = {ground->id, ground->weight, ground->text, ground->rank};
    g_array_append_val(grounds, record);
  }
  return store_put_verdict(run->store, decision->rowid, verdict_name(verdict->verdict),
                           verdict->scenario, verdict->profile, verdict->reason,
                           (const char *const *)corroboration->pdata, error) &&
         store_put_grounds(run->store, decision->rowid, (const GroundRecord *)grounds->data,
                           grounds->len, error);
}

bool assess_case(Run *run, GError **error) {
  g_autoptr(GPtrArray) facts = g_ptr_array_new_with_free_func((GDestroyNotify)owned_fact_free);
  g_autoptr(GArray) decisions = g_array_new(FALSE, TRUE, sizeof(Decision));
  g_array_set_clear_func(decisions, decision_clear);
  Assessment assessment = {run->profiles, run->exhibits, facts, decisions};
  if (!store_each_fact(run->store, collect_fact, facts, error) ||
      !store_each_hit(run->store, decide, &assessment, error))
    return false;
  for (guint i = 0; i < decisions->len; i++)
    if (!put_decision(run, &g_array_index(decisions, Decision, i), error))
      return false;
  return true;
}
