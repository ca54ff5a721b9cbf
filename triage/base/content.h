/* SPDX-License-Identifier: Apache-2.0 */
/* content.h - the bytes of one object, contiguous and read-only, so that a scan of them equals a
 * scan of the exported file. Small content lives on the heap, large content in a spool: one
 * unlinked file opened before the worker locks itself in, mapped read-only. Knows no formats. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct _Spool Spool;
typedef struct _Content Content;
typedef struct _ContentBuilder ContentBuilder;

/* A spool over fd (an unlinked regular file, may be -1: then large content fails as size-limit).
 * Takes over fd. (transfer full) */
Spool *spool_new(int fd);
void spool_free(Spool *spool);
/* True where content could not be kept for want of room: what was said of it is not to be relied
 * on. */
bool spool_is_full(const Spool *spool);

/* A builder of content of at most max bytes. The spool must outlive the content made. */
ContentBuilder *content_builder_new(Spool *spool, uint64_t max);
/* Appends bytes. At max: appends what fits and fails with size-limit; no room: size-limit. */
bool content_builder_append(ContentBuilder *builder, const void *bytes, size_t n, GError **error);
/* Appends n zero bytes without storing them where the spool can leave a hole. */
bool content_builder_append_zeros(ContentBuilder *builder, uint64_t n, GError **error);
/* Room for n bytes more, to be filled and then counted by content_builder_filled (0: given back);
 * valid until the builder's next call. NULL where they would not all lie on the heap, or be
 * allowed. */
uint8_t *content_builder_room(ContentBuilder *builder, uint64_t n);
void content_builder_filled(ContentBuilder *builder, uint64_t n);
/* Of an object's own content: n bytes in all will come, for which there is room at once. Nothing
 * was appended yet. The spool, which must outlive the content, has memory of LIMIT_HEAP_OBJECT for
 * one such content at a time; another's goes the way of all content. */
void content_builder_expect(ContentBuilder *builder, uint64_t n);
/* Where up to n bytes more can be read to (transfer none), on the heap their own place, else a
 * buffer of the builder's; content_builder_keep appends them (0: none), as content_builder_append
 * does. */
uint8_t *content_builder_lend(ContentBuilder *builder, size_t n);
bool content_builder_keep(ContentBuilder *builder, size_t n, GError **error);
uint64_t content_builder_size(const ContentBuilder *builder);
/* The content built so far (transfer full); the builder is freed in any case. NULL with error. */
Content *content_builder_finish(ContentBuilder *builder, GError **error);
void content_builder_free(ContentBuilder *builder);

/* Content over a copy of n bytes (transfer full). */
Content *content_new_copy(const void *bytes, size_t n);
/* Content over bytes borrowed from a parent, which is kept alive by a reference (transfer full). */
Content *content_new_part(Content *parent, uint64_t offset, uint64_t n);
Content *content_ref(Content *content);
void content_unref(Content *content);
/* (transfer none), valid while a reference is held; never NULL. */
const uint8_t *content_data(const Content *content);
uint64_t content_size(const Content *content);

/* Holes: long stretches of zeros that were appended as such. What is not all zeros cannot lie
 * wholly in one, so who looks for that need not read them. */

/* The next hole of which something lies at or behind at; false where there is none. */
bool content_next_hole(const Content *content, uint64_t at, uint64_t *from, uint64_t *end);
/* The next stretch [*at, *end), from the given *at on, in which something can lie that is not all
 * zeros and at most margin + 1 bytes long; go on from *end. False: there is none. */
bool content_next_filled(const Content *content, uint64_t margin, uint64_t *at, uint64_t *end);
/* The first byte from from on where text lies, which is not all zeros; the size where nowhere. */
uint64_t content_find(const Content *content, uint64_t from, const void *text, size_t n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spool, spool_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Content, content_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContentBuilder, content_builder_free)
