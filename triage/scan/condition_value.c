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
