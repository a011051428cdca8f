"""Every run of a folder gets a certificate, and the atlas reads them."""

import csv

import numpy as np
import pytest
import xarray
import zarr

from scripts.shared import certifying
from tests.compiler import ENVIRONMENT
from tests.scripts import processes
from toyjax.analysis.certificates import Verdict

SEEDS = 12


def _rows(path):
  with path.open() as file:
    return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'small'
  done = processes.run(
    'optimization_failure',
    *(f'--workdir={path}', '--num_features=4', f'--num_seeds={SEEDS}'),
    *('--num_steps=400', '--observe_steps=200,400', '--learning_rate=.01,1e3'),
  )
  assert done.returncode == 0, done.stderr
  return path


@pytest.fixture(scope='module')
def certified(workdir):
  done = processes.run(
    'certify_failure', f'--workdir={workdir}', '--chunk_size=8', env=ENVIRONMENT
  )
  assert done.returncode == 0, done.stderr
  return workdir / 'certificates', done


def test_every_run_has_a_row_and_a_verdict(certified):
  path, done = certified
  rows = _rows(path / 'certificates.csv')
  assert sum(int(row['count']) for row in rows) == 2 * SEEDS
  assert {row['step'] for row in rows} == {'400'}
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
  stored = xarray.open_zarr(workdir / 'results.zarr', group='n4_m2')
  found = xarray.open_zarr(path / certifying.FILENAME, group='n4_m2')
  trained = stored['sse'].values[:, -1]
  diverged = found['verdict'].values == Verdict.DIVERGED
  np.testing.assert_array_equal(diverged, ~np.isfinite(trained))
  np.testing.assert_allclose(
    found['start_sse'].values[~diverged],
    trained[~diverged],
    rtol=1e-3,
    atol=1e-5,
  )
  assert found.attrs['step'] == 400


def test_the_same_command_computes_only_what_is_missing(workdir, certified):
  path, _ = certified
  before = (path / 'certificates.csv').read_text()
  group = zarr.open_group(path / certifying.FILENAME, mode='r+')['n4_m2']
  distances = group['distance'][...]
  # As after a kill: the last chunk is half written, and not marked as done.
  group['distance'][-1] = -2.0
  group['completed_runs'][-1] = 0
  first = path / certifying.FILENAME / 'n4_m2' / 'distance' / 'c' / '0'
  written = first.stat().st_mtime_ns
  done = processes.run(
    'certify_failure', f'--workdir={workdir}', '--chunk_size=8', env=ENVIRONMENT
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
    ('--step=300', '--step=300 was not observed: choose one of [200, 400]'),
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
