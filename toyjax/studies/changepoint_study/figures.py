"""Figures of the study of simulated traces, from the rows of study.csv."""

from collections.abc import Mapping
import functools
from typing import Any

import jax.numpy as jnp
from matplotlib.figure import Figure
import numpy as np

from toyjax.inference.changepoint import limits
from toyjax.plots import sheets
from toyjax.plots.changepoint import rollouts
from toyjax.plots.sheets import Sheet
from toyjax.settings import Values
from toyjax.studies.changepoint_study.settings import DRAWN, rate_pairs
from toyjax.studies.changepoint_study.traces import CONSTANTS, RISES
from toyjax.tables import Row

# Part, policy, prior, p1, p2 -> what was run and measured, see `measures`.
Cases = Mapping[tuple[Any, ...], Row]
Pair = tuple[Any, Any]


def sheets_of(cases: Cases, values: Values, pair: Pair) -> list[Sheet]:
  """Returns all pictures.

  Args:
    cases: all that was run.
    values: of all settings.
    pair: rates of the pictures that show one pair.
  """
  draws = {
    'coverage': functools.partial(_coverage, cases, values),
    'errors': functools.partial(_errors, cases, values, pair),
    'false_alarms': functools.partial(_alarms, cases, values),
    'batches': functools.partial(_batches, cases, values, pair),
  }
  return [Sheet(name, draw) for name, draw in draws.items()]


def _curve(case: Row) -> tuple[np.ndarray, np.ndarray]:
  """Returns numbers of rollouts [K], and shares of exact ones [K, 3]."""
  after = case['exact_after']
  shares = [measure.estimate for measure in after.values()]
  return np.asarray(list(after), float), np.asarray(shares)


def _coverage(cases: Cases, values: Values) -> Figure:
  policy, pairs = values['policies'][0], rate_pairs(values)
  kinds = {
    'central': 'central',
    'hpd': 'highest density',
    'randomised': 'randomised',
  }
  figure, panels = sheets.panels(
    len(kinds),
    f'Coverage of {100 * values["level"]:g} % intervals after '
    f'{values["num_rollouts"]} rollouts by {policy} '
    f'({values["num_traces"]:,} traces each, 95 % Wilson intervals)',
    most=len(kinds),
    columns=len(kinds),
    width=3.7,
    height=3.6,
    sharey=True,
  )
  for axes, (kind, title) in zip(panels, kinds.items()):
    of_priors = [
      [cases['policies', policy, prior, *pair] for pair in pairs]
      for prior in values['priors']
    ]
    rollouts.draw_dots(
      axes,
      names=[
        'drawn' if DRAWN in pair else f'{pair[0]:g}\n{pair[1]:g}'
        for pair in pairs
      ],
      labels=values['priors'],
      shares=[
        [case[f'coverage_{kind}'].estimate for case in line]
        for line in of_priors
      ],
      target=values['level'],
    )
    axes.set_title(title)
  panels[1].set_xlabel(
    'true p₁ over true p₂; drawn: both from the assumed prior'
  )
  panels[0].set_ylabel('share of traces whose change is inside')
  panels[0].legend(title='assumed prior')
  return figure


def _errors(cases: Cases, values: Values, pair: Pair) -> Figure:
  """Draws error against rollouts of all policies."""
  prior, size = values['priors'][0], values['num_positions']
  curves, most = {}, values['num_rollouts']
  for policy in values['policies']:
    case = cases['policies', policy, prior, *pair]
    if 'exact_after' in case:
      places, exact = _curve(case)
    else:
      places = np.asarray([case['rollouts'].estimate.estimate])
      exact = np.asarray([case['exact'].estimate])
    curves[policy] = places, 1.0 - exact[:, [0, 2, 1]]
    most = max(most, places.max())
  figure, axes = sheets.single(
    8.5,
    5.0,
    f'Error against rollouts: prior {prior}, p₁ = {pair[0]}, p₂ = {pair[1]}, '
    f'T = {size}\n({values["num_traces"]:,} traces, 95 % Wilson bands; '
    'limits know p₁ and p₂)',
  )
  rollouts.draw_curves(axes, curves)
  if DRAWN not in pair:
    errors = np.geomspace(1e-3, 1.0 - 1.0 / size, 300)
    for label, limit, line in (
      ('Fano: no policy is below', limits.fano_rollouts, '-'),
      ('search, then confirm', limits.search_and_confirm_rollouts, '--'),
    ):
      places = np.asarray(limit(*pair, size, jnp.asarray(errors)))
      axes.plot(places, errors, line, color='black', linewidth=1.2, label=label)
  axes.set_xscale('log')
  axes.set_yscale('log')
  axes.set_xlim(4.0, 1.3 * most)
  axes.set_ylim(0.5 / values['num_traces'], 1.1)
  axes.set_xlabel(
    'rollouts a trace; markers: searches and designs, mean used '
    '(a bar alone: no error seen)'
  )
  axes.set_ylabel('share of wrong first low positions')
  axes.grid(alpha=0.25)
  sheets.legend_beside(axes, fontsize='small')
  return figure


def _alarms(cases: Cases, values: Values) -> Figure:
  prior, alpha = values['priors'][0], values['alpha']
  kinds = (*CONSTANTS, *RISES)
  names = [kind.replace('constant ', 'p = ') for kind in kinds]
  figure, panels = sheets.panels(
    2,
    f'False alarms on traces that never fall: α = {alpha:g}, '
    f'prior {prior}, {values["num_null_traces"]} traces each, '
    '95 % Wilson intervals',
    most=2,
    columns=1,
    width=13.0,
    sharex=True,
    sharey=True,
  )
  found = [cases['alarms', p, prior, '', ''] for p in values['policies']]
  for axes, name, shown in zip(panels, ('change', 'drop'), (CONSTANTS, kinds)):
    rollouts.draw_dots(
      axes,
      names=names[: len(shown)],
      labels=values['policies'],
      shares=[
        [case[f'E_{name} on {kind}'].estimate for kind in shown]
        for case in found
      ],
      target=alpha,
    )
    axes.set_ylabel(f'share with E_{name} ever ≥ 1/α')
  upper, lower = panels
  upper.set_xlim(-0.6, len(kinds) - 0.4)
  upper.text(len(CONSTANTS), alpha, 'α', ha='center', va='bottom')
  upper.annotate(
    'E_change also answers to rises:\nthat is no false alarm',
    (len(kinds) - 2.0, 0.5 * alpha),
    ha='center',
    va='center',
  )
  lower.set_xticks(range(len(kinds)), [n.replace(' ', '\n', 1) for n in names])
  sheets.legend_beside(upper, fontsize='small')
  return figure


def _batches(cases: Cases, values: Values, pair: Pair) -> Figure:
  prior = values['priors'][0]
  figure, panels = sheets.panels(
    2,
    f'q rollouts in parallel: prior {prior}, p₁ = {pair[0]}, '
    f'p₂ = {pair[1]} ({values["num_traces"]:,} traces, 95 % Wilson bands)\n'
    'up to q = 8 chosen by exact joint information, beyond by a spread',
    most=2,
    width=4.8,
    height=3.6,
    sharey=True,
  )
  for axes, unit in zip(panels, ('rollouts', 'rounds')):
    curves = {}
    for size in values['batch_sizes']:
      places, exact = _curve(cases['batches', f'q={size}', prior, *pair])
      curves[f'q = {size}'] = places / (size if unit == 'rounds' else 1), exact
    rollouts.draw_curves(axes, curves)
    axes.set_xscale('log')
    axes.set_xlabel(unit)
    axes.grid(alpha=0.25)
  panels[0].set_ylabel('share of exact first low positions')
  panels[0].legend()
  return figure
