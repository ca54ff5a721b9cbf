/* SPDX-License-Identifier: Apache-2.0 */
/* worker_said.c - gaps are held back until the end of their object, or until there is more to say
 * of it than gaps. */
#include "engine/worker_said.h"
#include <string.h>

enum { HELD_GAPS_MAX = 16, HELD_BYTES_MAX = 16 * 1024 }; /* of one object: texts */

static void held_gap_clear(gpointer pointer) {
  CleanGap *gap = pointer;
  g_free((gpointer)gap->detail);
  g_free((gpointer)gap->member);
}

static GVariant *pack_gap(const Object *object, const CleanGap *held) {
  Gap gap = {.seq = object->seq,
             .volume = object->volume,
             .state = object->state,
             .size = held->size,
             .examined = held->examined,
             .reason = held->reason,
             .detail = held->detail};
  g_strlcpy(gap.meta, object->meta, sizeof gap.meta);
  return proto_pack_gap(&gap, held->member);
}

static void begin(Said *said) {
  if (!said->has_begun)
    worker_send(said->worker, MSG_BEGIN, g_variant_new("(t)", said->object->seq));
  said->has_begun = true;
  for (guint i = 0; said->held != NULL && i < said->held->len; i++)
    worker_send(said->worker, MSG_GAP,
                pack_gap(said->object, &g_array_index(said->held, CleanGap, i)));
  g_clear_pointer(&said->held, g_array_unref);
}

void said_message(Said *said, MessageType type, GVariant *message) {
  begin(said);
  worker_send(said->worker, type, message);
}

void said_gap(Said *said, const char *member, uint64_t size, uint64_t examined, TriageReason reason,
              const char *detail) {
  g_autofree char *text = worker_text(detail);
  CleanGap gap = {.size = size,
                  .examined = examined,
                  .reason = reason > TRIAGE_REASON_LAST ? TRIAGE_REASON_CORRUPT : reason,
                  .detail = proto_detail(text),
                  .member = g_strdup(member)};
  if (said->held == NULL) {
    said->held = g_array_new(FALSE, FALSE, sizeof(CleanGap));
    g_array_set_clear_func(said->held, held_gap_clear);
  }
  g_array_append_val(said->held, gap);
  said->held_bytes += strlen(gap.detail) + strlen(gap.member);
  if (said->has_begun || said->held->len > HELD_GAPS_MAX || said->held_bytes > HELD_BYTES_MAX)
    begin(said);
}

void said_now(Said *said) {
  if (said->held != NULL)
    begin(said);
}

void said_end(Said *said, uint64_t examined, uint64_t members, const Digests *digests) {
  CleanObject clean = {said->object->seq, examined, members};
  const GArray *held = said->held;
  if (!said->has_begun && *digests->sha256 == '\0')
    worker_send_clean(said->worker, &clean, held != NULL ? (const CleanGap *)held->data : NULL,
                      held != NULL ? held->len : 0);
  else
    said_message(said, MSG_END,
                 g_variant_new("(tttsss)", clean.seq, clean.examined, clean.members,
                               digests->sha256, digests->sha1, digests->md5));
  g_clear_pointer(&said->held, g_array_unref);
}
