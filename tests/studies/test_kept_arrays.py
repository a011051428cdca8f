"""Arrays in a file of a sweep: theirs, or made again."""

import shutil

import numpy as np
import pytest

from toyjax.studies.changepoint_study import kept_arrays

FOUND = {'location': np.arange(5), 'share': np.linspace(0, 1, 5)}
IDENTITY = {'script': 'study', 'science': {'seed': 0}}


@pytest.fixture
def path(tmp_path):
  path = tmp_path / 'sweeps' / 'eig.npz'
  kept_arrays.save(path, FOUND, IDENTITY)
  return path


def test_what_is_kept_comes_back(path, caplog):
  again = kept_arrays.load(path, FOUND, IDENTITY)
  assert again.keys() == FOUND.keys()
  for name, values in FOUND.items():
    np.testing.assert_array_equal(again[name], values)
  assert not caplog.text
  assert kept_arrays.load(path.with_name('omega.npz'), FOUND, IDENTITY) is None
  assert not caplog.text


@pytest.mark.parametrize(
  'damage',
  [
    lambda path: path.write_bytes(b''),
    lambda path: path.write_bytes(path.read_bytes()[:-20]),
    lambda path: path.write_bytes(
      path.read_bytes().replace(b'location', b'locatiom')
    ),
    lambda path: (path.unlink(), path.mkdir()),
    lambda path: np.savez(path, **FOUND | {'share': np.zeros(4)}),
  ],
)
def test_damage_is_said_and_made_again(path, damage, caplog):
  damage(path)
  assert kept_arrays.load(path, FOUND, IDENTITY) is None
  assert str(path) in caplog.text
  assert 'made again' in caplog.text


def test_files_of_other_sweeps_and_settings_are_not_this(path, caplog):
  other = path.with_name('omega.npz')
  shutil.copy(path, other)
  assert kept_arrays.load(other, FOUND, IDENTITY) is None
  changed = IDENTITY | {'science': {'seed': 1}}
  assert kept_arrays.load(path, FOUND, changed) is None
  assert caplog.text.count('checksum') == 2


def test_files_from_before_are_taken_with_a_word(path, caplog):
  np.savez_compressed(path, **FOUND)
  assert kept_arrays.load(path, FOUND, IDENTITY) is not None
  assert 'before there were checksums' in caplog.text
