"""Shares of two sides: their difference in errors, rows and the verdict."""

import math

import numpy as np
import pytest
import scipy.stats

from benchmarks import agreement


@pytest.mark.parametrize(
  'counts', [(30, 100, 45, 150), (1, 1000, 9, 1000), (50, 80, 10, 20)]
)
def test_difference_is_the_root_of_chi_square(counts):
  a, total_a, b, total_b = counts
  table = [[a, total_a - a], [b, total_b - b]]
  expected = scipy.stats.chi2_contingency(table, correction=False).statistic
  difference = agreement.difference_in_errors(*counts)
  assert difference**2 == pytest.approx(expected, abs=1e-12)
  assert (difference > 0) == (a / total_a > b / total_b)
  assert agreement.difference_in_errors(
    b, total_b, a, total_a
  ) == pytest.approx(-difference)


def test_difference_of_certain_shares_is_zero():
  assert agreement.difference_in_errors(0, 10, 0, 20) == 0.0
  assert agreement.difference_in_errors(10, 10, 20, 20) == 0.0


def test_rows_hold_what_occurs_on_either_side():
  rows = agreement.compare(
    {'n': 7},
    {'A': 3, 'B': 0, 'C': 0},
    {'A': 0, 'B': 0, 'C': 20},
    (10, 20),
  )
  assert [row['outcome'] for row in rows] == ['A', 'C']
  assert all(row['n'] == 7 for row in rows)
  assert (rows[0]['toyjax_count'], rows[0]['torch_count']) == (3, 0)
  assert (rows[1]['toyjax_total'], rows[1]['torch_total']) == (10, 20)
  assert rows[1]['torch_fraction'] == rows[1]['torch_upper'] == 1.0
  assert rows[1]['standard_errors'] == pytest.approx(-math.sqrt(30))
  with pytest.raises(ValueError, match='other outcomes'):
    agreement.compare({}, {'A': 1}, {'B': 1}, (2, 2))


@pytest.mark.parametrize(
  'counts', [(30, 100, 45, 150), (1, 1000, 9, 1000), (0, 8, 6, 8), (5, 5, 5, 5)]
)
def test_the_p_value_adds_up_what_is_no_likelier(counts):
  a, total_a, b, total_b = counts
  draws = scipy.stats.hypergeom(total_a + total_b, a + b, total_a)
  chances = draws.pmf(np.arange(total_a + 1))
  expected = chances[chances <= draws.pmf(a) * (1 + 1e-9)].sum()
  assert agreement.exact_p_value(*counts) == pytest.approx(expected)


@pytest.mark.parametrize(('p_value', 'agree'), [(4e-5, False), (6e-5, True)])
def test_the_verdict_allows_for_the_number_of_rows(p_value, agree, capsys):
  row = {'standard_errors': 0.5, 'p_value': 0.6}
  rows = [*[row] * 19, {'standard_errors': -4.1, 'p_value': p_value}]
  assert agreement.print_verdict(rows, 'share') == agree
  assert agreement.disagreements(rows) == ([] if agree else rows[-1:])
  printed = capsys.readouterr().out
  assert 'largest difference 4.10' in printed
  assert 'by Holm over 20' in printed
  assert ('NOT every share' in printed) == (not agree)


def test_a_real_difference_is_seen_among_a_thousand_equal_shares():
  rng = np.random.default_rng(0)
  total = 10_000
  counts = rng.binomial(total, np.full((2, 1000), 0.3))
  named = [{str(k): int(n) for k, n in enumerate(side)} for side in counts]
  rows = agreement.compare({}, *named, (total, total))
  assert not agreement.disagreements(rows)
  # Ten standard errors, by construction.
  named[1]['500'] = named[0]['500'] + round(10 * (total * 0.42) ** 0.5)
  rows = agreement.compare({}, *named, (total, total))
  assert [row['outcome'] for row in agreement.disagreements(rows)] == ['500']


def test_the_table_shows_counts_of_both_sides(capsys):
  rows = agreement.compare({'n': 7}, {'A': 3}, {'A': 5}, (10, 10))
  agreement.print_counts(rows, {'n': 'features'})
  header, _, line = capsys.readouterr().out.splitlines()
  assert header.split()[:3] == ['features', 'outcome', 'toyjax']
  assert line.split()[:3] == ['7', 'A', '3/10']
  assert '5/10' in line
  assert line.endswith('-0.91')


class TestSamples:
  def test_equal_distributions_agree_and_others_do_not(self):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4000))
    same = agreement.compare_samples({'n': 7}, a, b, resolution=1e-5)
    moved = agreement.compare_samples({'n': 7}, a, b + 0.2, resolution=1e-5)
    assert same['standard_errors'] < 3 < 4 < moved['standard_errors']
    assert moved['standard_errors'] == pytest.approx(
      scipy.stats.norm.isf(moved['p_value'] / 2)
    )
    assert same['n'] == 7
    assert same['toyjax_q50'] == pytest.approx(np.median(a), abs=1e-2)
    assert moved['torch_q95'] == pytest.approx(
      scipy.stats.norm.ppf(0.95) + 0.2, abs=0.1
    )

  def test_last_bits_of_a_common_value_are_no_difference(self):
    a, b = np.full(1000, 1.3296613), np.full(1000, 1.3296615)
    fine = agreement.compare_samples({}, a, b, resolution=1e-9)
    coarse = agreement.compare_samples({}, a, b, resolution=1e-5)
    assert fine['ks_statistic'] == 1.0
    assert coarse['ks_statistic'] == coarse['standard_errors'] == 0.0

  def test_what_is_not_a_number_is_not_dropped(self):
    a, b = np.zeros(10), np.full(10, np.nan)
    row = agreement.compare_samples({}, a, b, resolution=1e-5)
    assert row['ks_statistic'] == 1.0
    assert row['torch_total'] == 10
    assert row['torch_q05'] == math.inf

  def test_the_table_has_a_line_for_each_side(self, capsys):
    row = agreement.compare_samples(
      {'epoch': 3}, np.arange(101.0), np.zeros(9), resolution=1
    )
    agreement.print_samples([row], {'epoch': 'epoch'})
    *_, here, there = capsys.readouterr().out.splitlines()
    assert here.split() == [
      *('3', 'toyjax', '5.0000', '25.0000', '50.0000', '75.0000', '95.0000')
    ]
    assert there.split()[:3] == ['3', 'PyTorch', '0.0000']
