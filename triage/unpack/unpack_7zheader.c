/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_7zheader.c - see unpack_7zheader.h (7zFormat.txt of the LZMA SDK). */
#include "unpack/unpack_7zheader.h"
#include "unpack/unpack_bytes.h"
#include <string.h>

enum {
  ID_END = 0,
  ID_HEADER = 1,
  ID_MAIN_STREAMS = 4,
  ID_PACK_INFO = 6,
  ID_UNPACK_INFO = 7,
  ID_SIZE = 9,
  ID_CRC = 10,
  ID_FOLDER = 11,
  ID_UNPACK_SIZES = 12,
  STREAMS_MAX = 1000000
};

typedef struct {
  const uint8_t *p, *end;
  bool is_bad;
} Cursor;

static uint8_t take_byte(Cursor *cursor) {
  if (cursor->p >= cursor->end) {
    cursor->is_bad = true;
    return 0;
  }
  return *cursor->p++;
}

/* The bits set in the first byte tell how many more follow, the others are the highest of all. */
static uint64_t take_number(Cursor *cursor) {
  uint8_t first = take_byte(cursor);
  uint64_t value = 0;
  unsigned n = 0;
  for (uint8_t mask = 0x80; (first & mask) != 0; mask >>= 1)
    value |= (uint64_t)take_byte(cursor) << 8 * n++;
  if (n < 8)
    value |= (uint64_t)(first & (0x7Fu >> n)) << 8 * n;
  return value;
}

static uint64_t take_limited(Cursor *cursor, uint64_t most) {
  uint64_t value = take_number(cursor);
  if (value > most)
    cursor->is_bad = true;
  return cursor->is_bad ? 0 : value;
}

static void skip(Cursor *cursor, uint64_t n) {
  if (n > (uint64_t)(cursor->end - cursor->p))
    cursor->is_bad = true;
  else
    cursor->p += n;
}

static void skip_digests(Cursor *cursor, uint64_t n) {
  uint64_t n_defined = n;
  if (take_byte(cursor) == 0) {
    n_defined = 0;
    for (uint64_t i = 0; i < (n + 7) / 8; i++)
      n_defined += (uint64_t)__builtin_popcount(take_byte(cursor));
  }
  skip(cursor, n_defined * 4);
}

static void read_pack_info(Cursor *cursor, SzStreams *streams) {
  streams->pack_pos = take_number(cursor);
  uint64_t n = take_limited(cursor, STREAMS_MAX);
  for (;;) {
    uint8_t id = take_byte(cursor);
    if (cursor->is_bad || id == ID_END)
      break;
    if (id == ID_CRC)
      skip_digests(cursor, n);
    else if (id != ID_SIZE)
      cursor->is_bad = true;
    for (uint64_t i = 0; id == ID_SIZE && i < n && !cursor->is_bad; i++) {
      uint64_t size = take_number(cursor);
      g_array_append_val(streams->packs, size);
    }
  }
  if (streams->packs->len != n)
    cursor->is_bad = true;
}

static void read_coder(Cursor *cursor, SzCoder *coder) {
  uint8_t flags = take_byte(cursor);
  coder->n_id = flags & 15;
  coder->n_in = coder->n_out = 1;
  for (unsigned i = 0; i < coder->n_id; i++) {
    coder->id[i] = take_byte(cursor);
    coder->method = coder->method << 8 | coder->id[i];
  }
  if (coder->n_id > 4)
    coder->method = UINT32_MAX;
  if ((flags & 0x10) != 0) {
    coder->n_in = (uint32_t)take_limited(cursor, SZ_CODERS_MAX);
    coder->n_out = (uint32_t)take_limited(cursor, SZ_CODERS_MAX);
  }
  coder->has_props = (flags & 0x20) != 0;
  if (coder->has_props)
    coder->n_props = (uint32_t)take_limited(cursor, SZ_PROPS_MAX);
  for (uint32_t i = 0; i < coder->n_props; i++)
    coder->props[i] = take_byte(cursor);
  if ((flags & 0x80) != 0)
    cursor->is_bad = true;
}

static bool is_bound(const SzFolder *folder, uint32_t in) {
  for (uint32_t i = 0; i < folder->n_binds; i++)
    if (folder->bind_in[i] == in)
      return true;
  return false;
}

static void read_folder(Cursor *cursor, SzFolder *folder) {
  folder->n_coders = (uint32_t)take_limited(cursor, SZ_CODERS_MAX);
  for (uint32_t i = 0; i < folder->n_coders && !cursor->is_bad; i++) {
    read_coder(cursor, &folder->coders[i]);
    folder->n_in += folder->coders[i].n_in;
    folder->n_out += folder->coders[i].n_out;
  }
  if (folder->n_coders == 0 || folder->n_out == 0 || folder->n_in > SZ_CODERS_MAX ||
      folder->n_out > SZ_CODERS_MAX || folder->n_in < folder->n_out)
    cursor->is_bad = true;
  if (cursor->is_bad)
    return;
  folder->n_binds = folder->n_out - 1;
  for (uint32_t i = 0; i < folder->n_binds; i++) {
    folder->bind_in[i] = (uint32_t)take_limited(cursor, folder->n_in - 1);
    folder->bind_out[i] = (uint32_t)take_limited(cursor, folder->n_out - 1);
  }
  folder->n_packed = folder->n_in - folder->n_binds;
  if (folder->n_packed == 1) {
    while (folder->packed[0] < folder->n_in && is_bound(folder, folder->packed[0]))
      folder->packed[0]++;
    cursor->is_bad = cursor->is_bad || folder->packed[0] == folder->n_in;
  }
  for (uint32_t i = 0; folder->n_packed > 1 && i < folder->n_packed; i++)
    folder->packed[i] = (uint32_t)take_limited(cursor, folder->n_in - 1);
}

static void read_unpack_info(Cursor *cursor, SzStreams *streams) {
  uint32_t first = 0;
  if (take_byte(cursor) != ID_FOLDER)
    cursor->is_bad = true;
  uint64_t n = take_limited(cursor, STREAMS_MAX);
  if (take_byte(cursor) != 0) /* folders described elsewhere: no writer does */
    cursor->is_bad = true;
  g_autofree uint8_t *n_outs = g_malloc0(n + 1);
  for (uint64_t i = 0; i < n && !cursor->is_bad; i++) {
    g_autofree SzFolder *folder = g_new0(SzFolder, 1);
    read_folder(cursor, folder);
    folder->first_pack = first;
    first += folder->n_packed;
    if (first > streams->packs->len)
      cursor->is_bad = true;
    n_outs[i] = (uint8_t)folder->n_out;
    streams->n_folders++;
    streams->n_secret += sz_find_aes(folder) >= 0;
    if (i < SZ_FOLDERS_MAX)
      g_ptr_array_add(streams->folders, g_steal_pointer(&folder));
  }
  if (take_byte(cursor) != ID_UNPACK_SIZES)
    cursor->is_bad = true;
  for (uint64_t i = 0; i < n && !cursor->is_bad; i++)
    for (uint32_t k = 0; k < n_outs[i]; k++) {
      uint64_t size = take_number(cursor);
      if (i < streams->folders->len)
        ((SzFolder *)streams->folders->pdata[i])->sizes[k] = size;
    }
}

bool sz_read_streams(SzStreams *streams, const uint8_t *data, uint64_t size) {
  Cursor cursor = {data, data + size, false};
  *streams = (SzStreams){.packs = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
                         .folders = g_ptr_array_new_with_free_func(g_free)};
  uint8_t id = take_byte(&cursor);
  if (id == ID_MAIN_STREAMS)
    id = take_byte(&cursor);
  if (id != ID_PACK_INFO)
    return false;
  read_pack_info(&cursor, streams);
  if (cursor.is_bad || take_byte(&cursor) != ID_UNPACK_INFO)
    return false;
  read_unpack_info(&cursor, streams);
  streams->rest = cursor.p;
  streams->end = cursor.end;
  return !cursor.is_bad;
}

void sz_streams_clear(SzStreams *streams) {
  g_clear_pointer(&streams->packs, g_array_unref);
  g_clear_pointer(&streams->folders, g_ptr_array_unref);
}

int sz_find_aes(const SzFolder *folder) {
  for (uint32_t i = 0; i < folder->n_coders; i++)
    if (folder->coders[i].method == SZ_METHOD_AES)
      return (int)i;
  return -1;
}

static uint32_t less_one(uint32_t index, uint32_t removed) {
  return index > removed ? index - 1 : index;
}

/* The coder is the folder's only one: it becomes a copy. */
static void make_copy(SzCoder *coder) {
  *coder = (SzCoder){.method = SZ_METHOD_COPY, .n_id = 1, .n_in = 1, .n_out = 1};
}

bool sz_remove_coder(SzFolder *folder, int coder, uint32_t *pack, uint64_t *size) {
  uint32_t in = 0, out = 0, place, bind;
  for (int i = 0; i < coder; i++) {
    in += folder->coders[i].n_in;
    out += folder->coders[i].n_out;
  }
  for (place = 0; place < folder->n_packed && folder->packed[place] != in; place++)
    ;
  for (bind = 0; bind < folder->n_binds && folder->bind_out[bind] != out; bind++)
    ;
  if (place == folder->n_packed || folder->coders[coder].n_in != 1 ||
      folder->coders[coder].n_out != 1)
    return false;
  *pack = folder->first_pack + place;
  *size = folder->sizes[out];
  if (bind == folder->n_binds) { /* it gives the folder's content */
    if (folder->n_coders == 1)
      make_copy(&folder->coders[0]);
    return folder->n_coders == 1;
  }
  folder->packed[place] = folder->bind_in[bind];
  folder->n_binds--;
  for (uint32_t i = bind; i < folder->n_binds; i++) {
    folder->bind_in[i] = folder->bind_in[i + 1];
    folder->bind_out[i] = folder->bind_out[i + 1];
  }
  for (uint32_t i = 0; i < folder->n_binds; i++) {
    folder->bind_in[i] = less_one(folder->bind_in[i], in);
    folder->bind_out[i] = less_one(folder->bind_out[i], out);
  }
  for (uint32_t i = 0; i < folder->n_packed; i++)
    folder->packed[i] = less_one(folder->packed[i], in);
  for (uint32_t i = out; i + 1 < folder->n_out; i++)
    folder->sizes[i] = folder->sizes[i + 1];
  for (uint32_t i = (uint32_t)coder; i + 1 < folder->n_coders; i++)
    folder->coders[i] = folder->coders[i + 1];
  folder->n_coders--;
  folder->n_in--;
  folder->n_out--;
  return true;
}

/* ---- writing ---- */

static void put_byte(GByteArray *out, uint8_t byte) {
  g_byte_array_append(out, &byte, 1);
}

/* Always in nine bytes: any reader takes them. */
static void put_number(GByteArray *out, uint64_t value) {
  put_byte(out, 0xFF);
  for (unsigned i = 0; i < 8; i++)
    put_byte(out, (uint8_t)(value >> 8 * i));
}

static void write_folder(const SzFolder *folder, GByteArray *out) {
  put_number(out, folder->n_coders);
  for (uint32_t i = 0; i < folder->n_coders; i++) {
    const SzCoder *coder = &folder->coders[i];
    bool is_complex = coder->n_in != 1 || coder->n_out != 1;
    put_byte(out, (uint8_t)(coder->n_id | (is_complex ? 0x10 : 0) | (coder->has_props ? 0x20 : 0)));
    g_byte_array_append(out, coder->id, coder->n_id);
    if (is_complex) {
      put_number(out, coder->n_in);
      put_number(out, coder->n_out);
    }
    if (coder->has_props)
      put_number(out, coder->n_props);
    g_byte_array_append(out, coder->props, coder->n_props);
  }
  for (uint32_t i = 0; i < folder->n_binds; i++) {
    put_number(out, folder->bind_in[i]);
    put_number(out, folder->bind_out[i]);
  }
  for (uint32_t i = 0; folder->n_packed > 1 && i < folder->n_packed; i++)
    put_number(out, folder->packed[i]);
}

void sz_write_header(const SzStreams *streams, GByteArray *out) {
  put_byte(out, ID_HEADER);
  put_byte(out, ID_MAIN_STREAMS);
  put_byte(out, ID_PACK_INFO);
  put_number(out, streams->pack_pos);
  put_number(out, streams->packs->len);
  put_byte(out, ID_SIZE);
  for (guint i = 0; i < streams->packs->len; i++)
    put_number(out, g_array_index(streams->packs, uint64_t, i));
  put_byte(out, ID_END);
  put_byte(out, ID_UNPACK_INFO);
  put_byte(out, ID_FOLDER);
  put_number(out, streams->folders->len);
  put_byte(out, 0);
  for (guint i = 0; i < streams->folders->len; i++)
    write_folder(streams->folders->pdata[i], out);
  put_byte(out, ID_UNPACK_SIZES);
  for (guint i = 0; i < streams->folders->len; i++) {
    const SzFolder *folder = streams->folders->pdata[i];
    for (uint32_t k = 0; k < folder->n_out; k++)
      put_number(out, folder->sizes[k]);
  }
  g_byte_array_append(out, streams->rest, (guint)(streams->end - streams->rest));
}

bool sz_first_digest(const SzStreams *streams, uint32_t *crc) {
  Cursor cursor = {streams->rest, streams->end, false};
  if (take_byte(&cursor) != ID_CRC)
    return false;
  if (take_byte(&cursor) == 0 && (take_byte(&cursor) & 0x80) == 0)
    return false;
  if (cursor.end - cursor.p < 4)
    return false;
  *crc = bytes_le32(cursor.p);
  return true;
}
