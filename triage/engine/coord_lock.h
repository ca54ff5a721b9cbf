/* SPDX-License-Identifier: Apache-2.0 */
/* coord_lock.h - one writer for each case directory: who holds it is known to the kernel, and where
 * machines share the directory, to the file itself. */
#pragma once
#include <glib.h>
#include <stdbool.h>

typedef struct _CaseLock CaseLock;

/* Takes the lock of an existing case directory; fails (usage) with host, process and time of who
 * holds it. A process that was killed holds nothing. (transfer full) */
CaseLock *case_lock_take(const char *dir, GError **error);
/* A sign of life, for machines that cannot see this one's processes. */
void case_lock_touch(CaseLock *lock);
void case_lock_free(CaseLock *lock);
/* In a child process: the lock stays its parent's, and ends with that. */
void case_lock_leave(CaseLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CaseLock, case_lock_free)

/* Who holds the lock of dir, as a sentence's part; NULL: nobody. Takes nothing. (transfer full) */
char *case_lock_holder(const char *dir);
