/* SPDX-License-Identifier: Apache-2.0 */
/* assess.h - what a hit's text says (indicators, read in the worker), what else in the evidence
 * bears on it (facts, read in the worker), and the verdict with its grounds (profiles, computed by
 * the coordinator from checked fields alone). Pure functions: no I/O but reading profile files. */
#pragma once
#include "triage/error.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- in the worker: evidence text in, plain data out ---- */
typedef struct {
  char *name;      /* "smtp_server", "smtp_port", "mail_from", "mail_to", "mail_cc", "mail_bcc",
                      "reply_to", "subject", "body", "body_source", "attachment", "sendusing",
                      "pickup", "ssl", "auth", "user", "password_present" (never the password);
                      of the text as a whole: "content" (kind of bytes), "language", "acts" (it
                      builds or sends), "unsure" (part of it may read otherwise), "dynamic",
                      "other_channel", "runs_program", "file_loop", "names_server" (a string is the
                      name of one, used or not) */
  char *value;     /* printable UTF-8; an unresolved expression is given as it stands, in = form */
  uint64_t offset; /* byte of the scanned view where it was read */
  char *secret;    /* of "password_present": the password, for indicators_blot alone; else NULL */
} Indicator;
void indicator_free(Indicator *indicator);

/* Indicators of a script text (any bytes; must bear hostile input), at most LIMIT_INDICATORS, in
 * order of offset. (transfer full) Indicator* */
GPtrArray *indicators_read(const uint8_t *data, uint64_t size);

/* Overwrites with '*' what of the passwords stands in text (printable, as text_printable made it),
 * also where it is cut off at either end. */
void indicators_blot(const GPtrArray *indicators, char *text);

typedef struct {
  char *kind;   /* what runs the target: "task" (Task Scheduler XML or .job), "disabled-task",
                   "registry-task" (its cache in the registry; "registry-task-times": detail alone
                   says when the task of the same key was registered and ran), "cron",
                   "systemd", "systemd-timer", "monitoring", "monitoring-directory", "batch" (a batch
                   file: counts only where something runs that); or what the machine says of itself:
                   "mail-domain", "account-domain"; or what the object is: "mail-store" */
  char *target; /* command line or file it runs, printable UTF-8 */
  char *detail; /* author, schedule, user where given; may be empty */
} Fact;
void fact_free(Fact *fact);

/* Facts that one object of the evidence states. path is printable and may only say where to look
 * (a cron file); the content decides. NULL or empty: none. (transfer full) Fact* */
GPtrArray *facts_read(const char *path, const uint8_t *data, uint64_t size);

/* ---- in the coordinator: checked fields in, verdict out ---- */
typedef enum {
  VERDICT_KNOWN_BENIGN,
  VERDICT_LIKELY_BENIGN,
  VERDICT_UNEXPLAINED,
  VERDICT_SUSPICIOUS,
  VERDICT_LAST = VERDICT_SUSPICIOUS
} VerdictKind;
const char *verdict_name(VerdictKind verdict); /* "known-benign" ... */

typedef struct _ProfileSet ProfileSet;
/* Loads profiles: every *.yaml of dir in name order (may be NULL), then the site files. Errors name
 * file, line and column (usage). (transfer full) */
ProfileSet *profile_set_load(const char *dir, const char *const *site_files, GError **error);
/* The same over one text: for check-rules and tests. */
ProfileSet *profile_set_parse(const char *file_name, const char *text, GError **error);
void profile_set_free(ProfileSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProfileSet, profile_set_free)
/* For the manifest: file name and SHA-256 of each profile file loaded, in order. */
guint profile_set_n_files(const ProfileSet *set);
void profile_set_file(const ProfileSet *set, guint index, const char **name, const char **sha256);

/* One fact with the object that states it. */
typedef struct {
  const char *kind, *target, *detail;
  const char *path, *sha256; /* of the object that states it */
  const char *evidence;
  uint32_t volume;
  bool is_live;       /* the object is allocated and no named stream */
  int64_t made, last; /* the object's creation and the last its times record: seconds, 0: none */
} FactRef;

typedef struct {
  const char *evidence;
  uint32_t volume;
  const char *path;   /* printable, within the file system */
  const char *member; /* printable, steps joined by !/ ; empty for the object itself */
  const char *view, *state, *sha256, *rule;
  bool is_named_stream;
  bool is_timestomped;
  int64_t last;           /* the last that the object's times record: seconds, 0: not known */
  GPtrArray *indicators;  /* Indicator* */
  const GPtrArray *facts; /* FactRef*: all of the case */
  const char *excerpt;
} HitView;

typedef struct {
  VerdictKind verdict;
  char *scenario;           /* "scheduled-report" ... or "" */
  char *profile;            /* identifier of the profile that decided, or "" */
  char *reason;             /* one sentence on what the verdict rests on; never NULL */
  GPtrArray *corroboration; /* char*: the corroborating objects by path and digest */
  GArray *grounds;          /* VerdictGround: all that was seen, for and against */
} Verdict;

typedef struct {
  const char *id, *weight; /* static: "outside-server"; "for", "cap", "doubt" or "against" */
  char *text;              /* what it says, with what it was seen in */
  guint rank;              /* its place in the documented list: what weighs most comes first */
} VerdictGround;
/* The risk that a ground misleads: towards alarm, and towards ease. false: no such ground.
 * (transfer none), static */
bool verdict_ground_risk(const char *id, const char **false_positive, const char **false_negative);

void verdict_clear(Verdict *verdict);

/* The verdict on one hit. Deterministic. */
void assess_hit(const ProfileSet *set, const HitView *hit, Verdict *out);
