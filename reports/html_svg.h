/* SPDX-License-Identifier: Apache-2.0 */
/* html_svg.h - the shapes of the page's pictures: whole numbers and class names of this program;
 * what is written in them is escaped like all text. Pictures are WIDTH wide, names stand left of
 * LEFT. */
#pragma once
#include "reports/html_out.h"

enum { SVG_WIDTH = 1000, SVG_LEFT = 164, SVG_RIGHT = 990, SVG_BINS = 413, SVG_BIN = 2 };

/* id and title name the picture for who cannot see it; description says what it shows. */
void svg_open(Out *out, const char *id, unsigned height, const char *title,
              const char *description);
void svg_close(Out *out);
/* title: what a pointer at rest is told, "" for nothing. */
void svg_rect(Out *out, const char *css_class, unsigned x, unsigned y, unsigned width,
              unsigned height, const char *title);
/* anchor: "start", "middle" or "end". */
void svg_text(Out *out, const char *css_class, unsigned x, unsigned y, const char *anchor,
              const char *text);
/* A diamond around (x, y). */
void svg_diamond(Out *out, const char *css_class, unsigned x, unsigned y, const char *title);
