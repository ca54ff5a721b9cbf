/* SPDX-License-Identifier: Apache-2.0 */
/* corroborate.h - what else in the same evidence runs a script: a fact that names exactly its path
 * as the first script of a command, or the directory it lies in as that of a product's scripts. */
#pragma once
#include "assess/profile.h"

typedef struct {
  const FactRef *fact;    /* what runs it; NULL: nothing does. (transfer none) */
  const FactRef *through; /* the batch file by which it does so, or NULL. (transfer none) */
  bool is_product;        /* a product's configuration that names the directory, not a command */
} Corroboration;

/* The first fact that a rule of profile accepts for the hit. */
bool corroborate(const ProfileSet *set, const Profile *profile, const HitView *hit,
                 Corroboration *out);

/* A fact that runs a script of the same name elsewhere; NULL where none does. (transfer none) */
const FactRef *corroborate_namesake(const ProfileSet *set, const HitView *hit);

/* The mail store that the hit is a message or a nameless part of; NULL where it is none. */
const FactRef *corroborate_mail_store(const HitView *hit);
