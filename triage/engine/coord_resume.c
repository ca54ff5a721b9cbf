/* SPDX-License-Identifier: Apache-2.0 */
/* coord_resume.c - a case that is gone on with: about the same evidence, and what of it could not
 * be read before is tried again, so that a share that was gone for a while leaves no trace. */
#include "base/text.h"
#include "engine/coord_private.h"
#include "store/store_resume.h"
#include <string.h>

char *resume_identity(const Probe *probe) {
  return g_strdup_printf("%s %llu %s %s", probe->name, (unsigned long long)probe->media_bytes,
                         probe->kind != NULL ? probe->kind : "",
                         probe->stored_md5 != NULL ? probe->stored_md5 : "");
}

static char *stored_identity(Run *run, guint no) {
  g_autofree char *key = g_strdup_printf("evidence_%u_identity", no);
  return store_get_meta(run->store, key);
}

bool resume_check(Run *run, const GPtrArray *probes, GError **error) {
  for (guint i = 0; i < probes->len; i++) {
    const Probe *probe = probes->pdata[i];
    g_autofree char *stored = stored_identity(run, i + 1);
    g_autofree char *now = resume_identity(probe);
    if (stored != NULL && probe->error == NULL && strcmp(stored, now) != 0)
      return triage_fail(error, TRIAGE_REASON_USAGE,
                         "%s: was begun with other evidence than %s is now; resume it with the "
                         "same, or name a new case directory",
                         run->options->output, probe->name);
  }
  return true;
}

typedef struct {
  const Run *run;
  guint n_same, n_stored;
} Volumes;

static bool compare_volume(void *user, const VolumeRecord *record) {
  Volumes *volumes = user;
  if (record->evidence != volumes->run->evidence)
    return true;
  volumes->n_stored++;
  const GPtrArray *found = volumes->run->probe->volumes;
  for (guint i = 0; i < found->len; i++) {
    const ProbeVolume *volume = found->pdata[i];
    volumes->n_same += volume->no == record->no && volume->offset == record->offset &&
                       volume->length == record->length &&
                       strcmp(volume->fs_type, record->fs_type) == 0;
  }
  return true;
}

/* False where the volumes that the case knows are not those that are there now. */
static bool has_same_volumes(Run *run, bool *same, GError **error) {
  Volumes volumes = {.run = run};
  if (!store_each_volume(run->store, compare_volume, &volumes, error))
    return false;
  *same = volumes.n_stored == 0 || strcmp(run->probe->kind, "image") != 0 ||
          (volumes.n_same == volumes.n_stored && volumes.n_same == run->probe->volumes->len);
  return true;
}

bool resume_evidence(Run *run, GError **error) {
  const Probe *probe = run->probe;
  g_autofree char *stored = stored_identity(run, run->evidence);
  g_autofree char *finished_key = g_strdup_printf("evidence_%u_finished", run->evidence);
  g_autofree char *finished = store_get_meta(run->store, finished_key);
  g_autofree char *key = g_strdup_printf("evidence_%u_identity", run->evidence);
  if (probe->error != NULL) {
    run->is_evidence_lost = stored != NULL;
    return stored == NULL ||
           triage_fail(error, TRIAGE_REASON_INTERNAL,
                       "%s; it could be when the case was begun: go on with --resume when it is "
                       "there again",
                       probe->error->message);
  }
  g_autofree char *identity = resume_identity(probe);
  bool is_same = true;
  if (run->options->resume && !has_same_volumes(run, &is_same, error))
    return false;
  bool is_restart = !is_same || (stored == NULL && finished != NULL);
  bool ok = !is_restart || store_forget_evidence(run->store, run->evidence, error);
  if (ok && run->options->resume && !is_restart)
    ok = store_forget_read_errors(run->store, run->evidence, error);
  return ok && store_put_meta(run->store, key, identity, error);
}
