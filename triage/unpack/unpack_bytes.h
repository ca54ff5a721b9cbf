/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_bytes.h - numbers out of bytes; the caller has checked that they are there. */
#pragma once
#include <stdint.h>

static inline uint16_t bytes_le16(const uint8_t *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t bytes_le32(const uint8_t *p) {
  return (uint32_t)bytes_le16(p) | (uint32_t)bytes_le16(p + 2) << 16;
}
static inline uint64_t bytes_le64(const uint8_t *p) {
  return (uint64_t)bytes_le32(p) | (uint64_t)bytes_le32(p + 4) << 32;
}
static inline uint32_t bytes_be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
