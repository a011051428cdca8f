"""Settings of all tests: devices, code, no silent broadcasting of ranks."""

import gc
import os
import pathlib

import jax
from jax.experimental.compilation_cache import compilation_cache
import pytest

from tests import compiler

NUM_DEVICES = int(os.environ.get('TOYJAX_TEST_DEVICES', '2'))

compiler.set_up()
# Tests leave nothing in a user's folders, and find nothing there.
os.environ['TOYJAX_CACHE'] = ''
# Tracing makes many objects that stay: looking for garbage among them as often
# as by default takes 7 % of the time.
gc.set_threshold(100_000, 50, 50)
jax.config.update('jax_num_cpu_devices', NUM_DEVICES)
jax.config.update('jax_numpy_rank_promotion', 'raise')

MOST_MEMORY = 1.5 * 2**30


@pytest.fixture(scope='module', autouse=True)
def _programs_do_not_pile_up():
  """Frees what was compiled where it is much: all of it takes 4 GiB a process.

  Not after each module, since most use the same small programs.
  """
  yield
  statm = pathlib.Path('/proc/self/statm')  # Of Linux.
  if statm.exists():
    num_pages = int(statm.read_text(encoding='utf-8').split()[1])
    if num_pages * os.sysconf('SC_PAGE_SIZE') > MOST_MEMORY:
      jax.clear_caches()


@pytest.fixture
def float64():
  """Has a test compute in double precision."""
  with jax.enable_x64(True):
    yield


@pytest.fixture(scope='module')
def compiled_once(tmp_path_factory):
  """Takes programs that a module compiles over and over from the disk.

  That a second compilation has the same bits is shown by the main job, which
  is killed and resumed.
  """
  settings = {
    'jax_compilation_cache_dir': str(tmp_path_factory.mktemp('compiled')),
    'jax_persistent_cache_min_compile_time_secs': 0.0,
  }
  before = {name: getattr(jax.config, name) for name in settings}
  for name, value in settings.items():
    jax.config.update(name, value)
  compilation_cache.reset_cache()
  yield
  for name, value in before.items():
    jax.config.update(name, value)
  compilation_cache.reset_cache()
