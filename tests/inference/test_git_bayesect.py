"""git_bayesect on the same draws: the same picks and posteriors."""

import numpy as np
import pytest

pytest.importorskip(
  'git_bayesect', reason='needs the extra bench: pip install toyjax[bench]'
)

import git_bayesect

from benchmarks import git_bayesect_agreement as agreement
from tests import references_changepoint_policies as references


@pytest.fixture(scope='module')
def agreed():
  traces = agreement.Traces(48, 40, (0.7, 0.05))
  return agreement.check(traces, 6, seed=0)


def test_picks_are_the_same_or_tie(agreed):
  assert agreed['same_picks'] > 0.98
  assert agreed['largest_loss_bits'] < 1e-9


def test_posteriors_are_the_same(agreed):
  assert agreed['largest_posterior_difference'] < 1e-9


def test_its_index_counts_from_the_other_end():
  """Its posterior is ours in reverse, by the Beta integrals."""
  outcomes = [(2, 1), (5, 0), (3, 1), (3, 0), (0, 1)]
  bisector = git_bayesect.Bisector(np.ones(7))
  for position, success in outcomes:
    bisector.record(6 - position, bool(success))
  expected = references.posterior(((0.5, 0.5), (0.5, 0.5), [1] * 7), outcomes)
  np.testing.assert_allclose(bisector.distribution[::-1], expected, rtol=1e-9)
  entropies = [
    agreement.expected_entropy_bits(bisector, position) for position in range(7)
  ]
  assert 6 - bisector.select() == np.argmin(entropies)
