/* SPDX-License-Identifier: Apache-2.0 */
/* coord_slots.h - the event loop's two halves: giving work to slots, and losing workers. */
#pragma once
#include "engine/coord_private.h"
#include "engine/proto_ring.h"

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
/* The volume's parts, as far as they are known. */
void slots_ensure_parts(Run *run, VolumeWork *volume);

/* The answer of DIGEST, and of the last HASH. */
bool slot_take_digest(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error);
void slot_take_chunks(Run *run, const Slot *slot, GVariant *message);

/* ---- coord_order.c ---- */
/* The volume's next objects to be handed out, read from the store where page has none: the front of
 * its page. */
bool order_fill_page(Run *run, VolumeWork *volume, GError **error);
/* One of those that the sweep has passed by, at its end or when nothing else is to be done
 * (transfer full); NULL: none, or *error is set. */
Object *order_take_behind(Run *run, VolumeWork *volume, GError **error);
/* True where the volume has objects left, in its page, behind it or in the store. */
bool order_has_more(const VolumeWork *volume);

/* ---- coord_sweep.c ---- */
/* Plans a sweep of the evidence at hand, where its container is one to be inflated and its digests
 * are wanted: run->sweep; else that stays NULL. */
void sweep_plan(Run *run);
/* How many slots there are beside those for jobs: with two jobs and more one waits for another's
 * stripe now and then, and a process more takes that time. */
guint sweep_slots(const Run *run);
void sweep_free(Sweep *sweep);
/* What workers are to read the ring by; NULL: there is none. */
const int *sweep_ring(const Run *run);
/* Gives an idle slot the next stripe for the digests, where it is in the ring; else the next one to
 * inflate, where few are ahead of the digests. head: the object that is handed out next, NULL: none
 * or not known. */
void sweep_give(Run *run, Slot *slot, const Object *head, bool *gave);
/* Gives an idle slot the next stripe to inflate if there is a window for it. */
void sweep_give_stripe(Run *run, Slot *slot, const Object *head, bool *gave);
/* True where the object may be handed out: as much as there will be of it in the ring is there. */
bool sweep_has(const Run *run, const Object *object);
/* The first stripe that the ring will hold for those who ask for it from now on. */
uint64_t sweep_start(const Run *run);
/* The object's first stripe, UINT64_MAX where the ring will not hold that any more. */
uint64_t sweep_stripe(const Run *run, const Object *object);
/* True while stripes are still to come. */
bool sweep_is_running(const Run *run);
bool sweep_take(Run *run, Slot *slot, MessageType type, GVariant *message, GError **error);
/* One of its processes is lost: the digests are computed as without a sweep, from the start. */
void sweep_give_up(Run *run);

/* ---- coord_early.c ---- */
/* The walk of a volume begins, or begins again: nothing of what was examined of it counts, and
 * nobody is at it any more. Before the store forgets the volume. */
void early_begin(Run *run, VolumeWork *volume);
/* An object that the walk told of: handed out soon where there is room and it needs no other to be
 * examined, else kept for the end of the walk. */
void early_take(VolumeWork *volume, const Object *object);
/* Fills the page of a volume that is still walked, as soon as there is a group for it. */
void early_fill_page(VolumeWork *volume);
/* The walk has ended: what nobody has in hand comes with all others, in the order of the disk. */
void early_end(VolumeWork *volume);
/* After the end of the walk: fills the empty page with all that is still to be examined. False
 * where they were too many to keep, or listed by another run: the store has them. */
bool early_fill_from_kept(const Run *run, VolumeWork *volume);
/* Which objects of the order are in hand already: once it is read from the store. */
void early_note_in_hand(const Run *run, VolumeWork *volume);
/* An object was examined and gave so many hits, while the walk of its volume may still run. */
void early_count(VolumeWork *volume, const Object *object, uint64_t hits);
