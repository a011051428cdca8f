"""The study of simulated traces end to end, and its pure functions."""

import csv
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scripts.shared import (
  changepoint_rivals,
  changepoint_studies,
  changepoint_study_rows,
)
from tests.scripts import processes
from toyjax import statistics
from toyjax.inference import changepoint

SMALL = (
  '--policies=eig,omega_fair',
  '--priors=published,jeffreys',
  '--num_positions=8',
  '--p1=prior,.8',
  '--p2=prior,.1',
  '--num_traces=12',
  '--num_null_traces=6',
  '--num_rollouts=12',
  '--batch_sizes=2',
  '--num_devices=1',
)


def _run(workdir, *flags, run=processes.run):
  return run(*('changepoint_study', f'--workdir={workdir}', *flags))


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('runs') / 'study'
  done = _run(workdir, *SMALL, run=processes.from_scratch)
  assert done.returncode == 0, done.stderr
  with (workdir / 'study.csv').open() as file:
    return workdir, done, list(csv.DictReader(file))


def test_it_writes_everything_it_promises(finished):
  workdir, done, _ = finished
  figures = 'coverage', 'errors', 'false_alarms', 'batches'
  names = {path.name for path in workdir.iterdir()} - {'.lock'}
  assert names == {
    'study.csv',
    'manifest.json',
    'sweeps',
    *(f'{name}.png' for name in figures),
  }
  for name in figures:
    assert (workdir / f'{name}.png').read_bytes().startswith(b'\x89PNG')
  science = json.loads((workdir / 'manifest.json').read_text())['science']
  assert science['p1'] == ['prior', 0.8]
  for title in ('Policies,', 'Coverage of 80 %', 'E-processes', 'Parallel'):
    assert title in done.stdout


def test_an_interrupted_study_goes_on_to_the_same_table(finished):
  workdir, _, _ = finished
  before = (workdir / 'study.csv').read_bytes()
  sweeps = {
    path: path.stat().st_mtime_ns for path in (workdir / 'sweeps').iterdir()
  }
  assert len(sweeps) == 2 * 2 + 1
  lost = workdir / 'sweeps' / 'omega_fair_alarms.npz'
  lost.unlink()
  (workdir / 'study.csv').unlink()
  assert _run(workdir, *SMALL).returncode == 0
  assert (workdir / 'study.csv').read_bytes() == before
  for path, written in sweeps.items():
    assert (path.stat().st_mtime_ns == written) == (path != lost)


def test_every_share_has_its_count_and_wilson_interval(finished):
  _, _, rows = finished
  shares = [row for row in rows if row['measure'] == 'exact']
  assert len(shares) == 2 * 2 * 2 + 1
  for row in shares:
    assert row['total'] == '12'
    expected = statistics.wilson(int(row['count']), 12)
    found = [float(row[name]) for name in ('estimate', 'lower', 'upper')]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_alarms_and_power_count_all_their_traces(finished):
  _, _, rows = finished
  alarms = [row for row in rows if row['part'] == 'alarms']
  assert len(alarms) == 2 * 12 * 2
  assert {row['total'] for row in alarms} == {'6'}
  power = [row for row in rows if row['part'] == 'power']
  assert len(power) == 2 * 2
  assert len({row['total'] for row in power}) == 1


def test_nothing_beats_the_bound_by_more_than_noise(finished):
  _, _, rows = finished
  found = [row for row in rows if row['measure'] == 'regret_fano_at_own_error']
  assert len(found) == 2
  assert all(float(row['upper']) > 0 for row in found)


@pytest.mark.parametrize(
  ('flag', 'message'),
  [
    ('--policies=best', "'best' is unknown"),
    ('--p2=.9', '--p1=0.7 must be above --p2=0.9'),
    ('--batch_sizes=200', '--batch_sizes=200 exceeds'),
  ],
)
def test_a_wrong_flag_gives_one_clear_line(tmp_path, flag, message):
  done = _run(tmp_path / 'runs', flag)
  assert done.returncode != 0
  (line,) = [line for line in done.stderr.splitlines() if message in line]
  assert 'Traceback' not in done.stderr
  assert line
  assert not (tmp_path / 'runs').exists()


def test_prior_goes_with_prior_only():
  pairs = changepoint_studies.rate_pairs(['prior', 0.7], ['prior', 0.1, 0.2])
  assert pairs == [('prior', 'prior'), (0.7, 0.1), (0.7, 0.2)]
  assert changepoint_studies.rate_pairs(['prior'], [0.1]) == []


def test_traces_are_shared_by_pairs_of_rates_and_have_one_change():
  common = {'seed': 3, 'num_traces': 50, 'num_positions': 9}
  xs = [
    changepoint_studies.simulated(rates=rates, prior='published', **common)
    for rates in ((0.7, 0.1), (0.9, 0.3), ('prior', 'prior'))
  ]
  for x in xs:
    np.testing.assert_array_equal(x['change'], xs[0]['change'])
    before = np.arange(9) < x['change'][:, None]
    for rates, is_before in zip(x['rates'], before):
      assert len(set(rates[is_before])) <= 1
      assert len(set(rates[~is_before])) == 1
  assert set(xs[0]['change']) == set(range(9))


@pytest.mark.parametrize(
  'kind', [*changepoint_studies.CONSTANTS, *changepoint_studies.RISES]
)
def test_null_traces_never_fall(kind):
  x = changepoint_studies.null(
    seed=0, num_traces=2, num_positions=30, kind=kind, prior='weak'
  )
  assert (np.diff(x['rates'], axis=1) >= 0).all()
  assert 0 < x['rates'].min() <= x['rates'].max() < 1


@pytest.mark.parametrize('policy', ['thompson', 'git_bayesect'])
def test_the_path_ends_where_the_rival_does(policy):
  x = changepoint_studies.simulated(
    seed=1, num_traces=4, num_positions=8, rates=(0.8, 0.1), prior='weak'
  )
  trial = changepoint_studies.make_trial(
    policy, num_positions=8, num_rollouts=15, level=0.8, mass=0.9
  )
  found = jax.jit(jax.vmap(trial))(x)
  np.testing.assert_array_equal(found['locations'][:, -1], found['location'])


def test_git_bayesect_ignores_the_prior_but_not_its_weights():
  prior = changepoint.make_prior(
    before=(2.0, 2.0), after=(1.0, 19.0), weights=jnp.array([1.0, 0.0, 3.0])
  )
  rival = changepoint_rivals.POLICIES['git_bayesect']()
  found = rival.find(
    jax.random.key(0), prior, lambda key, position: position < 2, 4
  )
  assert tuple(map(float, found.state.prior.before)) == (0.5, 0.5)
  assert float(found.state.prior.log_weights[1]) == -math.inf


def test_medians_count_what_never_came():
  row = changepoint_study_rows.median(
    {}, 'rollouts', np.array([3, 5, 101, 101, 101]), 100
  )
  assert (row['count'], row['total']) == (2, 5)
  assert row['estimate'] == math.inf
  row = changepoint_study_rows.median({}, 'rollouts', np.arange(101), 100)
  assert row['estimate'] == 50
  assert row['lower'] < 50 < row['upper']
  # Order statistics 40 and 60 or so of 101.
  np.testing.assert_allclose([row['lower'], row['upper']], [40, 60], atol=1)


def test_uniform_ranks_pass_and_piled_up_ones_do_not():
  def chi_square(place):
    rows = changepoint_study_rows.policy_rows(
      {'num_rollouts': 1},
      {
        **dict.fromkeys(
          ('location', 'num_rollouts', 'num_rounds', 'is_complete'),
          np.zeros(1000, int),
        ),
        **dict.fromkeys(('central', 'hpd', 'randomised'), np.ones(1000)),
        **{
          f'{name}_width': np.ones(1000)
          for name in ('central', 'hpd', 'randomised')
        },
        'place': place,
      },
      np.zeros(1000, int),
      num_positions=4,
      mass=0.9,
    )
    return next(row for row in rows if row['measure'] == 'rank_chi_square')

  even = chi_square((np.arange(1000) + 0.5) / 1000)
  assert even['estimate'] == 0
  piled = chi_square(np.full(1000, 0.99))
  assert piled['estimate'] > piled['upper']


def test_searches_are_looked_at_up_to_their_budget():
  assert changepoint_studies.look_sizes('omega', 100) == [20, 40, 60, 80, 100]
  assert changepoint_studies.look_sizes('omega', 3) == [1, 2, 3]
  assert changepoint_studies.look_sizes('cliff', 512) == [512]
