"""How `lanes` walks into branches."""

from collections.abc import Callable, Sequence
from typing import Any

from jax import lax
from jax.extend import core
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.lanes.control import branches_vary
from toyjax.lanes.derivatives import with_jvp_of
from toyjax.lanes.rules import rule
from toyjax.lanes.values import (
  Context,
  Value,
  by_vmap,
  dtype_of,
  lift,
  mark,
  shape_of,
  spread,
  varying,
)


@rule('cond')
def _cond(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  """One branch for all seeds; where they part, all branches and a choice."""
  index, *operands = values
  branches = equation.params['branches']
  platforms = equation.params.get('branches_platforms')
  if index.varies and platforms is None:
    return _all_branches(context, equation, values)

  operands_vary = [value.varies for value in operands]
  varies = [index.varies or v for v in branches_vary(branches, operands_vary)]

  def run(branch: core.ClosedJaxpr) -> Callable[..., list[Array]]:
    def of_branch(*arrays: Array) -> list[Array]:
      results = context.evaluate(branch, mark(arrays, operands_vary))
      return lift(context, results, varies, equation.outvars)

    return of_branch

  arrays = [value.array for value in operands]
  functions = [run(branch) for branch in branches]
  if platforms is None:
    which = index.array.astype(jnp.int32)
    return mark(lax.switch(which, functions, *arrays), varies)
  by_platform = {
    name: function
    for names, function in zip(platforms, functions)
    for name in names or ('default',)
  }
  return mark(lax.platform_dependent(*arrays, **by_platform), varies)


def _all_branches(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  branches = equation.params['branches']
  if any(branch.effects for branch in branches):
    return by_vmap(context, equation, values)  # Which may refuse them.
  varies = [value.varies for value in values]

  def run(
    operands_of: Callable[[Array, list[Value]], list[Value]], *arrays: Array
  ) -> list[Array]:
    index, *operands = mark(arrays, varies)
    results = []
    for place, branch in enumerate(branches):
      own = operands_of(index.array == place, operands)
      results.append(
        lift(
          context,
          context.evaluate(branch, own),
          [True] * len(equation.outvars),
          equation.outvars,
        )
      )
    which = jnp.clip(index.array.astype(jnp.int32), 0, len(branches) - 1)
    return [
      lax.select_n(jnp.broadcast_to(which, choices[0].shape), *choices)
      for choices in zip(*results)
    ]

  def as_they_are(taken: Array, operands: list[Value]) -> list[Value]:
    del taken
    return operands

  def where_taken(taken: Array, operands: list[Value]) -> list[Value]:
    return [
      _where(taken, value, variable, context.size)
      for value, variable in zip(operands, equation.invars[1:])
    ]

  function = with_jvp_of(
    lambda *arrays: run(as_they_are, *arrays),
    lambda *arrays: run(where_taken, *arrays),
  )
  return varying(function(*(value.array for value in values)))


def _where(
  taken: Array, value: Value, variable: core.Var | core.Literal, size: int
) -> Value:
  """Returns an operand whose derivative is zero where a branch is not taken.

  The derivative there may be NaN, and NaN times zero is NaN.
  """
  dtype: Any = dtype_of(variable)
  if not jnp.issubdtype(dtype, jnp.inexact):
    return value
  array = spread(value, shape_of(variable), size)
  taken = jnp.broadcast_to(taken, array.shape)
  return Value(lax.select_n(taken, lax.stop_gradient(array), array), True)
