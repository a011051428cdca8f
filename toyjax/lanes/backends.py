"""Which compiler makes a kernel, and how it is called.

Pallas has two for NVIDIA GPUs. Mosaic GPU needs Hopper, compute capability 9.0,
or later, and here JAX 0.11.2 or later; Triton takes older ones, and is to be
removed from JAX. One block of `BLOCK` seeds is one program of the grid. In
Triton a block is cut out by the grid, in Mosaic by the body's own index; there
a row [B] is one register of each thread of a warpgroup.
"""

from collections.abc import Callable, Sequence
import importlib
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.experimental import pallas as pl

from toyjax.base import Array
from toyjax.lanes import cell_mosaic
from toyjax.lanes.cells import Dialect
from toyjax.lanes.kernel_rows import BLOCK, Rows

# Of a Triton program: one thread for each seed.
NUM_WARPS = BLOCK // 32
# The first JAX whose Mosaic GPU is called as below, and is interpreted too.
MOSAIC_JAX = (0, 11, 2)
# The first compute capability of Mosaic GPU: Hopper.
MOSAIC_CAPABILITY = (9, 0)

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
  if interpret:
    return in_blocks(True)
  found = capability()
  if found is not None and found >= MOSAIC_CAPABILITY and has_mosaic():
    return mosaic(False)
  return in_blocks(False)


def has_mosaic() -> bool:
  """Whether this JAX has Mosaic GPU as it is called here."""
  return jax.__version_info__ >= MOSAIC_JAX


def capability() -> tuple[int, int] | None:
  """Returns the compute capability of the device that JAX compiles for.

  That is the device of the mesh in use, such as within `jax.shard_map`, else
  the first of this process. None where it tells none, such as a CPU.
  """
  device: Any = jax.sharding.get_abstract_mesh().abstract_device
  here = jax.local_devices()[0]
  # A mesh says of its devices only of which kind they are.
  if device is None or device.device_kind == here.device_kind:
    device = here
  major, dot, minor = getattr(device, 'compute_capability', '').partition('.')
  return (int(major), int(minor)) if dot else None


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
    first_jax = '.'.join(map(str, MOSAIC_JAX))
    found = capability()
    has = 'none' if found is None else '.'.join(map(str, found))
    raise RuntimeError(
      f'JAX {jax.__version__} cannot compile kernels for this device: its '
      'Pallas has no Triton backend, and Mosaic GPU needs JAX '
      f'{first_jax} or later and a compute capability of 9.0 (Hopper) or '
      f'later, where the device has {has}. Use a JAX with Triton, or lanes '
      'without kernels (--map=lanes)'
    ) from None
  return triton.CompilerParams(num_warps=NUM_WARPS)


def mosaic(interpret: bool) -> Backend:
  """Returns Mosaic GPU, or its own interpreter; `has_mosaic` must hold."""
  # Other versions of JAX call it otherwise; types are those of the oldest.
  mosaic_gpu: Any = importlib.import_module(
    'jax.experimental.pallas.mosaic_gpu'
  )
  layout = mosaic_gpu.Layout.WG_STRIDED((BLOCK,), vec_size=1)

  def call(
    body: Kernel, inputs: Sequence[Rows], outputs: Sequence[Rows], size: int
  ) -> Call:
    def kernel(*refs: Any) -> None:
      seeds = pl.ds(lax.axis_index('blocks') * BLOCK, BLOCK)
      body(
        *(
          ref.at[..., seeds] if rows.varies else ref
          for ref, rows in zip(refs, (*inputs, *outputs))
        )
      )

    # A row is a value of all threads of a warpgroup, whose layout is said here;
    # the other semantics find layouts by a search over the whole kernel.
    params = mosaic_gpu.CompilerParams(
      lowering_semantics=mosaic_gpu.LoweringSemantics.Lane
    )
    return mosaic_gpu.kernel(
      kernel,
      out_type=[rows.stored(size) for rows in outputs],
      grid=(size // BLOCK,),
      grid_names=('blocks',),
      compiler_params=params,
      interpret=mosaic_gpu.InterpretGPUParams() if interpret else None,
    )

  settle = lambda vector: mosaic_gpu.layout_cast(vector, layout)
  return Backend(cell_mosaic.dialect(settle), call)
