"""A trial mapped over a chunk of runs and spread over devices.

trial (one x) --lanes or vmap--> share of a device --shard_map--> chunk
"""

from collections.abc import Callable
import functools
import math
from typing import Any, NamedTuple

import jax
from jax.extend import core
from jax.sharding import AxisType, Mesh, PartitionSpec
import numpy as np

from toyjax.base import ArrayTree
from toyjax.lanes import (
  block_size,
  cpu_compiler_options,
  has_shared_draws,
  is_tiny,
  lanes,
)
from toyjax.lanes.blocks import BLOCK, KERNEL_BLOCK, SMALL_BLOCK, in_blocks
from toyjax.products import lay_out
from toyjax.run_sizes import program_bytes

Trial = Callable[[Any], ArrayTree]

RUNS = 'runs'  # Name of the mesh axis over which runs are spread.
# How one device maps a trial over its runs.
MAPS = ('lanes', 'vmap', 'kernel')
# What a block of runs under `jax.vmap` takes: about the cache of a core.
VMAP_BLOCK_BYTES = 2**20
THREADS_PER_MULTIPROCESSOR = 2048
CHUNK_BYTES = 2**30  # What a chunk of large runs takes by default.


def local_mesh() -> Mesh:
  """Returns a one-axis mesh over all devices of this process."""
  devices = jax.local_devices()
  return jax.make_mesh(
    (len(devices),), (RUNS,), axis_types=(AxisType.Auto,), devices=devices
  )


class ChunkProgram(NamedTuple):
  """A trial mapped over a chunk and spread over devices.

  Attributes:
    run: chunk of xs [K, ...] -> chunk of results [K, ...], of the types that it
      was made for; jitted, or compiled for one K.
    multiple: K must be a multiple of this.
    spread: the same function before it is jitted, of any types.
    options: of the compiler.
  """

  run: Any
  multiple: int
  spread: Trial
  options: dict[str, Any] | None


def compile_chunk(
  trial: Trial, xs: ArrayTree, mesh: Mesh, map_name: str
) -> ChunkProgram:
  """Maps `trial` over a chunk spread over `mesh`.

  Each device runs its own share as a program of its own, so that loops of
  different devices never wait for each other. On a CPU, `lanes` runs a share in
  blocks of 128 or 32 runs, fewer where a trial is not tiny: a block's numbers
  stay in the cache for all its steps, and a run is computed in a block of the
  same size whatever the chunk.

  Args:
    trial: x -> pytree.
    xs: the runs, or any one chunk of them, for their shapes.
    mesh: one-axis mesh named `RUNS`.
    map_name: 'lanes', 'vmap' or 'kernel'. `lanes` hands a trial that is not
      tiny, such as one with a large matrix product, to `jax.vmap` by itself,
      on a CPU in blocks that `vmap_block` sizes.
      'kernel' is `lanes` with each training loop as one GPU kernel; on a CPU
      the kernel is interpreted, for tests.

  Returns:
    The program. Nothing is compiled before it is called.

  Raises:
    ValueError: on an unknown map, and on keys whose draws would depend on the
      size of the chunk.
  """
  if map_name not in MAPS:
    raise ValueError(f'unknown map {map_name!r}: choose from {", ".join(MAPS)}')
  one = jax.eval_shape(lambda xs: jax.tree.map(lambda leaf: leaf[0], xs), xs)
  on_cpu = mesh.devices.flat[0].platform == 'cpu'
  closed, shapes = jax.make_jaxpr(trial, return_shape=True)(one)
  if has_shared_draws(closed.jaxpr):
    raise ValueError(
      'draws by keys of the kinds rbg and unsafe_rbg depend on the chunk size: '
      "make keys by jax.random.key(seed, impl='threefry2x32')"
    )
  tiny = is_tiny(closed.jaxpr)
  block, options = 1, None
  if map_name == 'kernel':
    block = KERNEL_BLOCK
  elif map_name == 'lanes' and on_cpu and tiny:
    block, options = block_size(closed.jaxpr), cpu_compiler_options()
  elif map_name == 'lanes' and on_cpu:
    block = vmap_block(closed.jaxpr)

  def spread(fun: Trial) -> Trial:
    mapped: Trial = jax.vmap(fun)
    if map_name == 'kernel':
      mapped = lanes(fun, kernels='interpreted' if on_cpu else 'compiled')
    elif map_name == 'lanes' and tiny:
      mapped = lanes(fun, block=block if on_cpu else None)
    elif map_name == 'lanes' and on_cpu:
      mapped = functools.partial(in_blocks, jax.vmap(lay_out(fun)), block=block)
    spec = PartitionSpec(RUNS)
    return jax.shard_map(
      mapped, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False
    )

  traced = _as_traced(closed, jax.tree.structure(shapes))
  run = jax.jit(spread(traced), compiler_options=options)
  return ChunkProgram(run, block * mesh.size, spread(trial), options)


def _as_traced(closed: core.ClosedJaxpr, structure: Any) -> Trial:
  """Returns the trial as it was traced, which is not traced again."""
  run = core.jaxpr_as_fun(closed)
  return lambda x: jax.tree.unflatten(structure, run(*jax.tree.leaves(x)))


def vmap_block(jaxpr: core.Jaxpr) -> int:
  """Returns how many runs of a program that is not tiny are vmapped at once.

  As many, in powers of two up to 32, as take a megabyte: fewer of small ones
  cost calls, more of large ones stream their numbers through memory at each
  step. It hangs on the program alone, so that a run has the same bits in any
  chunk.
  """
  block = SMALL_BLOCK
  while block > 1 and block * program_bytes(jaxpr) > VMAP_BLOCK_BYTES:
    block //= 2
  return block


def num_runs(xs: ArrayTree) -> int:
  """Returns the number of runs R of a pytree of arrays [R, ...].

  Raises:
    ValueError: unless all leaves agree on it.
  """
  shapes = [np.shape(leaf) for leaf in jax.tree.leaves(xs)]
  if not shapes or any(not shape for shape in shapes):
    raise ValueError(f'every x needs a leading axis of runs: shapes {shapes}')
  sizes = {shape[0] for shape in shapes}
  if len(sizes) > 1 or sizes == {0}:
    raise ValueError(f'xs must share one number of runs >= 1: {sorted(sizes)}')
  return sizes.pop()


def default_size(mesh: Mesh, run_bytes: int = 0) -> int:
  """Returns a number of runs a chunk that keeps the devices busy.

  On a CPU runs are computed block after block, so a few blocks a core are as
  fast as many: the smallest such chunk gives the liveliest progress. A GPU
  needs a run for each thread that it can hold: multiprocessors times 2048
  (compute capability 8.0 and 9.0), rounded down to a power of two. Other
  devices get 65,536, unmeasured. Of large runs it is as many, in powers of two,
  as take `CHUNK_BYTES`.

  Args:
    mesh: the devices.
    run_bytes: what a run takes, see `run_sizes.run_bytes`; 0 for tiny ones.
  """
  device = mesh.devices.flat[0]
  share = 65_536
  if device.platform == 'cpu':
    share = 4 * BLOCK
  elif device.platform == 'gpu':
    num_threads = THREADS_PER_MULTIPROCESSOR * device.core_count
    share = 2 ** int(math.log2(num_threads))
  while share > 1 and share * mesh.size * run_bytes > CHUNK_BYTES:
    share //= 2
  return share * mesh.size


def padded_size(num_runs: int, chunk_size: int, multiple: int) -> int:
  """Returns how many runs are computed at a time, a multiple of `multiple`.

  A sweep of less than one chunk takes the next power of two, so that a few
  seeds do not cost a full chunk.
  """
  size = min(chunk_size, 2 ** math.ceil(math.log2(max(num_runs, 1))))
  return math.ceil(size / multiple) * multiple
