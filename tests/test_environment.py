"""The tests run with what they were told to run with."""

import os

import jax
import pytest

from tests import compiler
from tests.scripts import processes
from toyjax.command import machine


def test_there_are_as_many_devices_as_asked_for():
  assert jax.local_device_count() == int(
    os.environ.get('TOYJAX_TEST_DEVICES', '2')
  )


@pytest.mark.parametrize('code', compiler.CODES)
def test_haste_is_added_once_to_what_the_compiler_was_told(monkeypatch, code):
  asked = ['--xla_cpu_max_isa=AVX', '--xla_cpu_enable_fast_math=false']
  monkeypatch.setenv('XLA_FLAGS', ' '.join(asked))
  monkeypatch.setenv('TOYJAX_TEST_CODE', code)
  for _ in range(2):  # Processes of tests start with what these were told.
    compiler.set_up()
  flags = os.environ['XLA_FLAGS'].split()
  assert flags == asked + list(compiler.HASTE) * (code == 'hasty')
  assert compiler.flags_of_users() == asked


def test_another_code_is_refused(monkeypatch):
  monkeypatch.setenv('TOYJAX_TEST_CODE', 'fast')
  with pytest.raises(ValueError, match='fast'):
    compiler.set_up()


def test_the_code_of_these_tests_is_what_was_asked_for():
  is_hasty = os.environ.get('TOYJAX_TEST_CODE', 'hasty') == 'hasty'
  told = os.environ['XLA_FLAGS'].split()
  assert set(compiler.HASTE).issubset(told) == is_hasty


# Set in a shell, each would move seeds, end runs or change numbers.
OF_USERS = {
  'jax_enable_x64': True,
  'jax_default_matmul_precision': 'bfloat16',
  'jax_default_prng_impl': 'rbg',
  'jax_threefry_partitionable': False,
  'jax_random_seed_offset': 7,
  'jax_disable_jit': True,
  'jax_debug_nans': True,
  'jax_debug_infs': True,
  'jax_numpy_dtype_promotion': 'strict',
  'jax_numpy_rank_promotion': 'raise',
  'jax_transfer_guard': 'disallow',
}


def _set_up_over(settings, path):
  for name, value in settings.items():
    jax.config.update(name, value)
  machine.setup_jax(num_devices=1, dtype='float32')
  kept = [n for n, value in settings.items() if getattr(jax.config, n) == value]
  path.write_text(f'devices {jax.local_device_count()}, kept {kept}')


def test_nothing_that_results_depend_on_is_left_to_a_users_settings(tmp_path):
  path = tmp_path / 'found'
  process = processes.forks.Process(target=_set_up_over, args=(OF_USERS, path))
  process.start()
  process.join(processes.TIMEOUT)
  assert path.read_text() == 'devices 1, kept []'


@pytest.mark.parametrize('version', ['0.10.1', machine.WRONG_ON_CPUS])
def test_a_jax_that_computes_wrong_values_is_named(
  monkeypatch, caplog, version
):
  monkeypatch.setattr(machine.jaxlib, '__version__', version)
  monkeypatch.setattr(jax.config, 'update', lambda name, value: None)
  machine.setup_jax(num_devices=1, dtype='float32')
  assert caplog.text.count('jax#39103') == (version == '0.10.2')
