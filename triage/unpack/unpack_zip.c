/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_zip.c - zip archives. libarchive unpacks them; this file reads the central directory too,
 * because libarchive drops entries without a word (two names for one local header) and follows the
 * directory alone: members it leaves out lie between the others and are looked for here. */
#include "unpack/unpack_zip.h"
#include "base/text.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_parts.h"
#include <string.h>
#include <zlib.h>

enum { EOCD_BYTES = 22, CENTRAL_BYTES = 46, LOCAL_BYTES = 30, LOCATOR_BYTES = 20, LOOK_AHEAD = 64 };

typedef struct {
  uint64_t offset, end;  /* of the local header and its data, in the content */
  uint64_t name_at;      /* in the content */
  uint64_t packed, size; /* as the directory claims */
  uint32_t crc;
  uint16_t name_bytes, method, flags;
  bool is_seen; /* libarchive has handed it out */
  ZipTimes times;
} ZipEntry;

typedef struct {
  const uint8_t *data;
  uint64_t size;
  uint64_t eocd, end; /* end of central directory; byte behind its comment */
  uint64_t central, central_end;
  uint64_t claimed;                /* entries, as the end record says */
  uint64_t shift;                  /* what offsets in the archive lack: bytes put before it */
  uint64_t n_read;                 /* entries of the directory that could be read */
  bool is_multi_disk, is_beheaded; /* bytes lack before the directory */
  GArray *entries;                 /* ZipEntry by offset, each offset once */
  guint cursor;                    /* the entry libarchive should hand out next */
  bool is_named;                   /* the one before it has the very name that libarchive gave */
} ZipIndex;

static bool has_signature(const ZipIndex *zip, uint64_t at, const char *signature) {
  return at <= zip->size && zip->size - at >= 4 && memcmp(zip->data + at, signature, 4) == 0;
}

static bool read_zip64(ZipIndex *zip, uint64_t *size, uint64_t *offset) {
  if (zip->eocd < LOCATOR_BYTES || !has_signature(zip, zip->eocd - LOCATOR_BYTES, "PK\6\7"))
    return false;
  uint64_t at = bytes_le64(zip->data + zip->eocd - LOCATOR_BYTES + 8);
  /* With bytes before the archive the record lies further on: it ends where the locator begins. */
  if (!has_signature(zip, at, "PK\6\6") || zip->size - at < 56) {
    if (zip->eocd < LOCATOR_BYTES + 56)
      return false;
    at = zip->eocd - LOCATOR_BYTES - 56;
    if (!has_signature(zip, at, "PK\6\6"))
      return false;
  }
  zip->claimed = bytes_le64(zip->data + at + 32);
  *size = bytes_le64(zip->data + at + 40);
  *offset = bytes_le64(zip->data + at + 48);
  zip->central_end = at;
  return true;
}

/* Reads the end record at zip->eocd; false where it is none. */
static bool read_eocd(ZipIndex *zip) {
  const uint8_t *p = zip->data + zip->eocd;
  uint64_t left = zip->size - zip->eocd - EOCD_BYTES;
  uint64_t size = bytes_le32(p + 12), offset = bytes_le32(p + 16);
  zip->end = zip->eocd + EOCD_BYTES + MIN(bytes_le16(p + 20), left);
  zip->claimed = bytes_le16(p + 10);
  zip->central_end = zip->eocd;
  zip->is_multi_disk = bytes_le16(p + 4) != 0 && bytes_le16(p + 4) != 0xFFFF;
  if (size == 0xFFFFFFFF || offset == 0xFFFFFFFF || zip->claimed == 0xFFFF)
    read_zip64(zip, &size, &offset);
  if (size > zip->central_end)
    return false;
  zip->central = zip->central_end - size;
  if (zip->claimed == 0 && size == 0)
    return bytes_le16(p + 20) <= left && offset <= zip->central;
  if (!has_signature(zip, zip->central, "PK\1\2")) {
    /* Something stands between directory and end record; believe the offset. */
    if (!has_signature(zip, offset, "PK\1\2") || size > zip->central_end - offset)
      return false;
    zip->central = offset;
  }
  zip->is_beheaded = offset > zip->central;
  zip->shift = zip->is_beheaded ? 0 : zip->central - offset;
  return true;
}

static bool find_eocd(ZipIndex *zip) {
  uint64_t lowest = zip->size > 0xFFFF + EOCD_BYTES ? zip->size - 0xFFFF - EOCD_BYTES : 0;
  if (zip->size < EOCD_BYTES)
    return false;
  for (uint64_t end = zip->size - EOCD_BYTES + 1; end > lowest;) {
    const uint8_t *found = memrchr(zip->data + lowest, 'P', (size_t)(end - lowest));
    if (found == NULL)
      return false;
    end = zip->eocd = (uint64_t)(found - zip->data);
    if (has_signature(zip, end, "PK\5\6") && read_eocd(zip))
      return true;
  }
  return false;
}

/* Of one directory entry's extra fields: 64-bit values where the short ones are full. */
static void read_extra(const uint8_t *p, uint64_t n, uint32_t size, uint64_t *packed,
                       uint64_t *offset) {
  while (n >= 4) {
    uint64_t id = bytes_le16(p), length = bytes_le16(p + 2);
    p += 4;
    n -= 4;
    if (length > n)
      break;
    if (id == 0x0001) {
      uint64_t at = size == 0xFFFFFFFF ? 8 : 0;
      if (*packed == 0xFFFFFFFF && at + 8 <= length) {
        *packed = bytes_le64(p + at);
        at += 8;
      }
      if (*offset == 0xFFFFFFFF && at + 8 <= length)
        *offset = bytes_le64(p + at);
    }
    p += length;
    n -= length;
  }
}

static void add_entry(ZipIndex *zip, uint64_t at) {
  const uint8_t *p = zip->data + at;
  uint64_t packed = bytes_le32(p + 20), offset = bytes_le32(p + 42);
  uint16_t n_name = bytes_le16(p + 28), n_extra = bytes_le16(p + 30);
  ZipEntry entry = {.name_at = at + CENTRAL_BYTES,
                    .size = bytes_le32(p + 24),
                    .crc = bytes_le32(p + 16),
                    .name_bytes = n_name,
                    .method = bytes_le16(p + 10),
                    .flags = bytes_le16(p + 8)};
  read_extra(p + CENTRAL_BYTES + n_name, n_extra, bytes_le32(p + 24), &packed, &offset);
  zip_times_of_dos(bytes_le16(p + 14), bytes_le16(p + 12), &entry.times);
  entry.packed = packed;
  if (!g_uint64_checked_add(&entry.offset, offset, zip->shift))
    return;
  entry.end = entry.offset;
  if (has_signature(zip, entry.offset, "PK\3\4") && zip->size - entry.offset >= LOCAL_BYTES) {
    const uint8_t *local = zip->data + entry.offset;
    uint64_t head = LOCAL_BYTES + (uint64_t)bytes_le16(local + 26) + bytes_le16(local + 28);
    uint64_t all;
    if (head <= zip->size - entry.offset)
      zip_times_of_extra(local + LOCAL_BYTES + bytes_le16(local + 26), bytes_le16(local + 28),
                         &entry.times);
    if (!g_uint64_checked_add(&all, head, packed) || all > zip->size - entry.offset)
      all = zip->size - entry.offset;
    entry.end = entry.offset + all;
  }
  zip_times_of_extra(p + CENTRAL_BYTES + n_name, n_extra, &entry.times); /* has the last word */
  g_array_append_val(zip->entries, entry);
}

static gint by_offset(gconstpointer a, gconstpointer b) {
  const ZipEntry *x = a, *y = b;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  return x->name_at < y->name_at ? -1 : x->name_at > y->name_at;
}

/* Reads the whole directory; stops where it is damaged: there. */
static uint64_t read_directory(ZipIndex *zip) {
  uint64_t at = zip->central;
  while (zip->n_read < LIMIT_MEMBERS && has_signature(zip, at, "PK\1\2") &&
         zip->size - at >= CENTRAL_BYTES && at < zip->central_end) {
    const uint8_t *p = zip->data + at;
    uint64_t length =
        CENTRAL_BYTES + (uint64_t)bytes_le16(p + 28) + bytes_le16(p + 30) + bytes_le16(p + 32);
    if (length > zip->size - at)
      break;
    add_entry(zip, at);
    zip->n_read++;
    at += length;
  }
  g_array_sort(zip->entries, by_offset);
  guint kept = 0;
  for (guint i = 0; i < zip->entries->len; i++) {
    ZipEntry *entries = (ZipEntry *)(void *)zip->entries->data;
    if (kept > 0 && entries[kept - 1].offset == entries[i].offset)
      continue; /* as libarchive does: the first name of a local header stays */
    entries[kept++] = entries[i];
  }
  g_array_set_size(zip->entries, kept);
  return at;
}

uint32_t zip_parts_before(const uint8_t *data, uint64_t size) {
  ZipIndex zip = {.data = data, .size = size};
  return find_eocd(&zip) && zip.is_multi_disk ? bytes_le16(data + zip.eocd + 4) : 0;
}

/* Does the first entry of the directory lead to a local header? */
static bool is_first_there(ZipIndex *zip) {
  if (!has_signature(zip, zip->central, "PK\1\2") || zip->size - zip->central < CENTRAL_BYTES)
    return false;
  const uint8_t *p = zip->data + zip->central;
  uint64_t tail = (uint64_t)bytes_le16(p + 28) + bytes_le16(p + 30);
  if (tail <= zip->size - zip->central - CENTRAL_BYTES)
    add_entry(zip, zip->central);
  return zip->entries->len == 1 && g_array_index(zip->entries, ZipEntry, 0).end >
                                       g_array_index(zip->entries, ZipEntry, 0).offset;
}

/* That header may be damaged: so many entries as the end record claims, in just its bytes, are
 * proof enough; not at the end of a zip that was cut. */
static bool is_directory_there(ZipIndex *zip) {
  g_array_set_size(zip->entries, 0);
  return !zip->is_beheaded && read_directory(zip) == zip->central_end &&
         zip->n_read == zip->claimed;
}

bool zip_find(const uint8_t *data, uint64_t size, uint64_t *start, uint64_t *end) {
  ZipIndex zip = {.data = data, .size = size};
  if (!find_eocd(&zip) || zip.claimed == 0)
    return false;
  if (zip.is_multi_disk) { /* entries lead into other parts */
    *start = 0;
    *end = zip.end;
    return true;
  }
  zip.entries = g_array_new(FALSE, FALSE, sizeof(ZipEntry));
  bool is_sure = is_first_there(&zip);
  *start = is_sure ? g_array_index(zip.entries, ZipEntry, 0).offset : zip.shift;
  *end = zip.end;
  is_sure = is_sure || is_directory_there(&zip);
  g_array_free(zip.entries, TRUE);
  return is_sure;
}

static bool is_named(const ZipIndex *zip, const ZipEntry *entry, GBytes *name) {
  gsize n;
  const void *bytes = g_bytes_get_data(name, &n);
  return n == entry->name_bytes && memcmp(bytes, zip->data + entry->name_at, n) == 0;
}

/* libarchive hands entries out in order of their offsets, and may leave some out. A name that does
 * not come up soon was converted: then it is the next entry's. */
static guint find_entry(const ZipIndex *zip, GBytes *name) {
  for (guint i = zip->cursor; i < zip->entries->len && i < zip->cursor + LOOK_AHEAD; i++)
    if (is_named(zip, &g_array_index(zip->entries, ZipEntry, i), name))
      return i;
  return zip->cursor;
}

/* The name as stored (libarchive normalises some) and its times. */
static void on_entry(void *user, uint64_t number, GBytes **name, Member *member) {
  ZipIndex *zip = user;
  guint i = find_entry(zip, *name);
  (void)number;
  if (i >= zip->entries->len)
    return;
  ZipEntry *entry = &g_array_index(zip->entries, ZipEntry, i);
  zip->cursor = i + 1;
  zip->is_named = is_named(zip, entry, *name);
  entry->is_seen = true;
  zip_times_give(&entry->times, member);
  if (entry->name_bytes == 0)
    return;
  g_bytes_unref(*name);
  *name = g_bytes_new(zip->data + entry->name_at, entry->name_bytes);
}

/* Members under the old encryption are decrypted here. Without a password libarchive says so. */
static bool is_secret(const Unpack *unpack, const ZipEntry *entry) {
  return (entry->flags & 1) != 0 && (entry->method == 0 || entry->method == 8) &&
         (entry->flags & 0x40) == 0 && entry->end > entry->offset &&
         unpack->options->passwords != NULL && unpack->options->passwords->len > 0;
}

static Content *decrypt_entry(Unpack *unpack, Container *container, const ZipIndex *zip,
                              const ZipEntry *entry, GError **error) {
  const uint8_t *local = zip->data + entry->offset;
  uint64_t head = LOCAL_BYTES + (uint64_t)bytes_le16(local + 26) + bytes_le16(local + 28);
  uint64_t left = entry->end - entry->offset;
  head = MIN(head, left);
  ZipSecret secret = {local + head, left - head, entry->crc, entry->method, bytes_le16(local + 10)};
  return unpack_zip_decrypt(unpack, container, &secret, error);
}

/* Members that are but stored or deflated, and sound, need no libarchive. */
static Content *plain_content(Unpack *unpack, Container *container, const ZipIndex *zip,
                              const ZipEntry *entry) {
  const ZipPlain plain = {.local = zip->data + entry->offset,
                          .left = zip->size - entry->offset,
                          .packed = entry->packed,
                          .size = entry->size,
                          .crc = entry->crc,
                          .method = entry->method,
                          .flags = entry->flags};
  return entry->end > entry->offset ? unpack_zip_plain(unpack, container, &plain) : NULL;
}

static bool on_content(void *user, Unpack *unpack, Container *container, bool is_file,
                       Content **content, GError **error) {
  ZipIndex *zip = user;
  if (zip->cursor == 0 || zip->cursor > zip->entries->len)
    return false;
  const ZipEntry *entry = &g_array_index(zip->entries, ZipEntry, zip->cursor - 1);
  if (!entry->is_seen)
    return false;
  if (is_secret(unpack, entry)) {
    *content = decrypt_entry(unpack, container, zip, entry, error);
    return true;
  }
  if (is_file && zip->is_named)
    *content = plain_content(unpack, container, zip, entry);
  return *content != NULL;
}

/* What is stored or deflated at entry; error is set where it is not all of it. */
static Content *inflate_unseen(Unpack *unpack, Container *container, const ZipIndex *zip,
                               const ZipEntry *entry, GError **error) {
  const uint8_t *local = zip->data + entry->offset;
  uint64_t head = LOCAL_BYTES + (uint64_t)bytes_le16(local + 26) + bytes_le16(local + 28);
  uint64_t left = entry->end - entry->offset;
  head = MIN(head, left);
  left -= head;
  Intake intake;
  intake_init(&intake, unpack, container);
  if (entry->method == 0)
    intake_append(&intake, local + head, left, error);
  else
    unpack_inflate_raw(unpack, local + head, left, &intake, error);
  bool is_whole = *error == NULL && left >= entry->packed;
  Content *content = intake_finish(&intake, *error == NULL ? error : NULL);
  if (content != NULL && *error == NULL && !is_whole)
    triage_fail(error, TRIAGE_REASON_TRUNCATED, "the member is cut off");
  if (content != NULL && *error == NULL &&
      entry->crc != unpack_crc32(content_data(content), content_size(content)))
    triage_fail(error, TRIAGE_REASON_BAD_CHECKSUM, "the member's CRC does not match its content");
  return content;
}

/* Is there a local header a writer could have written? */
static bool is_local_header(const ZipIndex *zip, uint64_t at, uint64_t end) {
  if (end - at < LOCAL_BYTES || !has_signature(zip, at, "PK\3\4"))
    return false;
  const uint8_t *p = zip->data + at;
  uint16_t version = bytes_le16(p + 4), method = bytes_le16(p + 8), n_name = bytes_le16(p + 26);
  if ((version & 0xFF) > 63 || method > 99 || n_name > 4096 || end - at - LOCAL_BYTES < n_name)
    return false;
  for (uint16_t i = 0; i < n_name; i++)
    if (p[LOCAL_BYTES + i] < 0x20)
      return false;
  return true;
}

bool zip_begins(const uint8_t *data, uint64_t size) {
  const ZipIndex zip = {.data = data, .size = size};
  return is_local_header(&zip, 0, size) && bytes_le16(data + 26) > 0;
}

/* A stretch in which members are found by their local headers. */
typedef struct {
  const ZipIndex *zip;
  uint64_t at, end;
} Stretch;

/* The times of the local header of that name: members come in the order of their headers. */
static void on_remnant(void *user, uint64_t number, GBytes **name, Member *member) {
  Stretch *stretch = user;
  const ZipIndex *zip = stretch->zip;
  gsize n;
  const void *bytes = g_bytes_get_data(*name, &n);
  (void)number;
  for (uint64_t at = stretch->at; at < stretch->end; at++) {
    const uint8_t *p = memmem(zip->data + at, stretch->end - at, "PK\3\4", 4);
    if (p == NULL)
      return;
    at = (uint64_t)(p - zip->data);
    if (!is_local_header(zip, at, stretch->end) || bytes_le16(p + 26) != n ||
        memcmp(p + LOCAL_BYTES, bytes, n) != 0)
      continue;
    ZipTimes times = {0};
    uint64_t head = LOCAL_BYTES + n + bytes_le16(p + 28);
    zip_times_of_dos(bytes_le16(p + 12), bytes_le16(p + 10), &times);
    if (head <= stretch->end - at)
      zip_times_of_extra(p + LOCAL_BYTES + n, bytes_le16(p + 28), &times);
    zip_times_give(&times, member);
    stretch->at = at + 4;
    return;
  }
}

/* Unpacks members that lie in [from, end) and stand in no directory. */
static void open_stretch(Unpack *unpack, const Unpacker *self, Container *container, ZipIndex *zip,
                         uint64_t from, uint64_t end) {
  while (from < end && !unpack->is_stopped && unpack_budget(unpack) > 0) {
    const uint8_t *p = memmem(zip->data + from, end - from, "PK\3\4", 4);
    if (p == NULL)
      return;
    uint64_t at = (uint64_t)(p - zip->data);
    from = at + 4;
    if (!is_local_header(zip, at, end))
      continue;
    WalkResult result = {0};
    Stretch stretch = {zip, at, end};
    WalkHooks hooks = {.user = &stretch, .entry = on_remnant, .is_remnant = true};
    g_autoptr(Content) part = content_new_part(container->content, at, end - at);
    Container inner = {.content = part, .path = container->path};
    archive_walk(unpack, self, &inner, archive_read_support_format_zip_streamable, &hooks, &result);
    container->n_members += inner.n_members;
    if (result.n_entries > 0)
      from = MAX(from, at + MIN(result.consumed, end - at));
  }
}

/* A member libarchive did not get to, by what the directory says of it. */
static void open_unseen(Unpack *unpack, Container *container, ZipIndex *zip,
                        const ZipEntry *entry) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) name = g_bytes_new(zip->data + entry->name_at, entry->name_bytes);
  const MemberPath path = {container->path, name, "raw", container->path->depth + 1};
  Content *content = NULL;
  if (entry->end == entry->offset)
    triage_fail(&error, TRIAGE_REASON_CORRUPT,
                "the directory leads to byte %" G_GUINT64_FORMAT ", where no member begins",
                entry->offset);
  else if (is_secret(unpack, entry))
    content = decrypt_entry(unpack, container, zip, entry, &error);
  else if ((entry->flags & 1) != 0)
    triage_fail(&error, TRIAGE_REASON_ENCRYPTED, "this member is encrypted");
  else if (entry->method != 0 && entry->method != 8)
    triage_fail(&error, TRIAGE_REASON_UNSUPPORTED_FORMAT,
                "this member is compressed by method %u and libarchive did not get to it",
                entry->method);
  else
    content = inflate_unseen(unpack, container, zip, entry, &error);
  if (unpack->is_stopped)
    content_unref(content);
  if (unpack->is_stopped)
    return;
  if (content == NULL || (content_size(content) == 0 && error != NULL)) {
    content_unref(content);
    unpack_gap(unpack, &path, entry->size, 0, triage_error_reason(error), "%s", error->message);
    return;
  }
  Member member = {
      .content = content, .size = MAX(entry->size, content_size(content)), .error = error};
  zip_times_give(&entry->times, &member);
  unpack_member(unpack, container, name, &member);
  content_unref(content);
}

/* All that the entries of the directory do not cover. */
static void open_uncovered(Unpack *unpack, const Unpacker *self, Container *container,
                           ZipIndex *zip) {
  uint64_t covered = 0;
  for (guint i = 0; i < zip->entries->len && !unpack->is_stopped; i++) {
    const ZipEntry *entry = &g_array_index(zip->entries, ZipEntry, i);
    if (entry->offset > covered)
      open_stretch(unpack, self, container, zip, covered, MIN(entry->offset, zip->central));
    covered = MAX(covered, entry->end);
  }
  if (covered < zip->central)
    open_stretch(unpack, self, container, zip, covered, zip->central);
}

/* Names of directories that were not handed out hold nothing. */
static void open_all_unseen(Unpack *unpack, Container *container, ZipIndex *zip) {
  for (guint i = 0; i < zip->entries->len && !unpack->is_stopped; i++) {
    const ZipEntry *entry = &g_array_index(zip->entries, ZipEntry, i);
    bool is_directory = entry->name_bytes > 0 && entry->packed == 0 &&
                        zip->data[entry->name_at + entry->name_bytes - 1] == '/';
    if (!entry->is_seen && !is_directory && unpack_budget(unpack) > 0)
      open_unseen(unpack, container, zip, entry);
  }
}

static void open_indexed(Unpack *unpack, const Unpacker *self, Container *container,
                         ZipIndex *zip) {
  WalkHooks hooks = {.user = zip, .entry = on_entry, .content = on_content};
  WalkResult result = {0};
  /* libarchive looks for the end record in the last 16 KiB only, and wants offsets to fit. */
  g_autoptr(Content) part =
      content_new_part(container->content, zip->shift, zip->eocd + EOCD_BYTES - zip->shift);
  Container inner = {.content = part, .path = container->path};
  read_directory(zip);
  if (zip->is_multi_disk && container->is_joined)
    container->is_damaged = true; /* told where the parts were joined */
  else if (zip->is_multi_disk)
    unpack_damage(unpack, container, TRIAGE_REASON_MISSING_SEGMENT,
                  "the zip is the last of %u parts (.z01, .z02 ...) and not all the others lie "
                  "beside it: what lies in this part was unpacked" PARTS_NAME_DIRECTORY,
                  bytes_le16(zip->data + zip->eocd + 4) + 1u);
  else if (zip->claimed > 0)
    archive_walk(unpack, self, &inner, archive_read_support_format_zip_seekable, &hooks, &result);
  container->n_members += inner.n_members;
  container->is_damaged = container->is_damaged || inner.is_damaged;
  if (unpack->is_stopped || unpack_budget(unpack) == 0)
    return;
  if (zip->is_multi_disk)
    g_array_set_size(zip->entries,
                     0); /* its places are those of parts: none tells what is covered */
  open_all_unseen(unpack, container, zip);
  open_uncovered(unpack, self, container, zip);
  uint64_t n_unique = zip->entries->len;
  if (unpack->is_stopped || zip->is_multi_disk ||
      (zip->claimed == n_unique && zip->n_read == n_unique))
    return;
  unpack_damage(unpack, container, TRIAGE_REASON_CORRUPT,
                "the zip claims %" G_GUINT64_FORMAT " members and its directory lists "
                "%" G_GUINT64_FORMAT ", but only %" G_GUINT64_FORMAT " different members were seen",
                zip->claimed, zip->n_read, n_unique);
}

void unpack_zip_open(Unpack *unpack, const Unpacker *self, Container *container) {
  ZipIndex zip = {.data = content_data(container->content),
                  .size = content_size(container->content)};
  if (!find_eocd(&zip)) {
    unpack_damage(unpack, container, parts_cut_reason(container),
                  "the zip has no end record: it is cut off or damaged; members found from its "
                  "beginning were unpacked");
    zip.central = zip.size;
    zip.entries = g_array_new(FALSE, FALSE, sizeof(ZipEntry));
    open_uncovered(unpack, self, container, &zip);
  } else {
    zip.entries = g_array_new(FALSE, FALSE, sizeof(ZipEntry));
    container->end = zip.end;
    open_indexed(unpack, self, container, &zip);
  }
  g_array_free(zip.entries, TRUE);
}
