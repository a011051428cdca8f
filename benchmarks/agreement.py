"""Do two implementations fail equally often? Shares side by side, a verdict.

counts of toyjax and of PyTorch --compare--> rows --> table, verdict
numbers of both --compare_samples--> quantiles, Kolmogorov-Smirnov

A table of hundreds of shares holds a large difference by chance. The verdict
allows for their number: see `disagreements`.
"""

from collections.abc import Mapping, Sequence
import itertools
import math
from typing import Any

import numpy as np
import scipy.stats

from toyjax import statistics, tables
from toyjax.tables import Share

# The chance that a whole table of equal shares is called different.
LEVEL = 1e-3
SIDES = ('toyjax', 'torch')
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def difference_in_errors(
  count_a: int, total_a: int, count_b: int, total_b: int
) -> float:
  """Returns (p_a - p_b) / pooled standard error, 0 where both are certain."""
  pooled = (count_a + count_b) / (total_a + total_b)
  variance = pooled * (1.0 - pooled) * (1.0 / total_a + 1.0 / total_b)
  if variance == 0.0:
    return 0.0
  return (count_a / total_a - count_b / total_b) / math.sqrt(variance)


def exact_p_value(
  count_a: int, total_a: int, count_b: int, total_b: int
) -> float:
  """Returns Fisher's exact two-sided p-value of two shares, in 0..1."""
  table = [[count_a, total_a - count_a], [count_b, total_b - count_b]]
  # Where one table is as likely as another, the sum may end a bit above 1.
  return min(1.0, float(scipy.stats.fisher_exact(table).pvalue))


def compare(
  configuration: Mapping[str, Any],
  toyjax_counts: Mapping[str, int],
  torch_counts: Mapping[str, int],
  totals: tuple[int, int],
) -> list[dict[str, Any]]:
  """Compares counts of the same names.

  Args:
    configuration: name -> value, copied to every row.
    toyjax_counts: name of an outcome -> its runs.
    torch_counts: the same names.
    totals: runs of either side, toyjax first.

  Returns:
    One row for each outcome that occurs on either side, in the given order: the
    configuration, then outcome, count, total, fraction, lower and upper of each
    side (95 % Wilson), standard_errors (toyjax minus PyTorch) and p_value
    (Fisher's exact test).

  Raises:
    ValueError: where the two sides name different outcomes.
  """
  if list(toyjax_counts) != list(torch_counts):
    raise ValueError(
      f'other outcomes: {list(toyjax_counts)}, {list(torch_counts)}'
    )
  rows = []
  for outcome in toyjax_counts:
    counts = toyjax_counts[outcome], torch_counts[outcome]
    if not any(counts):
      continue
    row: dict[str, Any] = {**configuration, 'outcome': outcome}
    for side, count, total in zip(SIDES, counts, totals):
      interval = statistics.wilson(count, total)
      row |= {
        f'{side}_count': count,
        f'{side}_total': total,
        f'{side}_fraction': interval.estimate,
        f'{side}_lower': interval.lower,
        f'{side}_upper': interval.upper,
      }
    row['standard_errors'] = difference_in_errors(
      counts[0], totals[0], counts[1], totals[1]
    )
    row['p_value'] = exact_p_value(counts[0], totals[0], counts[1], totals[1])
    rows.append(row)
  return rows


def print_counts(
  rows: Sequence[Mapping[str, Any]], header: Mapping[str, str]
) -> None:
  """Prints both sets of counts with 95 % Wilson intervals, in per cent.

  Args:
    rows: of `compare`.
    header: column of the configuration -> what stands above it.
  """

  def cells(row: Mapping[str, Any]) -> list[str]:
    shares = [Share(row[f'{s}_count'], row[f'{s}_total']) for s in SIDES]
    sides = [
      (f'{share.count}/{share.total}', tables.percent_interval(share.interval))
      for share in shares
    ]
    return [
      *(str(row[name]) for name in header),
      row['outcome'],
      *itertools.chain.from_iterable(sides),
      f'{row["standard_errors"]:+.2f}',
    ]

  names = ('outcome', 'toyjax', '95 %', 'PyTorch', '95 %', 'z')
  print(tables.align((*header.values(), *names), map(cells, rows)))


def disagreements(
  rows: Sequence[Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
  """Returns the rows of a table that differ by more than chance.

  Holm's procedure at `LEVEL` over all rows: were both sides equal in
  distribution, any row at all would be returned with at most that chance.
  """
  adjusted = statistics.holm([row['p_value'] for row in rows])
  return [row for row, p in zip(rows, adjusted) if p <= LEVEL]


def print_verdict(
  rows: Sequence[Mapping[str, Any]], what: str = 'share'
) -> bool:
  """Prints how well the rows of a table agree; returns whether all of them do.

  Args:
    rows: of `compare` or of `compare_samples`, a whole table.
    what: a row stands for.
  """
  largest = max(abs(row['standard_errors']) for row in rows)
  adjusted = statistics.holm([row['p_value'] for row in rows])
  agree = not disagreements(rows)
  print(
    f'largest difference {largest:.2f} standard errors; least p-value '
    f'{min(row["p_value"] for row in rows):.2g}, {min(adjusted):.2g} by Holm '
    f'over {len(rows)}'
  )
  print(
    f'{"every" if agree else "NOT every"} {what} agrees: level {LEVEL:g} for '
    'the table'
  )
  return agree


def compare_samples(
  configuration: Mapping[str, Any],
  toyjax_values: np.ndarray,
  torch_values: np.ndarray,
  *,
  resolution: float,
) -> dict[str, Any]:
  """Compares the distributions of a number, e.g. the loss.

  Args:
    configuration: name -> value, copied to the row.
    toyjax_values: [S], what is not a number counts as infinite.
    torch_values: [S'].
    resolution: to which the values are rounded first, so that the last bits of
      a value that many runs share do not count as a difference.

  Returns:
    A row: the configuration, number and `QUANTILES` of each side, the
    two-sample Kolmogorov-Smirnov statistic, its asymptotic p-value, and
    standard_errors: where a normal number is as unlikely, without a sign.
  """
  samples = [
    np.where(np.isnan(values), np.inf, values).astype(np.float64)
    for values in (toyjax_values, torch_values)
  ]
  row = {**configuration}
  for side, sample in zip(SIDES, samples):
    quantiles = np.quantile(sample, QUANTILES, method='inverted_cdf')
    row[f'{side}_total'] = len(sample)
    row |= {
      f'{side}_q{100 * q:02.0f}': float(value)
      for q, value in zip(QUANTILES, quantiles)
    }
  test = scipy.stats.ks_2samp(
    *(np.round(sample / resolution) for sample in samples), method='asymp'
  )
  p_value = float(test.pvalue)
  return row | {
    'ks_statistic': float(test.statistic),
    'p_value': p_value,
    'standard_errors': float(scipy.stats.norm.isf(p_value / 2.0)),
  }


def print_samples(
  rows: Sequence[Mapping[str, Any]], header: Mapping[str, str]
) -> None:
  """Prints rows of `compare_samples`, a line for each side."""
  lines = []
  for row in rows:
    for side, label in zip(SIDES, ('toyjax', 'PyTorch')):
      quantiles = [f'{row[f"{side}_q{100 * q:02.0f}"]:.4f}' for q in QUANTILES]
      p_value = f'{row["p_value"]:.2g}' if side == SIDES[-1] else ''
      where = (str(row[name]) for name in header)
      lines.append([*where, label, *quantiles, p_value])
  names = [f'{100 * q:.0f} %' for q in QUANTILES]
  print(tables.align((*header.values(), 'side', *names, 'p'), lines))
