/* SPDX-License-Identifier: Apache-2.0 */
/* condition_value.c - states of a machine whose values are not all known. */
#include "scan/condition_value.h"

State *state_new(void) {
  State *state = g_new(State, 1);
  for (guint i = 0; i < MEMORY_MAX; i++)
    state->memory[i] = ANY; /* libyara leaves there what the rule before used it for */
  state->stack = g_array_new(FALSE, FALSE, sizeof(Value));
  return state;
}

State *state_copy(const State *state) {
  State *copy = g_new(State, 1);
  memcpy(copy->memory, state->memory, sizeof copy->memory);
  copy->stack = g_array_copy(state->stack);
  return copy;
}

void state_free(State *state) {
  if (state == NULL)
    return;
  g_array_unref(state->stack);
  g_free(state);
}

bool state_join(State *to, const State *from, bool *is_wider) {
  if (to->stack->len != from->stack->len)
    return false;
  for (guint i = 0; i < MEMORY_MAX + to->stack->len; i++) {
    Value *value =
        i < MEMORY_MAX ? &to->memory[i] : &g_array_index(to->stack, Value, i - MEMORY_MAX);
    Value other =
        i < MEMORY_MAX ? from->memory[i] : g_array_index(from->stack, Value, i - MEMORY_MAX);
    Value joined = join(*value, other);
    *is_wider = *is_wider || !is_same(joined, *value);
    *value = joined;
  }
  return true;
}

Value value_of_quantifier(Value quantifier, uint64_t found, uint64_t count, bool is_percent) {
  if (quantifier.kind != VALUE_KNOWN)
    return ANY;
  if (is_nothing(quantifier)) /* all */
    return !is_percent && found < count ? FALSY : ANY;
  int64_t least = (int64_t)quantifier.number;
  if (least <= 0)
    return ANY;
  if (is_percent)
    return found == 0 ? FALSY : ANY;
  return found < (uint64_t)least ? FALSY : ANY;
}

static bool compare(uint8_t code, int64_t a, int64_t b) {
  switch (code) {
  case OP_INT_EQ:
    return a == b;
  case OP_INT_NEQ:
    return a != b;
  case OP_INT_LT:
    return a < b;
  case OP_INT_GT:
    return a > b;
  case OP_INT_LE:
    return a <= b;
  default:
    return a >= b;
  }
}

Value value_compare(uint8_t code, Value a, Value b) {
  bool is_known = (a.kind == VALUE_KNOWN || a.kind == VALUE_FALSE) &&
                  (b.kind == VALUE_KNOWN || b.kind == VALUE_FALSE);
  bool is_sure = a.kind == VALUE_KNOWN && b.kind == VALUE_KNOWN;
  if (is_nothing(a) || is_nothing(b))
    return FALSY;
  if (!is_known)
    return ANY;
  bool is_so = compare(code, (int64_t)a.number, (int64_t)b.number);
  return is_sure ? known(is_so) : is_so ? ANY : FALSY;
}

Value value_not(Value value) {
  if (is_nothing(value))
    return UNDEFINED;
  if (value.kind == VALUE_KNOWN)
    return known(value.number == 0);
  return value.kind == VALUE_BOOL ? BOOL : ANY;
}

Ways value_ways(uint8_t code, Value a, Value b) {
  Ways ways = {true, true, b, b};
  bool is_known = b.kind == VALUE_KNOWN, is_bool = b.kind == VALUE_BOOL;
  switch (code) {
  case OP_JFALSE:
  case OP_JFALSE_P: /* of undefined: not in 4.2; both ways are right in any version */
    ways.may_jump = !is_true(b);
    ways.may_pass = !(is_known && b.number == 0);
    ways.jumped = is_nothing(b) ? UNDEFINED : is_bool ? known(0) : FALSY;
    ways.passed = is_bool ? known(1) : b;
    break;
  case OP_JTRUE:
  case OP_JTRUE_P:
    ways.may_jump = !is_false(b);
    ways.may_pass = !is_true(b);
    ways.jumped = is_bool ? known(1) : b;
    ways.passed = is_bool ? known(0) : FALSY;
    break;
  case OP_JZ:
  case OP_JZ_P:
    ways.may_jump = !is_known || b.number == 0;
    ways.may_pass = !is_known || b.number != 0;
    break;
  case OP_JNUNDEF:
    ways.may_jump = !is_nothing(b);
    ways.may_pass = !is_defined(b);
    break;
  case OP_JUNDEF_P:
    ways.may_jump = !is_defined(b);
    ways.may_pass = !is_nothing(b);
    break;
  default: /* OP_JL_P, OP_JLE_P: less, and less or equal */
    if (is_known && a.kind == VALUE_KNOWN && is_defined(a) && is_defined(b)) {
      ways.may_jump =
          compare(code == OP_JL_P ? OP_INT_LT : OP_INT_LE, (int64_t)a.number, (int64_t)b.number);
      ways.may_pass = !ways.may_jump;
    }
    break;
  }
  return ways;
}
