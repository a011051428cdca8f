"""Import paths of 0.1.0 still work, and lead to the very modules."""

import importlib
import subprocess
import sys

import pytest

from toyjax import moved


@pytest.mark.parametrize('old', sorted(moved.PATHS))
def test_an_old_path_is_the_module(old):
  sys.modules.pop(old, None)
  with pytest.warns(DeprecationWarning, match='since 0.2.0'):
    found = importlib.import_module(old)
  new = moved.PATHS[old]
  assert found is importlib.import_module(new)
  assert found.__name__ == found.__spec__.name == new


def test_both_kinds_of_import_statements_work():
  code = (
    'from toyjax.analysis import walking\n'
    'from toyjax.analysis.chaos import training_map\n'
    'import toyjax.plots.tilt\n'
    'from toyjax.analysis.chaos_endings import Ending\n'
    'from toyjax.plots.outcomes import draw_outcome_shares\n'
    'assert callable(training_map)\n'
  )
  subprocess.run([sys.executable, '-c', code], check=True)


def test_what_is_not_there_is_not_found():
  with pytest.raises(ModuleNotFoundError):
    importlib.import_module('toyjax.analysis.nothing')
