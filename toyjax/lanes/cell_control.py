"""How a kernel walks into calls, loops and branches.

A loop carries its cells one by one. As in `control`, which part of a carry
varies between seeds is found before the loop is built.
"""

from collections.abc import Sequence
from typing import Any

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp
import numpy as np

from toyjax.lanes import control
from toyjax.lanes.cells import (
  Builder,
  Cells,
  UnsupportedError,
  align,
  is_known,
  rule,
  trace,
)
from toyjax.lanes.values import shape_of

# Steps of a loop within the kernel's loop that are written out, where it scans
# arrays: registers have no addresses.
MAX_WRITTEN_OUT = 32


def lift(
  builder: Builder, cells: Sequence[Cells], varies: Sequence[bool]
) -> list[tuple[Any, ...]]:
  """Returns the cells as a loop carries them: vectors [B] or scalars []."""
  return [
    tuple(map(builder.spread if wanted else trace, array.items))
    for array, wanted in zip(cells, varies)
  ]


def lower(items: Sequence[Sequence[Any]], like: Sequence[Any]) -> list[Cells]:
  """The inverse of `lift`, given variables of the arrays' shapes."""
  return [
    Cells(shape_of(variable), tuple(array))
    for array, variable in zip(items, like)
  ]


@rule(
  *control.CALLS,
  'custom_jvp_call',
  'custom_vjp_call',
  'custom_vjp_call_jaxpr',
)
def _call(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  return builder.evaluate(control.called(equation), operands)


@rule('scan')
def _scan(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  params, (first, last) = equation.params, control.scan_bounds(equation)
  program, length = params['jaxpr'], params['length']
  consts, carry, xs = operands[:first], operands[first:last], operands[last:]
  if xs or len(equation.outvars) > len(carry):
    return _written_out(builder, equation, operands)
  varies = control.scan_varies(equation, [cells.varies() for cells in operands])
  variables = program.jaxpr.invars[first:last]

  def body(_: Any, items: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    results = builder.evaluate(program, [*consts, *lower(items, variables)])
    return lift(builder, results, varies)

  items = lax.fori_loop(0, length, body, lift(builder, carry, varies))
  return lower(items, variables)


def _written_out(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  params, (first, last) = equation.params, control.scan_bounds(equation)
  consts, carry, xs = operands[:first], operands[first:last], operands[last:]
  length = params['length']
  if not 0 < length <= MAX_WRITTEN_OUT:
    raise UnsupportedError(
      f'a loop within a loop over arrays of {length} steps'
    )
  steps = range(length)
  slices = []
  for step in reversed(steps) if params['reverse'] else steps:
    now = [array.take(array.ids()[step]) for array in xs]
    results = builder.evaluate(params['jaxpr'], [*consts, *carry, *now])
    carry = results[: len(carry)]
    slices.append(results[len(carry) :])
  if params['reverse']:
    slices.reverse()
  ys = [
    Cells(shape_of(variable), sum((part.items for part in parts), ()))
    for variable, parts in zip(equation.outvars[len(carry) :], zip(*slices))
  ]
  return [*carry, *ys]


@rule('while')
def _while(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  params = equation.params
  first = params['cond_nconsts']
  last = first + params['body_nconsts']
  varies, stops_apart = control.while_varies(
    equation, [cells.varies() for cells in operands]
  )
  variables = params['body_jaxpr'].jaxpr.outvars

  def goes_on(items: list[tuple[Any, ...]]) -> Any:
    carry = lower(items, variables)
    (result,) = builder.evaluate(
      params['cond_jaxpr'], [*operands[:first], *carry]
    )
    return result.items[0]

  def any_goes_on(items: list[tuple[Any, ...]]) -> Any:
    going = goes_on(items)
    if not stops_apart:
      return trace(going)
    return jnp.max(builder.spread(going).astype(jnp.int32)) > 0

  def body(items: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    carry = lower(items, variables)
    results = builder.evaluate(
      params['body_jaxpr'], [*operands[first:last], *carry]
    )
    following = lift(builder, results, varies)
    if stops_apart:
      running = builder.spread(goes_on(items))
      following = jax.tree.map(
        lambda new, old: lax.select_n(running, old, new), following, items
      )
    return following

  start = lift(builder, operands[last:], varies)
  items = lax.while_loop(any_goes_on, body, start)
  return lower(items, variables)


@rule('cond')
def _cond(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """One branch for all seeds; where they part, all branches and a choice."""
  index, *arguments = operands
  branches, variables = equation.params['branches'], equation.outvars
  if is_known([index]):
    place = min(max(int(index.items[0]), 0), len(branches) - 1)
    return builder.evaluate(branches[place], arguments)
  everything = [True] * len(variables)
  if index.varies():
    results = [
      lift(builder, builder.evaluate(branch, arguments), everything)
      for branch in branches
    ]
    which = lax.convert_element_type(index.items[0], jnp.int32)
    which = lax.clamp(*align(np.int32(0), which, np.int32(len(branches) - 1)))
    chosen = results[0]
    for place, result in enumerate(results[1:], 1):
      taken = lax.eq(*align(which, np.int32(place)))
      chosen = jax.tree.map(
        lambda old, new, taken=taken: lax.select_n(taken, old, new),
        chosen,
        result,
      )
    return lower(chosen, variables)
  varies = control.branches_vary(branches, [c.varies() for c in arguments])
  flat = [array.items for array in arguments]

  def run(branch: core.ClosedJaxpr) -> Any:
    def of_branch(items: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
      cells = lower(items, branch.jaxpr.invars)
      return lift(builder, builder.evaluate(branch, cells), varies)

    return of_branch

  items = lax.switch(
    lax.convert_element_type(index.items[0], jnp.int32),
    [run(branch) for branch in branches],
    jax.tree.map(trace, flat),
  )
  return lower(items, variables)
