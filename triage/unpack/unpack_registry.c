/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_registry.c - registry hives by libregf: values that can hold a text or a program, named by
 * their key's path, texts in UTF-8. Shorter values, deleted keys and what libregf does not reach
 * stand in the hive's own bytes, which are scanned too. */
#include "unpack/unpack_bfio.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <libregf.h>
#include <string.h>

enum {
  BASE_BYTES = 4096,  /* before the hive's bins */
  BINS_BYTES_AT = 40, /* how many bytes of these there are */
  FIRST_BYTES = 32,   /* values of fewer bytes are left to the hive's own */
  TYPE_TEXT = 1,      /* REG_SZ, REG_EXPAND_SZ */
  TYPE_EXPANDED = 2,
  TYPE_LINK = 6,
  TYPE_TEXTS = 7, /* REG_MULTI_SZ: each ends with a NUL */
  NAME_BYTES = 2048
};

typedef struct {
  Unpack *unpack;
  Container *container;
  BfioSource source;
  libbfio_handle_t *handle;
  libregf_file_t *file;
  GHashTable *seen; /* offsets of keys: a damaged hive may lead back to one */
  GString *path;    /* of the key at hand */
  uint64_t n_keys, n_failed;
  bool is_over; /* a limit was met, and told */
} Hive;

static void key_free(libregf_key_t *key) {
  if (key != NULL)
    libregf_key_free(&key, NULL);
}
static void value_free(libregf_value_t *value) {
  if (value != NULL)
    libregf_value_free(&value, NULL);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(libregf_key_t, key_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(libregf_value_t, value_free)

bool probe_registry(const uint8_t *data, uint64_t size) {
  enum { MAJOR_AT = 20, TYPE_AT = 28, FORMAT_AT = 32, HEAD = 512 };
  /* type 0: a hive; its transaction logs begin alike */
  return size >= HEAD && memcmp(data, "regf", 4) == 0 && bytes_le32(data + MAJOR_AT) == 1 &&
         bytes_le32(data + TYPE_AT) == 0 && bytes_le32(data + FORMAT_AT) == 1;
}

/* One part of what could not be had costs one row, not one for each. */
static void fail(Hive *hive, const char *what, libregf_error_t **error) {
  char text[512] = "libregf gives no reason";
  if (*error != NULL)
    libregf_error_sprint(*error, text, sizeof text);
  libregf_error_free(error);
  text[sizeof text - 1] = '\0';
  char *colon = strstr(text, ": ");
  g_autofree char *valid = g_utf8_make_valid(colon != NULL ? colon + 2 : text, -1);
  if (hive->n_failed++ == 0)
    unpack_damage(hive->unpack, hive->container, TRIAGE_REASON_CORRUPT,
                  "%s of the registry hive cannot be read: %s; more such parts are not listed one "
                  "by one; its bytes were scanned as they are",
                  what, g_strstrip(valid));
}

static bool is_within_limits(Hive *hive) {
  if (hive->unpack->is_stopped || hive->is_over)
    return false;
  if (hive->n_keys < LIMIT_REGISTRY_KEYS && hive->container->n_members < LIMIT_MEMBERS &&
      unpack_budget(hive->unpack) > 0)
    return true;
  hive->is_over = true;
  unpack_damage(hive->unpack, hive->container, TRIAGE_REASON_SIZE_LIMIT,
                "what follows the first %" G_GUINT64_FORMAT
                " keys of the registry hive was not unpacked: the limit of %u keys, or "
                "--max-expanded, is used up",
                hive->n_keys, LIMIT_REGISTRY_KEYS);
  return false;
}

/* UTF-16 as UTF-8, NULs within as line ends; false where it is none. */
static bool to_text(uint8_t **bytes, size_t *n) {
  size_t units = *n / 2;
  g_autofree gunichar2 *wide = g_new(gunichar2, units + 1);
  for (size_t i = 0; i < units; i++)
    wide[i] = bytes_le16(*bytes + 2 * i);
  while (units > 0 && wide[units - 1] == 0)
    units--;
  for (size_t i = 0; i < units; i++)
    wide[i] = wide[i] == 0 ? '\n' : wide[i];
  glong written = 0;
  char *text = g_utf16_to_utf8(wide, (glong)units, NULL, &written, NULL);
  if (text == NULL)
    return false;
  g_free(*bytes);
  *bytes = (uint8_t *)text;
  *n = (size_t)written;
  return true;
}

/* Whoever writes past the API may put a text of one byte a letter into a value of wide texts. Is it
 * one? *n is then without the NULs behind it. */
static bool is_narrow(const uint8_t *bytes, size_t *n) {
  size_t length = *n;
  while (length > 0 && bytes[length - 1] == 0)
    length--;
  for (size_t i = 0; i < length; i++)
    if (bytes[i] < '\t' || bytes[i] > '~')
      return false;
  *n = length;
  return true;
}

static char *value_name(libregf_value_t *value) {
  g_autofree uint8_t *text = g_malloc0(NAME_BYTES);
  size_t n = 0;
  if (libregf_value_get_utf8_name_size(value, &n, NULL) != 1 || n <= 1)
    return g_strdup("(default)");
  if (n > NAME_BYTES || libregf_value_get_utf8_name(value, text, n, NULL) != 1)
    return g_strdup("(unreadable name)");
  return g_strndup((const char *)text, n);
}

static void hand_out(Hive *hive, libregf_value_t *value, TriageTime written) {
  libregf_error_t *error = NULL;
  uint32_t type = 0;
  size_t n = 0;
  if (libregf_value_get_value_type(value, &type, &error) != 1 ||
      libregf_value_get_value_data_size(value, &n, &error) != 1) {
    fail(hive, "a value", &error);
    return;
  }
  if (n < FIRST_BYTES)
    return;
  g_autofree char *own = value_name(value);
  g_autofree char *text =
      g_strdup_printf("%s%s%s", hive->path->str, hive->path->len > 0 ? "/" : "", own);
  g_autoptr(GBytes) name = g_bytes_new(text, MIN(strlen(text), LIMIT_NAME_BYTES));
  const MemberPath path = {hive->container->path, name, "raw", hive->container->path->depth + 1};
  g_autofree uint8_t *bytes = n <= content_size(hive->container->content) ? g_try_malloc(n) : NULL;
  if (bytes == NULL) {
    unpack_gap(hive->unpack, &path, n, 0, TRIAGE_REASON_CORRUPT,
               "this value claims %zu bytes, more than its hive has", n);
    return;
  }
  if (libregf_value_get_value_data(value, bytes, n, &error) != 1) {
    fail(hive, "a value's data", &error);
    return;
  }
  bool is_text =
      type == TYPE_TEXT || type == TYPE_EXPANDED || type == TYPE_LINK || type == TYPE_TEXTS;
  if (is_text && !is_narrow(bytes, &n))
    to_text(&bytes, &n);
  Intake intake;
  g_autoptr(GError) trouble = NULL, limit = NULL;
  intake_init(&intake, hive->unpack, hive->container);
  intake_append(&intake, bytes, n, &limit);
  g_autoptr(Content) content = intake_finish(&intake, &trouble);
  if (hive->unpack->is_stopped || !unpack_alive(hive->unpack, n))
    return;
  const GError *why = content == NULL ? trouble : limit;
  if (content == NULL || (content_size(content) == 0 && why != NULL)) {
    unpack_gap(hive->unpack, &path, n, 0, triage_error_reason(why), "%s", why->message);
    return;
  }
  Member member = {.content = content, .size = n, .modified = written, .error = why};
  unpack_member(hive->unpack, hive->container, name, &member);
}

static void open_values(Hive *hive, libregf_key_t *key) {
  libregf_error_t *error = NULL;
  uint64_t ticks = 0;
  int n = 0;
  if (libregf_key_get_last_written_time(key, &ticks, NULL) != 1)
    ticks = 0;
  TriageTime written = triage_time_of_filetime(ticks, TIME_REGISTRY);
  if (libregf_key_get_number_of_values(key, &n, &error) != 1)
    fail(hive, "a key's values", &error);
  for (int i = 0; i < n && is_within_limits(hive); i++) {
    g_autoptr(libregf_value_t) value = NULL;
    if (libregf_key_get_value(key, i, &value, &error) == 1)
      hand_out(hive, value, written);
    else
      fail(hive, "a value", &error);
  }
}

/* Appends the key's name to the path of its parent. */
static void step_into(Hive *hive, libregf_key_t *key) {
  g_autofree uint8_t *text = g_malloc0(NAME_BYTES);
  size_t n = 0;
  bool has = libregf_key_get_utf8_name_size(key, &n, NULL) == 1 && n > 1 && n <= NAME_BYTES &&
             libregf_key_get_utf8_name(key, text, n, NULL) == 1;
  if (hive->path->len > 0)
    g_string_append_c(hive->path, '/');
  g_string_append(hive->path, has ? (const char *)text : "(unnamed)");
}

static void open_key(Hive *hive, libregf_key_t *key, unsigned depth) {
  libregf_error_t *error = NULL;
  off64_t offset = 0;
  int n = 0;
  if (libregf_key_get_offset(key, &offset, NULL) == 1 &&
      !g_hash_table_add(hive->seen, g_memdup2(&(gint64){offset}, sizeof(gint64))))
    return; /* met under another name already */
  hive->n_keys++;
  open_values(hive, key);
  if (libregf_key_get_number_of_sub_keys(key, &n, &error) != 1)
    fail(hive, "a key's sub keys", &error);
  if (n > 0 && depth >= LIMIT_REGISTRY_DEPTH) {
    fail(hive, "what lies in more keys than Windows puts into one another", &error);
    return;
  }
  gsize length = hive->path->len;
  for (int i = 0; i < n && is_within_limits(hive); i++) {
    g_autoptr(libregf_key_t) inner = NULL;
    if (libregf_key_get_sub_key(key, i, &inner, &error) != 1) {
      fail(hive, "a sub key", &error);
      continue;
    }
    step_into(hive, inner);
    open_key(hive, inner, depth + 1);
    g_string_truncate(hive->path, length);
  }
}

static void check_extent(Hive *hive) {
  uint64_t size = content_size(hive->container->content);
  uint64_t claimed =
      BASE_BYTES + (uint64_t)bytes_le32(content_data(hive->container->content) + BINS_BYTES_AT);
  if (claimed > size)
    unpack_damage(hive->unpack, hive->container, TRIAGE_REASON_TRUNCATED,
                  "the registry hive claims %" G_GUINT64_FORMAT " bytes and %" G_GUINT64_FORMAT
                  " are there: it is cut off; what could be unpacked was",
                  claimed, size);
  hive->container->end = MIN(claimed, size);
}

void unpack_registry_open(Unpack *unpack, const Unpacker *self, Container *container) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr(GString) path = g_string_new(NULL);
  Hive hive = {.unpack = unpack, .container = container, .seen = seen, .path = path};
  libregf_error_t *error = NULL;
  libregf_key_t *root = NULL;
  (void)self;
  check_extent(&hive);
  if (!bfio_source_open(&hive.source, unpack, container->content, LIMIT_REGISTRY_READS,
                        &hive.handle, &error) ||
      libregf_file_initialize(&hive.file, &error) != 1 ||
      libregf_file_open_file_io_handle(hive.file, hive.handle, LIBREGF_OPEN_READ, &error) != 1 ||
      libregf_file_get_root_key(hive.file, &root, &error) != 1)
    fail(&hive, "the root", &error);
  else
    open_key(&hive, root, 0);
  key_free(root);
  if (hive.file != NULL)
    libregf_file_free(&hive.file, NULL);
  if (hive.handle != NULL)
    libbfio_handle_free(&hive.handle, NULL);
  libregf_error_free(&error);
}

const char *unpack_registry_version(void) {
  return libregf_get_version();
}
