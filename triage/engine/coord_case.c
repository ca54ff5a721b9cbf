/* SPDX-License-Identifier: Apache-2.0 */
/* coord_case.c - what a case records beside its findings: inputs, evidence, the run itself. */
#include "engine/coord_case.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_known.h"
#include "engine/coord_versions.h"
#include <string.h>
#include <sys/utsname.h>

char *case_now(void) {
  TriageTime time = {.seconds = g_get_real_time() / G_USEC_PER_SEC, .is_set = true};
  char text[64];
  triage_time_format(&time, text, sizeof text);
  return g_strdup(text);
}

static bool put_given(Run *run, const char *key, const char *value, GError **error) {
  g_autofree char *shown = value != NULL ? text_printable(value, strlen(value)) : g_strdup("");
  return store_put_meta(run->store, key, shown, error);
}

static bool put_options(Run *run, GError **error) {
  const ScanOptions *options = run->options;
  g_autofree char *text = g_strdup_printf(
      "timeout %d s\nmax-depth %d\nmax-expanded %lld bytes\nhash-all %s\nentries %s\n"
      "password-file %s\n",
      options->timeout_seconds, options->max_depth, (long long)options->max_expanded,
      options->hash_all ? "yes" : "no", options->entries ? "yes" : "no",
      options->password_file != NULL ? "given" : "not given");
  return store_put_meta(run->store, "options", text, error);
}

static bool put_host(Run *run, GError **error) {
  struct utsname name;
  if (uname(&name) != 0)
    return true;
  g_autofree char *text =
      g_strdup_printf("%s %s %s %s", name.sysname, name.release, name.machine, name.nodename);
  return put_given(run, "host", text, error);
}

static bool put_input_files(Run *run, GError **error) {
  for (guint i = 0; i < run->rules->len; i++) {
    const RuleInput *input = run->rules->pdata[i];
    InputFile file = {"rules", input->name, input->sha256, g_bytes_get_size(input->text)};
    if (!store_put_input_file(run->store, &file, error))
      return false;
  }
  for (guint i = 0; run->known != NULL && i < run->known->len; i++) {
    const KnownList *list = run->known->pdata[i];
    InputFile file = {"known", list->name, list->sha256, list->size};
    InputFile source = {"known-source", list->index.name, list->index.source_sha256, 0};
    if (!store_put_input_file(run->store, &file, error) ||
        (list->is_ready_made && !store_put_input_file(run->store, &source, error)))
      return false;
  }
  for (guint i = 0; i < profile_set_n_files(run->profiles); i++) {
    InputFile file = {.kind = "profile"};
    profile_set_file(run->profiles, i, &file.name, &file.sha256);
    if (!store_put_input_file(run->store, &file, error))
      return false;
  }
  for (guint i = 0; run->exhibits != NULL && i < run->exhibits->sets->len; i++) {
    const ProfileSet *set = run->exhibits->sets->pdata[i];
    InputFile file = {.kind = "profile"};
    profile_set_file(set, profile_set_n_files(set) - 1, &file.name, &file.sha256);
    if (!store_put_input_file(run->store, &file, error))
      return false;
  }
  return true;
}

/* What the list of evidence says of this piece. */
static bool put_exhibit(Run *run, GError **error) {
  if (run->exhibits == NULL || run->evidence > run->exhibits->exhibits->len)
    return true;
  const Exhibit *exhibit = run->exhibits->exhibits->pdata[run->evidence - 1];
  const struct {
    const char *name, *value;
  } SAID[] = {{"Evidence number", exhibit->number},
              {"Notes", exhibit->notes},
              {"Site profile", exhibit->profile}};
  for (gsize i = 0; i < G_N_ELEMENTS(SAID); i++) {
    g_autofree char *shown = text_printable(SAID[i].value, strlen(SAID[i].value));
    if (*shown != '\0' &&
        !store_put_evidence_property(run->store, run->evidence, SAID[i].name, shown, error))
      return false;
  }
  return true;
}

bool case_add_seconds(Run *run, gint64 began, GError **error) {
  g_autofree char *key = g_strdup_printf("evidence_%u_seconds", run->evidence);
  g_autofree char *before = store_get_meta(run->store, key);
  double seconds = (before != NULL ? g_ascii_strtod(before, NULL) : 0) +
                   (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
  g_autofree char *text = g_strdup_printf("%.1f", seconds);
  return store_put_meta(run->store, key, text, error);
}

DigestSet case_digest_set(const ScanOptions *options, const Probe *probe) {
  g_auto(GStrv) words = g_strsplit(options->digest != NULL ? options->digest : "", ",", -1);
  DigestSet set = DIGEST_SHA256;
  for (guint i = 0; words[i] != NULL; i++) {
    if (strcmp(words[i], "none") == 0)
      return 0;
    set |= strcmp(words[i], "sha1") == 0 ? DIGEST_SHA1 : 0;
    set |= strcmp(words[i], "md5") == 0 ? DIGEST_MD5 : 0;
  }
  if (probe != NULL && probe->stored_sha1 != NULL && *probe->stored_sha1 != '\0')
    set |= DIGEST_SHA1;
  if (probe != NULL && probe->stored_md5 != NULL && *probe->stored_md5 != '\0')
    set |= DIGEST_MD5;
  return set;
}

bool case_begin(Run *run, const char *libraries, GError **error) {
  const ScanOptions *options = run->options;
  g_autofree char *shard = g_strdup_printf("%u/%u", options->shard, options->shards);
  g_autofree char *benign = options->benign != NULL ? g_strjoinv("\n", options->benign) : NULL;
  g_autofree char *now = case_now();
  g_autofree char *areas = areas_format(options->areas);
  DigestSet set = case_digest_set(options, NULL);
  g_autofree char *digest =
      set == 0 ? g_strdup("none")
               : g_strdup_printf("sha256%s%s and those the container stores",
                                 set & DIGEST_SHA1 ? " sha1" : "", set & DIGEST_MD5 ? " md5" : "");
  return store_put_meta(run->store, "tool_version", TRIAGE_VERSION, error) &&
         store_put_meta(run->store, "build", BUILD_ID, error) &&
         store_put_meta(run->store, "libraries", libraries, error) &&
         put_given(run, "command_line", options->command_line, error) &&
         store_put_meta(run->store, "started", now, error) &&
         put_given(run, "examiner", options->examiner, error) &&
         (options->shards == 0 ||
          (store_put_meta(run->store, "shard", shard, error) &&
           (benign == NULL || store_put_meta(run->store, "benign", benign, error)))) &&
         put_given(run, "case_number", options->case_number, error) &&
         put_given(run, "evidence_number", options->evidence_number, error) &&
         put_given(run, "notes", options->notes, error) &&
         put_given(run, "timezone", options->timezone, error) &&
         store_put_meta(run->store, "areas", areas, error) &&
         store_put_meta(run->store, "digest", digest, error) &&
         store_put_meta(run->store, "status", "running", error) &&
         (!options->entries || store_put_meta(run->store, "entries", "1", error)) &&
         put_options(run, error) && put_host(run, error) && put_input_files(run, error);
}

bool run_put_evidence(Run *run, GError **error) {
  const Probe *probe = run->probe;
  g_autofree char *path = text_printable(probe->path, strlen(probe->path));
#define OR_EMPTY(text) ((text) != NULL ? (text) : "")
  EvidenceRecord record = {.no = run->evidence,
                           .name = probe->name,
                           .path = path,
                           .kind = OR_EMPTY(probe->kind),
                           .format = OR_EMPTY(probe->format),
                           .media_bytes = probe->media_bytes,
                           .sector_bytes = probe->sector_bytes,
                           .stored_md5 = OR_EMPTY(probe->stored_md5),
                           .stored_sha1 = OR_EMPTY(probe->stored_sha1),
                           .md5 = OR_EMPTY(run->digest_md5),
                           .sha1 = OR_EMPTY(run->digest_sha1),
                           .sha256 = OR_EMPTY(run->digest_sha256),
                           .digest_status = OR_EMPTY(run->digest_status)};
#undef OR_EMPTY
  if (run->digest_state == DIGEST_NOT_WANTED)
    record.digest_status = "not computed";
  return store_put_evidence(run->store, &record, error);
}

bool case_put_probe(Run *run, GError **error) {
  const Probe *probe = run->probe;
  if (!put_exhibit(run, error))
    return false;
  for (guint i = 0; i + 1 < probe->properties->len; i += 2)
    if (!store_put_evidence_property(run->store, run->evidence, probe->properties->pdata[i],
                                     probe->properties->pdata[i + 1], error))
      return false;
  for (guint i = 0; i < probe->problems->len; i++)
    if (!store_put_evidence_property(run->store, run->evidence, "Problem of the container",
                                     probe->problems->pdata[i], error))
      return false;
  for (guint i = 0; i < probe->segments->len; i++)
    if (!store_put_evidence_file(run->store, run->evidence, probe->segments->pdata[i],
                                 g_array_index(probe->segment_bytes, uint64_t, i), error))
      return false;
  if (probe->prefilter != NULL && !store_put_meta(run->store, "prefilter", probe->prefilter, error))
    return false;
  if (!case_put_files(run, false, error))
    return false;
  if (probe->sandbox_missing != NULL && probe->sandbox_missing[0] != NULL) {
    g_autofree char *text = g_strjoinv("\n", probe->sandbox_missing);
    return store_put_meta(run->store, "sandbox", text, error);
  }
  return true;
}

/* One "name value" of the case's options. */
static int64_t recorded_number(Store *store, const char *name, int64_t otherwise) {
  g_autofree char *options = store_get_meta(store, "options");
  g_autofree char *key = g_strconcat(name, " ", NULL);
  g_auto(GStrv) lines = g_strsplit(options != NULL ? options : "", "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix(lines[i], key))
      return g_ascii_strtoll(lines[i] + strlen(key), NULL, 10);
  return otherwise;
}

void case_recorded_limits(Store *store, ScanOptions *options) {
  options->timeout_seconds =
      (int)recorded_number(store, "timeout", (int64_t)LIMIT_TIMEOUT_SECONDS_DEFAULT);
  options->max_depth = (int)recorded_number(store, "max-depth", LIMIT_DEPTH_DEFAULT);
  options->max_expanded = recorded_number(store, "max-expanded", (int64_t)LIMIT_EXPANDED_DEFAULT);
}

const char *case_evidence_path(char **given, const EvidenceRecord *record) {
  bool is_given = given != NULL && record->no <= g_strv_length(given);
  return is_given ? given[record->no - 1] : record->path;
}
