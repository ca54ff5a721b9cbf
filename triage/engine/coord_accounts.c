/* SPDX-License-Identifier: Apache-2.0 */
/* coord_accounts.c - 'triage info CASE': where every byte of every volume went, and what of the
 * objects was examined. */
#include "engine/coord.h"
#include "store/store.h"
#include <string.h>

typedef struct {
  Store *store;
  const VolumeRecord *volume;
  uint64_t sum;
} Account;

static bool print_row(void *user, uint32_t evidence, uint32_t volume, const char *what,
                      uint64_t bytes) {
  Account *account = user;
  if (evidence == account->volume->evidence && volume == account->volume->no) {
    g_print("  %-36s %16llu bytes\n", what, (unsigned long long)bytes);
    account->sum += bytes;
  }
  return true;
}

static bool print_volume(void *user, const VolumeRecord *volume) {
  Account account = {user, volume, 0};
  StoreTotals totals = {0};
  g_print("evidence %u, volume %u: offset %llu, length %llu, file system %s%s%s\n",
          volume->evidence, volume->no, (unsigned long long)volume->offset,
          (unsigned long long)volume->length, *volume->fs_type != '\0' ? volume->fs_type : "none",
          *volume->description != '\0' ? ", " : "", volume->description);
  if (!volume->is_enumerated)
    g_print("  its walk has not ended\n");
  store_each_account(account.store, print_row, &account, NULL);
  if (!store_totals(account.store, volume->evidence, volume->no, &totals, NULL))
    return true;
  g_print("  %-36s %16llu bytes\n", "together", (unsigned long long)account.sum);
  g_print("  objects: %llu, examined %llu, without content %llu, still to do %llu; rows in "
          "coverage.csv: %llu\n",
          (unsigned long long)totals.objects, (unsigned long long)totals.objects_examined,
          (unsigned long long)totals.objects_without_content,
          (unsigned long long)(totals.objects - totals.objects_examined -
                               totals.objects_without_content),
          (unsigned long long)totals.gaps);
  return true;
}

bool coord_is_case(const char *path) {
  g_autofree char *file = g_build_filename(path, "case.db", NULL);
  return g_file_test(file, G_FILE_TEST_IS_REGULAR);
}

int coord_accounts(const char *dir) {
  g_autoptr(GError) error = NULL;
  g_autoptr(Store) store = store_open(dir, false, &error);
  if (store == NULL || !store_each_volume(store, print_volume, store, &error)) {
    g_printerr("triage: %s\n", error->message);
    return EXIT_UNUSABLE;
  }
  return EXIT_COMPLETE;
}
