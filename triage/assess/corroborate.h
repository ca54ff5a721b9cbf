/* SPDX-License-Identifier: Apache-2.0 */
/* corroborate.h - what else in the same evidence runs a script: a fact that names exactly its path
 * as the first script of a command, or the directory it lies in as that of a product's scripts. */
#pragma once
#include "assess/profile.h"

typedef struct {
  const FactRef *fact;    /* what runs it; NULL: nothing does. (transfer none) */
  const FactRef *through; /* the batch file by which it does so, or NULL. (transfer none) */
  bool is_product;        /* a product's configuration that names the directory, not a command */
} Corroboration;

/* The first fact that a rule of profile accepts for the hit. */
bool corroborate(const ProfileSet *set, const Profile *profile, const HitView *hit,
                 Corroboration *out);

/* A fact that runs a script of the same name elsewhere; NULL where none does. (transfer none) */
const FactRef *corroborate_namesake(const ProfileSet *set, const HitView *hit);

/* The mail store that the hit is a message or a nameless part of; NULL where it is none. */
const FactRef *corroborate_mail_store(const HitView *hit);

/* ---- corroborate_task.c: what the Task Scheduler's own records say besides ---- */
/* The cache of the registry that runs the hit's script; NULL where none does. (transfer none) */
const FactRef *corroborate_task_cache(const ProfileSet *set, const HitView *hit);
/* When the task of that cache was registered and last ran, as a text; NULL: not recorded. (transfer
 * none) */
const char *corroborate_task_times(const HitView *hit, const FactRef *cache);
/* The task that was made about when the last was recorded of a script which is no longer there. */
const FactRef *corroborate_short_lived(const ProfileSet *set, const HitView *hit);
/* A task that ran the script and was deleted soon, by all that is recorded of it, where nothing of
 * the scheduler runs the script now. */
const FactRef *corroborate_deleted_task(const ProfileSet *set, const HitView *hit);

/* ---- of corroborate.c, for corroborate_task.c ---- */
/* The hit's path with the steps into its container. (transfer full) */
char *corroborate_path(const HitView *hit);
/* The fact's command runs that path; store: the place where the fact lies, as a glob. */
bool corroborate_runs(const ProfileSet *set, const FactRef *fact, const char *store,
                      const char *path);
