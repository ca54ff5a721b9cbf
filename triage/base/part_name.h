/* SPDX-License-Identifier: Apache-2.0 */
/* part_name.h - names by which the parts of one archive know each other. A name proves nothing: who
 * joins parts looks at their bytes too. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  PART_RAR,   /* x.part1.rar, x.part2.rar ...; x.rar, x.r00, x.r01 ... x.s00 */
  PART_ZIP,   /* x.z01, x.z02 ... x.zip: the last one leads */
  PART_SPLIT, /* x.001, x.002 ...: cut anywhere */
} PartKind;

enum { PART_LAST = UINT32_MAX }; /* the number of x.zip: behind all others */

typedef struct {
  PartKind kind;
  uint32_t number; /* place in the set, from 0; or PART_LAST */
  char *set;       /* the same for all parts of a set in one directory, raw bytes and case folded */
} PartName;

/* False where the name is no part's. part->set is (transfer full). */
bool part_name_parse(const void *name, size_t n, PartName *part);
/* The name that part number of the set of name would have (transfer full). */
char *part_name_of(const void *name, size_t n, uint32_t number);
/* True where the name is surely a part's: "x.7z.002", "x.z01", and not "log.002". */
bool part_name_is_sure(const void *name, size_t n);

/* Which of n parts is opened for all of them. */
static inline guint part_lead(PartKind kind, guint n) {
  return kind == PART_ZIP && n > 0 ? n - 1 : 0;
}
