"""Walks a per-seed program with the seed axis last."""

from collections.abc import Mapping, Sequence
import functools
from typing import Any

from jax.extend import core

from toyjax.lanes import (
  branches,
  control,
  customs,
  lookups,
  rules,
  slices,
)
from toyjax.lanes.values import Context, Rule, Value, bind, by_vmap

# Importing them registers their rules.
RULE_MODULES = (branches, control, customs, rules, slices, lookups)


def rules_with(kernels: str | None) -> Mapping[str, Rule]:
  """Returns the rule of each primitive that has one.

  Args:
    kernels: see `lanes`.
  """
  if kernels is None:
    return rules.RULES
  scan = functools.partial(_scan_in_kernel, kernels == 'interpreted')
  return {**rules.RULES, 'scan': scan}


def _scan_in_kernel(
  interpret: bool,
  context: Context,
  equation: core.JaxprEqn,
  values: Sequence[Value],
) -> list[Value]:
  # Pallas is not imported before it is needed.
  from toyjax.lanes import kernel
  from toyjax.lanes.cells import UnsupportedError

  try:
    return kernel.scan_in_kernel(context, equation, values, interpret)
  except (UnsupportedError, NotImplementedError):
    return rules.RULES['scan'](context, equation, values)


def evaluate(
  size: int,
  closed: core.ClosedJaxpr,
  values: Sequence[Value],
  table: Mapping[str, Rule],
  in_loop: bool = False,
) -> list[Value]:
  """Evaluates a per-seed program on values that may end in a seed axis.

  Args:
    size: number of seeds S.
    closed: the program for one seed.
    values: its arguments.
    table: the rule of each primitive that has one.
    in_loop: whether the program is run many times.

  Returns:
    Its results. What depends on nothing that varies does not vary.
  """

  def within(program: core.ClosedJaxpr, arguments: Sequence[Value]) -> Any:
    return evaluate(size, program, arguments, table, in_loop)

  def within_loop(program: core.ClosedJaxpr, arguments: Sequence[Value]) -> Any:
    return evaluate(size, program, arguments, table, in_loop=True)

  context = Context(size, within, within_loop, in_loop)
  known: dict[core.Var, Value] = {}

  def read(atom: core.Var | core.Literal) -> Value:
    if isinstance(atom, core.Literal):
      return Value(atom.val, False)
    return known[atom]

  known.update(
    zip(closed.jaxpr.constvars, (Value(c, False) for c in closed.consts))
  )
  known.update(zip(closed.jaxpr.invars, values))
  for equation in closed.jaxpr.eqns:
    operands = [read(atom) for atom in equation.invars]
    if any(operand.varies for operand in operands):
      apply = table.get(equation.primitive.name, by_vmap)
      results = apply(context, equation, operands)
    else:
      arrays = bind(equation, [operand.array for operand in operands])
      results = [Value(array, False) for array in arrays]
    known.update(zip(equation.outvars, results))
  return [read(atom) for atom in closed.jaxpr.outvars]
