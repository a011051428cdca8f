"""The study of simulated traces in memory, and its pure functions."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.studies import tasks
from toyjax import statistics
from toyjax.inference import changepoint
from toyjax.inference.changepoint import rivals
from toyjax.parsers import SettingError
from toyjax.studies.changepoint_study import STUDY, measures, traces, trial
from toyjax.studies.changepoint_study.settings import rate_pairs

SMALL = {
  'policies': ['eig', 'omega_fair'],
  'priors': ['published', 'jeffreys'],
  'num_positions': 8,
  'p1': ['prior', 0.8],
  'p2': ['prior', 0.1],
  'num_traces': 12,
  'num_null_traces': 6,
  'num_rollouts': 12,
  'batch_sizes': [2],
}


def _run(folder):
  return tasks.perform(STUDY, **SMALL, workdir=str(folder))


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  folder = tmp_path_factory.mktemp('runs') / 'study'
  return folder, _run(folder)


def _rows(report, **where):
  return [
    row
    for row in report.table('study').records()
    if all(row[name] == value for name, value in where.items())
  ]


def test_the_report_has_a_table_of_each_question(finished):
  _, report = finished
  text = '\n'.join(table.text() for table in report.tables)
  for title in ('Policies,', 'Coverage of 80 %', 'E-processes', 'Parallel'):
    assert title in text


def test_an_interrupted_study_goes_on_to_the_same_table(finished):
  folder, report = finished
  sweeps = {
    path: path.stat().st_mtime_ns for path in (folder / 'sweeps').iterdir()
  }
  assert len(sweeps) == 2 * 2 + 1
  lost = folder / 'sweeps' / 'omega_fair_alarms.npz'
  lost.unlink()
  np.testing.assert_equal(_rows(_run(folder)), _rows(report))
  for path, written in sweeps.items():
    assert (path.stat().st_mtime_ns == written) == (path != lost)


def test_every_share_has_its_count_and_wilson_interval(finished):
  shares = _rows(finished[1], measure='exact')
  assert len(shares) == 2 * 2 * 2 + 1
  for row in shares:
    assert row['total'] == 12
    expected = statistics.wilson(row['count'], 12)
    found = [row[name] for name in ('estimate', 'lower', 'upper')]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_alarms_and_power_count_all_their_traces(finished):
  alarms = _rows(finished[1], part='alarms')
  assert len(alarms) == 2 * 12 * 2
  assert {row['total'] for row in alarms} == {6}
  power = _rows(finished[1], part='power')
  assert len(power) == 2 * 2
  assert len({row['total'] for row in power}) == 1


def test_nothing_beats_the_bound_by_more_than_noise(finished):
  found = _rows(finished[1], measure='regret_fano_at_own_error')
  assert len(found) == 2
  assert all(row['upper'] > 0 for row in found)


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'policies': 'best'}, "'best' is unknown"),
    ({'p2': 0.9}, '--p1=0.7 must be above --p2=0.9'),
    ({'p1': 0.7, 'p2': 'prior'}, 'needs "prior" in both'),
    ({'batch_sizes': 200}, '--batch_sizes=200 exceeds'),
    ({'level': 0.0}, '--level: 0.0 must be > 0'),
    ({'mass': 1.0}, '--mass=1.0 must be < 1'),
  ],
)
def test_what_does_not_fit_is_refused(given, message):
  with pytest.raises(SettingError, match=message):
    STUDY.resolve(**given)


def test_traces_without_room_are_refused_before_they_are_made():
  values = STUDY.resolve(
    p1=0.7, p2=0.1, num_positions=65_536, num_traces=100_000_000, priors='weak'
  )
  with pytest.raises(SettingError, match='--num_traces=100000000 of 1 kinds'):
    STUDY.prepare(values).check()


def test_prior_goes_with_prior_only():
  pairs = rate_pairs({'p1': ['prior', 0.7], 'p2': ['prior', 0.1, 0.2]})
  assert pairs == [('prior', 'prior'), (0.7, 0.1), (0.7, 0.2)]
  assert rate_pairs({'p1': ['prior'], 'p2': [0.1]}) == []


def test_traces_are_shared_by_pairs_of_rates_and_have_one_change():
  common = {'seed': 3, 'num_traces': 50, 'num_positions': 9}
  xs = [
    traces.simulated(rates=rates, prior='published', **common)
    for rates in ((0.7, 0.1), (0.9, 0.3), ('prior', 'prior'))
  ]
  for x in xs:
    np.testing.assert_array_equal(x['change'], xs[0]['change'])
    before = np.arange(9) < x['change'][:, None]
    for rates, is_before in zip(x['rates'], before):
      assert len(set(rates[is_before])) <= 1
      assert len(set(rates[~is_before])) == 1
  assert set(xs[0]['change']) == set(range(9))


@pytest.mark.parametrize('kind', [*traces.CONSTANTS, *traces.RISES])
def test_null_traces_never_fall(kind):
  x = traces.null(
    seed=0, num_traces=2, num_positions=30, kind=kind, prior='weak'
  )
  assert (np.diff(x['rates'], axis=1) >= 0).all()
  assert 0 < x['rates'].min() <= x['rates'].max() < 1


@pytest.mark.parametrize('policy', ['thompson', 'git_bayesect'])
def test_the_path_ends_where_the_rival_does(policy):
  x = traces.simulated(
    seed=1, num_traces=4, num_positions=8, rates=(0.8, 0.1), prior='weak'
  )
  values = STUDY.resolve(
    num_positions=8, num_rollouts=15, mass=0.9, batch_sizes=1
  )
  found = jax.jit(jax.vmap(trial.make_trial(policy, values)))(x)
  np.testing.assert_array_equal(found['locations'][:, -1], found['location'])


def test_git_bayesect_ignores_the_prior_but_not_its_weights():
  prior = changepoint.make_prior(
    before=(2.0, 2.0), after=(1.0, 19.0), weights=jnp.array([1.0, 0.0, 3.0])
  )
  found = rivals.RIVALS['git_bayesect'].find(
    jax.random.key(0), prior, lambda key, position: position < 2, 4
  )
  assert tuple(map(float, found.state.prior.before)) == (0.5, 0.5)
  assert float(found.state.prior.log_weights[1]) == -math.inf


def test_medians_count_what_never_came():
  found = measures.median(np.array([3, 5, 101, 101, 101]), 100)
  assert (found.times, found.total) == (2, 5)
  assert found.estimate.estimate == math.inf


def test_uniform_ranks_pass_and_piled_up_ones_do_not():
  def chi_square(place):
    zeros, ones = np.zeros(1000, int), np.ones(1000)
    kinds = ('central', 'hpd', 'randomised')
    results = {
      **dict.fromkeys(('location', 'num_rollouts', 'num_rounds'), zeros),
      **dict.fromkeys(('is_complete', *kinds), ones),
      **{f'{kind}_width': ones for kind in kinds},
      'place': place,
    }
    found = measures.of_policy(results, zeros, ('prior', 'prior'), {})
    return found['rank_chi_square'].estimate

  assert chi_square((np.arange(1000) + 0.5) / 1000).estimate == 0
  piled = chi_square(np.full(1000, 0.99))
  assert piled.estimate > piled.upper


def test_searches_are_looked_at_up_to_their_budget():
  adaptive, fixed = (
    rivals.RIVALS[name].rival.design for name in ('omega', 'cliff')
  )
  assert trial.look_sizes(adaptive, 100) == [20, 40, 60, 80, 100]
  assert trial.look_sizes(adaptive, 3) == [1, 2, 3]
  assert trial.look_sizes(fixed, 512) == [512]
