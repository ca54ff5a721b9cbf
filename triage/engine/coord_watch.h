/* SPDX-License-Identifier: Apache-2.0 */
/* coord_watch.h - what lies in an intake folder, and which of it is a whole image. Names there are
 * anybody's: they are compared, shown printable, and opened below the folder alone. */
#pragma once
#include "engine/coord_private.h"

typedef struct {
  char *name, *shown;
  uint64_t size, inode;
  gint64 modified;  /* nanoseconds */
  gint64 changed;   /* seconds, of the status: no copying tool sets it */
  gint64 since;     /* monotonic: when it was first seen so */
  uint64_t hash;    /* of all of that, without since */
  bool is_asked;    /* a worker has said what it is, when what begins alike was as stamp says */
  uint64_t stamp;   /* of every file whose name begins alike */
  bool is_later;    /* belongs to an image that is named by another file */
  char *missing;    /* what the image lacks; NULL: nothing */
  GPtrArray *parts; /* char*: the files it is made of */
  char *signature;  /* their names, sizes and times */
  bool is_done;     /* until the stamp is another */
  bool is_said;     /* that it waits */
  gint64 retry_at;  /* monotonic */
} WatchFile;

typedef struct {
  const WatchOptions *options;
  GPtrArray *files; /* WatchFile*, by name */
  GHashTable *told; /* names that were said to be left alone */
  bool is_gone;     /* the folder could not be read, which was said */
} WatchFolder;

void watch_folder_init(WatchFolder *folder, const WatchOptions *options);
void watch_folder_clear(WatchFolder *folder);
/* Reads the folder, and asks a worker about each file that has come to rest. False: nothing can run
 * (error), which is the machine's fault. */
bool watch_folder_look(WatchFolder *folder, GError **error);
/* The next image that can be examined, by name; NULL: none. (transfer none), until the next look */
WatchFile *watch_folder_next(WatchFolder *folder);
/* How many images are still to be examined. */
guint watch_folder_waiting(const WatchFolder *folder);
char *watch_folder_path(const WatchFolder *folder, const char *name); /* (transfer full) */
/* The lines of a case's record of its files, as a signature. (transfer full) */
char *watch_signature(const char *recorded);
