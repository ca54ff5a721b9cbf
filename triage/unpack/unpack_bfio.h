/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_bfio.h - content as the input of a libyal library. libbfio's own memory range reads behind
 * the end of it on damaged files (found by the mutation test). */
#pragma once
#include "unpack/unpack_private.h"
#include <libbfio.h>

typedef struct {
  Unpack *unpack;
  const uint8_t *data;
  uint64_t size, position;
  uint64_t told; /* bytes of the content reported as progress */
  uint64_t left; /* bytes still to be read: a file that is read on and on is given up */
} BfioSource;

/* A handle over content; source must outlive it. reads: how often the content may be read over. */
bool bfio_source_open(BfioSource *source, Unpack *unpack, Content *content, uint64_t reads,
                      libbfio_handle_t **handle, libbfio_error_t **error);
