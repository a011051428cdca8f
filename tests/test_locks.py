"""The lock files pin what setup.cfg allows, once each."""

import configparser
import pathlib

from packaging.requirements import Requirement
import pytest

ROOT = pathlib.Path(__file__).parents[1]
LOCKS = ('requirements.txt', 'requirements-py312.txt')


def _asked():
  """Returns name -> range of all that the library and its tests ask for."""
  config = configparser.ConfigParser()
  config.read(ROOT / 'setup.cfg', encoding='utf-8')
  lines = (
    config['options']['install_requires']
    + config['options.extras_require']['test']
  )
  asked = [Requirement(line) for line in lines.split('\n') if line]
  return {requirement.name: requirement.specifier for requirement in asked}


def _pinned(lock):
  """Returns name -> version of a lock file, all of whose lines are pins."""
  lines = (ROOT / lock).read_text(encoding='utf-8').splitlines()
  pins = [Requirement(line) for line in lines if line and line[0] != '#']
  pinned = {}
  for pin in pins:
    (version,) = pin.specifier
    assert version.operator == '==', pin
    assert pin.name not in pinned, pin
    pinned[pin.name] = version.version
  return pinned


@pytest.mark.parametrize('lock', LOCKS)
def test_a_lock_holds_all_that_is_asked_for_in_range(lock):
  asked, pinned = _asked(), _pinned(lock)
  assert asked['jax']
  for name, versions in asked.items():
    assert name in pinned, name
    assert versions.contains(pinned[name]), (name, pinned[name])


def test_jax_and_jaxlib_are_of_one_version():
  for lock in LOCKS:
    pinned = _pinned(lock)
    assert pinned['jax'] == pinned['jaxlib']


def test_every_way_to_jax_leaves_out_the_same_versions():
  config = configparser.ConfigParser()
  config.read(ROOT / 'setup.cfg', encoding='utf-8')
  for extra in ('cuda12', 'cuda13', 'tpu'):
    text = config['options.extras_require'][extra].strip()
    assert Requirement(text).specifier == _asked()['jax'], extra
