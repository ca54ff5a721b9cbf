/* SPDX-License-Identifier: Apache-2.0 */
/* timestomp.h - do the two records that NTFS keeps of a file's times contradict each other?
 *
 * Programs set the times of $STANDARD_INFORMATION as they like; those of $FILE_NAME the kernel sets
 * when the name is made or moved. A $STANDARD_INFORMATION that is older says little by itself:
 * moving between volumes, robocopy and archivers that keep creation times all make that. What none
 * of them makes is taken as a contradiction:
 *
 * TIMESTOMP_ENTRY_BEFORE_NAME: the entry was last changed more than a day before its name was
 *   made. Windows sets that time itself at each change, and programs that copy or unpack cannot set
 *   it by the documented call. Wrong where the machine's clock was set back by more than a day.
 * TIMESTOMP_WHOLE_SECONDS: creation, modification and access all lie on whole seconds, the creation
 *   more than a day before the name's, which has a fraction. Installers and unpackers set one or
 * two of these to the whole seconds of their archives, not the access as well. Wrong where a
 * program does set all three (restored from a backup that kept seconds). */
#pragma once
#include "triage/time.h"

enum {
  TIMESTOMP_ENTRY_BEFORE_NAME = 1,
  TIMESTOMP_WHOLE_SECONDS = 2,
  /* Said, but no contradiction: the creation lies before the name's. Moved, copied, unpacked. */
  TIMESTOMP_CREATED_BEFORE_NAME = 4,
  TIMESTOMP_LAST = TIMESTOMP_CREATED_BEFORE_NAME
};

/* Created, modified, changed and accessed of each record; the signs as bits. 0 where one of the
 * records is missing or is not of NTFS. */
unsigned timestomp_signs(const TriageTime standard[4], const TriageTime name[4]);

/* True where one of them is a contradiction. */
bool timestomp_is(unsigned signs);

/* The words for one sign: "entry-before-name", "whole-seconds", "created-before-name". Static. */
const char *timestomp_sign_name(unsigned sign);
/* What it says, as part of a sentence. Static. */
const char *timestomp_sign_text(unsigned sign);
