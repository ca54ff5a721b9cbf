/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_scan.c - the options of 'triage scan'. */
#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/scan_arguments.h"
#include "engine/coord.h"
#include "evidence/object.h"
#include <string.h>
#include <unistd.h>

void scan_arguments_list(ScanArguments *a, GOptionEntry entries[SCAN_ENTRIES_MAX]) {
  const GOptionEntry list[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &a->scan.output,
       "Case directory to make (required)", "CASE"},
      {"rules", 'r', 0, G_OPTION_ARG_FILENAME_ARRAY, &a->scan.rules,
       "YARA rules, may be given often; [namespace:]FILE (default: network_smtp_vb)", "FILE"},
      {"benign", 'b', 0, G_OPTION_ARG_FILENAME_ARRAY, &a->scan.benign,
       "Site profile of what is known to be benign, may be given often", "FILE"},
      {"jobs", 'j', 0, G_OPTION_ARG_INT, &a->scan.jobs,
       "Worker processes (default: the machine's processors)", "N"},
      {"resume", 0, 0, G_OPTION_ARG_NONE, &a->resume, "Go on with a stopped case", NULL},
      {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &a->scan.password_file,
       "Passwords to try on encrypted archive members, one a line", "FILE"},
      {"timezone", 0, 0, G_OPTION_ARG_STRING, &a->scan.timezone,
       "Zone named in the report; times stay UTC", "NAME"},
      {"examiner", 0, 0, G_OPTION_ARG_STRING, &a->scan.examiner, "For the report", "TEXT"},
      {"case-number", 0, 0, G_OPTION_ARG_STRING, &a->scan.case_number, "For the report", "TEXT"},
      {"evidence-number", 0, 0, G_OPTION_ARG_STRING, &a->scan.evidence_number, "For the report",
       "TEXT"},
      {"notes", 0, 0, G_OPTION_ARG_STRING, &a->scan.notes, "For the report", "TEXT"},
      {"sign", 0, 0, G_OPTION_ARG_FILENAME, &a->scan.sign_key,
       "Sign the manifest with this private key and its certificate (one PEM file)", "KEY"},
      {"timestamp-request", 0, 0, G_OPTION_ARG_NONE, &a->wants_stamp,
       "Write a request for a time stamp over the manifest", NULL},
      {"hash-all", 0, 0, G_OPTION_ARG_NONE, &a->hash_all,
       "Digests of every object, not of hits alone", NULL},
      {"digest", 0, 0, G_OPTION_ARG_STRING, &a->scan.digest,
       "Digests of the whole evidence beside sha256 and those its container stores; or none",
       "LIST"},
      {"entries", 0, 0, G_OPTION_ARG_NONE, &a->entries, "Write entries.csv: every object seen",
       NULL},
      {"timeout", 0, 0, G_OPTION_ARG_INT, &a->scan.timeout_seconds,
       "For each object, beside what its size allows (default 120)", "SECONDS"},
      {"max-depth", 0, 0, G_OPTION_ARG_INT, &a->scan.max_depth,
       "Containers inside containers (default 16)", "N"},
      {"max-expanded", 0, 0, G_OPTION_ARG_INT64, &a->scan.max_expanded,
       "Bytes unpacked from one object (default 16 GiB)", "BYTES"},
      {"no-prefilter", 0, 0, G_OPTION_ARG_NONE, &a->no_prefilter,
       "Every object to libyara, even one that provably cannot match", NULL},
      {"areas", 0, 0, G_OPTION_ARG_STRING, &a->areas,
       "What to examine: allocated, deleted, orphan, slack, unallocated, gaps (default: all)",
       "LIST"},
      {"evidence-list", 0, 0, G_OPTION_ARG_FILENAME, &a->scan.evidence_list,
       "CSV file of the evidence: path, evidence_number, notes, site_profile", "FILE"},
      {"log", 0, 0, G_OPTION_ARG_FILENAME, &a->scan.log,
       "A second copy of the action log: one line of JSON for each event", "FILE"},
      {"metrics", 0, 0, G_OPTION_ARG_FILENAME, &a->scan.metrics,
       "How far the run is, as a text file for Prometheus", "FILE"},
      {"known", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &a->scan.known,
       "List of files to leave unscanned but listed, by digest; may be given often", "FILE"},
      {"shard", 0, 0, G_OPTION_ARG_STRING, &a->shard,
       "Only part K of N of the work; 'triage merge' joins the parts", "K/N"},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &a->quiet, "Errors only", NULL},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &a->verbose, "Say more", NULL},
      {"progress", 0, 0, G_OPTION_ARG_STRING, &a->progress, "auto (on a terminal), always or never",
       "WHEN"},
      {NULL, 0, 0, 0, NULL, NULL, NULL},
  };
  G_STATIC_ASSERT(G_N_ELEMENTS(list) <= SCAN_ENTRIES_MAX);
  memcpy(entries, list, sizeof list);
}

/* A name of the machine's time zone database, UTC or an offset. */
static bool is_zone(const char *name) {
  static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_+-/:";
  if (*name == '\0' || strspn(name, LETTERS) != strlen(name))
    return false;
  g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(name);
  return zone != NULL;
}

static bool check_ranges(ScanArguments *a, const char **problem) {
  ScanOptions *scan = &a->scan;
  *problem = NULL;
  if (scan->output == NULL)
    *problem = "name the case directory to make with -o CASE";
  else if (scan->evidence_list != NULL && scan->evidence[0] != NULL)
    *problem = "--evidence-list takes the place of evidence named on the command line";
  else if (scan->evidence_list == NULL && scan->evidence[0] == NULL)
    *problem = "name the evidence: a disk image, archive, file or directory";
  else if (scan->jobs < 1 || scan->jobs > 256)
    *problem = "--jobs takes a number from 1 to 256";
  else if (scan->timeout_seconds < 1 || scan->timeout_seconds > 86400)
    *problem = "--timeout takes seconds from 1 to 86400";
  else if (scan->max_depth < 0 || scan->max_depth > 1000)
    *problem = "--max-depth takes a number from 0 to 1000";
  else if (scan->max_expanded < 0)
    *problem = "--max-expanded takes a number of bytes";
  else if (scan->timezone != NULL && !is_zone(scan->timezone))
    *problem = "--timezone takes a name of the time zone database (Europe/Berlin), UTC or +02:00";
  else if (a->areas != NULL && !areas_parse(a->areas, &scan->areas))
    *problem = "--areas takes a list of allocated, deleted, orphan, slack, unallocated, gaps";
  else if (scan->known != NULL && g_strv_length(scan->known) > 8)
    *problem = "--known may be given 8 times; put several lists into one file";
  else if (a->shard != NULL && !shard_parse(a->shard, &scan->shard, &scan->shards))
    *problem = "--shard takes K/N: part K, from 1, of N parts, of which there may be 10000";
  else if (a->shard != NULL && (scan->sign_key != NULL || a->wants_stamp))
    *problem = "a shard has no manifest to sign: seal the merged case ('triage seal')";
  else if (a->progress != NULL && strcmp(a->progress, "auto") != 0 &&
           strcmp(a->progress, "always") != 0 && strcmp(a->progress, "never") != 0)
    *problem = "--progress takes auto, always or never";
  return *problem == NULL;
}

static bool check_digest_list(const char *list) {
  g_auto(GStrv) words = g_strsplit(list != NULL ? list : "sha256", ",", -1);
  for (guint i = 0; words[i] != NULL; i++) {
    bool is_none = strcmp(words[i], "none") == 0;
    if ((is_none && (i > 0 || words[1] != NULL)) ||
        (!is_none && strcmp(words[i], "sha256") != 0 && strcmp(words[i], "sha1") != 0 &&
         strcmp(words[i], "md5") != 0))
      return false;
  }
  return words[0] != NULL;
}

static char *join_command_line(int argc, char **argv) {
  g_autoptr(GString) line = g_string_new("triage");
  for (int i = 0; i < argc; i++) {
    g_autofree char *quoted = g_shell_quote(argv[i]);
    bool is_plain = strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "_-./=:,+@%") == strlen(argv[i]) &&
                    *argv[i] != '\0';
    g_string_append_printf(line, " %s", is_plain ? argv[i] : quoted);
  }
  return text_printable(line->str, line->len);
}

/* "-j4" as every other program takes it; GOption knows "-j 4" alone. (transfer full) */
static GStrv split_jobs(int argc, char **argv) {
  GStrvBuilder *builder = g_strv_builder_new();
  bool is_option = true;
  for (int i = 0; i < argc; i++) {
    is_option = is_option && strcmp(argv[i], "--") != 0;
    if (is_option && g_str_has_prefix(argv[i], "-j") && g_ascii_isdigit(argv[i][2])) {
      g_strv_builder_add(builder, "-j");
      g_strv_builder_add(builder, argv[i] + 2);
    } else {
      g_strv_builder_add(builder, argv[i]);
    }
  }
  GStrv list = g_strv_builder_end(builder);
  g_strv_builder_unref(builder);
  return list;
}

void scan_arguments_clear(ScanArguments *a) {
  g_free(a->scan.output);
  g_strfreev(a->scan.evidence);
  g_strfreev(a->scan.rules);
  g_strfreev(a->scan.benign);
  g_strfreev(a->scan.known);
  g_free(a->scan.password_file);
  g_free(a->scan.evidence_list);
  g_free(a->scan.log);
  g_free(a->scan.metrics);
  g_free(a->scan.timezone);
  g_free(a->scan.examiner);
  g_free(a->scan.case_number);
  g_free(a->scan.evidence_number);
  g_free(a->scan.notes);
  g_free(a->scan.digest);
  g_free(a->scan.sign_key);
  g_free(a->scan.command_line);
  g_free(a->shard);
  g_free(a->areas);
  g_free(a->progress);
}

static bool parse(ScanArguments *a, const ScanUsage *usage, GOptionContext *context, int argc,
                  char **argv) {
  const char *command = usage->command, *problem;
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("triage %s: %s; 'triage %s --help' lists the options\n", command, error->message,
               command);
    return false;
  }
  a->scan.evidence = g_new0(char *, (gsize)argc + 1);
  for (int i = 1, n = 0; i < argc; i++)
    if (strcmp(argv[i], "--") != 0)
      a->scan.evidence[n++] = g_strdup(argv[i]);
  int n_evidence = (int)g_strv_length(a->scan.evidence);
  if ((usage->check != NULL && !usage->check(usage->user, a, n_evidence, &problem)) ||
      (!a->is_checked && !check_ranges(a, &problem)) ||
      (!check_digest_list(a->scan.digest) &&
       (problem = "--digest takes sha256, sha1, md5, or none alone") != NULL)) {
    g_printerr("triage %s: %s\n", command, problem);
    return false;
  }
  a->scan.resume = a->resume;
  a->scan.wants_stamp = a->wants_stamp;
  a->scan.hash_all = a->hash_all;
  a->scan.entries = a->entries;
  a->scan.no_prefilter = a->no_prefilter;
  a->scan.quiet = a->quiet;
  a->scan.verbose = a->verbose;
  const char *when = a->progress != NULL ? a->progress : "auto";
  a->scan.progress = !a->quiet && (strcmp(when, "always") == 0 ||
                                   (strcmp(when, "auto") == 0 && isatty(STDERR_FILENO)));
  return true;
}

void scan_arguments_init(ScanArguments *a) {
  *a = (ScanArguments){.scan = {.jobs = (int)g_get_num_processors(),
                                .timeout_seconds = LIMIT_TIMEOUT_SECONDS_DEFAULT,
                                .max_depth = LIMIT_DEPTH_DEFAULT,
                                .areas = AREAS_ALL,
                                .max_expanded = (int64_t)LIMIT_EXPANDED_DEFAULT}};
}

bool scan_arguments_parse(ScanArguments *a, const ScanUsage *usage, int argc, char **argv) {
  scan_arguments_init(a);
  if (usage->check != NULL)
    a->scan.jobs = 0;
  GOptionEntry entries[SCAN_ENTRIES_MAX];
  scan_arguments_list(a, entries);
  g_autoptr(GOptionContext) context = g_option_context_new(usage->arguments);
  g_option_context_set_summary(context, usage->summary);
  for (guint i = 0; usage->unfit != NULL && entries[i].long_name != NULL; i++)
    if (g_strv_contains(usage->unfit, entries[i].long_name))
      entries[i].flags |= G_OPTION_FLAG_HIDDEN;
  if (usage->more != NULL)
    g_option_context_add_main_entries(context, usage->more, NULL);
  g_option_context_add_main_entries(context, entries, NULL);
  a->scan.command_line = join_command_line(argc, argv);
  g_auto(GStrv) list = split_jobs(argc, argv);
  int n = (int)g_strv_length(list);
  /* The parser moves the pointers about: it gets its own array of them. */
  g_autofree char **view = g_memdup2(list, sizeof(char *) * ((gsize)n + 1));
  return parse(a, usage, context, n, view);
}

int command_scan(int argc, char **argv) {
  static const ScanUsage USAGE = {.command = "scan",
                                  .arguments = "EVIDENCE...",
                                  .summary = "Examines evidence and writes a case directory."};
  ScanArguments arguments;
  int status = scan_arguments_parse(&arguments, &USAGE, argc, argv) ? coord_scan(&arguments.scan)
                                                                    : EXIT_UNUSABLE;
  scan_arguments_clear(&arguments);
  return status;
}
