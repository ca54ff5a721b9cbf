/* SPDX-License-Identifier: Apache-2.0 */
/* condition_value.h - values of which not all is known, and a machine's state made of them. For
 * condition.c alone. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <yara.h>

enum {
  STACK_MAX = 4096, /* values */
  MEMORY_MAX = 32,  /* libyara has fewer */
  ITERATOR_EMPTY = 1,
};

typedef enum {
  VALUE_KNOWN, /* number; undefined is a number too, as in libyara */
  VALUE_FALSE, /* zero or undefined */
  VALUE_BOOL,  /* zero or one */
  VALUE_ANY,
  VALUE_ITERATOR,      /* hands out one item and a flag */
  VALUE_DICT_ITERATOR, /* two items and a flag */
} ValueKind;

typedef struct {
  ValueKind kind;
  uint64_t number;
} Value;

typedef struct {
  Value memory[MEMORY_MAX];
  GArray *stack; /* Value */
} State;

static const Value ANY = {VALUE_ANY, 0}, BOOL = {VALUE_BOOL, 0}, FALSY = {VALUE_FALSE, 0},
                   UNDEFINED = {VALUE_KNOWN, YR_UNDEFINED};

static inline Value known(uint64_t number) {
  return (Value){VALUE_KNOWN, number};
}

static inline bool is_nothing(Value value) {
  return value.kind == VALUE_KNOWN && value.number == YR_UNDEFINED;
}

static inline bool is_defined(Value value) {
  return value.kind == VALUE_BOOL || (value.kind == VALUE_KNOWN && value.number != YR_UNDEFINED);
}

static inline bool is_false(Value value) {
  return value.kind == VALUE_FALSE || is_nothing(value) ||
         (value.kind == VALUE_KNOWN && value.number == 0);
}

static inline bool is_true(Value value) {
  return value.kind == VALUE_KNOWN && !is_false(value);
}

static inline bool is_bit(Value value) {
  return value.kind == VALUE_BOOL || (value.kind == VALUE_KNOWN && value.number <= 1);
}

static inline bool is_same(Value a, Value b) {
  return a.kind == b.kind && a.number == b.number;
}

static inline Value join(Value a, Value b) {
  if (is_same(a, b))
    return a;
  if (is_false(a) && is_false(b))
    return FALSY;
  return is_bit(a) && is_bit(b) ? BOOL : ANY;
}

State *state_new(void);
State *state_copy(const State *state);
void state_free(State *state);
/* Widens to by what from has; false where the two cannot be of one address. */
bool state_join(State *to, const State *from, bool *is_wider);

/* What a jump's condition leaves open. */
typedef struct {
  bool may_jump, may_pass;
  Value jumped, passed; /* what is known of the value then */
} Ways;

/* Of the jump with this code: b is the top of the stack, a lies below it. */
Ways value_ways(uint8_t code, Value a, Value b);
/* Of numbers that may be unknown, or undefined: then the result is, which is as good as false. */
Value value_compare(uint8_t code, Value a, Value b);
Value value_not(Value value);
/* found items at most of count: can the quantifier hold? */
Value value_of_quantifier(Value quantifier, uint64_t found, uint64_t count, bool is_percent);
