/* SPDX-License-Identifier: Apache-2.0 */
/* coord_slots.h - the event loop's two halves: giving work to slots, and losing workers. */
#pragma once
#include "engine/coord_private.h"

/* A worker in the slot that has answered SETUP or will. */
bool slot_ensure_process(Run *run, Slot *slot, GError **error);
/* Gives an idle slot something to do; *gave is false where nothing is left for it now. */
bool slot_give_work(Run *run, Slot *slot, bool *gave, GError **error);
/* True while anything of this evidence is still to be done. */
bool slots_have_work(const Run *run);
/* The slot's worker is gone, hangs or breaks the protocol: decides what becomes of its job. */
bool slot_lost(Run *run, Slot *slot, TriageReason reason, const char *detail, GError **error);
/* Handles all whole messages of a slot. */
bool slot_take_messages(Run *run, Slot *slot, GError **error);
void slot_set_deadline(Run *run, Slot *slot);
/* Sees how far a worker has come with its objects, of which it says nothing while there is nothing
 * to say. */
void slot_look(Run *run, Slot *slot);
void slot_clear(Slot *slot);
