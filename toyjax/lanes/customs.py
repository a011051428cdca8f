"""How `lanes` calls functions that have derivative rules of their own.

The function is evaluated with the seed axis last. Its derivatives, where taken
outside of `lanes`, are those of the same call under `jax.vmap`: the user's.
"""

from collections.abc import Callable, Sequence
from typing import Any

from jax.extend import core

from toyjax.base import Array
from toyjax.lanes.control import called
from toyjax.lanes.derivatives import Function, with_jvp_of, with_vjp_of
from toyjax.lanes.rules import rule
from toyjax.lanes.values import (
  Context,
  Value,
  by_vmap,
  mark,
  shape_of,
  spread,
  varying,
)


def _with_derivatives_by(
  attach: Callable[[Function, Function], Function],
) -> Any:
  """Makes a rule from (function, the same function under vmap) -> function."""

  def apply(
    context: Context, equation: core.JaxprEqn, values: Sequence[Value]
  ) -> list[Value]:
    varies = [value.varies for value in values]

    def in_lanes(*arrays: Array) -> list[Array]:
      results = context.evaluate(called(equation), mark(arrays, varies))
      return [
        spread(result, shape_of(variable), context.size)
        for result, variable in zip(results, equation.outvars)
      ]

    def in_vmap(*arrays: Array) -> list[Array]:
      results = by_vmap(context, equation, mark(arrays, varies))
      return [result.array for result in results]

    function = attach(in_lanes, in_vmap)
    return varying(function(*(value.array for value in values)))

  return apply


rule('custom_jvp_call')(_with_derivatives_by(with_jvp_of))
rule('custom_vjp_call')(_with_derivatives_by(with_vjp_of))
