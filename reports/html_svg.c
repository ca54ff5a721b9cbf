/* SPDX-License-Identifier: Apache-2.0 */
/* html_svg.c - see html_svg.h. */
#include "reports/html_svg.h"

void svg_open(Out *out, const char *id, unsigned height, const char *title,
              const char *description) {
  out_format(out,
             "<div class=\"picture\" tabindex=\"0\" role=\"group\" aria-label=\"Picture\"><svg "
             "viewBox=\"0 0 %d %u\" role=\"img\" aria-labelledby=\"%s-t %s-d\">\n<title "
             "id=\"%s-t\">",
             SVG_WIDTH, height, id, id, id);
  html_text(out, title);
  out_format(out, "</title><desc id=\"%s-d\">", id);
  html_text(out, description);
  html_markup(out, "</desc>\n");
}

void svg_close(Out *out) {
  html_markup(out, "</svg></div>\n");
}

static void close_shape(Out *out, const char *tag, const char *title) {
  html_markup(out, ">");
  if (*title != '\0') {
    html_markup(out, "<title>");
    html_text(out, title);
    html_markup(out, "</title>");
  }
  out_format(out, "</%s>\n", tag);
}

void svg_rect(Out *out, const char *css_class, unsigned x, unsigned y, unsigned width,
              unsigned height, const char *title) {
  out_format(out, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"", css_class, x,
             y, width, height);
  close_shape(out, "rect", title);
}

void svg_text(Out *out, const char *css_class, unsigned x, unsigned y, const char *anchor,
              const char *text) {
  out_format(out, "<text class=\"%s\" x=\"%u\" y=\"%u\" text-anchor=\"%s\">", css_class, x, y,
             anchor);
  html_text(out, text);
  html_markup(out, "</text>\n");
}

void svg_diamond(Out *out, const char *css_class, unsigned x, unsigned y, const char *title) {
  out_format(out, "<path class=\"%s\" d=\"M%u %ul6 6l-6 6l-6-6z\"", css_class, x, y - 6);
  close_shape(out, "path", title);
}
