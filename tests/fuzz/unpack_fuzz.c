/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_fuzz.c - one fuzz target for every row of the unpackers' table: TRIAGE_FUZZ_ROW names the
 * row that opens the input, "all" (the default) lets the table choose, as a scan does, "views"
 * makes the views alone. Built with TRIAGE_FUZZ it is a libFuzzer program; else replay.c runs it
 * over files. */
#include "unpack/unpack_private.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* libpff 20180714, libregf 20201007 and libevtx 20181227 lose a few bytes of some damaged files; a
 * worker's memory is limited anyway. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libpff_column_definition_initialize\nleak:libregf_key_item_initialize\n"
         "leak:libcdata_array_initialize\nleak:libfwevt_xml\nleak:libfvalue_\nleak:libfdata_list_"
         "initialize\n";
}

static bool on_member(void *user, const Member *member) {
  uint64_t *sum = user;
  const uint8_t *data = content_data(member->content);
  /* Every byte must be there to be read. */
  for (uint64_t i = 0; i < content_size(member->content); i += 512)
    *sum += data[i];
  return true;
}

static bool on_gap(void *user, const MemberPath *path, uint64_t size, uint64_t examined,
                   TriageReason reason, const char *detail) {
  uint64_t *sum = user;
  *sum += size + examined + (uint64_t)reason + strlen(detail) + path->depth;
  return true;
}

static const Unpacker *chosen_row(void) {
  const char *name = getenv("TRIAGE_FUZZ_ROW");
  size_t n;
  const Unpacker *const *rows = unpack_table(&n);
  if (name == NULL || strcmp(name, "all") == 0)
    return NULL;
  for (size_t i = 0; i < n; i++)
    if (strcmp(rows[i]->row.name, name) == 0 && rows[i]->row.available)
      return rows[i];
  if (strcmp(name, "views") == 0)
    return NULL;
  g_error("no unpacker is called %s: see 'triage formats'", name);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  unpack_warm_up();
  chosen_row();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint64_t sum = 0;
  const Unpacker *row = chosen_row();
  if (row != NULL && row->probe != NULL && !row->probe(data, size))
    return 0;
  g_autoptr(Spool) spool = spool_new(memfd_create("spool", MFD_CLOEXEC));
  g_autoptr(GPtrArray) passwords = g_ptr_array_new();
  g_ptr_array_add(passwords, (gpointer) "infected");
  UnpackOptions options = {
      .max_depth = 6, .max_expanded = 16 * MIB, .passwords = passwords, .spool = spool};
  UnpackSink sink = {&sum, on_member, on_gap, NULL};
  g_autoptr(Content) content = content_new_copy(data, size);
  MemberPath path = {.view = "raw"};
  if (row == NULL) {
    const char *name = getenv("TRIAGE_FUZZ_ROW");
    Member top = {.path = &path, .content = content, .size = size};
    if (name != NULL && strcmp(name, "views") == 0)
      unpack_views(&options, &sink, &top);
    else
      unpack_object(&options, &sink, &top);
    return 0;
  }
  Unpack unpack = {.options = &options, .sink = &sink, .top_size = size, .max_depth = 6};
  unpack_open_row(&unpack, row, content, &path);
  return 0;
}
