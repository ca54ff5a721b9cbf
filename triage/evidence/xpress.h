/* SPDX-License-Identifier: Apache-2.0 */
/* xpress.h - XPRESS with Huffman codes (MS-XCA 2.2), one block of at most 64 KiB. Plain arithmetic.
 *
 * Why not libfwnt: Debian's 20181227 writes past its tables on code lengths that no compressor
 * makes, and the worker dies. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XPRESS_LOOK = 15, XPRESS_TABLE = 1 << XPRESS_LOOK };

/* Fills exactly n_out bytes; false where the block is damaged. table is room to work in. */
bool xpress_unpack(const uint8_t *packed, size_t n, uint8_t *out, size_t n_out,
                   uint16_t table[XPRESS_TABLE]);
