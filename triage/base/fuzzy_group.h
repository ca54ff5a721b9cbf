/* SPDX-License-Identifier: Apache-2.0 */
/* fuzzy_group.h - which of many digests hang together: single linkage. */
#pragma once
#include "base/fuzzy.h"

/* The group of each of n digests, named by the first of its members: two are in one group where a
 * chain of digests, each least (1 to 100) like the next, leads from one to the other. The same
 * groups whatever the order. (transfer full), n numbers */
guint *fuzzy_group(const Fuzzy *all, guint n, guint least);
