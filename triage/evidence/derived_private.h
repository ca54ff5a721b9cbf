/* SPDX-License-Identifier: Apache-2.0 */
/* derived_private.h - what the kinds of derived media share. */
#pragma once
#include "evidence/derived.h"
#include "evidence/image_format.h"
#include <libbfio.h>

extern const DerivedKind DERIVED_BITLOCKER, DERIVED_LUKS, DERIVED_LVM, DERIVED_VSS;

/* What libyal reads from: the stretch of the base image. Never NULL unless memory is out; read
 * errors of the media are zeros recorded as damage of the base image. (transfer full) */
libbfio_handle_t *derived_io_new(const DerivedBase *base);
void derived_io_free(libbfio_handle_t *io);

/* An image read by a libyal handle. close is called with state when the image is freed; io is freed
 * after it. What the handle refuses to read is zero and recorded as damage of the base image. */
Image *derived_image_new(const DerivedBase *base, libbfio_handle_t *io, uint64_t size, void *state,
                         ImageYalRead read, void (*close)(void *state));
/* An image of a format of its own, which reads and closes state. */
Image *derived_image_of(const ImageFormat *format, uint64_t size, void *state);
/* The text of a libyal error, freed. (transfer full) */
#define DERIVED_TEXT(library, failure)                                                             \
  ({                                                                                               \
    char text_[1024] = "";                                                                         \
    library##_error_sprint(*(failure), text_, sizeof text_);                                       \
    library##_error_free(failure);                                                                 \
    image_yal_text(text_);                                                                         \
  })
bool derived_has(const DerivedBase *base, uint64_t at, const void *bytes, size_t n);
