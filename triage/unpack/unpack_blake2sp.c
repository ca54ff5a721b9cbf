/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_blake2sp.c - BLAKE2sp (RFC 7693 and the BLAKE2 paper's tree mode), the sum that RAR 5
 * keeps on request. No library here has it but libb2, which starts threads: a worker has one. */
#include "unpack/unpack_blake2sp.h"
#include <string.h>

enum { BLOCK = 64, LANES = 8, SUM = BLAKE2SP_BYTES, ROUNDS = 10, DEPTH = 2 };

typedef struct {
  uint32_t h[8];
  uint64_t n;          /* bytes so far, those kept included */
  uint8_t kept[BLOCK]; /* the last block is told from others only at the end */
  size_t n_kept;
  bool is_last_of_level;
} Node;

static const uint32_t IV[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                               0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

static const uint8_t SIGMA[ROUNDS][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                          {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                          {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                          {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                          {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                          {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                          {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                          {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                          {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                          {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint32_t turn(uint32_t x, unsigned n) {
  return x >> n | x << (32 - n);
}

static void mix(uint32_t *v, size_t i, uint32_t x, uint32_t y) {
  static const uint8_t AT[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
                                   {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};
  uint32_t *a = v + AT[i][0], *b = v + AT[i][1], *c = v + AT[i][2], *d = v + AT[i][3];
  *a += *b + x;
  *d = turn(*d ^ *a, 16);
  *c += *d;
  *b = turn(*b ^ *c, 12);
  *a += *b + y;
  *d = turn(*d ^ *a, 8);
  *c += *d;
  *b = turn(*b ^ *c, 7);
}

static void compress(Node *node, const uint8_t *block, bool is_last) {
  uint32_t v[16], m[16];
  for (size_t i = 0; i < 16; i++)
    m[i] = block[4 * i] | (uint32_t)block[4 * i + 1] << 8 | (uint32_t)block[4 * i + 2] << 16 |
           (uint32_t)block[4 * i + 3] << 24;
  memcpy(v, node->h, sizeof node->h);
  memcpy(v + 8, IV, sizeof IV);
  v[12] ^= (uint32_t)node->n;
  v[13] ^= (uint32_t)(node->n >> 32);
  v[14] ^= is_last ? UINT32_MAX : 0;
  v[15] ^= is_last && node->is_last_of_level ? UINT32_MAX : 0;
  for (unsigned r = 0; r < ROUNDS; r++)
    for (size_t i = 0; i < 8; i++)
      mix(v, i, m[SIGMA[r][2 * i]], m[SIGMA[r][2 * i + 1]]);
  for (unsigned i = 0; i < 8; i++)
    node->h[i] ^= v[i] ^ v[i + 8];
}

/* offset: of the node in its level. */
static void node_start(Node *node, unsigned offset, unsigned level) {
  *node = (Node){.is_last_of_level = level > 0 || offset == LANES - 1};
  memcpy(node->h, IV, sizeof IV);
  node->h[0] ^= SUM | LANES << 16 | DEPTH << 24;
  node->h[2] ^= offset;
  node->h[3] ^= level << 16 | SUM << 24;
}

static void node_add(Node *node, const uint8_t *data, size_t n) {
  while (n > 0) {
    if (node->n_kept == BLOCK) {
      compress(node, node->kept, false);
      node->n_kept = 0;
    }
    size_t step = MIN(n, BLOCK - node->n_kept);
    memcpy(node->kept + node->n_kept, data, step);
    node->n_kept += step;
    node->n += step;
    data += step;
    n -= step;
  }
}

static void node_end(Node *node, uint8_t *sum) {
  memset(node->kept + node->n_kept, 0, BLOCK - node->n_kept);
  compress(node, node->kept, true);
  for (unsigned i = 0; i < SUM; i++)
    sum[i] = (uint8_t)(node->h[i / 4] >> 8 * (i % 4));
}

void blake2sp(const uint8_t *data, uint64_t n, uint8_t *sum) {
  Node lanes[LANES], root;
  node_start(&root, 0, 1);
  for (unsigned i = 0; i < LANES; i++)
    node_start(&lanes[i], i, 0);
  for (uint64_t at = 0; at < n; at += BLOCK)
    node_add(&lanes[at / BLOCK % LANES], data + at, (size_t)MIN(n - at, BLOCK));
  for (unsigned i = 0; i < LANES; i++) {
    uint8_t part[SUM];
    node_end(&lanes[i], part);
    node_add(&root, part, SUM);
  }
  node_end(&root, sum);
}
