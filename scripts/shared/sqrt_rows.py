"""Rows of the tables of nets of one variable: units, ways, errors.

Configuration --*_rows--> rows with counts and 95 % Wilson intervals
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scripts.shared import sqrt_flags, tables
from scripts.shared.sqrt_runs import Configuration
from toyjax import statistics
from toyjax.toys import sqrt_mlp
from toyjax.toys.sqrt_mlp import Outcome

QUANTILES = {
  'min': 0.0,
  'q025': 0.025,
  'q250': 0.25,
  'median': 0.5,
  'q750': 0.75,
  'q975': 0.975,
  'max': 1.0,
}


def unit_rows(configuration: Configuration) -> list[dict[str, Any]]:
  """Counts runs by their number of dead units at the last step."""
  total = len(configuration.num_dead)
  num_units = sum(configuration.widths)
  counts = statistics.counts(configuration.num_dead, num_units + 1)
  rows = []
  for number, count in enumerate(counts.tolist()):
    rows.append(
      {
        **configuration.flags,
        'num_dead': number,
        'num_units': num_units,
        **tables.interval_cells(count, total),
      }
    )
  return rows


def transition_rows(
  configuration: Configuration, steps: Sequence[int]
) -> list[dict[str, Any]]:
  """Counts how runs of each outcome at an earlier step stand at the last one.

  Args:
    configuration: the runs.
    steps: the observed steps.

  Returns:
    A row for each pair of outcomes that occurs; `total` counts the runs of the
    outcome at the earlier step. None where one step was observed.
  """
  last = configuration.outcomes[:, -1]
  rows = []
  for k, step in enumerate(steps[:-1]):
    for before in Outcome:
      ends = last[configuration.outcomes[:, k] == before]
      for after in Outcome:
        count = int(np.sum(ends == after))
        if count:
          rows.append(
            {
              **configuration.flags,
              'step': step,
              'outcome': before.name,
              'last_step': steps[-1],
              'last_outcome': after.name,
              **tables.interval_cells(count, len(ends)),
            }
          )
  return rows


def error_row(configuration: Configuration) -> dict[str, Any]:
  """Returns quantiles of the error at the last step.

  A run that diverged counts as infinitely far off.
  """
  diverged = configuration.outcomes[:, -1] == Outcome.DIVERGED
  rmse = np.where(diverged, np.inf, configuration.rmse)
  return {
    'method': 'net',
    **configuration.flags,
    'num_iterations': None,
    'num_operations': sqrt_mlp.num_net_operations(configuration.widths),
    'total': len(rmse),
    **{
      f'rmse_{name}': float(np.quantile(rmse, q, method='inverted_cdf'))
      for name, q in QUANTILES.items()
    },
  }


def newton_rows(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
  """Returns Newton's errors by operations, where √x is among the targets."""
  if 'sqrt' not in settings['target']:
    return []
  newton = sqrt_mlp.newton_errors(
    low=settings['low'],
    high=settings['high'],
    num_points=settings['num_points'],
    start=settings['newton_start'],
    num_iterations=settings['newton_iterations'],
  )
  flags = dict.fromkeys(sqrt_flags.LISTS)
  return [
    {
      'method': 'newton',
      **flags,
      'target': 'sqrt',
      'num_iterations': number,
      'num_operations': operations,
      'total': 1,  # One start, so one error.
      **dict.fromkeys([f'rmse_{name}' for name in QUANTILES], rmse),
    }
    for number, (operations, rmse) in enumerate(
      zip(newton.num_operations.tolist(), newton.rmse.tolist())
    )
  ]
