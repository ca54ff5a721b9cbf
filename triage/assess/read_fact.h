/* SPDX-License-Identifier: Apache-2.0 */
/* read_fact.h - the readers of files that say what a machine runs, one for each kind of file. A
 * reader gets text in UTF-8 (or XML as it stands) and adds facts; what it does not know it leaves.
 */
#pragma once
#include "assess/assess.h"

enum { MAX_FACTS = 64 }; /* of one object */

/* Adds a fact; texts are bytes of evidence and are made printable. */
void fact_add(GPtrArray *facts, const char *kind, const char *target, const char *detail);

/* The command line that a task runs: a program's name with spaces is quoted. (transfer full) */
char *fact_command(const char *program, const char *arguments, const char *directory);

void fact_read_task(GPtrArray *facts, const uint8_t *data, size_t n);
/* Legacy .job files; n is at least what fact_is_job saw. */
bool fact_is_job(const uint8_t *data, uint64_t n);
void fact_read_job(GPtrArray *facts, const uint8_t *data, size_t n);
/* Values Actions and DynamicInfo of a task in the registry. */
void fact_read_task_actions(GPtrArray *facts, const uint8_t *data, size_t n);
void fact_read_task_times(GPtrArray *facts, const char *path, const uint8_t *data, size_t n);
/* system: /etc/crontab and cron.d, where the sixth field is the user. */
void fact_read_crontab(GPtrArray *facts, char *const *lines, bool has_user);
void fact_read_script_lines(GPtrArray *facts, const char *kind, char *const *lines);
/* Scripts that a batch file starts by a line of their own. */
void fact_read_batch(GPtrArray *facts, char *const *lines);
void fact_read_unit(GPtrArray *facts, char *const *lines);
void fact_read_monitoring(GPtrArray *facts, char *const *lines);
void fact_read_domain(GPtrArray *facts, const char *path, char *const *lines);
/* The domain that most of a mailbox's own addresses are of, from its first bytes. */
void fact_read_mailbox(GPtrArray *facts, const uint8_t *data, size_t n);
