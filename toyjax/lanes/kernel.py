"""A whole loop over many seeds as one GPU kernel, written in Pallas.

XLA runs a loop's body as a handful of kernels per step, and every number goes
to memory and back between them. Here each block of seeds runs all steps of the
outermost loop in one kernel: what the loop carries stays in registers, and only
results and scanned arrays touch memory.

    arrays [..., S] --rows [K, S]--> kernel on [K, B] --cells--> loop --> rows

On a CPU the kernel is interpreted: slow, the same numbers, for tests.
"""

from collections.abc import Sequence
import math
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.experimental import pallas as pl
from jax.extend import core
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array
from toyjax.lanes import cell_control, cell_random, cell_rules, control
from toyjax.lanes.blocks import KERNEL_BLOCK
from toyjax.lanes.cell_control import lift, lower
from toyjax.lanes.cells import (
  Cells,
  UnsupportedError,
  check_dtype,
  evaluate,
  from_known,
  is_key,
)
from toyjax.lanes.values import Context, Value, dtype_of, shape_of

# Seeds of a kernel block: one for each thread of `WARPS` warps.
BLOCK, WARPS = KERNEL_BLOCK, 4

# Importing them registers their rules.
RULE_MODULES = (cell_control, cell_random, cell_rules)


class _Rows(NamedTuple):
  """How an array lies in memory: [K, S], or [T, K, S] where it is scanned.

  Attributes:
    shape: for one seed, and one step where it is scanned.
    dtype: of the array.
    length: steps T, or None.
    varies: whether it has a seed axis.
  """

  shape: tuple[int, ...]
  dtype: Any
  length: int | None
  varies: bool

  def num_rows(self) -> int:
    """Returns K: keys are two numbers each."""
    return math.prod(self.shape) * (2 if is_key(self.dtype) else 1)

  def stored_dtype(self) -> Any:
    """Returns the type in memory: keys and booleans are integers there."""
    if is_key(self.dtype):
      return np.dtype(np.uint32)
    return np.dtype(np.int32) if self.dtype == bool else np.dtype(self.dtype)

  def stored_shape(self, size: int) -> tuple[int, ...]:
    """Returns the shape in memory, given the number of seeds."""
    steps = () if self.length is None else (self.length,)
    return (*steps, self.num_rows(), *((size,) if self.varies else ()))

  def block(self) -> pl.BlockSpec:
    """Returns the part that a block of seeds sees."""
    rank = len(self.stored_shape(BLOCK))
    if not self.varies:
      return pl.BlockSpec(self.stored_shape(BLOCK), lambda i: (0,) * rank)
    return pl.BlockSpec(
      self.stored_shape(BLOCK), lambda i: (*(0,) * (rank - 1), i)
    )

  def store(self, array: Array, size: int) -> Array:
    """Returns an array as it lies in memory, with `size` seeds."""
    if is_key(self.dtype):
      array = jax.random.key_data(array)
      array = jnp.moveaxis(array, -1, -2) if self.varies else array
    array = array.astype(self.stored_dtype())
    if not self.varies:
      return array.reshape(self.stored_shape(size))
    num_seeds = array.shape[-1]
    array = array.reshape(self.stored_shape(num_seeds))
    padding = [(0, 0)] * (array.ndim - 1) + [(0, size - num_seeds)]
    return jnp.pad(array, padding, mode='edge')

  def restore(self, stored: Array, size: int) -> Array:
    """The inverse of `store`."""
    array = stored[..., :size]
    steps = () if self.length is None else (self.length,)
    halves = (2,) if is_key(self.dtype) else ()
    array = array.reshape((*steps, *self.shape, *halves, size))
    if halves:
      return jax.random.wrap_key_data(
        jnp.moveaxis(array, -2, -1), impl='threefry2x32'
      )
    return array.astype(self.dtype)

  def load(self, ref: Any, step: Any = None) -> Cells:
    """Reads the cells, of one step where the array is scanned."""
    prefix = () if self.length is None else (step,)
    suffix = (slice(None),) if self.varies else ()
    rows = [ref[(*prefix, k, *suffix)] for k in range(self.num_rows())]
    if is_key(self.dtype):
      return Cells(self.shape, tuple(zip(rows[::2], rows[1::2])))
    if self.dtype == bool:
      rows = [row != 0 for row in rows]
    return Cells(self.shape, tuple(rows))

  def save(self, ref: Any, items: Sequence[Any], step: Any = None) -> None:
    """Writes the cells, vectors [B], of one step where it is scanned."""
    prefix = () if self.length is None else (step,)
    for k, row in enumerate(jax.tree.leaves(items)):
      ref[(*prefix, k, slice(None))] = row.astype(self.stored_dtype())


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
    RuntimeError: where kernels are compiled and JAX has no such compiler.
  """
  params, (first, last) = equation.params, control.scan_bounds(equation)
  program, length = params['jaxpr'], params['length']
  if length == 0:
    raise UnsupportedError('a loop without steps')
  for variable in equation.invars:
    check_dtype(variable.aval)
  varies = control.scan_varies(equation, [value.varies for value in values])
  num_carry = last - first
  kept, inputs, arrays = _sort_operands(equation, values)
  carried = program.jaxpr.invars[first:last]
  outputs = [_Rows(shape_of(v), dtype_of(v), None, True) for v in carried] + [
    _Rows(shape_of(v), dtype_of(v), length, True)
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
      results = evaluate(BLOCK, program, [*consts, *lower(items, carried), *xs])
      slices = lift(results[num_carry:], [True] * len(results), BLOCK)
      for rows, ref, cells in zip(
        outputs[num_carry:], out_refs[num_carry:], slices
      ):
        rows.save(ref, cells, step)
      return lift(results[:num_carry], varies, BLOCK)

    start = lift(operands(range(first, last)), varies, BLOCK)
    final = lax.fori_loop(0, length, body, start)
    everything = [True] * num_carry
    spread_out = lift(lower(final, carried), everything, BLOCK)
    for rows, ref, cells in zip(outputs, out_refs, spread_out):
      rows.save(ref, cells)

  padded = math.ceil(context.size / BLOCK) * BLOCK
  call = pl.pallas_call(
    kernel,
    grid=(padded // BLOCK,),
    in_specs=[rows.block() for rows in inputs.values()],
    out_specs=[rows.block() for rows in outputs],
    out_shape=[
      jax.ShapeDtypeStruct(rows.stored_shape(padded), rows.stored_dtype())
      for rows in outputs
    ],
    interpret=interpret,
    compiler_params=None if interpret else _triton_params(),
  )
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


def _triton_params() -> Any:
  """Returns what Pallas' Triton backend is told, imported when needed.

  It is to be removed from JAX; programs without kernels must not notice.
  """
  try:
    from jax.experimental.pallas import triton
  except ImportError:
    raise RuntimeError(
      f'JAX {jax.__version__} cannot compile kernels: its Pallas has no Triton '
      'backend. Use an older JAX, or lanes without kernels (--map=lanes)'
    ) from None
  return triton.CompilerParams(num_warps=WARPS)


def _sort_operands(
  equation: core.JaxprEqn, values: Sequence[Value]
) -> tuple[dict[int, Cells], dict[int, _Rows], list[Array]]:
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
    inputs[place] = _Rows(shape, dtype_of(variable), length, value.varies)
    arrays.append(jnp.asarray(value.array))
  return kept, inputs, arrays
