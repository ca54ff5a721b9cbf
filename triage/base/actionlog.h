/* SPDX-License-Identifier: Apache-2.0 */
/* actionlog.h - an append-only log, one JSON object a line, in which every line states the digest
 * of the line before and its own: a line that was changed, taken out, put in or moved shows. Each
 * line goes to the kernel whole before the action goes on, so that a run that is killed leaves a
 * log that holds. Several programs may write to one log, one after the other. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define ACTION_LOG_NAME "log.jsonl" /* of a case */

/* Appends one event: the time, the event's name, then the fields (name, value, name, value, ...,
 * NULL; values are made printable where they are not). Creates the file where it is missing. What a
 * writer without power or disk left unfinished at the end is cut off and said so. */
bool action_log_write(const char *path, const char *event, const char *const *fields,
                      GError **error);

typedef struct {
  uint64_t lines, bytes; /* up to the first line that breaks */
  uint64_t broken_line;  /* from 1; 0: the whole chain holds */
  char *why;             /* of the broken line; NULL: none */
  char sha256[65];       /* of the first bytes_pinned bytes */
} ActionLogState;
/* Reads the chain. pinned: how many bytes to digest for sha256 (UINT64_MAX: all). False where the
 * file cannot be read. */
bool action_log_check(const char *path, uint64_t pinned, ActionLogState *state, GError **error);
void action_log_state_clear(ActionLogState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ActionLogState, action_log_state_clear)
