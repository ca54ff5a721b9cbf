/* SPDX-License-Identifier: Apache-2.0 */
/* store_resume.h - what a resumed run forgets: what the evidence did not give when it was read and
 * may give now. */
#pragma once
#include "store/store.h"

/* Forgets all of one piece of evidence, as if it had not been begun. */
bool store_forget_evidence(Store *store, uint32_t evidence, GError **error);
/* Objects with a read error are to be examined again, volumes whose walk met one to be walked
 * again. */
bool store_forget_read_errors(Store *store, uint32_t evidence, GError **error);
