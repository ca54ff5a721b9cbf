/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.h - an object's bytes to the members or views inside them, recursively, within budgets.
 * One const row per format; adding one is a new file and a row in unpack_table.c. Knows nothing of
 * the evidence, of rules or of processes: what it finds goes to a sink. */
#pragma once
#include <glib.h>
#include "base/content.h"
#include "base/row.h"
#include "triage/error.h"
#include "triage/time.h"

/* Where an object stands inside its container, from the evidence's object inwards. */
typedef struct _MemberPath MemberPath;
struct _MemberPath {
  const MemberPath *parent; /* NULL: the evidence's own object */
  GBytes *name;             /* raw bytes of this step ("a/b.vbs", "(gunzip)"); NULL for the object */
  const char *view;         /* "raw", or what the bytes were turned into ("utf-16le"); static */
  uint32_t depth;           /* 0: the object itself */
};

typedef struct {
  const MemberPath *path;
  Content *content;  /* (transfer none) during the call */
  uint64_t size;     /* claimed size; content may be shorter where error is set */
  TriageTime created, modified, changed, accessed;
  const GError *error; /* NULL: complete; else why content is partial (its code is the reason) */
} Member;

typedef struct {
  void *user;
  /* Every object and member, the top one (depth 0) first; scanned here. False stops all. */
  bool (*member)(void *user, const Member *member);
  /* What could not be examined inside the object; path may be that of a container. */
  bool (*gap)(void *user, const MemberPath *path, uint64_t size, uint64_t examined,
              TriageReason reason, const char *detail);
  /* Called often with bytes done; lets the worker show life. False stops all. */
  bool (*alive)(void *user, uint64_t bytes);
} UnpackSink;

typedef struct {
  uint32_t max_depth;
  uint64_t max_expanded;        /* bytes expanded from one top object, all levels together */
  GPtrArray *passwords;         /* char*, tried on encrypted members; may be NULL */
  Spool *spool;
} UnpackOptions;

/* Examines one object: hands it to sink->member, then all that is inside it. Returns false where a
 * sink call did. */
bool unpack_object(const UnpackOptions *options, const UnpackSink *sink, const Member *top);

/* True where some unpacker of the table is sure (magic) that these bytes are its container. */
bool unpack_recognises(const uint8_t *data, uint64_t size, const char **format_name);

/* Opens what libraries load lazily (character set converters), before the worker locks itself in. */
void unpack_warm_up(void);

const Row *const *unpack_rows(size_t *n);
