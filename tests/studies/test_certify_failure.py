"""Every run of a folder gets a certificate, and others read them."""

import numpy as np
import pytest
import zarr

from tests.studies import tasks
from toyjax.analysis.autoencoder.certificates import Verdict
from toyjax.analysis.autoencoder.lbfgs import End
from toyjax.manifest import WorkdirError
from toyjax.parsers import SettingError
from toyjax.stored_runs import StoredRuns
from toyjax.studies import (
  certify_failure,
  descend_runaways,
  latent_atlas,
)
from toyjax.studies.certify_failure.certifying import CERTIFICATES

SEEDS = 16  # A third of them run away.


workdir = tasks.trained(
  SEEDS,
  num_features=8,
  num_steps=10_000,
  observe_steps=[200, 10_000],
  learning_rate=[0.01, 1e3],
)


def _certify(workdir):
  return tasks.perform(
    certify_failure.STUDY, workdir=str(workdir), chunk_size=8
  )


@pytest.fixture(scope='module')
def certified(workdir):
  return _certify(workdir)


def test_every_run_has_a_row_and_a_verdict(certified):
  rows = certified.table('certificates').records()
  assert sum(row['count'] for row in rows) == 2 * SEEDS
  assert {row['step'] for row in rows} == {10_000}
  totals = certified.table('totals').rows
  assert [row['total'] for row in totals] == [SEEDS] * 2
  for row in totals:
    assert sum(row[code.name.lower()] for code in Verdict) == SEEDS
  # At a rate of 1,000 runs are lost, and are counted as that.
  assert totals[1]['diverged'] + totals[1]['global_minimum'] > 0
  said = certified.parts[1].split('\n\n')
  assert all('the catalogue explains' in line for line in said)
  unexplained = sum(row['total'] - row['explained'] for row in totals)
  assert len(certified.table('unexplained').rows) == unexplained


def test_certificates_are_in_the_order_of_the_runs(workdir, certified):
  trained = StoredRuns(workdir / 'results.zarr', 'n8_m2').read('sse')[:, -1]
  found = StoredRuns(workdir / CERTIFICATES, 'n8_m2')
  diverged = found.read('verdict') == Verdict.DIVERGED
  np.testing.assert_array_equal(diverged, ~np.isfinite(trained))
  np.testing.assert_allclose(
    found.read('start_sse')[~diverged],
    trained[~diverged],
    rtol=1e-3,
    atol=1e-5,
  )
  assert found.attrs['step'] == 10_000


def test_the_same_command_computes_only_what_is_missing(workdir, certified):
  group = zarr.open_group(workdir / CERTIFICATES, mode='r+')['n8_m2']
  distances = group['distance'][...]
  # As after a kill: the last chunk is half written, and not marked as done.
  group['distance'][-1] = -2.0
  group['completed_runs'][-1] = 0
  first = workdir / CERTIFICATES / 'n8_m2' / 'distance' / 'c' / '0'
  written = first.stat().st_mtime_ns
  again = _certify(workdir).table('certificates')
  assert first.stat().st_mtime_ns == written
  np.testing.assert_array_equal(group['distance'][...], distances)
  assert again.body() == certified.table('certificates').body()


def test_the_atlas_shows_certified_classes(workdir, certified):
  report = tasks.perform(latent_atlas.STUDY, workdir=str(workdir))
  classes = {row['class'] for row in report.table('atlas').rows}
  assert 'global minimum: solved' in classes


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'step': 300}, r'--step=300 was not observed: choose one of \[200, 10000'),
    ({'workdir': 'nowhere'}, 'nowhere holds no results to read'),
    ({'chunk_size': 0}, '--chunk_size: 0 must be >= 1'),
  ],
)
def test_what_does_not_fit_is_named(workdir, given, message):
  with pytest.raises((SettingError, WorkdirError), match=message):
    tasks.prepare(certify_failure.STUDY, **{'workdir': str(workdir), **given})


@pytest.fixture(scope='module')
def descended(workdir, certified):
  return tasks.perform(
    descend_runaways.STUDY,
    workdir=str(workdir),
    max_evaluations=60,
    chunk_size=4,
    num_flows=2,
    flow_time=100,
    num_paths=2,
  )


def test_every_runaway_is_descended_from(workdir, descended):
  before = StoredRuns(workdir / CERTIFICATES, 'n8_m2')
  (runaways,) = np.nonzero(before.read('verdict') == Verdict.RUNAWAY)
  assert len(runaways) > 0
  found = StoredRuns(workdir / 'descents' / 'results.zarr', 'n8_m2')
  np.testing.assert_array_equal(found.read('trained_run'), runaways)
  table = descended.table('descents')
  rows = table.records()
  assert [row['end'] for row in rows] == [code.name for code in End]
  assert sum(row['count'] for row in rows) == len(runaways)
  assert {row['total'] for row in rows} == {len(runaways)}
  sse = found.read('sse')
  np.testing.assert_array_equal(found.read('end') == End.SOLVED, sse < 1e-20)
  # No accepted step raises F.
  assert np.all(sse <= before.read('start_sse')[runaways] * (1 + 1e-12))
  assert np.all(found.read('num_evaluations') <= 60)
  flows = descended.table('flows').rows
  assert [row['time'] for row in flows] == [1.0, 10.0, 100.0]
  for row in flows:
    assert row['fallen'] == row['total'] == 2
  assert f'L-BFGS from {len(runaways)} runaways of n8_m2' in table.text()
