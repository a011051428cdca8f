"""How `lanes` calls functions that have derivative rules of their own.

The function is evaluated with the seed axis last. Its derivatives, where taken
outside of `lanes`, are those of the same call under `jax.vmap`: the user's.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend import core

from toyjax.base import Array
from toyjax.lanes.control import called
from toyjax.lanes.rules import rule
from toyjax.lanes.values import (
  Context,
  Value,
  by_vmap,
  shape_of,
  spread,
  varying,
)

Function = Callable[..., list[Array]]


def _with_derivatives_of(
  attach: Callable[[Function, Function], Function],
) -> Any:
  """Makes a rule from (function, the same function under vmap) -> function."""

  def apply(
    context: Context, equation: core.JaxprEqn, values: Sequence[Value]
  ) -> list[Value]:
    def marked(arrays: Sequence[Array]) -> list[Value]:
      return [Value(a, value.varies) for a, value in zip(arrays, values)]

    def in_lanes(*arrays: Array) -> list[Array]:
      results = context.evaluate(called(equation), marked(arrays))
      return [
        spread(result, shape_of(variable), context.size)
        for result, variable in zip(results, equation.outvars)
      ]

    def in_vmap(*arrays: Array) -> list[Array]:
      results = by_vmap(context, equation, marked(arrays))
      return [result.array for result in results]

    function = attach(in_lanes, in_vmap)
    return varying(function(*(value.array for value in values)))

  return apply


@rule('custom_jvp_call')
@_with_derivatives_of
def _custom_jvp(in_lanes: Function, in_vmap: Function) -> Function:
  function = jax.custom_jvp(in_lanes)
  function.defjvp(lambda primals, tangents: jax.jvp(in_vmap, primals, tangents))
  return function


@rule('custom_vjp_call')
@_with_derivatives_of
def _custom_vjp(in_lanes: Function, in_vmap: Function) -> Function:
  function = jax.custom_vjp(in_lanes)
  function.defvjp(
    lambda *arrays: jax.vjp(in_vmap, *arrays),
    lambda pull_back, cotangents: pull_back(cotangents),
  )
  return function
