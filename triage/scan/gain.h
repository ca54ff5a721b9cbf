/* SPDX-License-Identifier: Apache-2.0 */
/* gain.h - is the prefilter worth its time? With rules whose bytes are everywhere it is not, and
 * rests; now and then it is tried again. What is found does not depend on it, nor it on a clock,
 * which tells nothing on a busy machine. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint64_t n_tried, tried_bytes, stopped_bytes; /* since the last judgement */
  uint64_t searched_bytes;                      /* what that has cost */
  uint64_t resting_bytes, rest_bytes;           /* still to go; how long the next rest will be */
} Gain;

void gain_init(Gain *gain);
/* Is content of this size to be tried? */
bool gain_is_worth(Gain *gain, uint64_t size);
/* It was tried, and stopped or let through. */
void gain_tried(Gain *gain, uint64_t size, bool is_stopped);
