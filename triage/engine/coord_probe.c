/* SPDX-License-Identifier: Apache-2.0 */
/* coord_probe.c - asks a worker what a piece of evidence is, before anything is written. */
#include "base/limits.h"
#include "base/text.h"
#include "engine/coord_case.h"
#include <string.h>

StoredGap *stored_gap_new(const Gap *gap, const char *member) {
  StoredGap *stored = g_new0(StoredGap, 1);
  stored->gap = *gap;
  stored->detail = g_strdup(gap->detail);
  stored->member = g_strdup(member);
  stored->gap.detail = stored->detail;
  return stored;
}

void stored_gap_free(StoredGap *stored) {
  g_free(stored->detail);
  g_free(stored->member);
  g_free(stored);
}

static void probe_volume_free(ProbeVolume *volume) {
  g_free(volume->fs_type);
  g_free(volume->description);
  g_free(volume);
}

static void probe_file_free(ProbeFile *file) {
  g_free(file->path);
  g_free(file->shown);
  g_free(file->state);
  g_free(file);
}

/* The coordinator touches what the user has named, and files that stand beside it: no others that a
 * worker, which may be under an attacker's control, gives as parts of the image. */
static bool is_beside(const Probe *probe, const char *raw, gsize n) {
  g_autofree char *path = g_strndup(raw, n);
  g_autofree char *folder = g_path_get_dirname(path), *base = g_path_get_basename(path);
  g_autofree char *own = g_path_get_dirname(probe->path);
  return strlen(path) == n && strcmp(folder, own) == 0 && !g_str_has_suffix(path, "/") &&
         strcmp(base, ".") != 0 && strcmp(base, "..") != 0;
}

static void add_file(Probe *probe, const char *raw, gsize n) {
  ProbeFile *file = g_new0(ProbeFile, 1);
  file->path = g_strndup(raw, n);
  file->shown = text_printable(raw, n);
  file->state = case_file_state(file->path);
  g_ptr_array_add(probe->files, file);
}

static Probe *probe_empty(const char *path) {
  Probe *probe = g_new0(Probe, 1);
  probe->path = g_strdup(path);
  probe->volumes = g_ptr_array_new_with_free_func((GDestroyNotify)probe_volume_free);
  probe->gaps = g_ptr_array_new_with_free_func((GDestroyNotify)stored_gap_free);
  probe->properties = g_ptr_array_new_with_free_func(g_free);
  probe->problems = g_ptr_array_new_with_free_func(g_free);
  probe->segments = g_ptr_array_new_with_free_func(g_free);
  probe->files = g_ptr_array_new_with_free_func((GDestroyNotify)probe_file_free);
  probe->segment_bytes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
  return probe;
}

void probe_free(Probe *probe) {
  if (probe == NULL)
    return;
  g_free(probe->path);
  g_free(probe->name);
  g_free(probe->kind);
  g_free(probe->format);
  g_free(probe->stored_md5);
  g_free(probe->stored_sha1);
  g_ptr_array_unref(probe->volumes);
  g_ptr_array_unref(probe->gaps);
  g_ptr_array_unref(probe->properties);
  g_ptr_array_unref(probe->problems);
  g_ptr_array_unref(probe->segments);
  g_ptr_array_unref(probe->files);
  g_array_unref(probe->segment_bytes);
  g_strfreev(probe->sandbox_missing);
  g_free(probe->prefilter);
  g_clear_error(&probe->error);
  g_free(probe);
}

static gboolean broken(GError **error, const char *what) {
  return triage_fail(error, TRIAGE_REASON_WORKER_CRASH, "a worker sent a wrong %s", what);
}

static bool take_volume(Probe *probe, GVariant *message, GError **error) {
  ProbeVolume *volume = g_new0(ProbeVolume, 1);
  g_variant_get(message, "(uttss)", &volume->no, &volume->offset, &volume->length, &volume->fs_type,
                &volume->description);
  g_ptr_array_add(probe->volumes, volume);
  if (probe->volumes->len > LIMIT_VOLUMES || volume->offset > INT64_MAX ||
      volume->length > INT64_MAX || strlen(volume->fs_type) > 64 ||
      !text_is_printable(volume->fs_type) || !text_is_printable(volume->description))
    return broken(error, "volume");
  for (guint i = 0; i + 1 < probe->volumes->len; i++)
    if (((ProbeVolume *)probe->volumes->pdata[i])->no == volume->no)
      return broken(error, "volume number");
  return true;
}

static bool is_hex(const char *text, gsize length) {
  return *text == '\0' || (strlen(text) == length && strspn(text, "0123456789abcdef") == length);
}

static bool take_evidence(Probe *probe, GVariant *message, GError **error) {
  GVariantIter *properties, *problems, *segments;
  uint32_t sector_bytes;
  g_variant_get(message, "(sstussa(ss)asa(ayt)u)", &probe->kind, &probe->format,
                &probe->media_bytes, &sector_bytes, &probe->stored_md5, &probe->stored_sha1,
                &properties, &problems, &segments, &probe->n_rules);
  probe->sector_bytes = sector_bytes;
  bool ok = (strcmp(probe->kind, "image") == 0 || strcmp(probe->kind, "file") == 0 ||
             strcmp(probe->kind, "directory") == 0) &&
            text_is_printable(probe->format) && is_hex(probe->stored_md5, 32) &&
            is_hex(probe->stored_sha1, 40) && probe->media_bytes <= INT64_MAX;
  const char *name, *value;
  while (g_variant_iter_loop(properties, "(&s&s)", &name, &value)) {
    ok = ok && text_is_printable(name) && text_is_printable(value);
    g_ptr_array_add(probe->properties, g_strdup(name));
    g_ptr_array_add(probe->properties, g_strdup(value));
  }
  while (g_variant_iter_loop(problems, "&s", &name)) {
    ok = ok && text_is_printable(name);
    g_ptr_array_add(probe->problems, g_strdup(name));
  }
  GVariant *path;
  uint64_t bytes;
  while (g_variant_iter_loop(segments, "(@ayt)", &path, &bytes)) {
    gsize n;
    const char *raw = g_variant_get_fixed_array(path, &n, 1);
    g_ptr_array_add(probe->segments, text_printable(raw != NULL ? raw : "", n));
    bool is_named = raw != NULL && n > 0;
    ok = ok && (!is_named || is_beside(probe, raw, n));
    if (ok && is_named)
      add_file(probe, raw, n);
    g_array_append_val(probe->segment_bytes, bytes);
  }
  g_variant_iter_free(properties);
  g_variant_iter_free(problems);
  g_variant_iter_free(segments);
  if (probe->files->len == 0) /* a directory */
    add_file(probe, probe->path, strlen(probe->path));
  return ok || broken(error, "description of the evidence");
}

static bool take_gap(Probe *probe, GVariant *message, GError **error) {
  Gap gap;
  const char *member;
  if (!proto_take_gap(message, &gap, &member, error))
    return false;
  if (gap.seq != GAP_NO_OBJECT || *member != '\0' || probe->gaps->len > 1000000)
    return broken(error, "gap");
  gap.has_dir = false;
  g_ptr_array_add(probe->gaps, stored_gap_new(&gap, ""));
  return true;
}

static void print_rule_message(GVariant *message) {
  const char *file, *what;
  uint32_t line;
  gboolean is_warning;
  g_variant_get(message, "(&sub&s)", &file, &line, &is_warning, &what);
  if (!is_warning && text_is_printable(file) && text_is_printable(what))
    g_printerr("%s:%u: error: %s\n", file, line, what);
}

static bool take_prefilter(Probe *probe, GVariant *message, GError **error) {
  const char *rule, *sentence;
  g_variant_get(message, "(&s&s)", &rule, &sentence);
  if (*rule != '\0' || !text_is_printable(sentence))
    return broken(error, "state of the prefilter");
  g_free(probe->prefilter);
  probe->prefilter = g_strdup(sentence);
  return true;
}

/* False: the answer has come (or an error). */
static bool take(Probe *probe, MessageType type, GVariant *message, bool *done, GError **error) {
  switch (type) {
  case MSG_SANDBOX:
    g_strfreev(probe->sandbox_missing);
    probe->sandbox_missing = g_variant_dup_strv(message, NULL);
    return true;
  case MSG_RULE_MESSAGE:
    print_rule_message(message);
    return true;
  case MSG_RULE_PROOF:
    return take_prefilter(probe, message, error);
  case MSG_VOLUME:
    return take_volume(probe, message, error);
  case MSG_GAP:
    return take_gap(probe, message, error);
  case MSG_EVIDENCE:
    *done = true;
    return take_evidence(probe, message, error);
  case MSG_ERROR:
    *done = true;
    process_take_error(message, &probe->error);
    return true;
  default:
    return broken(error, "answer");
  }
}

static Probe *probe_once(const ProcessSetup *setup, GError **error) {
  g_autoptr(Process) process = process_new(setup, error);
  if (process == NULL)
    return NULL;
  g_autoptr(Probe) probe = probe_empty(setup->evidence);
  int seconds =
      setup->options != NULL ? setup->options->timeout_seconds : (int)LIMIT_TIMEOUT_SECONDS_DEFAULT;
  bool done = false, has_started = false;
  while (!done) {
    MessageType type;
    GError *lost = NULL;
    g_autoptr(GVariant) message = process_receive(process, seconds, &type, &lost);
    if (message == NULL || !take(probe, type, message, &done, &lost)) {
      /* Before the lock-in nothing of the evidence has been parsed: the machine is at fault. */
      if (!has_started) {
        g_propagate_prefixed_error(error, lost, "a worker cannot start: ");
        return NULL;
      }
      probe->error = lost;
      break;
    }
    has_started = has_started || type == MSG_SANDBOX || type == MSG_ERROR;
  }
  if (probe->error != NULL && triage_error_reason(probe->error) == TRIAGE_REASON_USAGE) {
    g_propagate_error(error, g_steal_pointer(&probe->error));
    return NULL;
  }
  return g_steal_pointer(&probe);
}

static bool is_lost(const GError *error) {
  TriageReason reason = error != NULL ? triage_error_reason(error) : TRIAGE_REASON_INTERNAL;
  return reason == TRIAGE_REASON_WORKER_CRASH || reason == TRIAGE_REASON_TIMEOUT ||
         reason == TRIAGE_REASON_OUT_OF_MEMORY;
}

/* A worker may be lost to the machine rather than to the evidence: as for an object, one more try.
 * Then less and less of the image is opened: a crafted volume must not hide the rest. */
Probe *probe_new(const ProcessSetup *setup, GError **error) {
  static const uint32_t CARES[] = {0, 0, 1, 2};
  GError *lost = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS(CARES); i++) {
    ProcessSetup careful = *setup;
    careful.care = CARES[i];
    g_clear_error(&lost);
    Probe *probe = probe_once(&careful, &lost);
    if (probe != NULL)
      probe->care = CARES[i];
    bool is_last = i + 1 == G_N_ELEMENTS(CARES);
    if (is_last || !is_lost(probe != NULL ? probe->error : lost)) {
      if (lost != NULL)
        g_propagate_error(error, lost);
      return probe;
    }
    probe_free(probe);
  }
  return NULL; /* not reached: the last try returns */
}
