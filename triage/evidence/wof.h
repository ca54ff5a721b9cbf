/* SPDX-License-Identifier: Apache-2.0 */
/* wof.h - NTFS files that Windows keeps compressed in a stream of their own (CompactOS, "compact
 * /exe"): a reparse point names the method, the unnamed data has a size and no blocks. */
#pragma once
#include "base/content.h"
#include <stdbool.h>
#include <stdint.h>
#include <tsk/libtsk.h>

typedef struct {
  const TSK_FS_ATTR *stream; /* the stream that holds the content; NULL: the file is no such one */
  uint32_t method;
  bool is_lost;   /* it is one, and the stream is not there */
  bool is_in_wim; /* the content lies in a WIM file (WIMBoot) */
} Wof;

/* Valid as long as the file is open. */
Wof wof_find(TSK_FS_FILE *file);
/* True where attr is the unnamed data that the stream stands for. */
bool wof_is_content(const Wof *wof, const TSK_FS_ATTR *attr);
/* Appends the size bytes of the content; what cannot be had stands as zero. False with error:
 * corrupt, or unsupported-format where the method cannot be read. */
bool wof_read(const Wof *wof, uint64_t size, ContentBuilder *builder, GError **error);
