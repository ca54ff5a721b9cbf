/* SPDX-License-Identifier: Apache-2.0 */
/* coord_status.c - where a case stands: from its store, while it is written or after. */
#include "base/text.h"
#include "engine/coord.h"
#include "engine/coord_lock.h"
#include "engine/coord_slurm.h"
#include "store/store.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  Store *store;
  GArray *exhibits; /* ExhibitTotals */
  ExhibitTotals sum;
} Status;

static uint64_t all_hits(const ExhibitTotals *totals) {
  uint64_t hits = 0;
  for (gsize i = 0; i <= STORE_VERDICTS; i++)
    hits += totals->hits[i];
  return hits;
}

bool coord_is_finished(Store *store, const char *dir, GError **error) {
  g_autofree char *status = store_get_meta(store, "status");
  g_autofree char *shown = text_printable(dir, strlen(dir));
  if (status != NULL && strcmp(status, "complete") == 0)
    return true;
  const char *advice = "the scan of this case has not been finished; run it again with --resume";
  if (status != NULL && strcmp(status, "shard") == 0)
    advice = "is one shard of a scan; 'triage merge' makes the case of all of them";
  if (status != NULL && strcmp(status, "merging") == 0)
    advice = "is what a merge that was stopped has left; remove it, and merge the shards again";
  return triage_fail(error, TRIAGE_REASON_USAGE, "%s: %s", shown, advice);
}

static bool is_shards(Status *status, uint32_t evidence) {
  g_autofree char *shard = store_get_meta(status->store, "shard");
  g_autofree char *key = g_strdup_printf("evidence_%u_owner", evidence);
  g_autofree char *owner = store_get_meta(status->store, key);
  return shard == NULL || owner == NULL || g_str_has_prefix(shard, "0/") ||
         strcmp(owner, "0") == 0 || strtoul(shard, NULL, 10) == strtoul(owner, NULL, 10);
}

static const char *state_of(Status *status, const EvidenceRecord *record,
                            const ExhibitTotals *totals) {
  if (!is_shards(status, record->no))
    return "of another shard";
  if (totals->is_finished)
    return *record->kind == '\0' ? "could not be opened"
           : totals->gaps > 0    ? "examined, see coverage"
                                 : "fully examined";
  return totals->objects == 0 ? "waiting" : "being examined";
}

static bool print_exhibit(void *user, const EvidenceRecord *record) {
  Status *status = user;
  const ExhibitTotals *totals = NULL;
  for (guint i = 0; i < status->exhibits->len && totals == NULL; i++)
    if (g_array_index(status->exhibits, ExhibitTotals, i).no == record->no)
      totals = &g_array_index(status->exhibits, ExhibitTotals, i);
  if (totals == NULL)
    return true;
  g_autofree char *key = g_strdup_printf("evidence_%u_seconds", record->no);
  g_autofree char *seconds = store_get_meta(status->store, key);
  g_print("%u %s: %s, %llu of %llu objects, %llu hits, %llu rows of coverage%s%s%s\n", record->no,
          record->name, state_of(status, record, totals),
          (unsigned long long)(totals->objects - totals->objects_pending),
          (unsigned long long)totals->objects, (unsigned long long)all_hits(totals),
          (unsigned long long)totals->gaps, seconds != NULL ? ", " : "",
          seconds != NULL ? seconds : "", seconds != NULL ? " s" : "");
  status->sum.objects += totals->objects;
  status->sum.objects_pending += totals->objects_pending;
  status->sum.gaps += totals->gaps;
  status->sum.hits[0] += all_hits(totals);
  return true;
}

static void print_head(Store *store, const char *dir) {
  g_autofree char *status = store_get_meta(store, "status");
  g_autofree char *shard = store_get_meta(store, "shard");
  g_autofree char *holder = case_lock_holder(dir);
  bool is_ended = status != NULL && strcmp(status, "running") != 0;
  if (holder != NULL)
    g_print("running: %s", holder);
  else if (!is_ended)
    g_print("stopped without a word; go on with --resume");
  else
    g_print("%s%s", strcmp(status, "shard") == 0 ? "complete" : status,
            strcmp(status, "stopped") == 0   ? "; go on with --resume"
            : strcmp(status, "merging") == 0 ? ": stopped; remove it, and merge the shards again"
                                             : "");
  if (shard != NULL && strcmp(shard, "0/0") != 0)
    g_print(" (shard %s)", shard);
  g_print("\n");
}

/* ---- a case that was given to Slurm ---- */
static void print_queue(const SlurmPlan *plan) {
  g_auto(SlurmQueue) queue = {0};
  g_autoptr(GError) error = NULL;
  if (plan->array == NULL || plan->merge == NULL) {
    g_print("Slurm: not submitted\n");
    return;
  }
  if (!slurm_queue_read(plan, &queue, &error)) {
    g_print("Slurm: cannot be asked: %s\n", error->message);
    return;
  }
  g_print("Slurm: array job %s: %u waiting, %u running%s%s, %u between; %u restarts\n", plan->array,
          queue.pending, queue.running, queue.nodes->len > 0 ? " on " : "", queue.nodes->str,
          queue.other, queue.restarts);
  g_print("Slurm: merge job %s: %s\n", plan->merge,
          queue.merge != NULL ? queue.merge : "not in the queue (ended, or cancelled)");
}

static void add_shard(Store *store, Status *status, GError **error) {
  g_autoptr(GArray) exhibits = store_exhibits(store, error);
  for (guint i = 0; exhibits != NULL && i < exhibits->len; i++) {
    const ExhibitTotals *totals = &g_array_index(exhibits, ExhibitTotals, i);
    status->sum.objects += totals->objects - totals->objects_pending;
    status->sum.hits[0] += all_hits(totals);
  }
}

/* Every shard that has begun and is not finished is told by itself. */
static bool print_shards(const char *dir, const SlurmPlan *plan, GError **error) {
  Status status = {0};
  guint complete = 0, begun = 0;
  for (uint32_t k = 1; k <= plan->shards; k++) {
    g_autofree char *number = g_strdup_printf("%u", k);
    g_autofree char *part = g_build_filename(dir, SLURM_DIR, "shards", number, NULL);
    g_autofree char *file = g_build_filename(part, "case.db", NULL);
    if (!g_file_test(file, G_FILE_TEST_EXISTS))
      continue;
    g_autoptr(GError) unreadable = NULL;
    g_autoptr(Store) store = store_open(part, false, &unreadable);
    if (store == NULL) { /* it is being made just now */
      g_print("shard %u: %s\n", k, unreadable->message);
      continue;
    }
    g_autofree char *state = store_get_meta(store, "status");
    bool is_complete = state != NULL && strcmp(state, "shard") == 0;
    complete += is_complete;
    begun += !is_complete;
    add_shard(store, &status, error);
    if (error != NULL && *error != NULL)
      return false;
    if (!is_complete)
      print_head(store, part);
  }
  g_print("shards: %u of %u complete, %u begun; %llu objects examined, %llu hits\n", complete,
          plan->shards, begun, (unsigned long long)status.sum.objects,
          (unsigned long long)status.sum.hits[0]);
  return true;
}

/* True where there is nothing but the shards yet. */
static bool print_slurm(const char *dir, GError **error) {
  g_auto(SlurmPlan) plan = {0};
  if (!slurm_plan_read(dir, &plan, error))
    return false;
  print_queue(&plan);
  g_autofree char *holder = slurm_case_is_open(dir) ? case_lock_holder(dir) : NULL;
  if (holder != NULL)
    g_print("running: %s (merge)\n", holder);
  return print_shards(dir, &plan, error) && slurm_case_is_open(dir);
}

int coord_status(const char *dir) {
  g_autoptr(GError) error = NULL;
  if (print_slurm(dir, &error))
    return EXIT_COMPLETE;
  g_autoptr(Store) store = error == NULL ? store_open(dir, false, &error) : NULL;
  g_autoptr(GArray) exhibits = store != NULL ? store_exhibits(store, &error) : NULL;
  Status status = {.store = store, .exhibits = exhibits};
  if (exhibits != NULL) {
    print_head(store, dir);
    store_each_evidence(store, print_exhibit, &status, &error);
  }
  if (error != NULL) {
    g_printerr("triage status: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  g_print("together: %llu of %llu objects, %llu hits, %llu rows of coverage\n",
          (unsigned long long)(status.sum.objects - status.sum.objects_pending),
          (unsigned long long)status.sum.objects, (unsigned long long)status.sum.hits[0],
          (unsigned long long)status.sum.gaps);
  return EXIT_COMPLETE;
}
