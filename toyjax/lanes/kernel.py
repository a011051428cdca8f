"""A whole loop over many seeds as one GPU kernel, written in Pallas.

XLA runs a loop's body as a handful of kernels per step, and every number goes
to memory and back between them. Here each block of seeds runs all steps of the
outermost loop in one kernel: what the loop carries stays in registers, and only
results and scanned arrays touch memory.

    arrays [..., S] --rows [K, S]--> kernel on [K, B] --cells--> loop --> rows

The body of the kernel is written once; `backends` hands it to the compiler that
JAX and the device have. On a CPU the kernel is interpreted: slow, the same
numbers, for tests.
"""

from collections.abc import Sequence
import math
from typing import Any

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.lanes import (
  backends,
  cell_control,
  cell_random,
  cell_rules,
  control,
)
from toyjax.lanes.cell_control import lift, lower
from toyjax.lanes.cells import (
  Builder,
  Cells,
  UnsupportedError,
  check_dtype,
  from_known,
)
from toyjax.lanes.kernel_rows import BLOCK, Rows
from toyjax.lanes.values import Context, Value, dtype_of, shape_of

# Importing them registers their rules.
RULE_MODULES = (cell_control, cell_random, cell_rules)


def scan_in_kernel(
  context: Context,
  equation: core.JaxprEqn,
  values: Sequence[Value],
  interpret: bool,
) -> list[Value]:
  """The rule of a scan that becomes one kernel.

  Args:
    context: of the interpreter.
    equation: a scan.
    values: its operands.
    interpret: whether the kernel is interpreted, on any device.

  Returns:
    Its results.

  Raises:
    UnsupportedError: where the loop holds what a kernel cannot do.
    RuntimeError: where kernels are compiled, and JAX has no compiler of them
      for the device.
  """
  backend = backends.choose(interpret)
  builder = Builder(BLOCK, backend.dialect)
  params, (first, last) = equation.params, control.scan_bounds(equation)
  program, length = params['jaxpr'], params['length']
  if length == 0:
    raise UnsupportedError('a loop without steps')
  for variable in equation.invars:
    check_dtype(variable.aval, backend.dialect.dtypes)
  varies = control.scan_varies(equation, [value.varies for value in values])
  num_carry = last - first
  kept, inputs, arrays = _sort_operands(equation, values)
  carried = program.jaxpr.invars[first:last]
  outputs = [Rows(shape_of(v), dtype_of(v), None, True) for v in carried] + [
    Rows(shape_of(v), dtype_of(v), length, True)
    for v in program.jaxpr.outvars[num_carry:]
  ]
  if context.size == 0 or not all(
    rows.num_rows() for rows in (*inputs.values(), *outputs)
  ):
    raise UnsupportedError('an array without numbers')

  def kernel(*refs: Any) -> None:
    in_refs, out_refs = refs[: len(inputs)], refs[len(inputs) :]

    def operands(places: range, step: Any = None) -> list[Cells]:
      return [
        kept[place]
        if place in kept
        else inputs[place].load(in_refs[list(inputs).index(place)], step)
        for place in places
      ]

    consts = operands(range(first))

    def body(step: Any, items: list[tuple[Any, ...]]) -> Any:
      step = length - 1 - step if params['reverse'] else step
      xs = operands(range(last, len(values)), step)
      results = builder.evaluate(
        program, [*consts, *lower(items, carried), *xs]
      )
      slices = lift(builder, results[num_carry:], [True] * len(results))
      for rows, ref, cells in zip(
        outputs[num_carry:], out_refs[num_carry:], slices
      ):
        rows.save(ref, cells, step)
      return lift(builder, results[:num_carry], varies)

    start = lift(builder, operands(range(first, last)), varies)
    final = lax.fori_loop(0, length, body, start)
    everything = [True] * num_carry
    spread_out = lift(builder, lower(final, carried), everything)
    for rows, ref, cells in zip(outputs, out_refs, spread_out):
      rows.save(ref, cells)

  padded = math.ceil(context.size / BLOCK) * BLOCK
  call = backend.call(kernel, list(inputs.values()), outputs, padded)
  stored = [
    rows.store(array, padded) for rows, array in zip(inputs.values(), arrays)
  ]
  results = [
    rows.restore(array, context.size)
    for rows, array in zip(outputs, call(*stored))
  ]
  return [
    Value(array if wanted else array[..., 0], wanted)
    for array, wanted in zip(results, varies)
  ]


def _sort_operands(
  equation: core.JaxprEqn, values: Sequence[Value]
) -> tuple[dict[int, Cells], dict[int, Rows], list[Array]]:
  """Parts a scan's operands into what is known and what is read from memory.

  Returns:
    The known constants and initial values by position, the layout of the
    others by position, and the arrays of the others.
  """
  _, last = control.scan_bounds(equation)
  kept, inputs, arrays = {}, {}, []
  for place, (value, variable) in enumerate(zip(values, equation.invars)):
    traced = isinstance(value.array, jax.core.Tracer)
    if place < last and not value.varies and not traced:
      kept[place] = from_known(value.array, variable.aval)
      continue
    length = None if place < last else equation.params['length']
    shape = shape_of(variable)[0 if length is None else 1 :]
    inputs[place] = Rows(shape, dtype_of(variable), length, value.varies)
    arrays.append(jnp.asarray(value.array))
  return kept, inputs, arrays
