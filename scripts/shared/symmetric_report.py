"""What the study of symmetric failure shows: tables, CSV files, figures."""

from collections.abc import Iterator, Mapping, Sequence
import pathlib
from typing import Any

from scripts.shared import (
  grids,
  symmetric_escapes,
  symmetric_figures,
  symmetric_states,
  symmetric_verdicts,
  tables,
)


def write(
  path: pathlib.Path,
  settings: Mapping[str, Any],
  *,
  escape_groups: Sequence[grids.Group],
  training_groups: Sequence[grids.Group],
  columns: Sequence[str],
) -> None:
  """Writes and prints all tables and draws all figures; needs float64.

  Args:
    path: the working folder, with its store.
    settings: all scientific flags.
    escape_groups: the groups of runs from symmetric failure.
    training_groups: the groups of runs from scratch.
    columns: the list flags of escape.csv.
  """
  factors = settings['norm_factor']
  verdicts = list(
    symmetric_verdicts.verdict_rows(settings['num_features'], factors)
  )
  _show(path, 'verdicts', 'Second order of exact symmetric failure', verdicts)
  descents = list(
    symmetric_verdicts.descent_rows(
      settings['num_features'],
      factors,
      settings['kick'],
      num_starts=settings['num_descents'],
      num_iterations=settings['descent_iterations'],
      seed=settings['seed'],
    )
  )
  _show(path, 'descents', 'Descents that get below 1 - 1/n', descents)

  arms = list(
    symmetric_escapes.read(path / 'results.zarr', escape_groups, columns)
  )
  num_steps = settings['num_steps']
  escapes = [symmetric_escapes.row(arm, num_steps) for arm in arms]
  _show(path, 'escape', 'Escape from symmetric failure', escapes)

  tilts, dead = _state_rows(path, settings, training_groups)
  _show(path, 'tilt', 'Does the weak row grow?', tilts)
  _show(path, 'dead', 'Dead rows of training runs', dead)
  frozen = [
    row
    for n in settings['state_features']
    for row in symmetric_states.frozen_rows(n, factors, settings['nudge'])
  ]
  _show(path, 'frozen', 'The frozen experiment', frozen)

  symmetric_figures.draw_verdicts(path / 'verdicts.png', verdicts)
  symmetric_figures.draw_escapes(path / 'escape.png', arms, escapes, settings)
  symmetric_figures.draw_frozen(path / 'frozen.png', settings)
  print(f'\nsix tables and three figures are in {path}')


def _state_rows(
  path: pathlib.Path,
  settings: Mapping[str, Any],
  groups: Sequence[grids.Group],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
  """Returns the rows of tilt.csv and of dead.csv."""
  tilts, dead = [], []
  for at, weak in _states(path, settings, groups):
    tilts.append(symmetric_states.tilt_row(at, weak, settings['solved_sse']))
    if at['source'] == 'training':
      dead.append(symmetric_states.dead_row(at, weak))
  return tilts, dead


def _states(
  path: pathlib.Path,
  settings: Mapping[str, Any],
  groups: Sequence[grids.Group],
) -> Iterator[tuple[dict[str, Any], symmetric_states.Weak]]:
  """Yields random states, then those of the training runs step by step."""
  for n in settings['state_features']:
    states = symmetric_states.random_states(
      n, settings['num_random_states'], settings['seed']
    )
    at = {'source': 'random', 'num_features': n}
    at |= {'weight_decay': None, 'step': None}
    yield at, symmetric_states.look(*states)
  for group in groups:
    runs = grids.open_finished(path / 'results.zarr', group)
    weights, bias = runs.read('weights'), runs.read('bias')
    number = runs.runs % group.num_configurations
    for c in range(group.num_configurations):
      for k, step in enumerate(settings['state_steps']):
        weak = symmetric_states.look(
          weights[number == c, k], bias[number == c, k]
        )
        yield (
          {
            'source': 'training',
            'num_features': group.static['num_features'],
            'weight_decay': group.axes['weight_decay'][c].item(),
            'step': step,
          },
          weak,
        )


# What the terminal shows of each table; the files have every column.
_SHOWN = {
  'verdicts': (
    *('num_features', 'norm_factor', 'num_kinks', 'dead_row_coefficient'),
    *('lowest_eigenvalue', 'lowest_curvature_found', 'path_curvature'),
    *('num_flat', 'verdict', 'decayed_lowest', 'decayed_verdict'),
  ),
  'descents': (
    *('num_features', 'norm_factor', 'kick', 'num_below', 'total'),
    *('lower', 'upper', 'num_zero_loss'),
  ),
  'escape': (
    *('num_features', 'optimizer', 'norm_factor', 'start_noise'),
    *('num_never_escaped', 'total', 'median_escape_step'),
    *('median_escape_lower', 'median_escape_upper', 'num_solved'),
    'num_symmetric_at_end',
  ),
  'tilt': (
    *('source', 'num_features', 'weight_decay', 'step', 'num_unsolved'),
    *('num_growing', 'general_wrong', 'special_wrong', 'lower', 'upper'),
    *('num_assumptions_hold', 'wrong_where_they_hold'),
  ),
  'dead': (
    *('num_features', 'weight_decay', 'step', 'num_dead', 'num_states'),
    *('bias_low', 'bias_median', 'bias_high', 'num_at_prediction'),
    'median_norm_of_optimum',
  ),
  'frozen': (
    *('num_features', 'norm_factor', 'nudge', 'live_rows'),
    *('predicted_epsilon', 'measured_epsilon', 'aside', 'optimum_norm'),
    'bias_times_n',
  ),
}


def _show(
  path: pathlib.Path, name: str, title: str, rows: Sequence[dict[str, Any]]
) -> None:
  """Writes a table to its file and prints its main columns."""
  tables.write_csv(path / f'{name}.csv', rows)
  shown = _SHOWN[name]
  print(f'\n{title} ({name}.csv):\n')
  print(
    tables.format_table(
      shown, [[_text(row[column]) for column in shown] for row in rows]
    )
  )


def _text(value: Any) -> str:
  if value is None:
    return '-'
  return f'{value:.4g}' if isinstance(value, float) else str(value)
