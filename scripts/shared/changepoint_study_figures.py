"""Figures of the study of simulated traces, from the rows of study.csv."""

from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import jax.numpy as jnp
import matplotlib.figure
from matplotlib.figure import Figure
import numpy as np

from scripts.shared import changepoint_studies
from scripts.shared.changepoint_studies import CONSTANTS, DRAWN, RISES
from scripts.shared.changepoint_study_rows import Row
from scripts.shared.changepoint_study_tables import index, pairs_to_show
from toyjax.inference.changepoint import limits
from toyjax.plots import rollouts as rollout_plots

Settings = Mapping[str, Any]
_ENDS = ('estimate', 'lower', 'upper')


def draw_all(
  path: pathlib.Path, rows: Sequence[Row], settings: Settings
) -> None:
  """Draws coverage.png, errors.png, false_alarms.png and batches.png."""
  for name, draw in (
    ('coverage', _coverage),
    ('errors', _errors),
    ('false_alarms', _alarms),
    ('batches', _batches),
  ):
    figure = draw(rows, settings)
    figure.savefig(path / f'{name}.png', dpi=110, bbox_inches='tight')


def _values(rows: Sequence[Row], name: str) -> np.ndarray:
  return np.asarray([row[name] for row in rows], float)


def _coverage(rows: Sequence[Row], settings: Settings) -> Figure:
  found, policy = index(rows), settings['policies'][0]
  pairs = changepoint_studies.rate_pairs(settings['p1'], settings['p2'])
  kinds = {
    'central': 'central',
    'hpd': 'highest density',
    'randomised': 'randomised',
  }
  figure = matplotlib.figure.Figure((11.0, 3.8))
  panels = figure.subplots(1, len(kinds), sharey=True)
  for axes, (kind, title) in zip(panels, kinds.items()):
    grid = [
      [
        found['policies', policy, prior, *pair, f'coverage_{kind}']
        for pair in pairs
      ]
      for prior in settings['priors']
    ]
    ends = [np.stack([_values(line, end) for line in grid]) for end in _ENDS]
    rollout_plots.draw_dots(
      axes,
      names=[
        'drawn' if DRAWN in pair else f'{pair[0]:g}\n{pair[1]:g}'
        for pair in pairs
      ],
      labels=settings['priors'],
      estimates=ends[0],
      lowers=ends[1],
      uppers=ends[2],
      target=settings['level'],
    )
    axes.set_title(title, fontsize='medium')
  panels[1].set_xlabel(
    'true p₁ over true p₂; drawn: both from the assumed prior'
  )
  panels[0].set_ylabel('share of traces whose change is inside')
  panels[0].legend(frameon=False, title='assumed prior')
  figure.suptitle(
    f'Coverage of {100 * settings["level"]:g} % intervals after '
    f'{settings["num_rollouts"]} rollouts by {policy} '
    f'({settings["num_traces"]:,} traces each, 95 % Wilson intervals)',
    fontsize='medium',
    y=1.02,
  )
  return figure


def _errors(rows: Sequence[Row], settings: Settings) -> Figure:
  """Draws error against rollouts of all policies at the first pair."""
  prior, pair = settings['priors'][0], pairs_to_show(settings)[0]
  found = index(rows)
  curves, most = [], settings['num_rollouts']
  for policy in settings['policies']:
    key = 'policies', policy, prior, *pair
    path = [
      row
      for row in rows
      if row['measure'] == 'exact_after'
      and (row['part'], row['policy'], row['prior']) == key[:3]
      and (row['p1'], row['p2']) == pair
    ]
    places = _values(path, 'num_rollouts')
    if not path:
      path = [found[*key, 'exact']]
      places = _values([found[*key, 'rollouts']], 'estimate')
    curves.append((policy, path, places))
    most = max(most, places.max())
  figure = matplotlib.figure.Figure((8.5, 5.0))
  axes = figure.subplots()
  rollout_plots.draw_curves(
    axes,
    labels=[policy for policy, _, _ in curves],
    places=[places for _, _, places in curves],
    estimates=[1.0 - _values(path, 'estimate') for _, path, _ in curves],
    lowers=[1.0 - _values(path, 'upper') for _, path, _ in curves],
    uppers=[1.0 - _values(path, 'lower') for _, path, _ in curves],
  )
  if DRAWN not in pair:
    known = *pair, settings['num_positions']
    errors = np.geomspace(1e-3, 1.0 - 1.0 / settings['num_positions'], 300)
    for label, limit, line in (
      ('Fano: no policy is below', limits.fano_rollouts, '-'),
      ('search, then confirm', limits.search_and_confirm_rollouts, '--'),
    ):
      rollout_plots.draw_limit(
        axes,
        label=label,
        places=np.asarray(limit(*known, jnp.asarray(errors))),
        values=errors,
        line=line,
      )
  axes.set_xscale('log')
  axes.set_yscale('log')
  axes.set_xlim(4.0, 1.3 * most)
  axes.set_ylim(0.5 / settings['num_traces'], 1.1)
  axes.set_xlabel(
    'rollouts a trace; markers: searches and designs, mean used '
    '(a bar alone: no error seen)'
  )
  axes.set_ylabel('share of wrong first low positions')
  axes.grid(alpha=0.25)
  axes.legend(
    frameon=False, fontsize='small', loc='upper left', bbox_to_anchor=(1.0, 1.0)
  )
  axes.set_title(
    f'Error against rollouts: prior {prior}, p₁ = {pair[0]}, p₂ = {pair[1]}, '
    f'T = {settings["num_positions"]}\n'
    f'({settings["num_traces"]:,} traces, 95 % Wilson bands; '
    'limits know p₁ and p₂)',
    fontsize='medium',
  )
  return figure


def _alarms(rows: Sequence[Row], settings: Settings) -> Figure:
  found, prior = index(rows), settings['priors'][0]
  figure = matplotlib.figure.Figure((12.0, 7.0))
  panels = figure.subplots(2, 1, sharex=True, sharey=True)
  kinds = [*CONSTANTS, *RISES]
  for axes, name in zip(panels, ('change', 'drop')):
    grid = [
      [
        found['alarms', policy, prior, '', '', f'E_{name} on {kind}']
        for kind in (CONSTANTS if name == 'change' else kinds)
      ]
      for policy in settings['policies']
    ]
    ends = [np.stack([_values(line, end) for line in grid]) for end in _ENDS]
    names = [kind.replace('constant ', 'p = ') for kind in kinds]
    rollout_plots.draw_dots(
      axes,
      names=names[: ends[0].shape[1]],
      labels=settings['policies'],
      estimates=ends[0],
      lowers=ends[1],
      uppers=ends[2],
      target=settings['alpha'],
    )
    axes.set_ylabel(f'share with E_{name} ever ≥ 1/α')
  panels[0].set_xlim(-0.6, len(kinds) - 0.4)
  panels[0].text(
    len(CONSTANTS), settings['alpha'], 'α', ha='center', va='bottom'
  )
  panels[0].annotate(
    'E_change also answers to rises:\nthat is no false alarm',
    (len(kinds) - 2.0, 0.5 * settings['alpha']),
    ha='center',
    va='center',
  )
  panels[1].set_xticks(
    range(len(kinds)), [n.replace(' ', '\n', 1) for n in names]
  )
  panels[0].legend(
    frameon=False, fontsize='small', loc='upper left', bbox_to_anchor=(1.0, 1.0)
  )
  figure.suptitle(
    f'False alarms on traces that never fall: α = {settings["alpha"]:g}, '
    f'prior {prior}, {settings["num_null_traces"]} traces each, '
    '95 % Wilson intervals',
    fontsize='medium',
    y=0.93,
  )
  return figure


def _batches(rows: Sequence[Row], settings: Settings) -> Figure:
  figure = matplotlib.figure.Figure((9.5, 4.0))
  panels = figure.subplots(1, 2, sharey=True)
  for axes, by_round in zip(panels, (False, True)):
    curves = []
    for size in settings['batch_sizes']:
      path = [
        row
        for row in rows
        if row['part'] == 'batches'
        and row['policy'] == f'q={size}'
        and row['measure'] == 'exact_after'
      ]
      places = _values(path, 'num_rollouts')
      curves.append((path, places / size if by_round else places))
    rollout_plots.draw_curves(
      axes,
      labels=[f'q = {size}' for size in settings['batch_sizes']],
      places=[places for _, places in curves],
      estimates=[_values(path, 'estimate') for path, _ in curves],
      lowers=[_values(path, 'lower') for path, _ in curves],
      uppers=[_values(path, 'upper') for path, _ in curves],
    )
    axes.set_xscale('log')
    axes.set_xlabel('rounds' if by_round else 'rollouts')
    axes.grid(alpha=0.25)
  panels[0].set_ylabel('share of exact first low positions')
  panels[0].legend(frameon=False)
  pair = pairs_to_show(settings)[0]
  figure.suptitle(
    f'q rollouts in parallel: prior {settings["priors"][0]}, p₁ = {pair[0]}, '
    f'p₂ = {pair[1]} ({settings["num_traces"]:,} traces, 95 % Wilson bands)\n'
    'up to q = 8 chosen by exact joint information, beyond by a spread',
    fontsize='medium',
    y=1.04,
  )
  return figure
