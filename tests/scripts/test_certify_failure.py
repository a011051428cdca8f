"""Every run of a folder gets a certificate, and others read them."""

import csv

import numpy as np
import pytest
import xarray
import zarr

from scripts.shared import certifying, descending
from tests.scripts import processes
from toyjax.analysis.certificates import Verdict
from toyjax.analysis.lbfgs import End
from toyjax.stored_runs import StoredRuns

SEEDS = 16  # A third of them run away.
DESCENT = (
  *('--max_evaluations=60', '--chunk_size=4', '--num_flows=2'),
  *('--flow_time=100', '--num_paths=2'),
)


def _rows(path):
  with path.open() as file:
    return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'small'
  done = processes.run(
    'optimization_failure',
    *(f'--workdir={path}', '--num_features=8', f'--num_seeds={SEEDS}'),
    *('--num_steps=10000', '--observe_steps=200,10000'),
    '--learning_rate=.01,1e3',
  )
  assert done.returncode == 0, done.stderr
  return path


@pytest.fixture(scope='module')
def certified(workdir):
  done = processes.run(
    'certify_failure',
    f'--workdir={workdir}',
    '--chunk_size=8',
  )
  assert done.returncode == 0, done.stderr
  return workdir / 'certificates', done


def test_every_run_has_a_row_and_a_verdict(certified):
  path, done = certified
  rows = _rows(path / 'certificates.csv')
  assert sum(int(row['count']) for row in rows) == 2 * SEEDS
  assert {row['step'] for row in rows} == {'10000'}
  totals = _rows(path / 'totals.csv')
  assert [row['total'] for row in totals] == [str(SEEDS)] * 2
  for row in totals:
    named = sum(int(row[code.name.lower()]) for code in Verdict)
    assert named == SEEDS
  # At a rate of 1,000 runs are lost, and are counted as that.
  assert int(totals[1]['diverged']) + int(totals[1]['global_minimum']) > 0
  assert 'the catalogue explains' in done.stdout
  unexplained = int(totals[0]['total']) - int(totals[0]['explained'])
  unexplained += int(totals[1]['total']) - int(totals[1]['explained'])
  listed = path / 'unexplained.csv'
  assert (len(_rows(listed)) if listed.exists() else 0) == unexplained


def test_certificates_are_in_the_order_of_the_runs(workdir, certified):
  path, _ = certified
  stored = xarray.open_zarr(workdir / 'results.zarr', group='n8_m2')
  found = xarray.open_zarr(path / certifying.FILENAME, group='n8_m2')
  trained = stored['sse'].values[:, -1]
  diverged = found['verdict'].values == Verdict.DIVERGED
  np.testing.assert_array_equal(diverged, ~np.isfinite(trained))
  np.testing.assert_allclose(
    found['start_sse'].values[~diverged],
    trained[~diverged],
    rtol=1e-3,
    atol=1e-5,
  )
  assert found.attrs['step'] == 10_000


def test_the_same_command_computes_only_what_is_missing(workdir, certified):
  path, _ = certified
  before = (path / 'certificates.csv').read_text()
  group = zarr.open_group(path / certifying.FILENAME, mode='r+')['n8_m2']
  distances = group['distance'][...]
  # As after a kill: the last chunk is half written, and not marked as done.
  group['distance'][-1] = -2.0
  group['completed_runs'][-1] = 0
  first = path / certifying.FILENAME / 'n8_m2' / 'distance' / 'c' / '0'
  written = first.stat().st_mtime_ns
  done = processes.run(
    'certify_failure',
    f'--workdir={workdir}',
    '--chunk_size=8',
  )
  assert done.returncode == 0, done.stderr
  assert first.stat().st_mtime_ns == written
  np.testing.assert_array_equal(group['distance'][...], distances)
  after = (path / 'certificates.csv').read_text()
  assert after.count('\n') == before.count('\n')


def test_the_atlas_shows_certified_classes(workdir, certified):
  done = processes.run(
    'latent_atlas', f'--workdir={workdir}', '--circle_tolerance=.05'
  )
  assert done.returncode == 0, done.stderr
  classes = {row['class'] for row in _rows(workdir / 'atlas' / 'atlas.csv')}
  assert 'global minimum: solved' in classes


@pytest.mark.parametrize(
  ('flag', 'message'),
  [
    ('--step=300', '--step=300 was not observed: choose one of [200, 10000]'),
    ('--workdir=nowhere', 'nowhere holds no results to read'),
    ('--chunk_size=0', 'chunk_size'),
  ],
)
def test_a_wrong_flag_gives_one_clear_line(workdir, flag, message):
  flags = [f'--workdir={workdir}', flag]
  done = processes.run('certify_failure', *flags)
  assert done.returncode != 0
  assert message in done.stderr
  assert 'Traceback' not in done.stderr


def _descend(workdir, *flags):
  return processes.run('descend_runaways', f'--workdir={workdir}', *flags)


@pytest.fixture(scope='module')
def descended(workdir, certified):
  done = _descend(workdir, *DESCENT)
  assert done.returncode == 0, done.stderr
  return workdir / 'descents', done


def test_every_runaway_is_descended_from(certified, descended):
  path, done = descended
  before = StoredRuns(certified[0] / certifying.FILENAME, 'n8_m2')
  (runaways,) = np.nonzero(before.read('verdict') == Verdict.RUNAWAY)
  assert len(runaways) > 0
  found = StoredRuns(path / descending.FILENAME, 'n8_m2')
  np.testing.assert_array_equal(found.read('trained_run'), runaways)
  rows = _rows(path / 'descents.csv')
  assert [row['end'] for row in rows] == [code.name for code in End]
  assert sum(int(row['count']) for row in rows) == len(runaways)
  assert {row['total'] for row in rows} == {str(len(runaways))}
  sse = found.read('sse')
  np.testing.assert_array_equal(found.read('end') == End.SOLVED, sse < 1e-20)
  # No accepted step raises F.
  assert np.all(sse <= before.read('start_sse')[runaways] * (1 + 1e-12))
  assert np.all(found.read('num_evaluations') <= 60)
  flows = _rows(path / 'flows.csv')
  assert [float(row['time']) for row in flows] == [1.0, 10.0, 100.0]
  for row in flows:
    assert row['fallen'] == row['total'] == '2'
  assert (path / 'paths.png').stat().st_size > 10_000
  assert f'L-BFGS from {len(runaways)} runaways of n8_m2' in done.stdout


def test_descents_of_other_settings_are_refused(workdir, descended):
  refused = _descend(workdir, *DESCENT, '--num_pairs=4')
  assert refused.returncode == 1
  assert 'num_pairs' in refused.stderr.splitlines()[-1]
