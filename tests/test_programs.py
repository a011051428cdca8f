"""Compiled programs are kept for the next start, for this processor alone."""

import jax
import jax.numpy as jnp
import pytest

from tests.scripts import processes
from toyjax import processors
from toyjax.command import programs


def _compile(cache, own, path):
  programs.os.environ['TOYJAX_CACHE'] = cache
  if own:
    jax.config.update('jax_compilation_cache_dir', own)
  programs.keep()
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.0)
  jax.config.update('jax_raise_persistent_cache_errors', True)
  jax.jit(lambda x: jnp.sin(x).sum())(jnp.arange(7.0)).block_until_ready()
  path.write_text(str(jax.config.jax_compilation_cache_dir))


def _folder_of(tmp_path, cache, own=''):
  path = tmp_path / 'found'
  process = processes.forks.Process(
    target=_compile, args=(str(cache), str(own), path)
  )
  process.start()
  process.join(processes.TIMEOUT)
  assert process.exitcode == 0
  return path.read_text()


def test_programs_are_kept_once(tmp_path):
  cache = tmp_path / 'cache'
  found = _folder_of(tmp_path, cache)
  kept = cache / 'programs' / processors.code()
  assert found == str(kept)
  names = {path.name for path in kept.glob('*-cache')}
  assert names
  _folder_of(tmp_path, cache)
  assert {path.name for path in kept.glob('*-cache')} == names


def test_nothing_is_kept_where_nothing_can_be_or_shall_be(tmp_path):
  (tmp_path / 'file').touch()
  assert _folder_of(tmp_path, tmp_path / 'file') == 'None'
  assert _folder_of(tmp_path, '') == 'None'
  own = tmp_path / 'own'
  assert _folder_of(tmp_path, tmp_path / 'cache', own) == str(own)
  assert not (tmp_path / 'cache').exists()


def test_processors_that_offer_something_else_have_another_name(monkeypatch):
  name = processors.code()
  assert processors.code() == name
  assert len(name) == 12
  monkeypatch.setattr(processors, '_features', lambda: {'avx512_of_tomorrow'})
  assert processors.code() != name


@pytest.mark.parametrize('home', ['/cache', ''])
def test_the_folder_is_the_user_s(monkeypatch, home):
  monkeypatch.delenv('TOYJAX_CACHE')
  monkeypatch.setenv('XDG_CACHE_HOME', home)
  monkeypatch.setenv('HOME', '/home/me')
  root = home or '/home/me/.cache'
  assert programs.folder().as_posix().startswith(f'{root}/toyjax/programs/')
