/* SPDX-License-Identifier: Apache-2.0 */
/* unpack_pdf.h - the filters that a stream of a PDF went through, one step each, and their undoing.
 * Knows nothing of objects and dictionaries. */
#pragma once
#include "unpack/unpack_private.h"

typedef enum {
  PDF_FLATE,
  PDF_LZW,
  PDF_HEX,
  PDF_85,
  PDF_RUNS,
  PDF_OTHER, /* not read */
} PdfFilter;

typedef struct {
  PdfFilter filter;
  bool is_picture; /* not read, and gives the dots of a picture */
  bool is_late;    /* LZW: codes grow one code later ("/EarlyChange 0") */
  /* 1: none, 2: TIFF's, 10 and more: PNG's; of rows of so many samples, colours and bits each. */
  uint32_t predictor, columns, colors, bits;
} PdfStep;

/* Undoes one step, but for its predictor. False with error where data is not whole. */
bool pdf_decode(Unpack *unpack, const PdfStep *step, const uint8_t *data, uint64_t n,
                Intake *intake, GError **error);
/* Undoes the step's predictor in what pdf_decode gave. */
bool pdf_unpredict(Unpack *unpack, const PdfStep *step, const uint8_t *data, uint64_t n,
                   Intake *intake, GError **error);
