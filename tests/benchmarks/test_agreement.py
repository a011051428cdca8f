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


@pytest.mark.parametrize(('errors', 'agree'), [(-3.9, True), (4.1, False)])
def test_the_verdict_is_drawn_at_four_errors(errors, agree, capsys):
  rows = [{'standard_errors': 0.5}, {'standard_errors': errors}]
  assert agreement.print_verdict(rows, 'share') == agree
  assert len(agreement.disagreements(rows)) == (not agree)
  printed = capsys.readouterr().out
  assert f'largest difference {abs(errors):.2f}' in printed
  assert ('NOT every share' in printed) == (not agree)


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
