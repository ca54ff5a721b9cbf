/* SPDX-License-Identifier: Apache-2.0 */
/* ground.h - the list of grounds that verdicts rest on. Each has an identifier, a weight and a
 * text; the manual names them with their risks. */
#pragma once
#include <glib.h>
#include <stdbool.h>

typedef enum {
  WEIGHT_FOR,    /* speaks for harmless */
  WEIGHT_CAP,    /* keeps known-benign away, nothing more */
  WEIGHT_DOUBT,  /* keeps both benign verdicts away */
  WEIGHT_AGAINST /* makes it suspicious */
} Weight;

typedef struct {
  const char *id;
  Weight weight;
  const char *text;                            /* what it says, as part of a sentence */
  const char *false_positive, *false_negative; /* what raises a false alarm, what slips by */
} GroundRow;

typedef struct {
  const GroundRow *row;
  char *detail; /* what it was seen in; may be "" */
} Ground;

const GroundRow *ground_rows(size_t *n);
/* Adds a ground by its identifier (once each; a second detail is joined up to a length). */
void ground_add(GPtrArray *grounds, const char *id, const char *detail);
bool ground_has(const GPtrArray *grounds, const char *id);
guint ground_count(const GPtrArray *grounds, Weight weight);
/* The texts of the grounds of one weight, joined; at most max of them. (transfer full) */
char *ground_sentence(const GPtrArray *grounds, Weight weight, guint max);
GPtrArray *ground_list_new(void);
/* As a verdict hands them on: VerdictGround. (transfer full) */
GArray *ground_list(const GPtrArray *grounds);
