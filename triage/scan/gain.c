/* SPDX-License-Identifier: Apache-2.0 */
/* gain.c - the prefilter's account. */
#include "scan/gain.h"
#include "base/limits.h"
#include <glib.h>

#define JUDGED_BYTES (2 * MIB) /* after so much the account is looked at */
#define REST_BYTES (128 * MIB) /* the first rest; each further one is twice as long */
#define REST_MAX_BYTES (4 * GIB)
#define CALL_BYTES KIB /* content of up to this is all call and no bytes */

void gain_init(Gain *gain) {
  /* Until libyara was timed: what it takes for one rule on a current processor. */
  *gain = (Gain){.rest_bytes = REST_BYTES, .scan_ns_per_byte = 1.5, .scan_ns_per_call = 500};
}

bool gain_is_worth(Gain *gain, uint64_t size) {
  if (gain->resting_bytes == 0)
    return true;
  gain->resting_bytes -= MIN(gain->resting_bytes, size + CALL_BYTES);
  return false;
}

void gain_scanned(Gain *gain, uint64_t size, uint64_t ns) {
  if (size <= CALL_BYTES)
    gain->scan_ns_per_call += ((double)ns - gain->scan_ns_per_call) / 16;
  else
    gain->scan_ns_per_byte += ((double)ns / (double)size - gain->scan_ns_per_byte) / 16;
}

void gain_tried(Gain *gain, uint64_t size, uint64_t ns, bool is_through) {
  gain->spent_ns += ns;
  if (!is_through)
    gain->saved_ns += (uint64_t)MAX(gain->scan_ns_per_call, gain->scan_ns_per_byte * (double)size);
  gain->tried_bytes += size + CALL_BYTES;
  if (gain->tried_bytes < JUDGED_BYTES)
    return;
  if (gain->saved_ns < gain->spent_ns) {
    gain->resting_bytes = gain->rest_bytes;
    gain->rest_bytes = MIN(2 * gain->rest_bytes, REST_MAX_BYTES);
  } else {
    gain->rest_bytes = REST_BYTES;
  }
  gain->spent_ns = gain->saved_ns = gain->tried_bytes = 0;
}
