"""Flags of every sweep, JAX's settings, clean exits, and the dry run."""

from collections.abc import Callable, Iterator, Sequence
import contextlib
import logging
import os
import pathlib
import sys
from typing import Any

from absl import flags
import jax
import jaxlib

from scripts.shared import interruptions, remarks
from scripts.shared.list_flags import define_list, number
from scripts.shared.number_flags import (
  define_integer,
  define_num_devices,
  define_seed,
)
from scripts.shared.path_flags import define_path
from toyjax import chunks, manifest
from toyjax.checks import StoreError
from toyjax.plots import style
from toyjax.plots.texts import printable

flags.disclaim_key_flags()

_LOGGER = logging.getLogger('toyjax.scripts')
# Products of many rows with a matrix, summed: some rows are wrong (jax#39103).
WRONG_ON_CPUS = '0.10.2'


def define_sweep_flags(
  *, num_seeds: int, workdir: str, with_dtype: bool = True
) -> None:
  """Defines the flags that every sweep over seeds takes.

  `with_dtype` is False where a script has a --dtype of its own.
  """
  define_integer(
    'num_seeds',
    num_seeds,
    'Seeds per configuration. A larger number extends an existing --workdir.',
    lower=1,
  )
  define_seed('Seed of the whole sweep: seed index i is fold_in(seed, i).')
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
  define_integer(
    'chunk_size',
    0,
    'Runs computed and stored at a time. Less memory and a livelier progress '
    'bar against speed; 0 takes what --workdir has, or suits the device.',
    lower=0,
  )
  flags.DEFINE_enum(
    'map',
    'lanes',
    chunks.MAPS,
    'How a device maps the run over seeds: lanes is made for tiny programs; '
    'results differ in last bits.',
  )
  define_path(
    'workdir',
    workdir,
    'Folder for results. The same command on the same folder resumes.',
  )
  define_num_devices(
    'Host (CPU) devices the runs are spread over; 0 means one for each core.'
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

  Raises:
    flags.Error: where there is no device of the kind that the environment asks
      for.
  """
  # JAX reports each accelerator that it looks for and does not find.
  logging.getLogger('jax').setLevel(logging.WARNING)
  jax.config.update('jax_num_cpu_devices', num_devices or _num_cores())
  jax.config.update('jax_enable_x64', dtype == 'float64')
  jax.config.update('jax_default_matmul_precision', 'highest')  # No TF32.
  jax.config.update('jax_default_prng_impl', 'threefry2x32')
  jax.config.update('jax_threefry_partitionable', True)
  # Set in a shell to look for errors elsewhere, these move seeds, or end runs
  # that may diverge, promote or copy numbers.
  jax.config.update('jax_random_seed_offset', 0)
  jax.config.update('jax_disable_jit', False)
  jax.config.update('jax_debug_nans', False)
  jax.config.update('jax_debug_infs', False)
  jax.config.update('jax_numpy_dtype_promotion', 'standard')
  jax.config.update('jax_numpy_rank_promotion', 'allow')
  jax.config.update('jax_transfer_guard', 'allow')
  require_devices()
  if jax.default_backend() == 'cpu' and jaxlib.__version__ == WRONG_ON_CPUS:
    _LOGGER.warning(
      'JAX %s computes some sums wrong on CPUs (jax#39103); install another, '
      'such as pip install jax==0.10.1',
      WRONG_ON_CPUS,
    )


def require_devices() -> None:
  """Says in one line that there is no device of the kind asked for.

  Raises:
    flags.Error: naming what the environment asks for.
  """
  try:
    jax.devices()
  except (RuntimeError, AssertionError) as error:
    # JAX says nothing where a plugin is missing.
    reason = str(error).split('\n')[0] or 'no such device is here'
    asked = os.environ.get('JAX_PLATFORMS', '')
    raise flags.Error(
      f'JAX_PLATFORMS={asked}: {reason}; leave it out, or set it to cpu'
    ) from None


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
  """Turns foreseeable ends into one line on stderr and an exit status.

  Figures within have the house's style.
  """
  try:
    with (
      interruptions.raised(),
      remarks.shown(script),
      style.house_style(),
    ):
      yield
  except (manifest.WorkdirError, StoreError, flags.Error) as error:
    sys.exit(printable(f'{script}: {error}'))
  except OSError as error:
    message = f'{script}: {error}; finished chunks are kept, run it again'
    sys.exit(printable(message))
  except (MemoryError, jax.errors.JaxRuntimeError) as error:
    is_of_memory = isinstance(error, MemoryError)
    if not is_of_memory and 'RESOURCE_EXHAUSTED' not in str(error):
      raise
    sys.exit(
      f'{script}: out of memory; a smaller --chunk_size or a smaller problem '
      'takes less; finished chunks are kept'
    )
  except KeyboardInterrupt as error:
    print(
      f'\n{script}: stopped; the same command resumes where it was',
      file=sys.stderr,
      flush=True,
    )
    # The chunk in flight would hold up a normal exit, and is lost anyway.
    os._exit(getattr(error, 'status', 130))


def find_num_devices(num_devices: int, path: pathlib.Path) -> int:
  """Returns --num_devices, or for 0 the folder's own or the number of cores."""
  if num_devices:
    return num_devices
  stored = (manifest.read(path) or {}).get('layout', {}).get('num_devices')
  return stored or _num_cores()


def find_chunk_size(
  chunk_size: int, path: pathlib.Path, run_bytes: Callable[[], int] = int
) -> int:
  """Returns --chunk_size, or for 0 the folder's own or one for the devices.

  Args:
    chunk_size: the flag.
    path: the folder.
    run_bytes: returns what the largest run takes; 0 for tiny ones.
  """
  if chunk_size:
    return chunk_size
  stored = (manifest.read(path) or {}).get('layout', {}).get('chunk_size')
  return stored or chunks.default_size(chunks.local_mesh(), run_bytes())
