/* SPDX-License-Identifier: Apache-2.0 */
/* lzx.h - LZX as WIM and WOF use it (MS-PATCH, with a window of 32 KiB and one chunk by itself).
 * Plain arithmetic.
 *
 * Why not a library: Debian's one decoder is wimlib's, whose GPL does not go with libtsk's licence,
 * and a process that is locked in starts no other. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LZX_CHUNK = 32768 };

/* Room to work in, of lzx_room_bytes(). */
typedef struct _LzxRoom LzxRoom;
size_t lzx_room_bytes(void);
/* Fills exactly n_out bytes, at most LZX_CHUNK; false where the chunk is damaged. */
bool lzx_unpack(const uint8_t *packed, size_t n, uint8_t *out, size_t n_out, LzxRoom *room);
