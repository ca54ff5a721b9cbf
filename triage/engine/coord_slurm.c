/* SPDX-License-Identifier: Apache-2.0 */
/* coord_slurm.c - the plan of a submitted case, and what Slurm says of its jobs. Slurm is asked by
 * its own programs: a cluster's versions of library and daemons change, their JSON is kept. */
#include "engine/coord_slurm.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "triage/error.h"
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

enum { SLURM_TEXT_BYTES = 256 }; /* of what a program of Slurm's complains about */

void slurm_plan_clear(SlurmPlan *plan) {
  g_clear_pointer(&plan->array, g_free);
  g_clear_pointer(&plan->merge, g_free);
  g_clear_pointer(&plan->cluster, g_free);
}

static char *plan_path(const char *dir) {
  return g_build_filename(dir, SLURM_DIR, "plan.json", NULL);
}

static bool is_case(const char *dir) {
  g_autofree char *path = plan_path(dir);
  return access(path, F_OK) == 0;
}

bool slurm_plan_read(const char *dir, SlurmPlan *plan, GError **error) {
  if (!is_case(dir))
    return false;
  g_autofree char *path = plan_path(dir);
  g_autoptr(GBytes) bytes = io_read_file(path, MIB, error);
  if (bytes == NULL)
    return false;
  gsize n;
  const char *text = g_bytes_get_data(bytes, &n);
  g_autoptr(json_t) root = json_loadb(text != NULL ? text : "", n, 0, NULL);
  json_int_t shards = json_integer_value(json_object_get(root, "shards"));
  json_int_t size = json_integer_value(json_object_get(root, "bytes"));
  g_autofree char *shown = text_printable(path, strlen(path));
  if (shards < 1 || shards > G_MAXUINT32 || size < 0)
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: is no plan of 'triage submit'", shown);
  plan->shards = (uint32_t)shards;
  plan->bytes = (uint64_t)size;
  plan->array = g_strdup(json_string_value(json_object_get(root, "array")));
  plan->merge = g_strdup(json_string_value(json_object_get(root, "merge")));
  plan->cluster = g_strdup(json_string_value(json_object_get(root, "cluster")));
  return true;
}

static json_t *or_null(const char *text) {
  return text != NULL ? json_string(text) : json_null();
}

bool slurm_plan_write(const char *dir, const SlurmPlan *plan, GError **error) {
  g_autofree char *path = plan_path(dir);
  g_autofree char *temporary = g_strconcat(path, ".part", NULL);
  g_autoptr(json_t) root =
      json_pack("{s:I, s:I, s:o, s:o, s:o}", "shards", (json_int_t)plan->shards, "bytes",
                (json_int_t)plan->bytes, "array", or_null(plan->array), "merge",
                or_null(plan->merge), "cluster", or_null(plan->cluster));
  if (root != NULL && json_dump_file(root, temporary, JSON_INDENT(1)) == 0 &&
      rename(temporary, path) == 0)
    return true;
  g_autofree char *shown = text_printable(path, strlen(path));
  return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: cannot be written: %s", shown,
                     g_strerror(errno));
}

char *slurm_run(const char *const *argv, GError **error) {
  g_autofree char *program = g_find_program_in_path(argv[0]);
  if (program == NULL) {
    triage_fail(error, TRIAGE_REASON_USAGE, "%s is not installed here", argv[0]);
    return NULL;
  }
  char *out = NULL;
  g_autofree char *said = NULL;
  int status = -1;
  g_autoptr(GError) problem = NULL;
  bool ok = g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &said,
                         &status, &problem) &&
            g_spawn_check_wait_status(status, &problem);
  if (ok)
    return out;
  g_free(out);
  g_autofree char *shown =
      said != NULL ? text_printable(said, MIN(strlen(said), SLURM_TEXT_BYTES)) : g_strdup("");
  triage_fail(error, TRIAGE_REASON_INTERNAL, "%s failed: %s: %s", argv[0],
              problem != NULL ? problem->message : "", shown);
  return NULL;
}

/* ---- the directory before its merge ---- */
bool slurm_case_is_open(const char *dir) {
  g_autofree char *manifest = g_build_filename(dir, "manifest.sha256", NULL);
  return is_case(dir) && access(manifest, F_OK) != 0;
}

bool slurm_case_clear(const char *dir, GError **error) {
  static const char *const FILES[] = {"case.db", "case.db-journal", "case.db-wal", "case.db-shm"};
  if (!is_case(dir))
    return true;
  if (!slurm_case_is_open(dir)) {
    g_autofree char *shown = text_printable(dir, strlen(dir));
    return triage_fail(error, TRIAGE_REASON_USAGE, "%s: is complete already", shown);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(FILES); i++) {
    g_autofree char *path = g_build_filename(dir, FILES[i], NULL);
    if (unlink(path) != 0 && errno != ENOENT) {
      g_autofree char *shown = text_printable(path, strlen(path));
      return triage_fail(error, TRIAGE_REASON_INTERNAL, "%s: cannot be removed: %s", shown,
                         g_strerror(errno));
    }
  }
  return true;
}

/* ---- squeue --json ---- */
void slurm_queue_clear(SlurmQueue *queue) {
  if (queue->nodes != NULL)
    g_string_free(queue->nodes, TRUE);
  queue->nodes = NULL;
  g_clear_pointer(&queue->merge, g_free);
}

/* A plain value, or (of newer versions) {"set": true, "number": N}. */
static json_int_t number_of(const json_t *job, const char *name) {
  const json_t *value = json_object_get(job, name);
  return json_integer_value(json_is_object(value) ? json_object_get(value, "number") : value);
}

/* A word, or (of newer versions) a list of words. */
static const char *state_of(const json_t *job) {
  const json_t *value = json_object_get(job, "job_state");
  const char *word = json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
  return word != NULL ? word : "unknown";
}

/* How many tasks "2,4-7,9-17:2%3" names. */
static guint count_tasks(const char *text) {
  guint64 count = 0;
  g_auto(GStrv) parts = g_strsplit_set(text, ",", -1);
  for (guint i = 0; parts[i] != NULL; i++) {
    char *end = NULL;
    if (!g_ascii_isdigit(*parts[i]))
      continue;
    guint64 first = g_ascii_strtoull(parts[i], &end, 10), last = first, step = 1;
    if (*end == '-')
      last = g_ascii_strtoull(end + 1, &end, 10);
    if (*end == ':')
      step = MAX(g_ascii_strtoull(end + 1, NULL, 10), 1);
    count += last >= first && last - first < G_MAXUINT16 ? (last - first) / step + 1 : 0;
  }
  return (guint)count;
}

static void take_task(SlurmQueue *queue, const json_t *job, const char *state) {
  const char *tasks = json_string_value(json_object_get(job, "array_task_string"));
  guint n = tasks != NULL && *tasks != '\0' ? count_tasks(tasks) : 1;
  const char *nodes = json_string_value(json_object_get(job, "nodes"));
  queue->restarts += (guint)MAX(number_of(job, "restart_cnt"), 0);
  if (strcmp(state, "PENDING") == 0) {
    queue->pending += n;
  } else if (strcmp(state, "RUNNING") == 0) {
    queue->running += n;
    if (nodes != NULL) {
      g_string_append(queue->nodes, queue->nodes->len > 0 ? ", " : "");
      text_append_printable(queue->nodes, nodes, strlen(nodes));
    }
  } else {
    queue->other += n;
  }
}

/* squeue lists jobs for a while after they have ended. */
static bool has_ended(const char *state) {
  static const char *const ENDED[] = {"COMPLETED", "CANCELLED",     "FAILED",      "TIMEOUT",
                                      "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL",   "DEADLINE",
                                      "PREEMPTED", "REVOKED",       "SPECIAL_EXIT"};
  for (gsize i = 0; i < G_N_ELEMENTS(ENDED); i++)
    if (strcmp(state, ENDED[i]) == 0)
      return true;
  return false;
}

bool slurm_queue_read(const SlurmPlan *plan, SlurmQueue *queue, GError **error) {
  queue->nodes = g_string_new(NULL);
  g_autofree char *jobs = g_strdup_printf("--jobs=%s,%s", plan->array, plan->merge);
  g_autofree char *cluster =
      plan->cluster != NULL ? g_strconcat("--clusters=", plan->cluster, NULL) : NULL;
  const char *const argv[] = {"squeue", "--json", jobs, cluster, NULL};
  g_autofree char *text = slurm_run(argv, error);
  if (text == NULL)
    return false;
  g_autoptr(json_t) root = json_loads(text, 0, NULL);
  const json_t *list = json_object_get(root, "jobs");
  if (!json_is_array(list))
    return triage_fail(error, TRIAGE_REASON_INTERNAL, "squeue --json: gives no list of jobs");
  guint64 array = g_ascii_strtoull(plan->array, NULL, 10);
  guint64 merge = g_ascii_strtoull(plan->merge, NULL, 10);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *job = json_array_get(list, i);
    const char *state = state_of(job);
    guint64 id = (guint64)number_of(job, "job_id");
    guint64 array_id = (guint64)number_of(job, "array_job_id");
    if (has_ended(state))
      continue;
    if (id == merge) {
      g_free(queue->merge);
      queue->merge = text_printable(state, strlen(state));
    } else if (id == array || array_id == array) {
      take_task(queue, job, state);
    }
  }
  return true;
}
