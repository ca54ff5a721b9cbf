/* SPDX-License-Identifier: Apache-2.0 */
/* store_shard.h - one case examined in several stores, and these put together. */
#pragma once
#include "store/store.h"

/* Leaves of what is still to be examined in a volume the part of one of shards (from 1), by bytes
 * in the order of the disk; all others are of another store. */
bool store_keep_shard(Store *store, uint32_t evidence, uint32_t volume, uint32_t shard,
                      uint32_t shards, GError **error);

/* Makes dir/case.db a copy of the store, which is only read. */
bool store_copy(Store *store, const char *dir, GError **error);
/* One other store at a time, outside of transactions. */
bool store_attach(Store *store, const char *dir, GError **error);
bool store_detach(Store *store, GError **error);
/* Takes over what the attached store (of directory shard) found in one piece of evidence: all of
 * it, or, where is_split, the objects that it examined; has_whole: and what it says of the evidence
 * as a whole. Fails (usage) where its walk saw other entries. */
bool store_take_shard(Store *store, uint32_t evidence, const char *shard, bool is_split,
                      bool has_whole, GError **error);
/* Objects that no shard has examined. */
bool store_count_left(Store *store, uint64_t *left, GError **error);
