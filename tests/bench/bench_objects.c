/* SPDX-License-Identifier: Apache-2.0 */
/* bench_objects.c - lists the objects of an image and reads each, in the order of the disk, as a
 * worker does, and does nothing with the bytes; says how often the container's chunks were taken
 * out for each. With a number: only so many objects of every two such groups are read, as one of
 * two workers does. */
#include "../unit/evidence/walk_fixture.h"
#include <stdio.h>

int main(int argc, char **argv) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) segments = argc > 1 ? image_segments(argv[1], &error) : NULL;
  g_autoptr(Image) image = segments != NULL ? image_open(segments, &error) : NULL;
  if (image == NULL) {
    fprintf(stderr, "bench_objects IMAGE [N]: %s\n", error != NULL ? error->message : "usage");
    return 2;
  }
  guint group = argc > 2 ? (guint)g_ascii_strtoull(argv[2], NULL, 10) : 0;
  g_autoptr(GArray) objects = g_array_new(FALSE, FALSE, sizeof(Object));
  const WalkSink sink = walk_sink_of(objects);
  g_autoptr(VolumeSet) set = volume_set_new(image, NULL, VOLUMES_ALL, &sink);
  uint64_t opened = image_chunks_read(image);
  walk_list(set, objects);
  uint64_t listed = image_chunks_read(image), bytes = 0;
  gint64 begun = g_get_monotonic_time();
  Spool *spool = spool_new(fileno(tmpfile()));
  for (guint i = 0; i < objects->len; i++) {
    if (group > 0 && i / group % 2 == 1)
      continue;
    WalkContent content;
    walk_read(set, &g_array_index(objects, Object, i), spool, &content);
    bytes += content_size(content.content);
    walk_content_clear(&content);
  }
  uint64_t chunk = image_info(image)->chunk_bytes;
  printf("%u objects of %llu bytes read in %.2f s; chunks: %llu in the image, %llu to open it, "
         "%llu to list, %llu to read\n",
         objects->len, (unsigned long long)bytes,
         (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC,
         (unsigned long long)(chunk > 0 ? (image_size(image) + chunk - 1) / chunk : 0),
         (unsigned long long)opened, (unsigned long long)(listed - opened),
         (unsigned long long)(image_chunks_read(image) - listed));
  return 0;
}
