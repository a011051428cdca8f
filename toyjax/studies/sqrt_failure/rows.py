"""Rows of the tables of nets of one variable: units, ways, errors.

Runs --> rows with counts and 95 % Wilson intervals
"""

from collections.abc import Iterator

import numpy as np

from toyjax import settings, statistics
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.sqrt_failure import trial
from toyjax.studies.sqrt_failure.settings import SETTINGS
from toyjax.tables import LABEL, Row, Share, quantile
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


def count_units(runs: Runs) -> Iterator[Row]:
  """Counts runs by their number of dead units at the last step."""
  num_units = sum(trial.widths(runs.values))
  counts = statistics.counts(runs.last('num_dead'), num_units + 1)
  for number, count in enumerate(counts.tolist()):
    yield {
      'num_dead': number,
      'num_units': num_units,
      '': Share(count, runs.num_runs),
    }


def count_transitions(runs: Runs) -> Iterator[Row]:
  """Counts how runs of each outcome at an earlier step stand at the last one.

  Yields:
    A row for each pair of outcomes that occurs; `total` counts the runs of the
    outcome at the earlier step. None where one step was observed.
  """
  *steps, last_step = runs.values['observe_steps']
  last = runs.last('outcome')
  for k, step in enumerate(steps):
    for before in Outcome:
      ends = last[runs.data['outcome'][:, k] == before]
      for after in Outcome:
        if count := int(np.sum(ends == after)):
          yield {
            'step': step,
            'outcome': before.name,
            'last_step': last_step,
            'last_outcome': after.name,
            '': Share(count, len(ends)),
          }


def error_row(runs: Runs) -> Row:
  """Returns quantiles of the error at the last step.

  A run that diverged counts as infinitely far off.
  """
  diverged = runs.last('outcome') == Outcome.DIVERGED
  rmse = np.where(diverged, np.inf, runs.last('rmse'))
  widths = trial.widths(runs.values)
  return {
    LABEL: runs.label,
    'method': 'net',
    **runs.configuration,
    'num_iterations': None,
    'num_operations': sqrt_mlp.num_net_operations(widths),
    'total': len(rmse),
    **{f'rmse_{name}': quantile(rmse, q) for name, q in QUANTILES.items()},
  }


def newton_rows(values: Values) -> list[Row]:
  """Returns Newton's errors by operations, where √x is among the targets."""
  if 'sqrt' not in values['target']:
    return []
  newton = sqrt_mlp.newton_errors(
    low=values['low'],
    high=values['high'],
    num_points=values['num_points'],
    start=values['newton_start'],
    num_iterations=values['newton_iterations'],
  )
  columns = [row.name for row in settings.swept(SETTINGS)]
  return [
    {
      LABEL: f'newton {number}',
      'method': 'newton',
      **dict.fromkeys(columns),
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
