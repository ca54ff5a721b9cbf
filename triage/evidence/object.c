/* SPDX-License-Identifier: Apache-2.0 */
/* object.c - the words of objects. */
#include "evidence/object.h"

const char *object_state_name(ObjectState state) {
  static const char *const NAMES[] = {"allocated", "deleted", "orphan", "slack", "unallocated"};
  return (unsigned)state < G_N_ELEMENTS(NAMES) ? NAMES[state] : "allocated";
}
