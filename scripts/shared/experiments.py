"""Flags of every sweep, JAX's settings, clean exits, and the dry run."""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import logging
import math
import os
import pathlib
import sys
import time
from typing import Any, NamedTuple

from absl import flags
import jax
import numpy as np

from scripts.shared.list_flags import define_list, number
from toyjax import chunks, manifest
from toyjax.plots.texts import printable

flags.disclaim_key_flags()

_DRY_RUN_STEPS = 200


def define_sweep_flags(
  *, num_seeds: int, workdir: str, with_dtype: bool = True
) -> None:
  """Defines the flags that every sweep over seeds takes.

  `with_dtype` is False where a script has a --dtype of its own.
  """
  flags.DEFINE_integer(
    'num_seeds',
    num_seeds,
    'Seeds per configuration. A larger number extends an existing --workdir.',
    lower_bound=1,
  )
  flags.DEFINE_integer(
    'seed', 0, 'Seed of the whole sweep: seed index i is fold_in(seed, i).', 0
  )
  flags.DEFINE_bool(
    'from_store',
    False,
    'Label, tabulate and draw the runs in --workdir again, without training.',
  )
  define_machine_flags(workdir=workdir, with_dtype=with_dtype)


def define_observed(name: str, default: Sequence[int], *, least: int) -> None:
  """Defines observe_steps or observe_epochs, read by `observed`."""
  unit = name.removeprefix('observe_')
  define_list(
    name,
    default,
    number(int, least),
    f'Increasing {unit} after which runs are labelled and stored; those past '
    f'--num_{unit} are an error, unless this flag is left alone.',
  )


def observed(name: str, num_steps: int) -> list[int]:
  """Returns what the flag lists; left alone, those before the end and the end.

  Args:
    name: observe_steps or observe_epochs.
    num_steps: steps or epochs of a run.

  Raises:
    flags.Error: where they do not increase or lie past the end.
  """
  flag, unit = flags.FLAGS[name], name.removeprefix('observe_')
  steps: list[int] = list(flag.value or ())
  if flag.using_default_value:
    return [*(step for step in steps if step < num_steps), num_steps]
  if steps != sorted(steps):
    raise flags.Error(f'--{name} must increase: {steps}')
  if steps[-1] > num_steps:
    raise flags.Error(
      f'--{name}={steps[-1]} lies past the end, --num_{unit}={num_steps}'
    )
  return steps


def define_machine_flags(*, workdir: str, with_dtype: bool = True) -> None:
  """Defines the flags that every sweep takes, over seeds or not."""
  flags.DEFINE_integer(
    'chunk_size',
    0,
    'Runs computed and stored at a time. Less memory and a livelier progress '
    'bar against speed; 0 takes what --workdir has, or suits the device.',
    lower_bound=0,
  )
  flags.DEFINE_enum(
    'map',
    'lanes',
    chunks.MAPS,
    'How a device maps the run over seeds: lanes is made for tiny programs; '
    'results differ in last bits.',
  )
  flags.DEFINE_string(
    'workdir',
    workdir,
    'Folder for results. The same command on the same folder resumes.',
  )
  flags.DEFINE_integer(
    'num_devices',
    0,
    'Host (CPU) devices the runs are spread over; 0 means one for each core.',
    lower_bound=0,
  )
  if with_dtype:
    flags.DEFINE_enum(
      'dtype', 'float32', ['float32', 'float64'], 'Precision of the training.'
    )
  flags.DEFINE_bool(
    'dry_run', False, 'Only say what time, memory and disk it will take.'
  )


def setup_jax(*, num_devices: int, dtype: str) -> None:
  """Fixes all of JAX's settings that results may depend on.

  To be called before any array is made.
  """
  # JAX reports each accelerator that it looks for and does not find.
  logging.getLogger('jax').setLevel(logging.WARNING)
  jax.config.update('jax_num_cpu_devices', num_devices or _num_cores())
  jax.config.update('jax_enable_x64', dtype == 'float64')
  jax.config.update('jax_default_matmul_precision', 'highest')  # No TF32.
  jax.config.update('jax_default_prng_impl', 'threefry2x32')
  jax.config.update('jax_threefry_partitionable', True)


def environment() -> dict[str, Any]:
  """Returns all that a result may depend on beside its flags."""
  settings = (
    'jax_enable_x64',
    'jax_default_matmul_precision',
    'jax_default_prng_impl',
    'jax_threefry_partitionable',
  )
  return {
    **manifest.environment(),
    **{name: str(getattr(jax.config, name)) for name in settings},
  }


def _num_cores() -> int:
  """Returns the number of cores that this process may use."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1


@contextlib.contextmanager
def one_line_errors(script: str) -> Iterator[None]:
  """Turns foreseeable ends into one line on stderr and an exit status."""
  try:
    yield
  except (manifest.WorkdirError, flags.Error) as error:
    sys.exit(printable(f'{script}: {error}'))
  except OSError as error:
    message = f'{script}: {error}; finished chunks are kept, run it again'
    sys.exit(printable(message))
  except KeyboardInterrupt:
    print(
      f'\n{script}: stopped; the same command resumes where it was',
      file=sys.stderr,
      flush=True,
    )
    # The chunk in flight would hold up a normal exit, and is lost anyway.
    os._exit(130)


def find_chunk_size(chunk_size: int, path: pathlib.Path) -> int:
  """Returns --chunk_size, or for 0 the folder's own or one for the devices."""
  if chunk_size:
    return chunk_size
  stored = (manifest.read(path) or {}).get('layout', {}).get('chunk_size')
  return stored or chunks.default_size(chunks.local_mesh())


class Estimate(NamedTuple):
  """What a sweep will take.

  Attributes:
    num_runs: number of runs.
    steps_per_second: measured rate of a short sweep.
    elapsed_seconds: predicted time, compilation included.
    memory_bytes: predicted peak of arrays in memory.
    disk_bytes: results before compression.
  """

  num_runs: int
  steps_per_second: float
  elapsed_seconds: float
  memory_bytes: int
  disk_bytes: int


def estimate(
  make_trial: Callable[[int], chunks.Trial],
  xs: Any,
  *,
  num_steps: int,
  chunk_size: int,
  map_name: str,
) -> Estimate:
  """Predicts time, memory and disk from a chunk of a few steps.

  Args:
    make_trial: number of steps -> trial.
    xs: the runs of the sweep.
    num_steps: steps of the real trial.
    chunk_size: runs per chunk.
    map_name: see `chunks.compile_chunk`.
  """
  mesh = chunks.local_mesh()
  leaves = jax.tree.leaves(xs)
  num_runs = leaves[0].shape[0]
  few_steps = min(_DRY_RUN_STEPS, num_steps)
  start = time.monotonic()
  program = chunks.compile_chunk(make_trial(few_steps), xs, mesh, map_name)
  size = chunks.padded_size(num_runs, chunk_size, program.multiple)
  chunk = jax.tree.map(lambda leaf: leaf[np.arange(size) % num_runs], xs)

  compiled = program.run.lower(chunk).compile()
  compile_seconds = time.monotonic() - start
  jax.block_until_ready(compiled(chunk))
  start = time.monotonic()
  jax.block_until_ready(compiled(chunk))
  step_seconds = (time.monotonic() - start) / few_steps

  result = jax.eval_shape(
    make_trial(num_steps), jax.tree.map(lambda a: a[0], xs)
  )
  run_bytes = sum(
    math.prod(leaf.shape) * leaf.dtype.itemsize
    for leaf in jax.tree.leaves(result)
  )
  usage = compiled.memory_analysis()
  chunk_bytes = (
    usage.temp_size_in_bytes + usage.output_size_in_bytes if usage else 0
  )
  num_chunks = math.ceil(num_runs / chunk_size)
  return Estimate(
    num_runs=num_runs,
    steps_per_second=size / step_seconds,
    elapsed_seconds=compile_seconds + num_chunks * num_steps * step_seconds,
    memory_bytes=2 * chunk_bytes + sum(leaf.nbytes for leaf in leaves),
    disk_bytes=num_runs * run_bytes,
  )
