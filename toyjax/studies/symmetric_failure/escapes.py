"""How long runs stay in symmetric failure.

runs --curve--> survival; --row--> row of a configuration
"""

import numpy as np

from toyjax import statistics
from toyjax.analysis.autoencoder import events
from toyjax.runs import Runs
from toyjax.tables import Row
from toyjax.toys.relu_autoencoder import Outcome


def curve(runs: Runs, name: str = 'escaped_step') -> statistics.Survival:
  """Kaplan-Meier of first crossings; -1 is censored at the last step."""
  return events.survival(runs.data[name], runs.values['num_steps'])


def row(runs: Runs) -> Row:
  """Returns how many leave, when, and how all stand at the end."""
  at, total = runs.configuration, runs.num_runs
  stays = runs.data['escaped_step'] < 0
  stuck = runs.data['dead_bias'][stays] * at['num_features']
  codes = runs.data['outcome']
  # Decay has its place beside the rates, while axes have it after the betas.
  first = ('num_features', 'optimizer', 'learning_rate', 'sgd_learning_rate')
  return {
    **{name: at[name] for name in (*first, 'weight_decay')},
    **at,
    'total': total,
    'num_never_escaped': int(np.sum(stays)),
    'fraction': statistics.wilson(int(np.sum(stays)), total),
    'median_escape:step': statistics.median_time(curve(runs)),
    'num_solved': int(np.sum(runs.data['solved_step'] >= 0)),
    'median_solved:step': statistics.median_time(curve(runs, 'solved_step')),
    'num_symmetric_at_end': int(np.sum(codes == Outcome.SYMMETRIC_FAILURE)),
    'num_diverged': int(np.sum(codes == Outcome.DIVERGED)),
    'stuck_bias_times_n': float(np.median(stuck)) if stuck.size else None,
  }
