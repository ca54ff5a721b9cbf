/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - tells that two passwords are the same without keeping either. The digest is slow to
 * make, so that a list of words is slow to try; reports never show it. */
#pragma once
#include <stdbool.h>

enum { SECRET_DIGEST = 16 + 1 };
void secret_digest(const char *secret, char out[SECRET_DIGEST]);
/* True for such digests joined by ';', and for none. */
bool secrets_are_digests(const char *list);
