/* SPDX-License-Identifier: Apache-2.0 */
/* coord.h - the coordinator: hands out work to worker processes, checks what they say, owns the
 * case store. Parses no evidence. What the commands use of it. */
#pragma once
#include "store/store.h"
#include "triage/error.h"
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  char *output;        /* case directory */
  char **evidence;     /* paths, NULL-terminated; with evidence_list: filled in from it */
  char *evidence_list; /* CSV file; NULL: none */
  char *log, *metrics; /* files to keep while it runs; NULL: none */
  char **rules;        /* "file" or "namespace:file"; NULL: the shipped rule */
  char **benign;       /* site profiles; NULL: none */
  char **known;        /* lists of known files; NULL: none */
  char *password_file; /* NULL: none */
  char *timezone, *examiner, *case_number, *evidence_number, *notes; /* NULL: not given */
  char *sign_key;     /* NULL: the manifest is not signed */
  bool wants_stamp;   /* a time-stamp request is written */
  char *digest;       /* "none" or a list; NULL: default */
  char *command_line; /* for the report */
  int jobs;
  int timeout_seconds, max_depth;
  int64_t max_expanded;
  uint32_t shard, shards; /* --shard K/N; 0: all of it */
  uint32_t areas;         /* AREAS_ bits of evidence/object.h: what is examined */
  bool resume, hash_all, entries, no_prefilter, quiet, verbose;
  bool progress; /* show it */
  bool no_links; /* no file of the evidence may be a symbolic link */
} ScanOptions;

/* The words of --areas, a list joined by commas ("all": every one). false: a word is none. */
bool areas_parse(const char *list, uint32_t *areas);
char *areas_format(uint32_t areas); /* (transfer full) */

enum { EXIT_COMPLETE = 0, EXIT_INCOMPLETE = 1, EXIT_UNUSABLE = 2, EXIT_STOPPED = 3 };

/* Runs a whole scan; messages go to standard error. Returns the exit status. */
int coord_scan(ScanOptions *options);

typedef struct {
  const char *folder;             /* where images arrive */
  ScanOptions *scan;              /* of each image; output: the directory of the cases */
  int interval, settle, patience; /* seconds: between looks, without a change, of waiting */
  bool needs_marker, is_once;     /* NAME.done is asked for; ends when all there is is done */
} WatchOptions;

/* Scans images as they arrive in a folder, one after another, until a signal. The exit status. */
int coord_watch(const WatchOptions *options);

/* "K/N". false: it is none. */
bool shard_parse(const char *text, uint32_t *shard, uint32_t *shards);

typedef struct {
  const char *output; /* case directory to make */
  char **shards;      /* case directories, NULL-terminated */
  char **benign;      /* site profiles where they are now; NULL: where they were */
  const char *command_line;
  bool quiet;
} MergeOptions;

/* Joins the shards of one scan to the case that the scan would have made. Returns the exit status.
 */
int coord_merge(const MergeOptions *options);

typedef struct {
  ScanOptions *scan;   /* output, evidence and whatever is checked before anything is submitted */
  char **arguments;    /* of each shard's scan, beside --shard, --resume, --jobs and --output */
  char **sbatch;       /* further options of sbatch; NULL: none */
  int jobs;            /* processors of a task; 0: a whole node */
  int nodes;           /* tasks at a time at most; 0: as many as the cluster gives */
  int shards;          /* 0: by bytes */
  int64_t shard_bytes; /* of evidence for each shard */
  bool dry_run;        /* write the scripts, submit nothing */
  bool resume;         /* submit those of a case again; evidence and arguments are not looked at */
} SubmitOptions;

/* Hands a scan to Slurm: an array of shards and the merge that depends on it. Returns the exit
 * status: 0 submitted, 2 nothing was, 3 failed on the way. */
int coord_submit(const SubmitOptions *options);

typedef struct {
  const char *case_dir;
  char **evidence;     /* where it is now, in order; NULL: where it was */
  char **rules;        /* where they are now; NULL: where they were */
  char *password_file; /* NULL: none */
  char *signers;       /* certificates trusted for the signature; NULL: not asked */
  char *authorities;   /* certificates trusted for the time stamp; NULL: not asked */
  int jobs;
} VerifyOptions;

/* Checks a case and prints what holds and what does not. 0 all holds, 1 something does not, 2 it
 * cannot be checked, 3 stopped. Writes nothing into the case but one line of its action log. */
int coord_verify(const VerifyOptions *options);

typedef struct {
  const char *case_dir;
  char **hits;         /* identifiers, NULL-terminated */
  const char *output;  /* archive to write; must not exist */
  char **evidence;     /* as in VerifyOptions */
  char *password_file; /* NULL: none */
} ExtractOptions;

/* Copies the objects of hits into an encrypted zip. 0 all as recorded, 1 some missing or different
 * (said), 2 wrong usage, 3 failed. */
int coord_extract(const ExtractOptions *options);

typedef struct {
  const char *output; /* directory to make */
  char **cases;       /* case directories, NULL-terminated */
  int least;          /* score from which contents are similar, 1 to 100 */
  bool quiet;
} CompareOptions;

/* Writes what the hits of finished cases have in common. Cases are only read. Returns the exit
 * status. */
int coord_compare(const CompareOptions *options);

/* Prints the grounds for and against the verdict on one hit. Returns the exit status. */
int coord_explain(const char *case_dir, const char *hit_id);

/* Prints what one piece of evidence is. Returns the exit status. */
int coord_info(const char *path);

/* True where the scan of the case in dir has come to its end; else error (usage) says what to do.
 */
bool coord_is_finished(Store *store, const char *dir, GError **error);

/* Prints where a case stands, while it is written too. Returns the exit status. */
int coord_status(const char *dir);

/* True where path is a case directory; and prints where the bytes of its volumes went. */
bool coord_is_case(const char *path);
int coord_accounts(const char *dir);

/* Prints every message about these rule files and profiles; 0 where none is an error, else 2. */
int coord_check_rules(char **files, bool is_verbose);

/* Makes of a list of known files an index that need not be made again. Returns the exit status. */
int coord_index_known(const char *path, const char *output);

/* Prints the tables ("formats") or the library versions ("--version"). */
int coord_formats(void);
int coord_versions(void);

/* A file of the installation or build tree: kind "rules" (directory) or "triage-worker". NULL with
 * error where it is in neither place. (transfer full) */
char *coord_find(const char *kind, GError **error);
