/* SPDX-License-Identifier: Apache-2.0 */
/* worker_said.h - what a worker says of one object. Of most there is nothing to say, or a gap or
 * two: those are told together with other objects, all others between a BEGIN and an END. */
#pragma once
#include "engine/worker.h"

typedef struct {
  Worker *worker;
  const Object *object;
  GArray *held;     /* CleanGap with texts of its own, not told yet; NULL: none */
  gsize held_bytes; /* of these texts */
  bool has_begun;   /* BEGIN is sent */
} Said;

/* Something that can stand between BEGIN and END alone. */
void said_message(Said *said, MessageType type, GVariant *message);
/* Something of the object, or of its member (""), that was not fully examined; detail may be any
 * text. */
void said_gap(Said *said, const char *member, uint64_t size, uint64_t examined, TriageReason reason,
              const char *detail);
/* What is held is sent: this worker may not come to the end of the object. */
void said_now(Said *said);
/* The object is done. */
void said_end(Said *said, uint64_t examined, uint64_t members, const Digests *digests);
