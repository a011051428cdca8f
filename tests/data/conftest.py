"""Fixtures of the tests of data."""

import shutil

import pytest

from tests.data.rollout_folders import FOLDER


@pytest.fixture
def copy(tmp_path):
  folder = tmp_path / 'incorrect_base_solution' / 'problem_7'
  shutil.copytree(FOLDER, folder)
  return folder
