/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - runs a fuzz target over files and directories of them: what fuzzing found stays found,
 * in builds without libFuzzer too. */
#include "base/io.h"
#include "base/limits.h"
#include <stdio.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static unsigned replay(const char *path) {
  struct stat about;
  if (lstat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
    unsigned n = 0;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
      g_autofree char *inner = g_build_filename(path, name, NULL);
      n += replay(inner);
    }
    return n;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) bytes = io_read_file(path, 64 * MIB, &error);
  if (bytes == NULL) {
    fprintf(stderr, "%s: %s\n", path, error->message);
    return 0;
  }
  gsize n;
  const uint8_t *data = g_bytes_get_data(bytes, &n);
  LLVMFuzzerTestOneInput(data, n);
  return 1;
}

int main(int argc, char **argv) {
  unsigned n = 0;
  LLVMFuzzerInitialize(&argc, &argv);
  for (int i = 1; i < argc; i++)
    n += replay(argv[i]);
  printf("%u inputs\n", n);
  return n > 0 ? 0 : 1;
}
