/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_archive.c - the members of one libarchive container, one after the other. What libarchive
 * cannot give becomes a gap and the walk goes on while it can. */
#include "base/text.h"
#include "unpack/unpack_parts.h"
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>

enum { IDLE_BLOCKS = 1000, DEAD_HEADERS = 64 };

/* Raw name of an entry; libarchive has none where its bytes fit no character set. */
static GBytes *entry_name(struct archive_entry *entry, uint64_t i) {
  reader_forget_errno();
  const char *name = archive_entry_pathname(entry);
  if (name == NULL)
    name = archive_entry_pathname_utf8(entry);
  size_t n = name != NULL ? strlen(name) : 0;
  if (n == 0) {
    g_autofree char *made = g_strdup_printf("(unnamed %" G_GUINT64_FORMAT ")", i + 1);
    return g_bytes_new(made, strlen(made));
  }
  return g_bytes_new(name, MIN(n, LIMIT_NAME_BYTES));
}

static TriageTime entry_time(bool is_set, time_t seconds, long nanoseconds,
                             TriageTimeSource source) {
  TriageTime time = {.seconds = seconds,
                     .is_set = is_set,
                     .is_local = source == TIME_ARCHIVE_DOS,
                     .source = (uint8_t)source};
  if (!is_set)
    return (TriageTime){0};
  if (nanoseconds > 0 && nanoseconds < 1000000000) {
    time.nanoseconds = (uint32_t)nanoseconds;
    time.digits = nanoseconds % 100 == 0 ? 7 : 9;
  }
  return time;
}

static void entry_times(struct archive_entry *entry, TriageTimeSource source, Member *member) {
  member->created =
      entry_time(archive_entry_birthtime_is_set(entry), archive_entry_birthtime(entry),
                 archive_entry_birthtime_nsec(entry), source);
  member->modified = entry_time(archive_entry_mtime_is_set(entry), archive_entry_mtime(entry),
                                archive_entry_mtime_nsec(entry), source);
  member->changed = entry_time(archive_entry_ctime_is_set(entry), archive_entry_ctime(entry),
                               archive_entry_ctime_nsec(entry), source);
  member->accessed = entry_time(archive_entry_atime_is_set(entry), archive_entry_atime(entry),
                                archive_entry_atime_nsec(entry), source);
}

static bool fail_reader(Reader *reader, bool is_encrypted, GError **error) {
  TriageReason reason;
  g_autofree char *text = reader_error(reader, &reason);
  if (is_encrypted && reason != TRIAGE_REASON_OUT_OF_MEMORY)
    reason = TRIAGE_REASON_ENCRYPTED;
  if (reason == TRIAGE_REASON_ENCRYPTED)
    return triage_fail(error, reason,
                       "encrypted, and no password given fits: %s; passwords to try may be given "
                       "with --password-file",
                       text);
  return triage_fail(error, reason, "%s", text);
}

/* Reads the data of the entry the reader stands at; a sparse file may end in a hole, up to size.
 * False with error where it is not all. */
static bool read_data(Unpack *unpack, Reader *reader, bool is_encrypted, uint64_t size,
                      Intake *intake, GError **error) {
  struct archive *archive = reader_archive(reader);
  unsigned idle = 0;
  for (;;) {
    const void *block = NULL;
    size_t n = 0;
    la_int64_t offset = 0;
    int status = archive_read_data_block(archive, &block, &n, &offset);
    if (status == ARCHIVE_RETRY && ++idle <= IDLE_BLOCKS)
      continue;
    if (status < ARCHIVE_WARN)
      return fail_reader(reader, is_encrypted, error);
    if (status == ARCHIVE_EOF)
      return offset <= 0 || intake_zeros_to(intake, MIN((uint64_t)offset, size), error);
    idle = n > 0 ? 0 : idle + 1;
    if (idle > IDLE_BLOCKS)
      return triage_fail(error, TRIAGE_REASON_CORRUPT,
                         "libarchive delivers empty blocks without end for this member");
    if (n > 0) {
      if (offset < 0 || (uint64_t)offset < intake_size(intake))
        return triage_fail(error, TRIAGE_REASON_CORRUPT,
                           "blocks of this member overlap at byte %" G_GINT64_FORMAT,
                           (gint64)offset);
      if (!intake_zeros_to(intake, (uint64_t)offset, error) ||
          !intake_append(intake, block, n, error))
        return false;
      reader_progress(reader);
      if (!unpack_alive(unpack, n))
        return false;
    }
    if (status == ARCHIVE_WARN)
      return fail_reader(reader, is_encrypted, error);
  }
}

/* A link's content is its target's name: text an attacker can store where only links are. */
static void read_link(struct archive_entry *entry, Intake *intake) {
  reader_forget_errno();
  const char *target = archive_entry_symlink(entry);
  if (target == NULL)
    target = archive_entry_symlink_utf8(entry);
  if (target != NULL && intake_size(intake) == 0)
    intake_append(intake, target, strlen(target), NULL);
}

typedef struct {
  Unpack *unpack;
  const Unpacker *self;
  Container *container;
  Reader *reader;
  const WalkHooks *hooks;
} Walk;

/* Of a zip libarchive does not say which of its fields it took: its own reader gives the times. */
static void take_times(const Walk *walk, struct archive_entry *entry, Member *member) {
  const uint8_t *data = content_data(walk->container->content);
  bool is_old_lha = content_size(walk->container->content) > 20 && data[20] < 2;
  switch (walk->self->times) {
  case TIMES_ZIP:
    return;
  case TIMES_LOCAL:
    entry_times(entry, TIME_ARCHIVE_DOS, member);
    return;
  case TIMES_LHA: /* levels 0 and 1 store DOS times */
    entry_times(entry, is_old_lha ? TIME_ARCHIVE_DOS : TIME_ARCHIVE_UTC, member);
    return;
  default:
    entry_times(entry, TIME_ARCHIVE_UTC, member);
  }
}

/* What libarchive gives of an entry; error says why that is not all, trouble why it is nothing. */
static Content *read_content(Walk *walk, struct archive_entry *entry, bool is_encrypted,
                             bool is_link, uint64_t claimed, GError **error, GError **trouble) {
  Intake intake;
  intake_init(&intake, walk->unpack, walk->container);
  bool is_whole =
      read_data(walk->unpack, walk->reader, is_encrypted, is_link ? 0 : claimed, &intake, error);
  if (is_whole && archive_entry_filetype(entry) == AE_IFLNK)
    read_link(entry, &intake);
  uint64_t got = intake_size(&intake);
  if (is_whole && walk->container->is_encrypted && archive_entry_is_data_encrypted(entry) > 0)
    triage_fail(error, TRIAGE_REASON_ENCRYPTED, /* what is stored libarchive gives as it is */
                "encrypted, and no password given fits; its bytes were examined as they are; "
                "passwords to try may be given with --password-file");
  else if (is_whole && got < claimed && !is_link)
    triage_fail(error, TRIAGE_REASON_TRUNCATED,
                "the header claims %" G_GUINT64_FORMAT " bytes, %" G_GUINT64_FORMAT " were there",
                claimed, got);
  return intake_finish(&intake, trouble);
}

/* The sums that libarchive does not look at. */
static void check_sum(const Walk *walk, struct archive_entry *entry, const Content *content,
                      GError **error) {
  la_int64_t at = archive_read_header_position(reader_archive(walk->reader));
  if (walk->self->check != NULL && at >= 0 && archive_entry_filetype(entry) != AE_IFDIR &&
      (archive_entry_hardlink(entry) == NULL || content_size(content) > 0))
    walk->self->check(walk->container->content, (uint64_t)at, content, error);
}

/* Hands out one entry. Directories are names only, unless someone hid data in one. */
static void walk_entry(Walk *walk, struct archive_entry *entry, uint64_t i, const char *warning) {
  Member member = {0};
  bool is_encrypted = walk->container->is_encrypted || archive_entry_is_encrypted(entry) > 0;
  g_autoptr(GBytes) name = entry_name(entry, i);
  g_autoptr(GError) error = NULL;
  take_times(walk, entry, &member);
  if (walk->hooks != NULL && walk->hooks->entry != NULL)
    walk->hooks->entry(walk->hooks->user, i, &name, &member);
  reader_forget_errno();
  bool is_link = archive_entry_hardlink(entry) != NULL ||
                 archive_entry_filetype(entry) == AE_IFLNK ||
                 archive_entry_filetype(entry) == AE_IFDIR;
  uint64_t claimed = archive_entry_size_is_set(entry) && archive_entry_size(entry) > 0
                         ? (uint64_t)archive_entry_size(entry)
                         : 0;
  g_autoptr(GError) trouble = NULL;
  g_autoptr(Content) content = NULL;
  bool is_own =
      walk->hooks != NULL && walk->hooks->content != NULL &&
      walk->hooks->content(walk->hooks->user, walk->unpack, walk->container,
                           !is_link && archive_entry_filetype(entry) == AE_IFREG, &content, &error);
  if (!is_own)
    content = read_content(walk, entry, is_encrypted, is_link, claimed, &error, &trouble);
  else if (content == NULL)
    content = content_new_copy("", 0);
  if (walk->unpack->is_stopped)
    return;
  uint64_t got = content != NULL ? content_size(content) : 0;
  const MemberPath path = {.parent = walk->container->path,
                           .name = name,
                           .view = "raw",
                           .depth = walk->container->path->depth + 1};
  if (content == NULL) {
    if (trouble == NULL)
      triage_fail(&trouble, TRIAGE_REASON_OUT_OF_MEMORY, "what came out cannot be kept");
    unpack_gap(walk->unpack, &path, claimed, 0, triage_error_reason(trouble), "%s",
               trouble != NULL ? trouble->message : "");
    return;
  }
  if (!is_own && error == NULL)
    check_sum(walk, entry, content, &error);
  if (warning != NULL && (got > 0 || error == NULL))
    unpack_gap(walk->unpack, &path, MAX(claimed, got), got, TRIAGE_REASON_CORRUPT,
               "%s; what the archive gives for this member was examined", warning);
  if (got == 0 && claimed == 0 && archive_entry_filetype(entry) == AE_IFDIR)
    return;
  if (got == 0 && error != NULL) {
    walk->container->n_members++;
    unpack_gap(walk->unpack, &path, claimed, 0, triage_error_reason(error), "%s", error->message);
    return;
  }
  member.content = content;
  member.size = MAX(claimed, got);
  member.error = error;
  unpack_member(walk->unpack, walk->container, name, &member);
}

/* A header libarchive half trusts. Names it cannot convert are no loss: they are shown escaped. */
static char *header_warning(Reader *reader) {
  TriageReason reason;
  g_autofree char *text = reader_error(reader, &reason);
  if (strstr(text, "converted") != NULL || strstr(text, "locale") != NULL ||
      strstr(text, "charset") != NULL)
    return NULL;
  return g_steal_pointer(&text);
}

static void header_failed(Walk *walk, WalkResult *result) {
  TriageReason reason;
  g_autofree char *text = reader_error(walk->reader, &reason);
  if (walk->container->is_encrypted)
    reason = TRIAGE_REASON_ENCRYPTED;
  result->is_dead = true;
  if (walk->unpack->is_stopped || (walk->hooks != NULL && walk->hooks->is_remnant))
    return;
  unpack_damage(walk->unpack, walk->container, reason,
                "the %s stops after %" G_GUINT64_FORMAT " members: %s; what follows could not be "
                "unpacked",
                walk->self->row.name, walk->container->n_members, text);
}

/* One gap for the first of them: an archive of nothing else would be as many rows. */
static void entry_failed(Walk *walk, WalkResult *result) {
  TriageReason reason;
  g_autofree char *text = reader_error(walk->reader, &reason);
  if (++result->n_failed == 1 && !(walk->hooks != NULL && walk->hooks->is_remnant))
    unpack_damage(walk->unpack, walk->container, reason,
                  "entry %" G_GUINT64_FORMAT " of the %s cannot be read: %s; more such entries "
                  "are not listed one by one",
                  result->n_entries, walk->self->row.name, text);
}

static bool is_within_limits(Walk *walk, const WalkResult *result) {
  if (walk->container->n_members >= LIMIT_MEMBERS) {
    unpack_damage(walk->unpack, walk->container, TRIAGE_REASON_SIZE_LIMIT,
                  "members behind the first %u were not unpacked", LIMIT_MEMBERS);
    return false;
  }
  if (unpack_budget(walk->unpack) == 0 && walk->container->free_bytes == 0) {
    unpack_damage(walk->unpack, walk->container, TRIAGE_REASON_SIZE_LIMIT,
                  "entries behind the first %" G_GUINT64_FORMAT
                  " were not unpacked: the object's budget of %" G_GUINT64_FORMAT
                  " unpacked bytes is used up; --max-expanded sets it",
                  result->n_entries, walk->unpack->options->max_expanded);
    return false;
  }
  return true;
}

static void walk_entries(Walk *walk, WalkResult *result) {
  unsigned failures = 0;
  while (!walk->unpack->is_stopped) {
    struct archive_entry *entry = NULL;
    int status = reader_next(walk->reader, &entry);
    if (status == ARCHIVE_EOF || walk->unpack->is_stopped)
      return;
    if (status == ARCHIVE_FATAL || (status < ARCHIVE_WARN && ++failures > DEAD_HEADERS)) {
      header_failed(walk, result);
      return;
    }
    if (!is_within_limits(walk, result)) {
      result->is_dead = true;
      return;
    }
    reader_progress(walk->reader);
    result->n_entries++;
    if (status == ARCHIVE_RETRY || status == ARCHIVE_FAILED) {
      entry_failed(walk, result);
      continue;
    }
    g_autofree char *warning = status == ARCHIVE_WARN ? header_warning(walk->reader) : NULL;
    walk_entry(walk, entry, result->n_entries - 1, warning);
  }
}

void archive_walk(Unpack *unpack, const Unpacker *self, Container *container,
                  int (*format)(struct archive *), const WalkHooks *hooks, WalkResult *result) {
  g_autoptr(GError) error = NULL;
  g_autoptr(Reader) reader = reader_open(unpack, container->content, format, NULL, &error);
  if (reader == NULL) {
    result->is_dead = true;
    if (hooks == NULL || !hooks->is_remnant)
      unpack_damage(unpack, container, triage_error_reason(error), "the %s cannot be opened: %s",
                    self->row.name, error->message);
    return;
  }
  Walk walk = {unpack, self, container, reader, hooks};
  walk_entries(&walk, result);
  la_int64_t consumed = archive_filter_bytes(reader_archive(reader), 0);
  result->consumed = consumed > 0 ? (uint64_t)consumed : 0;
  if (!result->is_dead && archive_read_has_encrypted_entries(reader_archive(reader)) > 0 &&
      result->n_entries == 0)
    unpack_damage(unpack, container, TRIAGE_REASON_ENCRYPTED,
                  "the %s is encrypted; its members' names cannot be read", self->row.name);
}

/* A tar ends with blocks of zeros; one that just stops was cut between two members. */
static bool is_cut_tar(const Container *container, uint64_t consumed) {
  const uint8_t *data = content_data(container->content);
  uint64_t size = content_size(container->content);
  if (consumed < size || size < 512)
    return false;
  for (uint64_t i = size - 512; i < size; i++)
    if (data[i] != 0)
      return true;
  return false;
}

void unpack_archive_open(Unpack *unpack, const Unpacker *self, Container *container) {
  WalkResult result = {0};
  WalkHooks hooks = {0};
  uint64_t size = content_size(container->content);
  uint64_t extent = self->extent != NULL ? self->extent(content_data(container->content), size) : 0;
  if (extent > size) {
    hooks.is_remnant = true; /* what libarchive says of the end says no more than this */
    unpack_damage(unpack, container, parts_cut_reason(container),
                  "the %s claims %" G_GUINT64_FORMAT " bytes and %" G_GUINT64_FORMAT
                  " are there: it is cut off; what could be unpacked was",
                  self->row.name, extent, size);
  }
  rar_volume_check(unpack, container);
  archive_walk(unpack, self, container, self->format, &hooks, &result);
  if (!result.is_dead && self->format == archive_read_support_format_tar &&
      is_cut_tar(container, result.consumed))
    unpack_damage(unpack, container, TRIAGE_REASON_TRUNCATED,
                  "the tar ends after %" G_GUINT64_FORMAT
                  " entries without its end marker: members may be missing",
                  result.n_entries);
  container->end = size;
  if (extent > 0)
    container->end = MIN(extent, size);
  else if (self->is_in_stream && !result.is_dead)
    container->end = result.consumed;
}

void unpack_archive_open_rebuilt(Unpack *unpack, const Unpacker *self, Container *container,
                                 Content *whole, uint64_t end,
                                 void (*behind)(Unpack *, Container *)) {
  Container own = {.content = whole,
                   .path = container->path,
                   .is_encrypted = container->is_encrypted,
                   .is_joined = container->is_joined,
                   .end = content_size(whole)};
  unpack_archive_open(unpack, self, &own);
  if (behind != NULL)
    behind(unpack, &own);
  container->n_members += own.n_members;
  container->is_damaged = container->is_damaged || own.is_damaged;
  container->end = end;
}
