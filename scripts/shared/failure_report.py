"""What the sweep of the ReLU autoencoder shows: summary.csv, table, figures.

results.zarr --read--> labels [S, K] by configuration --> rows, bars, curves
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
import pathlib
from typing import Any

import numpy as np

from scripts.shared import failure_figures, failure_runs, grids, tables
from scripts.shared.failure_runs import Configuration
from toyjax import statistics
from toyjax.toys.relu_autoencoder import Outcome

_SOLVED = (Outcome.SOLVED_REGULAR, Outcome.SOLVED_IRREGULAR)


def write(
  path: pathlib.Path,
  groups: Sequence[grids.Group],
  settings: Mapping[str, Any],
  *,
  columns: Sequence[str],
  relabel: bool,
) -> None:
  """Reads the store and writes summary.csv, differences.csv and both figures.

  Prints the table of the last observed step.

  Args:
    path: the working folder.
    groups: the groups of the store, in order.
    settings: all scientific flags.
    columns: the list flags, in the order of the columns.
    relabel: whether to label the stored weights again, with the present code
      and `settings['solved_sse']`.
  """
  steps = settings['observe_steps']
  found = list(
    failure_runs.read(
      path / 'results.zarr',
      groups,
      settings,
      columns=columns,
      relabel=relabel,
    )
  )
  rows = [
    row
    for configuration in found
    for row in tables.outcome_rows(
      configuration.flags, steps, configuration.outcomes, Outcome
    )
  ]
  tables.write_csv(path / 'summary.csv', rows)
  differences = list(_difference_rows(found, steps[-1]))
  if differences:
    tables.write_csv(path / 'differences.csv', differences)
  _print_table(found, rows, steps[-1])
  _print_differences(differences)
  failure_figures.draw_outcomes(
    path / 'outcomes.png', found, rows, steps, settings
  )
  failure_figures.draw_survival(path / 'survival.png', found, settings)
  print(f'\nsummary.csv, outcomes.png and survival.png are in {path}')


def _print_table(
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  last_step: int,
) -> None:
  """Prints counts, shares and intervals of all that occurs at the last step."""
  last = [row for row in rows if row['step'] == last_step]
  num_codes = len(Outcome)
  lines = []
  for i, configuration in enumerate(found):
    own = last[i * num_codes : (i + 1) * num_codes]
    solved = sum(r['count'] for r in own if Outcome[r['outcome']] in _SOLVED)
    share = statistics.wilson(solved, len(configuration.outcomes))
    failed = [r for r in own if r['count']]
    for row in failed:
      lines.append(_line(configuration.label, row['outcome'].lower(), row))
    lines.append(
      _line(
        configuration.label,
        '= solved in all',
        {
          'count': solved,
          'total': len(configuration.outcomes),
          'fraction': share.estimate,
          'lower': share.lower,
          'upper': share.upper,
        },
      )
    )
  print(f'\nAfter {last_step:,} steps (95 % Wilson intervals):\n')
  header = ('configuration', 'outcome', 'count', 'of', 'share', '95 % interval')
  print(tables.format_table(header, lines))
  absent = [
    code.name.lower()
    for code in Outcome
    if not any(r['count'] for r in last if r['outcome'] == code.name)
  ]
  if absent:
    print(f'\nnone anywhere: {", ".join(absent)}')
  _print_patterns(found)


def _line(label: str, outcome: str, row: Mapping[str, Any]) -> list[str]:
  return [
    label,
    outcome,
    str(row['count']),
    str(row['total']),
    tables.percent(row['fraction']),
    tables.percent_interval(row['lower'], row['upper']),
  ]


def _print_patterns(found: Sequence[Configuration]) -> None:
  """Says what MIXED, OTHER and the asymmetric failures are made of."""
  for configuration in found:
    last, codes = configuration.last, configuration.outcomes[:, -1]
    for code in (Outcome.MIXED, Outcome.OTHER):
      kinds = [
        last[name][codes == code]
        for name in ('num_shared', 'num_merged', 'num_off')
      ]
      patterns = Counter(zip(*(kind.tolist() for kind in kinds)))
      if patterns:
        parts = ', '.join(
          f'{count} with {shared} shared {merged} merged {off} off'
          for (shared, merged, off), count in patterns.most_common(4)
        )
        print(f'{configuration.label}: {code.name.lower()}: {parts}')
    asymmetric = codes == Outcome.ASYMMETRIC_FAILURE
    if asymmetric.any():
      shared_over, sse = (
        last['shared_over'][asymmetric],
        last['sse'][asymmetric],
      )
      parts = ', '.join(
        f'{count} over g = {g}'
        for g, count in sorted(Counter(shared_over.tolist()).items())
      )
      print(
        f'{configuration.label}: asymmetric_failure: {parts}; SSE '
        f'{sse.min():.3f} to {sse.max():.3f}, below 1 - 1/g in '
        f'{np.sum(sse < 1 - 1 / shared_over)} of {len(sse)}'
      )


def _difference_rows(
  found: Sequence[Configuration], last_step: int
) -> Iterator[dict[str, Any]]:
  """Yields each configuration's solved share less that of its group's first.

  Both were run from the same seeds, so the interval is that of pairs.
  """
  first: dict[str, Configuration] = {}
  for configuration in found:
    base = first.setdefault(configuration.group, configuration)
    if base is configuration:
      continue
    here, there = tables.common(configuration.seeds, base.seeds)
    a = np.isin(configuration.outcomes[here, -1], _SOLVED)
    b = np.isin(base.outcomes[there, -1], _SOLVED)
    interval = tables.paired_difference(a, b)
    yield {
      'configuration': configuration.label,
      'less': base.label,
      'step': last_step,
      'num_pairs': len(a),
      'solved_both': int(np.sum(a & b)),
      'solved_only_here': int(np.sum(a & ~b)),
      'solved_only_there': int(np.sum(~a & b)),
      'difference': interval.estimate,
      'lower': interval.lower,
      'upper': interval.upper,
    }


def _print_differences(differences: Sequence[Mapping[str, Any]]) -> None:
  if not differences:
    return
  print('\nShare solved, difference of configurations paired by seed:\n')
  print(
    tables.format_table(
      ('configuration', 'less', 'difference', '95 % interval'),
      [
        [
          row['configuration'],
          row['less'],
          f'{100.0 * row["difference"]:+.2f}%',
          tables.percent_interval(row['lower'], row['upper']),
        ]
        for row in differences
      ],
    )
  )
