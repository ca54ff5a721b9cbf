/* SPDX-License-Identifier: Apache-2.0 */
/* gain.h - is the prefilter worth its time? With rules whose bytes are everywhere it is not, and
 * rests; now and then it is tried again. What is found does not depend on it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint64_t spent_ns, saved_ns; /* since the last judgement; saved: what libyara would have taken */
  uint64_t tried_bytes;
  uint64_t resting_bytes, rest_bytes;        /* still to go; how long the next rest will be */
  double scan_ns_per_byte, scan_ns_per_call; /* of libyara, as measured so far */
} Gain;

void gain_init(Gain *gain);
/* Is content of this size to be tried? */
bool gain_is_worth(Gain *gain, uint64_t size);
/* The prefilter took ns for it and let it through or not. */
void gain_tried(Gain *gain, uint64_t size, uint64_t ns, bool is_through);
/* libyara took ns for content of this size. */
void gain_scanned(Gain *gain, uint64_t size, uint64_t ns);
