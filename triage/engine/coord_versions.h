/* SPDX-License-Identifier: Apache-2.0 */
/* coord_versions.h - what this program was built from. */
#pragma once

/* What this program was built from, and how: lines of commit, compiler and flags. Generated. */
extern const char BUILD_ID[];
