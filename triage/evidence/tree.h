/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - a directory of the examiner's machine as evidence: every file beneath it is an object.
 * Follows no symbolic link; opens everything below one descriptor, read-only. */
#pragma once
#include "base/content.h"
#include "evidence/walk.h"

/* Emits all entries below root_fd, names in byte order, as objects of volume 0 (see WalkSink).
 * Metadata addresses stay empty: a copy of the directory is to give the same report. Returns false
 * where the sink stopped. */
bool tree_walk(int root_fd, const WalkSink *sink, GError **error);

/* Reads one entry by its path relative to root_fd (raw bytes). Always gives content. */
void tree_read(int root_fd, const Object *object, const char *path, Spool *spool, WalkContent *out);
