/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_vba.h - VBA source out of its compressed containers ([MS-OVBA] 2.4.1), wherever they lie.
 * Own code instead of libgsf's gsf_vba_inflate: that one is not held to a size and cannot say where
 * a damaged container breaks off. Knows no document format. */
#pragma once
#include "unpack/unpack_private.h"

enum { VBA_LEAST_BYTES = 12 }; /* of a container that vba_find finds */

/* What one object may still give. */
typedef struct {
  uint64_t bytes;
  uint32_t modules;
  bool is_told; /* that it is used up */
} VbaBudget;
#define VBA_BUDGET ((VbaBudget){LIMIT_VBA_BYTES, LIMIT_VBA_MODULES, false})

/* Inflates the container at data. False with error where it breaks off: what came out is kept. */
bool vba_inflate(Unpack *unpack, const uint8_t *data, uint64_t size, Intake *intake,
                 GError **error);
/* The next container, from byte from on, that begins like the source of a module; size: none. */
uint64_t vba_find(const Content *content, uint64_t from);
/* Hands out the source in the container at data as view vba of the member called name. */
void vba_hand_out(Unpack *unpack, Container *container, GBytes *name, const uint8_t *data,
                  uint64_t size, VbaBudget *budget);
/* Hands out every module found by its signature alone, but for those at the offsets in known
 * (uint64_t set, may be NULL). */
void vba_carve(Unpack *unpack, Content *content, const MemberPath *path, GHashTable *known,
               VbaBudget *budget);

/* One module as a project's directory stream names it. */
typedef struct {
  const uint8_t *name; /* of its stream, UTF-16LE; NULL: only in the project's character set */
  uint32_t name_bytes;
  uint32_t offset; /* of the container in that stream */
} VbaModule;
/* Reads an inflated directory stream; calls module for each. */
void vba_read_dir(const uint8_t *data, uint64_t size,
                  void (*module)(void *user, const VbaModule *module), void *user);
