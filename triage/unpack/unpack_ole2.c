/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_ole2.c - OLE2 compound files (Office documents, vbaProject.bin, msg, msi): every stream a
 * member, the source of every VBA module a view, and what no directory leads to found by its
 * signature. */
#include "base/keyhash.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_cfb.h"
#include "unpack/unpack_known.h"
#include "unpack/unpack_offrc4.h"
#include "unpack/unpack_vba.h"
#include <string.h>

static const char DECRYPTED[] = "(decrypted)";

typedef struct {
  Unpack *unpack;
  Container *container;
  Cfb cfb;
  GHashTable *modules; /* GBytes: storage and stream name; to uint32_t *: offset in it */
  GHashTable *names;   /* msg: uint64_t: storage of an attachment; to its name's entry + 1 */
  GHashTable *known;   /* uint64_t: byte of the file where a module already met begins */
  VbaBudget budget;
} Ole;

static CfbEntry *entry_at(const Ole *ole, uint32_t i) {
  return &g_array_index(ole->cfb.entries, CfbEntry, i);
}

/* Storage and lower-case name of a stream, as one key. */
static GBytes *module_key(uint32_t storage, const uint8_t *name, uint32_t n_bytes) {
  g_autoptr(GByteArray) key = g_byte_array_new();
  g_byte_array_append(key, (const guint8 *)&storage, sizeof storage);
  n_bytes = MIN(n_bytes, 62);
  for (uint32_t i = 0; i + 1 < n_bytes; i += 2) {
    uint16_t unit = bytes_le16(name + i);
    if (unit < 0x80)
      unit = (uint16_t)g_ascii_tolower((char)unit);
    if (unit != 0)
      g_byte_array_append(key, (const guint8 *)&unit, sizeof unit);
  }
  return g_byte_array_free_to_bytes(g_steal_pointer(&key));
}

typedef struct {
  Ole *ole;
  uint32_t storage;
} DirReader;

static void on_module(void *user, const VbaModule *module) {
  DirReader *reader = user;
  if (g_hash_table_size(reader->ole->modules) >= LIMIT_VBA_MODULES)
    return; /* those behind are found by their signature */
  uint32_t *offset = g_new(uint32_t, 1);
  *offset = module->offset;
  g_hash_table_insert(reader->ole->modules,
                      module_key(reader->storage, module->name, module->name_bytes), offset);
}

/* A stream's bytes, up to most. */
static Content *read_some(Ole *ole, uint32_t i, uint64_t most) {
  CfbEntry entry = *entry_at(ole, i);
  Intake intake;
  if (entry.size > most)
    return NULL;
  intake_init(&intake, ole->unpack, ole->container);
  cfb_read(&ole->cfb, &entry, &intake, NULL, NULL);
  return intake_finish(&intake, NULL);
}

static void read_project(Ole *ole, uint32_t i) {
  g_autoptr(Content) packed = read_some(ole, i, LIMIT_VBA_DIR_BYTES);
  DirReader reader = {ole, entry_at(ole, i)->parent};
  if (packed == NULL)
    return;
  Intake intake;
  intake_init(&intake, ole->unpack, ole->container);
  intake.data_left = LIMIT_VBA_DIR_BYTES;
  vba_inflate(ole->unpack, content_data(packed), content_size(packed), &intake, NULL);
  g_autoptr(Content) dir = intake_finish(&intake, NULL);
  if (dir != NULL)
    vba_read_dir(content_data(dir), content_size(dir), on_module, &reader);
}

/* What must be known before the first stream is handed out. */
static void read_ahead(Ole *ole) {
  unsigned n_projects = 0;
  for (uint32_t i = 0; i < ole->cfb.entries->len && !ole->unpack->is_stopped; i++) {
    const CfbEntry *entry = entry_at(ole, i);
    if (entry->type != CFB_STREAM || entry->parent == CFB_NONE)
      continue;
    if (cfb_is_named(&ole->cfb, entry, "dir") && n_projects < LIMIT_VBA_PROJECTS) {
      n_projects++;
      read_project(ole, i);
    }
    bool is_long = cfb_is_named(&ole->cfb, entry, "__substg1.0_3707001F") ||
                   cfb_is_named(&ole->cfb, entry, "__substg1.0_3707001E");
    uint64_t storage = entry->parent;
    if (is_long || ((cfb_is_named(&ole->cfb, entry, "__substg1.0_3704001F") ||
                     cfb_is_named(&ole->cfb, entry, "__substg1.0_3704001E")) &&
                    !g_hash_table_contains(ole->names, &storage)))
      g_hash_table_insert(ole->names, g_memdup2(&storage, sizeof storage), GUINT_TO_POINTER(i + 1));
  }
}

/* Outlook's properties by name, where a script could be. */
static const struct {
  const char *tag, *name;
} PROPERTIES[] = {
    {"__substg1.0_0037001", " (subject)"},     {"__substg1.0_007D001", " (headers)"},
    {"__substg1.0_1000001", " (body)"},        {"__substg1.0_10130102", " (html body)"},
    {"__substg1.0_1013001", " (html body)"},   {"__substg1.0_10090102", " (rtf body)"},
    {"__substg1.0_37010102", " (attachment)"},
};

/* An attachment under its own name. NULL: it has none. */
static GBytes *attachment_name(Ole *ole, uint32_t storage) {
  uint64_t key = storage;
  guint named = GPOINTER_TO_UINT(g_hash_table_lookup(ole->names, &key));
  if (named == 0)
    return NULL;
  g_autoptr(Content) text = read_some(ole, named - 1, 2 * KIB);
  if (text == NULL || content_size(text) == 0)
    return NULL;
  g_autoptr(GString) leaf = g_string_new(NULL);
  cfb_append_name(&ole->cfb, entry_at(ole, named - 1), leaf);
  GString *out = g_string_new(NULL);
  g_autoptr(GBytes) above = cfb_path(&ole->cfb, storage);
  gsize n;
  const char *bytes = g_bytes_get_data(above, &n);
  g_string_append_len(out, bytes, (gssize)n);
  g_string_append_c(out, '/');
  if (g_str_has_suffix(leaf->str, "001F"))
    cfb_append_utf16(out, content_data(text), content_size(text) / 2);
  else
    g_string_append_len(out, (const char *)content_data(text),
                        (gssize)strnlen((const char *)content_data(text), content_size(text)));
  return g_string_free_to_bytes(out);
}

static GBytes *stream_name(Ole *ole, uint32_t i) {
  const CfbEntry *entry = entry_at(ole, i);
  if (entry->parent != CFB_NONE && cfb_is_named(&ole->cfb, entry, "__substg1.0_37010102")) {
    GBytes *name = attachment_name(ole, entry->parent);
    if (name != NULL)
      return name;
  }
  g_autoptr(GBytes) path = cfb_path(&ole->cfb, i);
  g_autoptr(GString) leaf = g_string_new(NULL);
  cfb_append_name(&ole->cfb, entry, leaf);
  for (size_t k = 0; k < G_N_ELEMENTS(PROPERTIES); k++) {
    if (!g_str_has_prefix(leaf->str, PROPERTIES[k].tag))
      continue;
    gsize n;
    const char *bytes = g_bytes_get_data(path, &n);
    GString *out = g_string_new_len(bytes, (gssize)n);
    g_string_append(out, PROPERTIES[k].name);
    return g_string_free_to_bytes(out);
  }
  return g_steal_pointer(&path);
}

/* Where in the file a stream's byte lies: places are in the stream's order. */
static void remember(Ole *ole, const GArray *places, uint64_t offset) {
  guint low = 0, high = places->len;
  while (high - low > 1) {
    guint middle = low + (high - low) / 2;
    if (g_array_index(places, CfbPlace, middle).offset <= offset)
      low = middle;
    else
      high = middle;
  }
  if (low >= places->len || g_hash_table_size(ole->known) >= 4 * LIMIT_VBA_MODULES)
    return;
  const CfbPlace *place = &g_array_index(places, CfbPlace, low);
  uint64_t at = place->content_offset + (offset - place->offset);
  g_hash_table_add(ole->known, g_memdup2(&at, sizeof at));
}

/* The modules in one stream: where its project says, and where one begins by its signature. A
 * stream that is a container itself is opened as such, and its modules belong to that. */
static void open_modules(Ole *ole, uint32_t i, GBytes *name, const Content *content,
                         const GArray *places, bool is_container) {
  const uint8_t *data = content_data(content);
  uint64_t size = content_size(content);
  const uint8_t *p = ole->cfb.data + entry_at(ole, i)->at;
  g_autoptr(GBytes) key = module_key(entry_at(ole, i)->parent, p, bytes_le16(p + 64));
  const uint32_t *told = g_hash_table_lookup(ole->modules, key);
  unsigned n_here = 0;
  if (told != NULL && *told < size && data[*told] == 1 && !is_container) {
    vba_hand_out(ole->unpack, ole->container, name, data + *told, size - *told, &ole->budget);
    remember(ole, places, *told);
    n_here++;
  }
  for (uint64_t at = vba_find(content, 0);
       at < size && !ole->unpack->is_stopped && !ole->budget.is_told;
       at = vba_find(content, at + VBA_LEAST_BYTES)) {
    remember(ole, places, at);
    if (is_container || (told != NULL && at == *told))
      continue;
    if (n_here++ == 0) {
      vba_hand_out(ole->unpack, ole->container, name, data + at, size - at, &ole->budget);
      continue;
    }
    gsize n;
    const char *bytes = g_bytes_get_data(name, &n);
    GString *other = g_string_new_len(bytes, (gssize)n);
    g_string_append_printf(other, " (at %" G_GUINT64_FORMAT ")", at);
    g_autoptr(GBytes) other_name = g_string_free_to_bytes(other);
    vba_hand_out(ole->unpack, ole->container, other_name, data + at, size - at, &ole->budget);
  }
}

/* What of an encrypted document stays closed; what is opened is not its affair. */
static const char *encrypted_part(const Ole *ole, const CfbEntry *entry, const uint8_t *data,
                                  uint64_t size) {
  if (cfb_is_named(&ole->cfb, entry, "Current User") && size >= 16 &&
      bytes_le32(data + 12) == 0xF3D1C4DF)
    return "the presentation is encrypted";
  return NULL;
}

/* The stream of that name beside entry. (transfer full) */
static Content *read_beside(Ole *ole, uint32_t beside, const char *name, uint32_t *found) {
  for (uint32_t i = 0; i < ole->cfb.entries->len; i++) {
    const CfbEntry *entry = entry_at(ole, i);
    if (entry->type != CFB_STREAM || entry->parent != entry_at(ole, beside)->parent ||
        !cfb_is_named(&ole->cfb, entry, name))
      continue;
    Intake intake;
    intake_init(&intake, ole->unpack, ole->container);
    cfb_read(&ole->cfb, entry, &intake, NULL, NULL);
    *found = i;
    return intake_finish(&intake, NULL);
  }
  return NULL;
}

/* Hands out the stream at entry i in plain. */
static void open_rc4(Ole *ole, const OfficeRc4 *secret, OfficeRc4Kind kind, uint64_t plain,
                     uint32_t i, Content *content) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) own = stream_name(ole, i),
                    name = g_bytes_new_static(DECRYPTED, strlen(DECRYPTED));
  const MemberPath path = {ole->container->path, own, "raw", ole->container->path->depth + 1};
  Container container = {.content = content, .path = &path};
  Intake intake;
  intake_init(&intake, ole->unpack, &container);
  offrc4_decrypt(secret, ole->unpack, kind, plain, content, &intake, &error);
  intake_hand_out(&intake, name, content_size(content), error);
}

static void tell_closed(Ole *ole, const MemberPath *path, const Content *content, const char *what,
                        const GError *why) {
  unpack_gap(ole->unpack, path, content_size(content), content_size(content),
             TRIAGE_REASON_ENCRYPTED, "%s is encrypted: %s", what, why->message);
}

static void open_workbook(Ole *ole, uint32_t i, const MemberPath *path, Content *content) {
  enum { FILE_PASS = 0x2F };
  const uint8_t *data = content_data(content);
  uint64_t n = 0, at = 0, size = content_size(content);
  const uint8_t *info = offrc4_file_pass(data, size, &n);
  bool is_secret = info != NULL;
  g_autoptr(GError) error = NULL;
  OfficeRc4 secret;
  for (unsigned k = 0; k < 8 && size - at >= 4 && !is_secret; k++) {
    is_secret = bytes_le16(data + at) == FILE_PASS;
    at += MIN(size - at, 4u + (uint64_t)bytes_le16(data + at + 2));
  }
  if (!is_secret)
    return;
  if (offrc4_open(&secret, ole->unpack, info, n, &error))
    open_rc4(ole, &secret, OFFRC4_WORKBOOK, 0, i, content);
  else
    tell_closed(ole, path, content, "the workbook", error);
}

/* The cipher is described at the beginning of the table stream, which the text names. */
static void open_document(Ole *ole, uint32_t i, const MemberPath *path, Content *content) {
  enum {
    FLAGS_AT = 10,
    IS_SECRET = 0x0100,
    IS_TABLE_1 = 0x0200,
    IS_XOR = 0x8000,
    KEY_AT = 14,
    TEXT = 0x44
  };
  const uint8_t *data = content_data(content);
  g_autoptr(GError) error = NULL;
  uint32_t at = 0;
  OfficeRc4 secret;
  uint16_t flags = content_size(content) > TEXT ? bytes_le16(data + FLAGS_AT) : 0;
  if ((flags & IS_SECRET) == 0)
    return;
  g_autoptr(Content) table =
      read_beside(ole, i, (flags & IS_TABLE_1) != 0 ? "1Table" : "0Table", &at);
  bool has_table = table != NULL && (flags & IS_XOR) == 0;
  if (!offrc4_open(&secret, ole->unpack, has_table ? content_data(table) : NULL,
                   has_table ? content_size(table) : 0, &error)) {
    tell_closed(ole, path, content, "the document's text", error);
    return;
  }
  open_rc4(ole, &secret, OFFRC4_TEXT, TEXT, i, content);
  open_rc4(ole, &secret, OFFRC4_TABLE, bytes_le32(data + KEY_AT), at, table);
  g_autoptr(Content) rest = read_beside(ole, i, "Data", &at);
  if (rest != NULL)
    open_rc4(ole, &secret, OFFRC4_DATA, 0, at, rest);
}

static void open_package(Ole *ole, uint32_t i, const MemberPath *path, Content *content) {
  g_autoptr(GError) error = NULL;
  uint32_t beside = 0;
  g_autoptr(Content) info = read_beside(ole, i, "EncryptionInfo", &beside);
  Container container = {.content = content, .path = path};
  Intake intake;
  if (info == NULL) {
    unpack_gap(ole->unpack, path, content_size(content), content_size(content),
               TRIAGE_REASON_ENCRYPTED,
               "the document inside is encrypted, and nothing beside it says how");
    return;
  }
  intake_init(&intake, ole->unpack, &container);
  office_decrypt(ole->unpack, info, content, &intake, &error);
  if (intake_size(&intake) == 0 && error != NULL) {
    content_builder_free(intake.builder);
    if (!ole->unpack->is_stopped)
      unpack_gap(ole->unpack, path, content_size(content), content_size(content),
                 triage_error_reason(error), "%s", error->message);
    return;
  }
  g_autoptr(GBytes) name = g_bytes_new_static(DECRYPTED, strlen(DECRYPTED));
  intake_hand_out(&intake, name, intake_size(&intake), error);
}

static void open_special(Ole *ole, uint32_t i, GBytes *name, Content *content) {
  const CfbEntry *entry = entry_at(ole, i);
  const MemberPath path = {ole->container->path, name, "raw", ole->container->path->depth + 1};
  const char *why = encrypted_part(ole, entry, content_data(content), content_size(content));
  if (why != NULL)
    unpack_gap(ole->unpack, &path, content_size(content), content_size(content),
               TRIAGE_REASON_ENCRYPTED, "%s: decrypt it and examine the result", why);
  if (cfb_is_named(&ole->cfb, entry, "Workbook") || cfb_is_named(&ole->cfb, entry, "Book"))
    open_workbook(ole, i, &path, content);
  if (cfb_is_named(&ole->cfb, entry, "WordDocument"))
    open_document(ole, i, &path, content);
  if (cfb_is_named(&ole->cfb, entry, "EncryptedPackage"))
    open_package(ole, i, &path, content);
  if (cfb_is_named(&ole->cfb, entry, "\1Ole10Native"))
    unpack_open_row(ole->unpack, unpack_row("ole-package"), content, &path);
  if (cfb_is_named(&ole->cfb, entry, "PowerPoint Document"))
    unpack_open_row(ole->unpack, unpack_row("ppt-objects"), content, &path);
}

static void open_stream(Ole *ole, uint32_t i) {
  const CfbEntry entry = *entry_at(ole, i);
  g_autoptr(GBytes) name = stream_name(ole, i);
  g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(CfbPlace));
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) trouble = NULL;
  Intake intake;
  intake_init(&intake, ole->unpack, ole->container);
  cfb_read(&ole->cfb, &entry, &intake, places, &error);
  uint64_t got = intake_size(&intake);
  g_autoptr(Content) content = intake_finish(&intake, &trouble);
  if (ole->unpack->is_stopped)
    return;
  if (content == NULL || (got == 0 && error != NULL)) {
    const MemberPath path = {ole->container->path, name, "raw", ole->container->path->depth + 1};
    const GError *why = content == NULL ? trouble : error;
    ole->container->n_members++;
    unpack_gap(ole->unpack, &path, entry.size, 0, triage_error_reason(why), "%s", why->message);
    return;
  }
  Member member = {.content = content,
                   .size = MAX(entry.size, got),
                   .created = cfb_time(&ole->cfb, &entry, false),
                   .modified = cfb_time(&ole->cfb, &entry, true),
                   .error = error};
  bool is_container = probe_ole2(content_data(content), got) ||
                      cfb_is_named(&ole->cfb, &entry, "PowerPoint Document");
  unpack_member(ole->unpack, ole->container, name, &member);
  if (!ole->unpack->is_stopped)
    open_modules(ole, i, name, content, places, is_container);
  if (!ole->unpack->is_stopped)
    open_special(ole, i, name, content);
}

static bool is_within_limits(Ole *ole, uint32_t i) {
  if (unpack_budget(ole->unpack) > 0)
    return true;
  unpack_damage(ole->unpack, ole->container, TRIAGE_REASON_SIZE_LIMIT,
                "streams behind entry %u were not unpacked: the object's budget of "
                "%" G_GUINT64_FORMAT " unpacked bytes is used up; --max-expanded sets it",
                i, ole->unpack->options->max_expanded);
  return false;
}

/* First what the root leads to, then what only lies in the directory. */
static void open_streams(Ole *ole) {
  for (int is_linked = 1; is_linked >= 0; is_linked--) {
    for (uint32_t i = 0; i < ole->cfb.entries->len && !ole->unpack->is_stopped; i++) {
      const CfbEntry *entry = entry_at(ole, i);
      if (entry->type != CFB_STREAM || entry->is_linked != (is_linked == 1))
        continue;
      if (!is_within_limits(ole, i))
        return;
      open_stream(ole, i);
    }
  }
}

static void report_damage(Ole *ole) {
  if (ole->cfb.is_cut)
    unpack_damage(ole->unpack, ole->container, TRIAGE_REASON_TRUNCATED,
                  "the OLE2 file's tables lead out of it: it is cut off or damaged; streams that "
                  "could be found were unpacked");
  if (ole->cfb.is_loop)
    unpack_damage(ole->unpack, ole->container, TRIAGE_REASON_CORRUPT,
                  "a table of the OLE2 file runs in a circle; streams that could be found were "
                  "unpacked");
  if (ole->cfb.is_over)
    unpack_damage(ole->unpack, ole->container, TRIAGE_REASON_SIZE_LIMIT,
                  "streams behind the first %u entries of the OLE2 file's directory were not "
                  "unpacked",
                  LIMIT_OLE_ENTRIES);
}

void unpack_ole2_open(Unpack *unpack, const Unpacker *self, Container *container) {
  Ole ole = {.unpack = unpack, .container = container, .budget = VBA_BUDGET};
  g_autoptr(GError) error = NULL;
  (void)self;
  ole.modules =
      g_hash_table_new_full(keyhash_bytes, g_bytes_equal, (GDestroyNotify)g_bytes_unref, g_free);
  ole.names = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL);
  ole.known = g_hash_table_new_full(keyhash_uint64, g_int64_equal, g_free, NULL);
  if (cfb_open(&ole.cfb, unpack, container->content, &error)) {
    container->has_source = true;
    read_ahead(&ole);
    open_streams(&ole);
    report_damage(&ole);
    container->end = cfb_end(&ole.cfb);
  } else {
    unpack_damage(unpack, container, triage_error_reason(error),
                  "%s; its bytes were scanned as "
                  "they are",
                  error->message);
  }
  if (!unpack->is_stopped)
    vba_carve(unpack, container->content, container->path, ole.known, &ole.budget);
  cfb_clear(&ole.cfb);
  g_hash_table_unref(ole.modules);
  g_hash_table_unref(ole.names);
  g_hash_table_unref(ole.known);
}
