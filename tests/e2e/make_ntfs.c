/* SPDX-License-Identifier: Apache-2.0 */
/* make_ntfs.c - fills an NTFS volume through libntfs-3g, without mounting: DIRS directories of
 * FILES small files each, and one sparse file of SPARSE bytes that holds TEXT at its very end.
 * With EVERY, each so manieth small file is a script that mails.
 * make_ntfs IMAGE DIRS FILES SPARSE TEXT [EVERY] */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/dir.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/volume.h>

static ntfs_inode *create(ntfs_inode *dir, const char *name, mode_t kind) {
  ntfschar *unicode = NULL;
  int n = ntfs_mbstoucs(name, &unicode);
  ntfs_inode *made = n > 0 ? ntfs_create(dir, const_cpu_to_le32(0), unicode, (u8)n, kind) : NULL;
  free(unicode);
  if (made == NULL) {
    perror(name);
    exit(1);
  }
  return made;
}

static void put(ntfs_inode *file, s64 at, const char *text) {
  ntfs_attr *data = ntfs_attr_open(file, AT_DATA, AT_UNNAMED, 0);
  if (data == NULL || ntfs_attr_pwrite(data, at, (s64)strlen(text), text) != (s64)strlen(text)) {
    perror("data");
    exit(1);
  }
  ntfs_attr_close(data);
}

static void close_all(ntfs_inode *one, ntfs_inode *two) {
  if (ntfs_inode_close_in_dir(one, two) != 0) {
    perror("close");
    exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7)
    return 2;
  ntfs_volume *volume = ntfs_mount(argv[1], 0);
  ntfs_inode *root = volume != NULL ? ntfs_pathname_to_inode(volume, NULL, "/") : NULL;
  if (root == NULL) {
    perror(argv[1]);
    return 1;
  }
  char name[64], text[256];
  long every = argc > 6 ? strtol(argv[6], NULL, 10) : 0;
  long dirs = strtol(argv[2], NULL, 10), files = strtol(argv[3], NULL, 10);
  for (int d = 0; d < dirs; d++) {
    snprintf(name, sizeof name, "d%d", d);
    ntfs_inode *dir = create(root, name, S_IFDIR);
    for (int f = 0; f < files; f++) {
      snprintf(name, sizeof name, "f%d.txt", f);
      snprintf(text, sizeof text, "file %d of %d", f, d);
      if (every > 0 && f % every == 0)
        snprintf(text, sizeof text,
                 "Set m = CreateObject(\"CDO.Message\")\r\nm.To = \"user%d@corp.example\"\r\n"
                 "m.Subject = \"file %d of %d\"\r\nm.Send\r\n",
                 f, f, d);
      ntfs_inode *file = create(dir, name, S_IFREG);
      put(file, 0, text);
      close_all(file, dir);
    }
    close_all(dir, root);
  }
  s64 sparse = strtoll(argv[4], NULL, 10);
  if (sparse > 0) {
    ntfs_inode *file = create(root, "sparse.vbs", S_IFREG);
    put(file, sparse - (s64)strlen(argv[5]), argv[5]);
    close_all(file, root);
  }
  return ntfs_inode_close(root) != 0 || ntfs_umount(volume, FALSE) != 0;
}
