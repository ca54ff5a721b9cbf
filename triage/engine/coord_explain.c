/* SPDX-License-Identifier: Apache-2.0 */
/* coord_explain.c - the verdict on one hit, as a person would argue it. Reads the store alone. */
#include "assess/assess.h"
#include "base/text.h"
#include "engine/coord_private.h"
#include <string.h>

typedef struct {
  Store *store;
  const char *hit_id;
  bool is_found, ok;
  GError **error;
} Explanation;

typedef struct {
  const char *weight, *title;
  guint n;
} Part;

static bool print_ground(void *user, const GroundRecord *ground) {
  Part *part = user;
  if (strcmp(ground->weight, part->weight) != 0)
    return true;
  const char *alarm = "-", *ease = "-";
  if (part->n++ == 0)
    g_print("\n%s\n", part->title);
  g_print("  [%s] %s\n", ground->id, ground->text);
  if (verdict_ground_risk(ground->id, &alarm, &ease)) {
    bool is_for = strcmp(ground->weight, "for") == 0;
    g_print("      may mislead: %s\n", is_for ? ease : alarm);
  }
  return true;
}

static void print_indicators(const HitRow *row) {
  if (row->n_indicators > 0)
    g_print("\nWhat was read in the text (byte of the view: what):\n");
  for (guint i = 0; i < row->n_indicators; i++)
    g_print("  %8llu: %s: %s\n", (unsigned long long)row->indicators[i].offset,
            row->indicators[i].name, row->indicators[i].value);
}

static bool explain(void *user, const HitRow *row) {
  Explanation *explanation = user;
  if (strcmp(row->hit_id, explanation->hit_id) != 0)
    return true;
  Part parts[] = {{"against", "Against it:", 0},
                  {"doubt", "What cannot be explained:", 0},
                  {"for", "For it:", 0},
                  {"cap", "What a firmer verdict would need to be otherwise:", 0}};
  explanation->is_found = true;
  g_print("%s: %s%s%s%s, %s, rule %s\n", row->hit_id, row->evidence, row->path,
          *row->member != '\0' ? "!/" : "", row->member, row->state, row->rule);
  g_print("verdict: %s%s%s%s\n%s\n", row->verdict, *row->scenario != '\0' ? " (" : "",
          row->scenario, *row->scenario != '\0' ? ")" : "", row->reason);
  for (guint i = 0; explanation->ok && i < G_N_ELEMENTS(parts); i++)
    explanation->ok = store_each_ground(explanation->store, row->rowid, print_ground, &parts[i],
                                        explanation->error);
  for (guint i = 0; row->corroboration[i] != NULL; i++)
    g_print("%s  %s\n", i == 0 ? "\nObjects of the evidence that bear it out:\n" : "",
            row->corroboration[i]);
  print_indicators(row);
  return false;
}

int coord_explain(const char *case_dir, const char *hit_id) {
  g_autoptr(GError) error = NULL;
  Explanation explanation = {.hit_id = hit_id, .ok = true, .error = &error};
  explanation.store = store_open(case_dir, false, &error);
  bool ok = explanation.store != NULL &&
            store_each_hit(explanation.store, explain, &explanation, &error) && explanation.ok;
  if (ok && !explanation.is_found) {
    g_autofree char *shown = text_printable(hit_id, strlen(hit_id));
    ok = triage_fail(&error, TRIAGE_REASON_USAGE, "%s: no hit of this case has this identifier",
                     shown);
  }
  if (!ok)
    g_printerr("triage explain: %s\n", error->message);
  store_free(explanation.store);
  if (ok)
    return EXIT_COMPLETE;
  return triage_error_reason(error) == TRIAGE_REASON_INTERNAL ? EXIT_STOPPED : EXIT_UNUSABLE;
}
