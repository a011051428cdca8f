"""Runs that no machine can hold end in a line, before anything is made."""

import itertools
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest

from tests.scripts import processes
from toyjax import manifest, memory
from toyjax.command import errors, estimates, machine
from toyjax.parsers import SettingError

HUGE = 2**31 - 1


def _steps(number):
  def trial(x):
    return jax.lax.fori_loop(0, number, lambda i, v: v * 0.5, x['rate'])

  return trial


def test_an_estimate_of_more_runs_than_memory_is_one_line():
  few = {'rate': np.ones(4, np.float32)}
  with pytest.raises(SettingError, match=r'2,147,483,647,000 runs.* GiB of'):
    estimates.estimate(
      _steps,
      few,
      num_runs=HUGE * 1000,
      num_steps=10,
      chunk_size=HUGE,
      map_name='vmap',
    )


def test_an_estimate_makes_no_chunk_of_the_size_asked_for(monkeypatch):
  monkeypatch.setattr(memory, 'of_machine', lambda: 2**60)
  few = {'rate': np.ones(4, np.float32)}
  cost = estimates.estimate(
    _steps, few, num_runs=HUGE, num_steps=10, chunk_size=HUGE, map_name='vmap'
  )
  assert cost.num_runs == HUGE
  assert cost.disk_bytes == 4 * HUGE
  # The rates of all runs, and results of two chunks, on all devices.
  assert cost.memory_bytes >= 3 * 4 * HUGE
  assert cost.elapsed_seconds > 0.0


def test_an_estimate_is_the_time_of_all_chunks_at_all_steps(monkeypatch):
  clock = itertools.count()  # A second between any two looks at it.
  looked = SimpleNamespace(monotonic=lambda: float(next(clock)))
  monkeypatch.setattr(estimates, 'time', looked)

  def estimate(num_runs, num_steps):
    few = {'rate': np.ones(4, np.float32)}
    return estimates.estimate(
      *(_steps, few), num_runs=num_runs, num_steps=num_steps,
      chunk_size=2**20, map_name='vmap',
    )  # fmt: skip

  for num_chunks, num_runs, num_steps in (
    (4, 2**22, 1000),
    (2, 2**20 + 1, 1000),
    (1, 2**12, 100),
  ):
    cost = estimate(num_runs, num_steps)
    # A second to compile, one for 200 steps, or for all if they are fewer.
    chunk = min(num_runs, 2**20)
    assert cost.steps_per_second > chunk * 0.01
    step_seconds = chunk / cost.steps_per_second
    assert cost.elapsed_seconds == 1.0 + num_chunks * num_steps * step_seconds


def test_a_loop_that_carries_more_than_there_is_has_no_room():
  def trial(x):
    wide = jnp.zeros((100_000, 100_000)) + x
    return jax.lax.fori_loop(0, 3, lambda i, v: v * 0.5, wide).sum()

  with pytest.raises(SettingError, match=r'64 runs, a chunk, take 1,192 GiB'):
    memory.shapes_of(trial, jnp.float32(0), num_runs=64, chunk_size=512)
  small = memory.shapes_of(_steps(3), {'rate': jnp.float32(0)}, num_runs=1,
                           chunk_size=1)  # fmt: skip
  assert small.shape == ()


@pytest.mark.parametrize(
  ('script', 'line'),
  [
    ('sqrt_failure --num_seeds=2147483647 --dry_run', 'runs'),
    ('text_failure --num_seeds=4 --hidden_dim=65536 --embed_dim=65536', 'GiB'),
    ('walk_text --hidden_dim=65536 --embed_dim=65536', 'GiB'),
    ('failure_survival --num_seeds=2147483647', 'runs'),
    ('chaos_map --size=46340', 'runs'),
    ('changepoint_replay --num_repeats=2147483647', 'runs'),
  ],
)
def test_scripts_say_so_and_claim_no_folder(tmp_path, script, line):
  name, *given = script.split()
  done = processes.run(name, *given, f'--workdir={tmp_path / "no"}')
  assert done.returncode == 1
  assert len(done.stderr.strip().splitlines()) == 1, done.stderr
  (said,) = done.stderr.strip().split('\n')
  assert said.startswith(f'{name}: ')
  assert line in said
  assert not (tmp_path / 'no').exists()


def test_running_out_of_memory_is_one_line():
  for error in (
    MemoryError(),
    jax.errors.JaxRuntimeError('RESOURCE_EXHAUSTED: Out of memory'),
  ):
    with (
      pytest.raises(SystemExit, match='try: out of memory'),
      errors.one_line_errors('try'),
    ):
      raise error
  with (
    pytest.raises(jax.errors.JaxRuntimeError, match='INTERNAL'),
    errors.one_line_errors('try'),
  ):
    raise jax.errors.JaxRuntimeError('INTERNAL: a fault of ours')


def test_figures_of_scripts_have_the_houses_style():
  with matplotlib.rc_context({'text.usetex': True}):
    with errors.one_line_errors('try'):
      assert not matplotlib.rcParams['text.usetex']
    assert matplotlib.rcParams['text.usetex']


@pytest.mark.parametrize(
  ('error', 'reason'),
  [
    (AssertionError(), 'no such device is here'),
    (RuntimeError("Unable to initialize backend 'tpu'\nand more"), 'backend'),
  ],
)
def test_a_device_that_is_not_there_is_one_line(monkeypatch, error, reason):
  def find():
    raise error

  monkeypatch.setattr(jax, 'devices', find)
  monkeypatch.setenv('JAX_PLATFORMS', 'cuda')
  with (
    pytest.raises(SystemExit, match='try: JAX_PLATFORMS=cuda: ') as found,
    errors.one_line_errors('try'),
  ):
    machine.require_devices()
  assert reason in str(found.value)
  assert '\n' not in str(found.value)


def test_a_manifest_is_json_or_nothing(tmp_path):
  parts = {'extent': {}, 'layout': {}, 'environment': {}, 'script': 'try'}
  with pytest.raises(ValueError, match='JSON'):
    manifest.Workdir(tmp_path, science={'rate': float('nan')}, **parts)
  with manifest.Workdir(tmp_path / 'a', science={}, **parts) as workdir:
    before = (workdir.path / manifest.FILENAME).read_bytes()
    with pytest.raises(ValueError, match='JSON'):
      workdir.note(loss=float('inf'))
    assert (workdir.path / manifest.FILENAME).read_bytes() == before
