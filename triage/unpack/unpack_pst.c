/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_pst.c - Outlook data files (pst, ost, pab) by libpff: of every message the subject,
 * headers, bodies and attachments, also of those that were deleted and can be recovered. */
#include "unpack/unpack_bfio.h"
#include "unpack/unpack_bytes.h"
#include "unpack/unpack_private.h"
#include <libpff.h>
#include <string.h>

enum { READ_BYTES = 256 * 1024, NAME_BYTES = 512 };

typedef struct {
  Unpack *unpack;
  Container *container;
  BfioSource source;
  libbfio_handle_t *handle;
  libpff_file_t *file;
  uint64_t n_items, n_failed;
  bool is_over; /* a limit was met, and told */
} Pst;

/* A message while its parts are handed out. */
typedef struct {
  libpff_item_t *item;
  GString *path; /* of the folder and the message */
  TriageTime sent, delivered;
} Message;

static void item_free(libpff_item_t *item) {
  if (item != NULL)
    libpff_item_free(&item, NULL);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(libpff_item_t, item_free)

/* libpff says why in a chain of sentences; the first names the trouble. (transfer full) */
static char *take_error(libpff_error_t **error) {
  char text[512] = "libpff gives no reason";
  if (*error != NULL)
    libpff_error_sprint(*error, text, sizeof text);
  libpff_error_free(error);
  text[sizeof text - 1] = '\0';
  char *colon = strstr(text, ": ");
  g_autofree char *valid = g_utf8_make_valid(colon != NULL ? colon + 2 : text, -1);
  return g_strdup(g_strstrip(valid));
}

/* One part of what could not be had costs one row, not one for each. */
static void fail(Pst *pst, const char *what, libpff_error_t **error) {
  g_autofree char *why = take_error(error);
  if (pst->n_failed++ == 0)
    unpack_damage(pst->unpack, pst->container, TRIAGE_REASON_CORRUPT,
                  "%s of the Outlook data file cannot be read: %s; more such parts are not listed "
                  "one by one",
                  what, why);
}

static bool is_within_limits(Pst *pst) {
  if (pst->unpack->is_stopped || pst->is_over)
    return false;
  if (pst->n_items < LIMIT_PST_ITEMS && unpack_budget(pst->unpack) > 0)
    return true;
  pst->is_over = true;
  unpack_damage(pst->unpack, pst->container, TRIAGE_REASON_SIZE_LIMIT,
                "what follows the first %" G_GUINT64_FORMAT
                " items of the Outlook data file was not unpacked: the limit of %u items, or "
                "--max-expanded, is used up",
                pst->n_items, LIMIT_PST_ITEMS);
  return false;
}

static void set_free(libpff_record_set_t *set) {
  if (set != NULL)
    libpff_record_set_free(&set, NULL);
}
static void entry_free(libpff_record_entry_t *entry) {
  if (entry != NULL)
    libpff_record_entry_free(&entry, NULL);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(libpff_record_set_t, set_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(libpff_record_entry_t, entry_free)

/* A property of the item as UTF-8, with its zero, or as it is. Returns 1 and *bytes (transfer
 * full), 0 where the item has none, -1 with error. One larger than most is only measured: *bytes
 * NULL. */
static int read_property(libpff_item_t *item, uint32_t type, bool is_text, size_t most,
                         uint8_t **bytes, size_t *n, libpff_error_t **error) {
  g_autoptr(libpff_record_set_t) set = NULL;
  g_autoptr(libpff_record_entry_t) entry = NULL;
  uint32_t kind = 0;
  *bytes = NULL;
  *n = 0;
  if (libpff_item_get_record_set_by_index(item, 0, &set, NULL) != 1 ||
      libpff_record_set_get_entry_by_type(set, type, 0, &entry,
                                          LIBPFF_ENTRY_VALUE_FLAG_MATCH_ANY_VALUE_TYPE, NULL) != 1)
    return 0;
  if (libpff_record_entry_get_value_type(entry, &kind, error) != 1)
    return -1;
  if (is_text && kind != LIBPFF_VALUE_TYPE_STRING_ASCII && kind != LIBPFF_VALUE_TYPE_STRING_UNICODE)
    return 0; /* of another program's making: not the text of that name */
  if ((is_text ? libpff_record_entry_get_data_as_utf8_string_size(entry, n, error)
               : libpff_record_entry_get_data_size(entry, n, error)) != 1)
    return -1;
  if (*n == 0)
    return 0;
  if (*n > most || (*bytes = g_try_malloc0(*n + 1)) == NULL)
    return 1;
  if ((is_text ? libpff_record_entry_get_data_as_utf8_string(entry, *bytes, *n, error)
               : libpff_record_entry_get_data(entry, *bytes, *n, error)) == 1)
    return 1;
  g_clear_pointer(bytes, g_free);
  return -1;
}

/* A string of the item, as a name. NULL: it has none. */
static char *item_text(libpff_item_t *item, uint32_t type) {
  g_autofree uint8_t *bytes = NULL;
  size_t n;
  if (read_property(item, type, true, LIMIT_NAME_BYTES, &bytes, &n, NULL) != 1 || bytes == NULL ||
      bytes[0] == '\0')
    return NULL;
  /* A subject begins with two bytes that say where its "Re: " ends. */
  bool has_mark = type == LIBPFF_ENTRY_TYPE_MESSAGE_SUBJECT && bytes[0] == 1 && bytes[1] != '\0';
  return g_strdup((const char *)bytes + (has_mark ? 2 : 0));
}

static void hand_out(Pst *pst, const Message *message, const char *leaf, Intake *intake,
                     uint64_t claimed, GError *error) {
  g_autoptr(GError) trouble = NULL;
  g_autofree char *text = g_strdup_printf("%s/%s", message->path->str, leaf);
  g_autoptr(GBytes) name = g_bytes_new(text, strlen(text));
  g_autoptr(Content) content = intake_finish(intake, &trouble);
  const MemberPath path = {pst->container->path, name, "raw", pst->container->path->depth + 1};
  if (pst->unpack->is_stopped)
    return;
  const GError *why = content == NULL ? trouble : error;
  uint64_t got = content != NULL ? content_size(content) : 0;
  if (got == 0 && why != NULL) {
    unpack_gap(pst->unpack, &path, claimed, 0, triage_error_reason(why), "%s", why->message);
    return;
  }
  Member member = {.content = content,
                   .size = MAX(claimed, got),
                   .created = message->sent,
                   .modified = message->delivered,
                   .error = error};
  unpack_member(pst->unpack, pst->container, name, &member);
}

/* A property as one member. */
static void hand_out_property(Pst *pst, const Message *message, uint32_t type, bool is_text,
                              const char *leaf) {
  g_autoptr(GError) error = NULL;
  g_autofree uint8_t *bytes = NULL;
  libpff_error_t *trouble = NULL;
  size_t n = 0;
  if (pst->unpack->is_stopped)
    return;
  int status =
      read_property(message->item, type, is_text, LIMIT_PST_BODY_BYTES, &bytes, &n, &trouble);
  if (status == 0)
    return;
  Intake intake;
  intake_init(&intake, pst->unpack, pst->container);
  if (status < 0) {
    g_autofree char *why = take_error(&trouble);
    triage_fail(&error, TRIAGE_REASON_CORRUPT, "%s", why);
  } else if (bytes == NULL) {
    triage_fail(&error, TRIAGE_REASON_SIZE_LIMIT, "this part of a message has %zu bytes", n);
  } else if (unpack_alive(pst->unpack, n)) {
    n = is_text ? strnlen((const char *)bytes, n) : n;
    intake_append(&intake, bytes, n, &error);
  }
  hand_out(pst, message, leaf, &intake, n, error);
}

static void read_attachment(Pst *pst, libpff_item_t *attachment, uint64_t size, Intake *intake,
                            GError **error) {
  g_autofree uint8_t *buffer = g_malloc(READ_BYTES);
  uint64_t done = 0;
  while (done < size) {
    libpff_error_t *trouble = NULL;
    ssize_t n = libpff_attachment_data_read_buffer(attachment, buffer,
                                                   (size_t)MIN(size - done, READ_BYTES), &trouble);
    if (n <= 0) {
      g_autofree char *why = take_error(&trouble);
      triage_fail(error, TRIAGE_REASON_CORRUPT,
                  "the attachment breaks off after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                  " bytes: %s",
                  done, size, why);
      return;
    }
    done += (uint64_t)n;
    if (!unpack_alive(pst->unpack, (uint64_t)n) || !intake_append(intake, buffer, (size_t)n, error))
      return;
  }
}

static void open_message(Pst *pst, libpff_item_t *item, const char *folder, unsigned depth);

static void open_attachment(Pst *pst, const Message *message, int number, unsigned depth) {
  g_autoptr(libpff_item_t) attachment = NULL;
  libpff_error_t *trouble = NULL;
  int type = 0;
  if (libpff_message_get_attachment(message->item, number, &attachment, &trouble) != 1 ||
      libpff_attachment_get_type(attachment, &type, &trouble) != 1) {
    fail(pst, "an attachment", &trouble);
    return;
  }
  if (type == LIBPFF_ATTACHMENT_TYPE_ITEM) {
    libpff_item_t *inner = NULL; /* the attachment's own, freed with it */
    if (libpff_attachment_get_item(attachment, &inner, &trouble) != 1)
      fail(pst, "an attached message", &trouble);
    else
      open_message(pst, inner, message->path->str, depth + 1);
    return;
  }
  if (type != LIBPFF_ATTACHMENT_TYPE_DATA)
    return; /* a reference: nothing of it is in this file */
  g_autofree char *name = item_text(attachment, LIBPFF_ENTRY_TYPE_ATTACHMENT_FILENAME_LONG);
  if (name == NULL)
    name = item_text(attachment, LIBPFF_ENTRY_TYPE_ATTACHMENT_FILENAME_SHORT);
  if (name == NULL)
    name = g_strdup_printf("(attachment %d)", number + 1);
  size64_t size = 0;
  if (libpff_attachment_get_data_size(attachment, &size, &trouble) != 1) {
    fail(pst, "an attachment", &trouble);
    return;
  }
  g_autoptr(GError) error = NULL;
  Intake intake;
  intake_init(&intake, pst->unpack, pst->container);
  read_attachment(pst, attachment, size, &intake, &error);
  hand_out(pst, message, name, &intake, size, error);
}

static void open_message(Pst *pst, libpff_item_t *item, const char *folder, unsigned depth) {
  uint64_t sent = 0, delivered = 0;
  uint32_t identifier = 0;
  int n_attachments = 0;
  if (depth > LIMIT_PST_DEPTH) {
    unpack_damage(pst->unpack, pst->container, TRIAGE_REASON_DEPTH_LIMIT,
                  "messages attached to messages deeper than %u were not opened", LIMIT_PST_DEPTH);
    return;
  }
  if (!is_within_limits(pst))
    return;
  pst->n_items++;
  g_autofree char *subject = item_text(item, LIBPFF_ENTRY_TYPE_MESSAGE_SUBJECT);
  g_autoptr(GString) path = g_string_new(folder);
  libpff_item_get_identifier(item, &identifier, NULL);
  libpff_message_get_client_submit_time(item, &sent, NULL);
  libpff_message_get_delivery_time(item, &delivered, NULL);
  g_string_append_c(path, '/');
  if (subject != NULL)
    g_string_append_len(path, subject, (gssize)strnlen(subject, NAME_BYTES));
  g_string_append_printf(path, " [%u]", identifier);
  const Message message = {item, path, triage_time_of_filetime(sent, TIME_OUTLOOK),
                           triage_time_of_filetime(delivered, TIME_OUTLOOK)};
  hand_out_property(pst, &message, LIBPFF_ENTRY_TYPE_MESSAGE_TRANSPORT_HEADERS, true,
                    "headers.txt");
  hand_out_property(pst, &message, LIBPFF_ENTRY_TYPE_MESSAGE_BODY_PLAIN_TEXT, true, "body.txt");
  hand_out_property(pst, &message, LIBPFF_ENTRY_TYPE_MESSAGE_BODY_HTML, false, "body.html");
  hand_out_property(pst, &message, LIBPFF_ENTRY_TYPE_MESSAGE_BODY_COMPRESSED_RTF, false,
                    "body.rtf");
  if (libpff_message_get_number_of_attachments(item, &n_attachments, NULL) != 1)
    return; /* an item that can have none */
  for (int i = 0; i < n_attachments && is_within_limits(pst); i++)
    open_attachment(pst, &message, i, depth);
}

typedef int SubItem(libpff_item_t *folder, int i, libpff_item_t **item, libpff_error_t **error);

static void open_messages(Pst *pst, libpff_item_t *folder, const char *path, int n, SubItem *get,
                          const char *what) {
  for (int i = 0; i < n && is_within_limits(pst); i++) {
    g_autoptr(libpff_item_t) item = NULL;
    libpff_error_t *error = NULL;
    if (get(folder, i, &item, &error) == 1)
      open_message(pst, item, path, 0);
    else
      fail(pst, what, &error);
  }
}

/* A folder, what it shows, what it hides (forms, rules, views), and the folders below. */
static void open_folder(Pst *pst, libpff_item_t *folder, const char *above, unsigned depth) {
  libpff_error_t *error = NULL;
  int n_messages = 0, n_hidden = 0, n_folders = 0;
  if (depth > LIMIT_PST_DEPTH) {
    unpack_damage(pst->unpack, pst->container, TRIAGE_REASON_DEPTH_LIMIT,
                  "folders deeper than %u were not opened", LIMIT_PST_DEPTH);
    return;
  }
  g_autofree char *name = item_text(folder, LIBPFF_ENTRY_TYPE_DISPLAY_NAME);
  g_autoptr(GString) path = g_string_new(above);
  if (depth > 0) { /* the root has a name no one sees */
    if (path->len > 0)
      g_string_append_c(path, '/');
    g_string_append_len(path, name != NULL ? name : "(unnamed)",
                        name != NULL ? (gssize)strnlen(name, NAME_BYTES) : -1);
  }
  g_autofree char *hidden = g_strdup_printf("%s/(hidden)", path->str);
  if (libpff_folder_get_number_of_sub_messages(folder, &n_messages, &error) != 1)
    fail(pst, "the list of messages of a folder", &error);
  open_messages(pst, folder, path->str, n_messages, libpff_folder_get_sub_message, "a message");
  libpff_folder_get_number_of_sub_associated_contents(folder, &n_hidden, NULL);
  open_messages(pst, folder, hidden, n_hidden, libpff_folder_get_sub_associated_content,
                "a hidden item");
  if (libpff_folder_get_number_of_sub_folders(folder, &n_folders, &error) != 1)
    fail(pst, "the list of folders below a folder", &error);
  for (int i = 0; i < n_folders && is_within_limits(pst); i++) {
    g_autoptr(libpff_item_t) below = NULL;
    if (libpff_folder_get_sub_folder(folder, i, &below, &error) != 1)
      fail(pst, "a folder", &error);
    else
      open_folder(pst, below, path->str, depth + 1);
  }
}

/* What no folder leads to, and what was deleted and is still there. */
static void open_lost(Pst *pst) {
  int n_orphans = 0, n_recovered = 0;
  libpff_error_t *error = NULL;
  libpff_file_get_number_of_orphan_items(pst->file, &n_orphans, NULL);
  for (int i = 0; i < n_orphans && is_within_limits(pst); i++) {
    g_autoptr(libpff_item_t) item = NULL;
    if (libpff_file_get_orphan_item_by_index(pst->file, i, &item, &error) == 1)
      open_message(pst, item, "(orphaned)", 0);
    else
      fail(pst, "an orphaned item", &error);
  }
  if (!is_within_limits(pst))
    return;
  if (libpff_file_recover_items(pst->file, 0, &error) != 1) {
    fail(pst, "the free space", &error);
    return;
  }
  libpff_file_get_number_of_recovered_items(pst->file, &n_recovered, NULL);
  for (int i = 0; i < n_recovered && is_within_limits(pst); i++) {
    g_autoptr(libpff_item_t) item = NULL;
    if (libpff_file_get_recovered_item_by_index(pst->file, i, &item, NULL) == 1)
      open_message(pst, item, "(recovered)", 0);
  }
}

/* Bytes the file has by its own header; 0: it does not say. */
static uint64_t extent(const uint8_t *data, uint64_t size) {
  enum { VERSION = 10, END_WIDE = 184, END_NARROW = 168, FIRST_WIDE = 20 };
  if (size < END_WIDE + 8)
    return 0;
  return bytes_le16(data + VERSION) >= FIRST_WIDE ? bytes_le64(data + END_WIDE)
                                                  : bytes_le32(data + END_NARROW);
}

static void check_extent(Pst *pst) {
  uint64_t size = content_size(pst->container->content);
  uint64_t claimed = extent(content_data(pst->container->content), size);
  if (claimed > size)
    unpack_damage(pst->unpack, pst->container, TRIAGE_REASON_TRUNCATED,
                  "the Outlook data file claims %" G_GUINT64_FORMAT " bytes and %" G_GUINT64_FORMAT
                  " are there: it is cut off; what could be unpacked was",
                  claimed, size);
  else if (libpff_file_is_corrupted(pst->file, NULL) == 1)
    unpack_damage(pst->unpack, pst->container, TRIAGE_REASON_CORRUPT,
                  "the Outlook data file is damaged; what could be unpacked was");
  if (claimed > 0)
    pst->container->end = MIN(claimed, size);
}

static bool open_file(Pst *pst, libpff_error_t **error) {
  return bfio_source_open(&pst->source, pst->unpack, pst->container->content, LIMIT_PST_READS,
                          &pst->handle, error) &&
         libpff_file_initialize(&pst->file, error) == 1 &&
         libpff_file_open_file_io_handle(pst->file, pst->handle, LIBPFF_OPEN_READ, error) == 1;
}

void unpack_pst_open(Unpack *unpack, const Unpacker *self, Container *container) {
  Pst pst = {.unpack = unpack, .container = container};
  libpff_error_t *error = NULL;
  libpff_item_t *root = NULL;
  (void)self;
  if (!open_file(&pst, &error)) {
    g_autofree char *why = take_error(&error);
    unpack_damage(unpack, container, TRIAGE_REASON_CORRUPT,
                  "the Outlook data file cannot be opened: %s; its bytes were scanned as they are",
                  why);
  } else {
    if (libpff_file_get_root_folder(pst.file, &root, &error) == 1)
      open_folder(&pst, root, "", 0);
    else
      fail(&pst, "the root folder", &error);
    if (!unpack->is_stopped)
      open_lost(&pst);
    check_extent(&pst);
  }
  item_free(root);
  if (pst.file != NULL)
    libpff_file_free(&pst.file, NULL);
  if (pst.handle != NULL)
    libbfio_handle_free(&pst.handle, NULL);
  libpff_error_free(&error);
}

const char *unpack_pst_version(void) {
  return libpff_get_version();
}
