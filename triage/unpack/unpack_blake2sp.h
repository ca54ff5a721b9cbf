/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_blake2sp.h - BLAKE2sp of bytes, the sum that RAR 5 keeps on request. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { BLAKE2SP_BYTES = 32 };
void blake2sp(const uint8_t *data, uint64_t n, uint8_t *sum);
