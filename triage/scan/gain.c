/* SPDX-License-Identifier: Apache-2.0 */
/* gain.c - the prefilter's account. */
#include "scan/gain.h"
#include "base/limits.h"
#include <glib.h>

#define JUDGED_BYTES MIB       /* after so much, and so many contents, the account is looked at */
#define REST_BYTES (128 * MIB) /* the first rest; each further one is twice as long */
#define REST_MAX_BYTES (4 * GIB)
#define CALL_BYTES KIB /* what a call costs beside its bytes, told in bytes */
/* Of one content so much counts at most: one file larger than all before it (a volume's table of
 * files, with a script in it) says nothing of those to come. */
#define COUNTED_BYTES (JUDGED_BYTES / 16)

/* The search takes a tenth of libyara's time at most (nine thousand byte sequences against a
 * thousand rules), so it pays where it stops an eighth of the bytes. */
enum { LEAST_SHARE = 8, JUDGED_CALLS = 32, REST_FACTOR = 32 };

void gain_init(Gain *gain) {
  *gain = (Gain){.rest_bytes = REST_BYTES};
}

bool gain_is_worth(Gain *gain, uint64_t size) {
  if (gain->resting_bytes == 0)
    return true;
  gain->resting_bytes -= MIN(gain->resting_bytes, size + CALL_BYTES);
  return false;
}

void gain_tried(Gain *gain, uint64_t size, bool is_stopped) {
  uint64_t counted = MIN(size, COUNTED_BYTES) + CALL_BYTES;
  gain->n_tried++;
  gain->tried_bytes += counted;
  gain->stopped_bytes += is_stopped ? counted : 0;
  gain->searched_bytes += size + CALL_BYTES;
  if (gain->tried_bytes < JUDGED_BYTES || gain->n_tried < JUDGED_CALLS)
    return;
  if (gain->stopped_bytes < gain->tried_bytes / LEAST_SHARE) {
    gain->resting_bytes = MAX(gain->rest_bytes, REST_FACTOR * gain->searched_bytes);
    gain->rest_bytes = MIN(2 * gain->rest_bytes, REST_MAX_BYTES);
  } else {
    gain->rest_bytes = REST_BYTES;
  }
  gain->tried_bytes = gain->stopped_bytes = gain->searched_bytes = gain->n_tried = 0;
}
