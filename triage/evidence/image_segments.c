/* SPDX-License-Identifier: Apache-2.0 */
/* image_segments.c - which files make up an image, told from their names: before the worker locks
 * itself in, so nothing is parsed here but the extent names of a VMDK's short text descriptor. */
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "evidence/image_format.h"
#include <dirent.h>
#include <string.h>

/* How the end of a name counts: x.E01 x.E02 ... x.EAA; x.001 x.002; x.aa x.ab; xpart1 xpart2. */
typedef enum { SCHEME_NONE, SCHEME_EWF, SCHEME_DIGITS, SCHEME_LETTERS, SCHEME_PART } Scheme;

typedef struct {
  Scheme scheme;
  size_t n_stem;   /* bytes before the counting part */
  size_t n_suffix; /* bytes of the counting part; 0: any number (part1 ... part10) */
  uint64_t first;  /* number of the first segment: 0 or 1 */
  uint64_t number;
} Naming;

/* E01 is 1, E99 is 99, EAA is 100 ... ZZZ. The first letter is E, L or S at 1. */
static bool ewf_number(const char *suffix, char letter, uint64_t *number) {
  char c[3];
  for (int i = 0; i < 3; i++)
    c[i] = g_ascii_toupper(suffix[i]);
  if (c[0] == letter && g_ascii_isdigit(c[1]) && g_ascii_isdigit(c[2])) {
    *number = (uint64_t)(c[1] - '0') * 10 + (uint64_t)(c[2] - '0');
    return *number > 0;
  }
  if (c[0] < letter || c[0] > 'Z' || !g_ascii_isupper(c[1]) || !g_ascii_isupper(c[2]))
    return false;
  *number =
      100 + (uint64_t)(c[0] - letter) * 676 + (uint64_t)(c[1] - 'A') * 26 + (uint64_t)(c[2] - 'A');
  return true;
}

static bool digits_number(const char *suffix, size_t n, uint64_t *number) {
  *number = 0;
  for (size_t i = 0; i < n; i++) {
    if (!g_ascii_isdigit(suffix[i]))
      return false;
    *number = *number * 10 + (uint64_t)(suffix[i] - '0');
  }
  return n > 0 && n <= 9;
}

static bool letters_number(const char *suffix, size_t n, uint64_t *number) {
  *number = 0;
  for (size_t i = 0; i < n; i++) {
    if (!g_ascii_islower(suffix[i]) && !g_ascii_isupper(suffix[i]))
      return false;
    if (g_ascii_islower(suffix[i]) != g_ascii_islower(suffix[0]))
      return false;
    *number = *number * 26 + (uint64_t)(g_ascii_tolower(suffix[i]) - 'a');
  }
  return n > 0;
}

static const char *part_number(const char *base) {
  const char *digits = base + strlen(base);
  while (digits > base && g_ascii_isdigit(digits[-1]))
    digits--;
  bool part = digits - base >= 4 && g_ascii_strncasecmp(digits - 4, "part", 4) == 0;
  return *digits != '\0' && part ? digits : NULL;
}

/* How base counts, given the bytes the file begins with. */
static Naming naming_of(const char *base, bool is_ewf) {
  Naming naming = {.scheme = SCHEME_NONE};
  const char *dot = strrchr(base, '.'), *suffix = dot != NULL ? dot + 1 : "";
  size_t n = strlen(suffix);
  char letter = g_ascii_toupper(*suffix);
  naming.n_stem = (size_t)(suffix - base);
  naming.n_suffix = n;
  naming.first = 1;
  if (dot != NULL && n == 3 && is_ewf && (letter == 'E' || letter == 'S' || letter == 'L') &&
      ewf_number(suffix, letter, &naming.number)) {
    naming.scheme = SCHEME_EWF;
    return naming;
  }
  if (is_ewf)
    return naming;
  if (dot != NULL && n >= 2 && n <= 5 && digits_number(suffix, n, &naming.number)) {
    naming.scheme = SCHEME_DIGITS;
    return naming;
  }
  const char *digits = part_number(base);
  if (digits != NULL && digits_number(digits, strlen(digits), &naming.number)) {
    naming.scheme = SCHEME_PART;
    naming.n_stem = (size_t)(digits - base);
    naming.n_suffix = *digits == '0' ? strlen(digits) : 0;
    return naming;
  }
  /* split(1): x.aa, or xaa without a dot. Only the first is taken: .db and .sh are no segments. */
  n = strlen(base);
  if ((dot != NULL && naming.n_suffix >= 2 && naming.n_suffix <= 4 &&
       letters_number(suffix, naming.n_suffix, &naming.number) && naming.number == 0) ||
      (n == 3 && (strcmp(base, "xaa") == 0))) {
    naming.scheme = SCHEME_LETTERS;
    if (dot == NULL)
      naming.n_stem = 1, naming.n_suffix = 2;
    naming.first = 0;
  }
  return naming;
}

static bool same_naming(const Naming *naming, const char *own, const char *other,
                        uint64_t *number) {
  size_t n = strlen(other);
  if (n <= naming->n_stem || memcmp(own, other, naming->n_stem) != 0)
    return false;
  const char *suffix = other + naming->n_stem;
  n -= naming->n_stem;
  if (naming->n_suffix != 0 && n != naming->n_suffix)
    return false;
  switch (naming->scheme) {
  case SCHEME_EWF:
    return n == 3 && ewf_number(suffix, g_ascii_toupper(own[naming->n_stem]), number);
  case SCHEME_LETTERS:
    return letters_number(suffix, n, number) &&
           g_ascii_islower(*suffix) == g_ascii_islower(own[naming->n_stem]);
  case SCHEME_DIGITS:
    return digits_number(suffix, n, number);
  case SCHEME_PART:
    return (naming->n_suffix != 0 || *suffix != '0') && digits_number(suffix, n, number);
  case SCHEME_NONE:
    break;
  }
  return false;
}

typedef struct {
  uint64_t number;
  char *name;
  bool same_case; /* as the named file: x.E01 and x.e02 may both be there */
} Found;

static void found_clear(gpointer data) {
  g_free(((Found *)data)->name);
}

static gint found_compare(gconstpointer a, gconstpointer b) {
  const Found *x = a, *y = b;
  if (x->number != y->number)
    return x->number < y->number ? -1 : 1;
  if (x->same_case != y->same_case)
    return x->same_case ? -1 : 1;
  return strcmp(x->name, y->name);
}

/* All files of the folder that count as base does, sorted by number. */
static GArray *find_all(const char *folder, const char *base, const Naming *naming) {
  GArray *found = g_array_new(FALSE, FALSE, sizeof(Found));
  g_array_set_clear_func(found, found_clear);
  DIR *dir = opendir(folder != NULL ? folder : ".");
  if (dir == NULL)
    return found;
  bool lower = g_ascii_islower(base[naming->n_stem]);
  for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    Found one = {0};
    if (!same_naming(naming, base, entry->d_name, &one.number))
      continue;
    one.name = g_strdup(entry->d_name);
    one.same_case = g_ascii_islower(entry->d_name[naming->n_stem]) == lower;
    g_array_append_val(found, one);
  }
  closedir(dir);
  g_array_sort(found, found_compare);
  guint kept = 0; /* one file for each number */
  for (guint i = 0; i < found->len; i++) {
    Found *one = &g_array_index(found, Found, i);
    if (kept > 0 && g_array_index(found, Found, kept - 1).number == one->number) {
      g_free(one->name);
      continue;
    }
    g_array_index(found, Found, kept++) = *one;
  }
  g_array_set_clear_func(found, NULL);
  g_array_set_size(found, kept);
  g_array_set_clear_func(found, found_clear);
  return found;
}

/* A stray file far off (x.999 beside x.001 x.002) is not a sign of 996 missing segments. */
static guint set_length(const GArray *found, const Naming *naming) {
  guint n = 0;
  uint64_t expected = naming->first;
  for (; n < found->len; n++) {
    uint64_t number = g_array_index(found, Found, n).number;
    uint64_t hole = number - expected;
    uint64_t most = naming->scheme == SCHEME_EWF ? 100 : n == 0 ? 1 : 16;
    if (hole > MAX(most, n))
      break;
    expected = number + 1;
  }
  return n;
}

/* The path of base beside the named file, written as the user wrote that (transfer full). */
static char *in_folder(const char *folder, const char *base) {
  if (folder == NULL)
    return g_strdup(base);
  return g_strconcat(folder, g_str_has_suffix(folder, "/") ? "" : "/", base, NULL);
}

static gboolean add_set(GPtrArray *names, const char *path, const char *folder, const char *base,
                        Naming *naming, GError **error) {
  g_autoptr(GArray) found = find_all(folder, base, naming);
  if (naming->scheme == SCHEME_DIGITS || naming->scheme == SCHEME_PART)
    naming->first = found->len > 0 && g_array_index(found, Found, 0).number == 0 ? 0 : 1;
  guint n = set_length(found, naming);
  bool alone = n <= 1;
  g_autofree char *shown_path = text_printable(path, strlen(path));
  for (guint i = 0; i < n; i++) {
    const Found *one = &g_array_index(found, Found, i);
    if (one->number >= naming->number)
      break;
    g_autofree char *shown = text_printable(one->name, strlen(one->name));
    return triage_fail(error, TRIAGE_REASON_USAGE,
                       "%s is a later segment of an image; name its first one, %s", shown_path,
                       shown);
  }
  if (n == 0 || (alone && naming->scheme != SCHEME_EWF) ||
      g_array_index(found, Found, 0).number != naming->number) {
    g_ptr_array_add(names, g_strdup(path));
    return TRUE;
  }
  uint64_t next = naming->first;
  for (guint i = 0; i < n; i++) {
    const Found *one = &g_array_index(found, Found, i);
    for (; next < one->number && names->len < LIMIT_IMAGE_SEGMENTS; next++)
      g_ptr_array_add(names, NULL);
    if (names->len >= LIMIT_IMAGE_SEGMENTS)
      return triage_fail(error, TRIAGE_REASON_SIZE_LIMIT, "%s: more than %u segments", shown_path,
                         LIMIT_IMAGE_SEGMENTS);
    g_ptr_array_add(names, in_folder(folder, one->name));
    next++;
  }
  return TRUE;
}

/* The extent files a VMDK descriptor names: RW 4192256 SPARSE "x-s001.vmdk". Only plain names
 * count: a descriptor is evidence and must not lead to other folders. */
static void add_extents(GPtrArray *names, const char *folder, const char *base, const char *text) {
  g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
  for (guint i = 0; lines[i] != NULL && names->len < LIMIT_IMAGE_SEGMENTS; i++) {
    const char *line = g_strchug(lines[i]);
    if (!g_str_has_prefix(line, "RW ") && !g_str_has_prefix(line, "RDONLY "))
      continue;
    const char *start = strchr(line, '"');
    const char *end = start != NULL ? strchr(start + 1, '"') : NULL;
    if (end == NULL)
      continue;
    g_autofree char *name = g_strndup(start + 1, (gsize)(end - start - 1));
    if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL || strcmp(name, base) == 0)
      continue;
    bool known = false;
    g_autofree char *full = in_folder(folder, name);
    for (guint k = 0; k < names->len && !known; k++)
      known = strcmp(g_ptr_array_index(names, k), full) == 0;
    if (!known)
      g_ptr_array_add(names, g_steal_pointer(&full));
  }
}

GPtrArray *image_segments(const char *path, GError **error) {
  auto_fd fd = io_open_read(path, error);
  if (fd < 0)
    return NULL;
  g_autofree char *head = g_malloc0(LIMIT_IMAGE_DESCRIPTOR + 1);
  ssize_t got = io_pread(fd, head, LIMIT_IMAGE_DESCRIPTOR, 0);
  size_t n = got > 0 ? (size_t)got : 0; /* what cannot be read now is told by image_open */
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
  g_autofree char *folder = slash != NULL ? g_strndup(path, (gsize)(base - path)) : NULL;
  if (*base == '\0') {
    g_autofree char *shown = text_printable(path, strlen(path));
    triage_fail(error, TRIAGE_REASON_USAGE, "%s: is not the name of a file", shown);
    return NULL;
  }
  if (n >= 21 && memcmp(head, "# Disk DescriptorFile", 21) == 0) {
    g_ptr_array_add(names, g_strdup(path));
    add_extents(names, folder, base, head);
    return g_steal_pointer(&names);
  }
  const char *dot = strrchr(base, '.');
  bool named_ewf = dot != NULL && strlen(dot) == 4 && g_ascii_toupper(dot[1]) == 'E' &&
                   g_ascii_isdigit(dot[2]) && g_ascii_isdigit(dot[3]);
  bool is_ewf = (n >= 3 && memcmp(head, "EVF", 3) == 0) || named_ewf;
  Naming naming = naming_of(base, is_ewf);
  if (naming.scheme == SCHEME_NONE)
    g_ptr_array_add(names, g_strdup(path));
  else if (!add_set(names, path, folder, base, &naming, error))
    return NULL;
  return g_steal_pointer(&names);
}
