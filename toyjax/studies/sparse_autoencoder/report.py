"""What the runs show: recovered features, kinds of latents, death."""

from collections.abc import Iterator, Sequence
import itertools
from typing import Any

from matplotlib.figure import Figure
import numpy as np

from toyjax import runs as finished_runs
from toyjax import statistics, tables
from toyjax.analysis.features import dead_latents, matching
from toyjax.plots import features as plots
from toyjax.plots import sheets
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values, text_of
from toyjax.studies import banks
from toyjax.studies.base import Report
from toyjax.tables import CONFIGURATION, Row, Share, Table, column, shares
from toyjax.toys.sparse_autoencoder import THRESHOLDS, Latent, Outcome

# Settings whose two values are compared in pairs of seeds.
_COMPARED = ('sparsity', 'encoder', 'centering')
_AT = {'frequency': THRESHOLDS.dead}


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and the sheet of the finished runs."""
  steps = values['observe_steps']
  last = f'at step {steps[-1]:,}'

  def latents(runs: Runs) -> Iterator[Row]:
    for (k, step), kind in itertools.product(enumerate(steps), Latent):
      is_kind = runs.data['latents'][:, k] == kind
      yield {'step': step, 'class': kind.name, **_of_runs(is_kind)}

  def features(runs: Runs) -> Iterator[Row]:
    for low, high in matching.octaves(values['num_features']):
      own = runs.last('recovered')[:, low - 1 : high] > 0
      yield {'first_rank': low, 'last_rank': high, **_of_runs(own)}

  fit = Table(
    'fit',
    tables.each(found, lambda runs: [_fit(runs)]),
    f'Features recovered {last} (mean and interval over runs), and the fit:',
    (
      CONFIGURATION,
      _over_runs('mean:', 'recovered'),
      column('one_to_one', 'one to one', tables.percent),
      _over_runs('explained:', 'variance explained'),
      column('active', 'latents on', '.2f'),
      column('mean_cosine', 'cosine', '.3f'),
    ),
  )
  kinds = Table(
    '',
    [_kinds(runs) for runs in found],
    f'Latents by kind {last}, in per cent of all:',
    (CONFIGURATION, *(column(k.name, k.name.lower()) for k in Latent if k)),
  )
  dead = Table(
    'dead',
    tables.each(found, lambda runs: [_dead(runs)]),
    f'Latents dead before any step (below {THRESHOLDS.dead:g} of '
    f'{values["num_fresh"]:,} inputs), and for Gaussian inputs:',
    (
      CONFIGURATION,
      column('gamma', 'γ', '.3g'),
      *shares(),
      column('gaussian', 'closed form', tables.percent),
      column('isotropic', 'from γ alone', tables.percent),
      column('dead_at_end', 'dead at the end', tables.percent),
    ),
  )
  differences = Table(
    'differences',
    _differences(found),
    f'Share of features recovered {last}, in pairs of seeds:',
    (
      *(column('factor'), column('less', 'difference'), column('others')),
      _over_runs('difference:', 'points'),
    ),
  )
  parts = (
    Table('summary', tables.each(found, tables.outcomes(steps, Outcome))),
    Table('latents', tables.each(found, latents)),
    Table('features', tables.each(found, features)),
    *(fit, differences, kinds, dead),
  )
  sheet = Sheet('features', lambda: _draw(found, values))
  return Report(parts, (sheet,), {'thresholds': THRESHOLDS._asdict()})


def _of_runs(hits: np.ndarray) -> Row:
  """Counts hits [S, K], with Student's interval over the S runs.

  The Wilson interval beside it takes all as independent, which those of one run
  are not.
  """
  share = Share(int(hits.sum()), hits.size)
  return {'': share, 'mean:': statistics.mean(hits.mean(axis=1))}


def _over_runs(name: str, header: str) -> tables.Column:
  def text(row: Row) -> str:
    cell = row[name]
    return f'{tables.percent(cell.estimate)} {tables.percent_interval(cell)}'

  return tables.Column(header, text)


def _fit(runs: Runs) -> Row:
  pairs = [
    matching.one_to_one(rows[alive], features, matched=THRESHOLDS.matched)
    for rows, features, alive in zip(
      runs.data['decoder'],
      runs.data['features'],
      ~np.isin(runs.last('latents'), (Latent.DEAD, Latent.UNDEFINED)),
    )
  ]
  return {
    **_of_runs(runs.last('recovered') > 0),
    'one_to_one': float(np.mean(pairs)) / runs.values['num_features'],
    'explained:': statistics.mean(runs.last('explained')),
    **{n: float(runs.last(n).mean()) for n in ('active', 'mean_cosine')},
  }


def _kinds(runs: Runs) -> Row:
  found = runs.last('latents')
  shares_of = {k.name: f'{100 * np.mean(found == k):.1f}' for k in Latent}
  return {tables.LABEL: runs.label, **shares_of}


def _dead(runs: Runs) -> Row:
  """Compares the dead of the start with the closed forms, run by run."""
  rows = []
  for features, mean in zip(runs.data['features'], runs.data['mean']):
    middle, covariance = banks.moments(features, mean, runs.values)
    middle = middle * (1.0 - runs.configuration['centering'])
    gamma = dead_latents.outlier_ratio(middle, covariance)
    exact = dead_latents.share_dead(middle, covariance, **_AT)
    isotropic = dead_latents.share_dead_isotropic(gamma, len(mean), **_AT)
    rows.append((gamma, exact, isotropic))
  gamma, exact, isotropic = np.mean(rows, axis=0).tolist()
  return {
    'gamma': gamma,
    **_of_runs(runs.data['dead_at_start'] > 0),
    'gaussian': exact,
    'isotropic': isotropic,
    'dead_at_end': float(np.mean(runs.last('latents') == Latent.DEAD)),
  }


def _differences(found: Sequence[Runs]) -> list[Row]:
  rows: list[Row] = []
  pairs = itertools.permutations(found, 2)
  for factor, (a, b) in itertools.product(_COMPARED, list(pairs)):
    levels = a.configuration[factor], b.configuration[factor]
    hidden = {factor, 'l1' if factor == 'sparsity' else ''}
    of_a, of_b = (
      {n: v for n, v in runs.configuration.items() if n not in hidden}
      for runs in (a, b)
    )
    if of_a == of_b and levels[0] < levels[1]:
      here, there = finished_runs.common(a, b)
      less = a.last('recovered')[here].mean(axis=1)
      less -= b.last('recovered')[there].mean(axis=1)
      rows.append(
        {
          'factor': factor,
          'less': ' - '.join(map(text_of, levels)),
          'others': a.label,
          'num_runs': len(less),
          'difference:': statistics.mean(less),
        }
      )
  return rows


def _draw(found: Sequence[Runs], values: Values) -> Figure:
  """Draws recovered by rank, dead over training, and dead at the start."""
  first, most = min(values['mean_norm']), max(values['mean_norm'])
  figure, axes = sheets.panels(
    3,
    f'Sparse autoencoders on {values["num_features"]} features in '
    f'{values["num_inputs"]} dimensions, {values["num_latents"]} latents, '
    f'{found[0].num_runs} seeds each; means with 95 % intervals over runs',
    most=3,
    columns=3,
    width=5.0,
    height=4.2,
  )

  def arms(*free: str, **fixed: Any) -> Iterator[tuple[str, Runs]]:
    for runs in found:
      own = runs.configuration
      if all(own[name] == value for name, value in fixed.items()):
        texts = [str(own[name]).replace('_', ' ') for name in free]
        yield ', '.join(texts), runs

  centering, encoder = values['centering'], values['encoder'][0]
  held = arms('sparsity', 'encoder', mean_norm=first, centering=centering[0])
  plots.draw_recovered(axes[0], {n: r.last('recovered') > 0 for n, r in held})
  axes[0].set_title(f'step {values["num_steps"]:,}, |μ| = {first:g}')

  def dead(runs: Runs) -> np.ndarray:
    later = np.mean(runs.data['latents'] == Latent.DEAD, axis=2)
    return np.column_stack([runs.data['dead_at_start'].mean(axis=1), later])

  plots.draw_dead(
    axes[1],
    steps=[0, *values['observe_steps']],
    dead={
      f'{name}, b_d = {c:g} E x': dead(runs)
      for c in centering
      for name, runs in arms(
        'sparsity', mean_norm=most, encoder=encoder, centering=c
      )
    },
  )
  axes[1].set_title(f'|μ| = {most:g}, {encoder}, by b_d at the start')
  series: dict[str, list[Row]] = {}
  for name, runs in arms('sparsity', encoder=encoder):
    series.setdefault(name, []).append(_dead(runs))
  plots.draw_dead_at_start(
    axes[2],
    gammas={name: [r['gamma'] for r in rows] for name, rows in series.items()},
    shares={name: [r['mean:'] for r in rows] for name, rows in series.items()},
    num_inputs=values['num_inputs'],
    frequency=THRESHOLDS.dead,
  )
  axes[2].set_title('before any step')
  return figure
