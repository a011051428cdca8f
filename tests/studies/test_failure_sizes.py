"""Failure rates of several sizes, and the ratio of those of two."""

import logging
import shutil

import pytest

from tests.studies import tasks
from toyjax import statistics
from toyjax.manifest import WorkdirError
from toyjax.parsers import SettingError
from toyjax.studies import failure_sizes, optimization_failure

STUDY = failure_sizes.STUDY


workdir = tasks.trained(
  8,
  num_features=4,
  num_hidden=[2, 3],
  num_steps=40,
  observe_steps=[20, 40],
  learning_rate=0.05,
)


def test_two_hidden_dimensions_are_compared(workdir):
  report = tasks.perform(STUDY, workdir=str(workdir), show_steps=[40, 90])
  failed = {
    (row['num_hidden'], row['step']): row['failed']
    for row in report.table('sizes').rows
  }
  assert list(failed) == [(2, 20), (2, 40), (3, 20), (3, 40)]
  ratios = report.table('ratios')
  for row in ratios.rows:
    counts = failed[2, row['step']], 8, failed[3, row['step']], 8
    assert row['ratio'] == statistics.ratio(*counts)
  assert [row['step'] for row in ratios.rows] == [20, 40]
  assert len(ratios.body().splitlines()) == 3  # What is shown is one step.
  assert report.notes == {'compared': [2, 3], 'shown': [40]}
  assert report.sheet('sizes').figure().axes


def test_a_size_without_runs_is_left_out_and_said_to_be(
  workdir, tmp_path, caplog
):
  fewer = shutil.copytree(workdir, tmp_path / 'fewer')
  for name in ('n4_m3', 'n4_m2'):
    shutil.rmtree(fewer / 'results.zarr' / name)
    with caplog.at_level(logging.WARNING):
      if name == 'n4_m3':
        report = tasks.perform(STUDY, workdir=str(fewer))
        rows = report.table('sizes').rows
        assert {row['num_hidden'] for row in rows} == {2}
        assert not report.table('ratios').rows
      else:
        with pytest.raises(WorkdirError, match='no finished run yet'):
          tasks.prepare(STUDY, workdir=str(fewer))
    assert f'no run of {name} is there' in caplog.text


def test_what_does_not_fit_is_named(workdir, tmp_path):
  with pytest.raises(SettingError, match='--compare takes two values of m'):
    tasks.prepare(STUDY, workdir=str(workdir), compare=[2, 3, 4])
  tasks.train(
    tmp_path / 'rates',
    optimization_failure.STUDY,
    2,
    num_features=3,
    num_steps=2,
    learning_rate=[0.1, 0.2],
  )
  with pytest.raises(WorkdirError, match='also swept over --learning_rate'):
    tasks.prepare(STUDY, workdir=str(tmp_path / 'rates'))
