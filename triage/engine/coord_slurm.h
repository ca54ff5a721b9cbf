/* SPDX-License-Identifier: Apache-2.0 */
/* coord_slurm.h - a case that 'triage submit' gave to Slurm: CASE/slurm holds its plan, its
 * scripts, their logs and the shards. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SLURM_DIR "slurm"

typedef struct {
  uint32_t shards;
  uint64_t bytes;      /* of evidence */
  char *array, *merge; /* job ids; NULL: not submitted yet */
  char *cluster;       /* NULL: the one this machine belongs to */
} SlurmPlan;
void slurm_plan_clear(SlurmPlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlurmPlan, slurm_plan_clear)

/* False without error: this case was not submitted. */
bool slurm_plan_read(const char *dir, SlurmPlan *plan, GError **error);
bool slurm_plan_write(const char *dir, const SlurmPlan *plan, GError **error);

/* A program of Slurm's: its output, or NULL with error. (transfer full) */
char *slurm_run(const char *const *argv, GError **error);

/* True where a merge may fill the directory: its jobs' working files are there and no manifest. */
bool slurm_case_is_open(const char *dir);
/* Under the lock of the case: removes what a merge that was cut off left there; nothing in a
 * directory that is no such case. Fails (usage) where the case is complete. */
bool slurm_case_clear(const char *dir, GError **error);

typedef struct {
  guint pending, running, other; /* tasks of the array */
  guint restarts;                /* of tasks that are in the queue */
  GString *nodes;                /* of the tasks that run */
  char *merge;                   /* state of the merge; NULL: not in the queue */
} SlurmQueue;
void slurm_queue_clear(SlurmQueue *queue);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlurmQueue, slurm_queue_clear)
/* What Slurm says of the case's jobs. */
bool slurm_queue_read(const SlurmPlan *plan, SlurmQueue *queue, GError **error);
