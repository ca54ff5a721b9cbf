/* SPDX-License-Identifier: Apache-2.0 */
/* coord_merge.c - the shards of a scan become the case that one scan would have made: rows are put
 * together, then judged over all of them, then rendered. Touches no evidence. */
#include "base/keyhash.h"
#include "base/text.h"
#include "engine/coord_case.h"
#include "engine/coord_slurm.h"
#include "reports/reports.h"
#include "store/store_shard.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  const MergeOptions *options;
  uint32_t n;          /* shards there are to be */
  GPtrArray *dirs;     /* char*, by shard; (transfer none) */
  char *fingerprint;   /* of all of them */
  char *shared_out;    /* what the evidence is and whose, the same in all */
  GArray *owners;      /* uint32_t, by evidence: as shard_owner */
  GPtrArray *evidence; /* char*, paths, then NULL */
  GPtrArray *profiles; /* char*, by evidence: its own profile or "" */
  double seconds;
  uint64_t retries;
  char *sandbox; /* what the first of them that lacked something said */
  GString *merged_from;
} Merge;

static gboolean refuse(GError **error, const char *dir, const char *what) {
  g_autofree char *shown = text_printable(dir, strlen(dir));
  return triage_fail(error, TRIAGE_REASON_USAGE, "%s: %s", shown, what);
}

static bool take_evidence(void *user, const EvidenceRecord *record) {
  Merge *merge = user;
  g_ptr_array_add(merge->evidence, g_strdup(record->path));
  return true;
}

/* Each has to have met the same evidence, and to have shared it out in the same way. */
static bool compare_evidence(Merge *merge, Store *store, const char *dir, GError **error) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint no = 1; no <= merge->evidence->len; no++) {
    g_autofree char *owner_key = g_strdup_printf("evidence_%u_owner", no);
    g_autofree char *identity_key = g_strdup_printf("evidence_%u_identity", no);
    g_autofree char *owner = store_get_meta(store, owner_key);
    g_autofree char *identity = store_get_meta(store, identity_key);
    g_string_append_printf(text, "%s %s\n", owner != NULL ? owner : "",
                           identity != NULL ? identity : "");
  }
  if (merge->shared_out == NULL)
    merge->shared_out = g_strdup(text->str);
  return strcmp(merge->shared_out, text->str) == 0 ||
         refuse(error, dir,
                "has met other evidence than the first shard (other sizes, or some could not be "
                "opened); run that shard again");
}

/* One shard: finished, of the same scan as the others, and the only one of its number. */
static bool look_at(Merge *merge, const char *dir, GError **error) {
  g_autofree char *holder = case_lock_holder(dir);
  if (holder != NULL)
    return refuse(error, dir, "is still being written by triage; wait for it to end");
  g_autoptr(Store) store = store_open(dir, false, error);
  if (store == NULL)
    return false;
  g_autofree char *text = store_get_meta(store, "shard");
  g_autofree char *status = store_get_meta(store, "status");
  g_autofree char *fingerprint = store_get_meta(store, "fingerprint");
  g_autofree char *seconds = store_get_meta(store, "run_seconds");
  g_autofree char *host = store_get_meta(store, "host");
  uint32_t k, n;
  if (text == NULL || fingerprint == NULL || !shard_parse(text, &k, &n))
    return refuse(error, dir, "is no shard: it was not made with 'triage scan --shard K/N'");
  if (status == NULL || strcmp(status, "shard") != 0)
    return refuse(error, dir, "has not been finished; run it again with --resume first");
  if (merge->fingerprint == NULL) {
    merge->fingerprint = g_steal_pointer(&fingerprint);
    merge->n = n;
    g_ptr_array_set_size(merge->dirs, (int)n);
    if (!store_each_evidence(store, take_evidence, merge, error))
      return false;
  } else if (n != merge->n || strcmp(merge->fingerprint, fingerprint) != 0) {
    return refuse(error, dir,
                  "is a shard of another scan: its evidence, rules, options or number of shards "
                  "are not those of the first");
  }
  if (!compare_evidence(merge, store, dir, error))
    return false;
  if (merge->dirs->pdata[k - 1] != NULL)
    return refuse(error, dir, "is the second of its number; give each shard once");
  merge->dirs->pdata[k - 1] = (gpointer)dir;
  merge->seconds += seconds != NULL ? g_ascii_strtod(seconds, NULL) : 0;
  g_autofree char *retries = store_get_meta(store, "retries");
  merge->retries += retries != NULL ? g_ascii_strtoull(retries, NULL, 10) : 0;
  if (merge->sandbox == NULL)
    merge->sandbox = store_get_meta(store, "sandbox");
  g_string_append_printf(merge->merged_from, "%s shard %s, %s s, %s\n", dir, text,
                         seconds != NULL ? seconds : "?", host != NULL ? host : "");
  return true;
}

static bool look_at_all(Merge *merge, GError **error) {
  for (guint i = 0; merge->options->shards[i] != NULL; i++)
    if (!look_at(merge, merge->options->shards[i], error))
      return false;
  g_autoptr(GString) missing = g_string_new(NULL);
  for (guint i = 0; i < merge->dirs->len; i++)
    if (merge->dirs->pdata[i] == NULL)
      g_string_append_printf(missing, "%s%u", missing->len > 0 ? ", " : "", i + 1);
  return missing->len == 0 ||
         triage_fail(error, TRIAGE_REASON_USAGE, "of %u shards these are missing: %s", merge->n,
                     missing->str);
}

/* Who has examined what stands in the shards themselves. */
static bool read_owners(Merge *merge, Store *store, GError **error) {
  for (guint no = 1; no <= merge->evidence->len; no++) {
    g_autofree char *key = g_strdup_printf("evidence_%u_owner", no);
    g_autofree char *text = store_get_meta(store, key);
    guint64 owner = text != NULL ? g_ascii_strtoull(text, NULL, 10) : G_MAXUINT64;
    if (owner > merge->n)
      return refuse(error, merge->dirs->pdata[0], "does not say which shard examines what");
    uint32_t value = (uint32_t)owner;
    g_array_append_val(merge->owners, value);
  }
  return true;
}

static bool take_shard(Merge *merge, Store *out, uint32_t shard, GError **error) {
  const char *dir = merge->dirs->pdata[shard - 1];
  if (!store_attach(out, dir, error) || !store_begin(out, error))
    return false;
  for (uint32_t no = 1; no <= merge->owners->len; no++) {
    uint32_t owner = g_array_index(merge->owners, uint32_t, no - 1);
    if ((owner == 0 || owner == shard) &&
        !store_take_shard(out, no, dir, owner == 0, shard_of_whole(merge->n, no) == shard, error))
      return false;
  }
  return store_commit(out, error) && store_detach(out, error);
}

/* The rows of all shards in one store, which no one takes for a case yet. */
static Store *join(Merge *merge, GError **error) {
  const char *output = merge->options->output;
  g_autoptr(Store) first = store_open(merge->dirs->pdata[0], false, error);
  if (first == NULL || !read_owners(merge, first, error) || !store_copy(first, output, error))
    return NULL;
  g_autoptr(Store) out = store_open(output, true, error);
  /* Killed from here on, it is no shard any more and no case yet. */
  if (out == NULL || !store_begin(out, error) || !store_put_meta(out, "status", "merging", error) ||
      !store_commit(out, error))
    return NULL;
  for (uint32_t shard = 2; shard <= merge->n; shard++)
    if (!take_shard(merge, out, shard, error))
      return NULL;
  uint64_t left;
  if (!store_count_left(out, &left, error))
    return NULL;
  if (left > 0) {
    triage_fail(error, TRIAGE_REASON_INTERNAL,
                "%llu object(s) are in no shard: a defect of triage; nothing is reported",
                (unsigned long long)left);
    return NULL;
  }
  return g_steal_pointer(&out);
}

static bool take_profile(void *user, const char *name, const char *value) {
  char **profile = user;
  if (strcmp(name, "Site profile") == 0) {
    g_free(*profile);
    *profile = g_strdup(value);
  }
  return true;
}

typedef struct {
  GHashTable *loaded;
  const InputFile *missing;
  char *name;
} Compare;

static bool compare_profile(void *user, const InputFile *file) {
  Compare *compare = user;
  if (strcmp(file->kind, "profile") == 0 && !g_hash_table_contains(compare->loaded, file->sha256) &&
      compare->name == NULL)
    compare->name = g_strdup(file->name);
  return true;
}

static void note_files(GHashTable *loaded, const ProfileSet *set) {
  for (guint i = 0; i < profile_set_n_files(set); i++) {
    const char *name, *sha256;
    profile_set_file(set, i, &name, &sha256);
    g_hash_table_add(loaded, g_strdup(sha256));
  }
}

/* The profiles of the scan, which must be the ones it recorded. */
static bool load_profiles(const Merge *merge, Run *run, GError **error) {
  g_autofree char *recorded = store_get_meta(run->store, "benign");
  g_auto(GStrv) files = merge->options->benign != NULL
                            ? g_strdupv(merge->options->benign)
                            : g_strsplit(recorded != NULL ? recorded : "", "\n", -1);
  g_autoptr(GHashTable) loaded = g_hash_table_new_full(keyhash_str, g_str_equal, g_free, NULL);
  run->profiles = inputs_read_profiles(files, error);
  if (run->profiles == NULL)
    return false;
  run->exhibits = exhibit_list_new();
  for (guint i = 0; i < merge->evidence->len; i++) {
    g_autofree char *profile = g_strdup("");
    if (!store_each_evidence_property(run->store, i + 1, take_profile, &profile, error) ||
        !exhibit_list_add(run->exhibits, merge->evidence->pdata[i], profile, files, error))
      return false;
  }
  note_files(loaded, run->profiles);
  for (guint i = 0; i < run->exhibits->sets->len; i++)
    note_files(loaded, run->exhibits->sets->pdata[i]);
  Compare compare = {.loaded = loaded};
  if (!store_each_input_file(run->store, compare_profile, &compare, error))
    return false;
  g_autofree char *name = compare.name;
  return name == NULL ||
         triage_fail(error, TRIAGE_REASON_USAGE,
                     "%s: the profile with the digest that the shards record is not there; name "
                     "those of the scan with --benign",
                     name);
}

static bool finish(const Merge *merge, Run *run, GError **error) {
  g_autofree char *now = case_now();
  g_autofree char *seconds = g_strdup_printf("%.1f", merge->seconds);
  g_autofree char *retries = g_strdup_printf("%llu", (unsigned long long)merge->retries);
  g_autofree char *from = text_printable(merge->merged_from->str, merge->merged_from->len);
  return store_begin(run->store, error) && load_profiles(merge, run, error) &&
         assess_case(run, error) && store_put_meta(run->store, "ended", now, error) &&
         store_put_meta(run->store, "run_seconds", seconds, error) &&
         store_put_meta(run->store, "retries", retries, error) &&
         (merge->sandbox == NULL || store_put_meta(run->store, "sandbox", merge->sandbox, error)) &&
         store_put_meta(run->store, "command_line", merge->options->command_line, error) &&
         store_put_meta(run->store, "merged_from", from, error) &&
         store_put_meta(run->store, "shard", "0/0", error) &&
         store_put_meta(run->store, "status", "complete", error) &&
         store_commit(run->store, error) &&
         run_log(run, "shards-merged",
                 (const char *const[]){"command_line", merge->options->command_line, "from", from,
                                       NULL},
                 error) &&
         reports_render(run->store, merge->options->output, NULL, error);
}

static bool make_output(const char *dir, GError **error) {
  return mkdir(dir, 0700) == 0 || (errno == EEXIST && slurm_case_is_open(dir)) ||
         refuse(error, dir,
                errno == EEXIST ? "exists already; name a new case directory" : g_strerror(errno));
}

/* What is no case yet would be in the way of the next try. */
static void remove_unfinished(const char *dir, Run *run) {
  static const char *const FILES[] = {"case.db", "case.db-journal", NULL};
  g_autofree char *status = run->store != NULL ? store_get_meta(run->store, "status") : NULL;
  if (status != NULL && strcmp(status, "complete") == 0)
    return;
  g_clear_pointer(&run->store, store_free);
  for (gsize i = 0; FILES[i] != NULL; i++) {
    g_autofree char *path = g_build_filename(dir, FILES[i], NULL);
    unlink(path);
  }
  g_clear_pointer(&run->lock, case_lock_free);
  rmdir(dir);
}

static int merge_all(Merge *merge, GError **error) {
  ScanOptions options = {.output = (char *)merge->options->output, .quiet = merge->options->quiet};
  Run run = {.options = &options, .signal_fd = -1};
  int status = EXIT_UNUSABLE;
  if (look_at_all(merge, error) && make_output(merge->options->output, error)) {
    g_ptr_array_add(merge->evidence, NULL);
    options.evidence = (char **)merge->evidence->pdata;
    merge->evidence->len--;
    bool is_ours = (run.lock = case_lock_take(merge->options->output, error)) != NULL &&
                   slurm_case_clear(merge->options->output, error);
    bool ok = is_ours && (run.store = join(merge, error)) != NULL && finish(merge, &run, error);
    status = ok                                                   ? run_summarise(&run, error)
             : triage_error_reason(*error) == TRIAGE_REASON_USAGE ? EXIT_UNUSABLE
                                                                  : EXIT_STOPPED;
    if (!ok && is_ours) /* else another merge is at work there, or has ended */
      remove_unfinished(merge->options->output, &run);
  }
  run_clear(&run);
  return status;
}

int coord_merge(const MergeOptions *options) {
  g_autoptr(GError) error = NULL;
  Merge merge = {.options = options,
                 .dirs = g_ptr_array_new(),
                 .owners = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                 .evidence = g_ptr_array_new_with_free_func(g_free),
                 .merged_from = g_string_new(NULL)};
  int status = merge_all(&merge, &error);
  if (error != NULL)
    g_printerr("triage merge: %s\n", error->message);
  g_ptr_array_unref(merge.dirs);
  g_array_unref(merge.owners);
  g_ptr_array_unref(merge.evidence);
  g_string_free(merge.merged_from, TRUE);
  g_free(merge.fingerprint);
  g_free(merge.shared_out);
  g_free(merge.sandbox);
  return status;
}
