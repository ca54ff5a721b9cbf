/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_parts.h - archives in several files: whether an object or member is part of one, and the
 * joined whole. Names only propose (base/part_name.h); the bytes decide. */
#pragma once
#include "base/part_name.h"
#include "unpack/unpack_private.h"

/* What a RAR archive's first and last headers say of its place in a set. */
typedef struct {
  bool is_volume, is_first;
  bool has_number;
  uint64_t number; /* from 0 */
  bool has_next;   /* another part follows, says its last header */
  bool is_secret;  /* its headers are encrypted: whether it is one cannot be known */
  bool is_closed;  /* that header is there */
} RarVolume;
/* False where data is no RAR archive. */
bool rar_volume_read(const uint8_t *data, uint64_t size, RarVolume *volume);
/* Says that parts of the RAR archive are not there, where so. */
void rar_volume_check(Unpack *unpack, Container *container);

/* unpack_zip.c: how many parts lie before this, the last one of a split zip; 0: it is none. */
uint32_t zip_parts_before(const uint8_t *data, uint64_t size);
/* unpack_zipsplit.c: parts of a split zip as one zip, with one directory (transfer full). NULL with
 * error. */
Content *zip_join(Unpack *unpack, GPtrArray *parts, GError **error);

/* Opens the object at path as a part of set: the whole where it leads. False: it is no such part by
 * its bytes; open it by itself. */
bool parts_open(Unpack *unpack, Content *content, const MemberPath *path, const UnpackSet *set);

/* Ends what is said of a part that lacks. */
#define PARTS_NAME_DIRECTORY                                                                       \
  "; a file named as evidence is examined alone: name the directory that holds all parts"

/* Members of the container being opened that may be parts: opened once all are there. */
/* Why a container ends too early: joined parts that end are too few. */
static inline TriageReason parts_cut_reason(const Container *container) {
  return container->is_joined ? TRIAGE_REASON_MISSING_SEGMENT : TRIAGE_REASON_TRUNCATED;
}

HeldParts *parts_new(void);
void parts_free(HeldParts *parts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HeldParts, parts_free)
/* Keeps the member until its container is through; false where it is no part. found is (transfer
 * full) where true. */
bool parts_hold(Unpack *unpack, const Member *member, ViewFound *found, bool has_source);
/* Opens what was held since there were mark of them, for the container at path. */
guint parts_mark(const Unpack *unpack);
void parts_open_held(Unpack *unpack, const MemberPath *path, guint mark);
