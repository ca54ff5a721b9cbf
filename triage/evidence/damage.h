/* SPDX-License-Identifier: Apache-2.0 */
/* damage.h - lists of stretches of the media that cannot be had. */
#pragma once
#include "evidence/image.h"

/* Damage gathered; added in any order, merged when looked at. */
typedef struct {
  GArray *ranges; /* Damage */
  guint merged;   /* length after the last merge: merging again only pays once it has doubled */
} DamageList;
void damage_list_init(DamageList *list);
void damage_list_clear(DamageList *list); /* frees the content */
/* A length of 0 and a reason that is none are left out. */
void damage_list_add(DamageList *list, uint64_t offset, uint64_t length, TriageReason reason);
GArray *damage_list_get(DamageList *list); /* merged, sorted (transfer none) */
