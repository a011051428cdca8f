"""Which compiler makes a kernel, and how it is called.

One block of `BLOCK` seeds is one program of the grid.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jax.experimental import pallas as pl

from toyjax.base import Array
from toyjax.lanes.cells import Dialect
from toyjax.lanes.kernel_rows import BLOCK, Rows

# Of a Triton program: one thread for each seed.
NUM_WARPS = BLOCK // 32

Kernel = Callable[..., None]
Call = Callable[..., Sequence[Array]]


class Backend(NamedTuple):
  """A compiler of kernels, or its interpreter.

  Attributes:
    dialect: what it understands.
    call: (body of one block, rows of the inputs, rows of the outputs, number of
      seeds) -> a function of the stored inputs that returns the stored outputs.
  """

  dialect: Dialect
  call: Callable[[Kernel, Sequence[Rows], Sequence[Rows], int], Call]


def choose(interpret: bool) -> Backend:
  """Returns the backend for this JAX and the device that it compiles for.

  Args:
    interpret: whether the kernel is interpreted, on any device. That is done
      by Pallas' own interpreter, which knows no backend.

  Raises:
    RuntimeError: where JAX has no compiler of kernels for the device.
  """
  return in_blocks(interpret)


def in_blocks(interpret: bool) -> Backend:
  """Returns Triton, or the interpreter of Pallas."""

  def call(
    body: Kernel, inputs: Sequence[Rows], outputs: Sequence[Rows], size: int
  ) -> Call:
    return pl.pallas_call(
      body,
      grid=(size // BLOCK,),
      in_specs=[_block_spec(rows) for rows in inputs],
      out_specs=[_block_spec(rows) for rows in outputs],
      out_shape=[rows.stored(size) for rows in outputs],
      interpret=interpret,
      compiler_params=None if interpret else _triton_params(),
    )

  return Backend(Dialect(), call)


def _block_spec(rows: Rows) -> pl.BlockSpec:
  """Returns the part that a block of seeds sees."""
  shape = rows.stored_shape(BLOCK)
  if not rows.varies:
    return pl.BlockSpec(shape, lambda i: (0,) * len(shape))
  return pl.BlockSpec(shape, lambda i: (*(0,) * (len(shape) - 1), i))


def _triton_params() -> Any:
  """Returns what Triton is told, imported when needed.

  It is to be removed from JAX; programs without kernels must not notice.
  """
  try:
    from jax.experimental.pallas import triton
  except ImportError:
    raise RuntimeError(
      f'JAX {jax.__version__} cannot compile kernels: its Pallas has no Triton '
      'backend. Use an older JAX, or lanes without kernels (--map=lanes)'
    ) from None
  return triton.CompilerParams(num_warps=NUM_WARPS)
