"""The machine under a script: JAX, its devices, the size of chunks."""

from collections.abc import Callable
import logging
import os
import pathlib
from typing import Any

import jax
import jaxlib

from toyjax import chunks, manifest
from toyjax.parsers import SettingError
from toyjax.processors import num_cores

_LOGGER = logging.getLogger('toyjax.command')
# Products of many rows with a matrix, summed: some rows are wrong (jax#39103).
WRONG_ON_CPUS = '0.10.2'


def setup_jax(*, num_devices: int, dtype: str) -> None:
  """Fixes all of JAX's settings that results may depend on.

  To be called before any array is made.

  Raises:
    SettingError: where there is no device of the kind that the environment asks
      for.
  """
  # JAX reports each accelerator that it looks for and does not find.
  logging.getLogger('jax').setLevel(logging.WARNING)
  jax.config.update('jax_num_cpu_devices', num_devices or num_cores())
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
    SettingError: naming what the environment asks for.
  """
  try:
    jax.devices()
  except (RuntimeError, AssertionError) as error:
    # JAX says nothing where a plugin is missing.
    reason = str(error).split('\n')[0] or 'no such device is here'
    asked = os.environ.get('JAX_PLATFORMS', '')
    raise SettingError(
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
