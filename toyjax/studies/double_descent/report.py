"""What the runs show by the number of samples: regimes, losses, onsets."""

from collections.abc import Iterator, Mapping, Sequence
import functools
from typing import Any

import numpy as np

from toyjax import statistics, tables
from toyjax.analysis.autoencoder import polygons
from toyjax.analysis.autoencoder.dimensionality import (
  dimensionalities,
  dimensions_per_feature,
)
from toyjax.analysis.autoencoder.memorising import EXPLAINED, Regime
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values, text_of
from toyjax.studies.base import Report
from toyjax.studies.double_descent import figures
from toyjax.tables import CONFIGURATION, Row, Share, Table, column, shares


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  summary = Table(
    'summary',
    tables.each(found, _count),
    'What runs hold:',
    (CONFIGURATION, column('outcome'), *shares()),
    where=lambda row: row[''].count > 0,
  )
  losses = Table(
    'losses',
    tables.each(found, functools.partial(_losses, near=values['near'])),
    f'Losses, and runs within {100 * values["near"]:g} % of the best gain:',
    (
      *(CONFIGURATION, column('lowest_loss', 'lowest', '.4f')),
      column('median_loss', 'median', '.4f'),
      *shares('near')[:3],
      column('fresh_of_lowest', 'fresh, of the lowest', '.4f'),
      column('fresh_null_loss', 'constant', '.4f'),
      column('median_explained', 'explained', '.2f'),
      column('median_length', 'sample length', '.2f'),
    ),
  )
  begun = Table(
    'onsets',
    list(onsets(found)),
    'By setting: the largest T that most seeds hold as a polygon, and the '
    'least from which on most answer fresh samples:',
    (
      *(column('setting'), column('last_polygon', 'last polygon')),
      *(column('onset'), column('onset_density', 'onset T(1-S)', '.3g')),
      column('worst_T', 'worst T'),
      column('worst_explained', 'explained there', '.3g'),
    ),
  )
  first = [runs for runs in found if _others(runs) == _others(found[0])]
  return Report(
    (summary, losses, begun),
    (
      Sheet('planes', lambda: figures.draw_planes(first), dpi=56),
      Sheet('curves', lambda: figures.draw_curves(first, losses), dpi=90),
    ),
    {'explained': EXPLAINED, 'polygons': polygons.THRESHOLDS._asdict()},
  )


def _count(runs: Runs) -> Iterator[Row]:
  counts = statistics.counts(runs.data['outcome'], len(Regime))
  for kind in Regime:
    share = Share(int(counts[kind]), runs.num_runs)
    yield {'outcome': kind.name, '': share}


def _losses(runs: Runs, *, near: float) -> Iterator[Row]:
  """Compares the losses of all seeds, by configuration of one sample set."""
  loss = np.nan_to_num(runs.data['loss'], nan=np.inf)
  lowest = int(loss.argmin())
  null = float(runs.data['null_loss'][lowest])
  is_near = loss <= loss[lowest] + near * (null - loss[lowest])
  vectors = {
    'sample': np.moveaxis(runs.data['hidden_vectors'], 1, 2),
    'feature': np.moveaxis(runs.data['weights'], 1, 2),
  }
  lengths = {k: np.linalg.norm(v, axis=2) for k, v in vectors.items()}
  spread = {}
  for name, nets in vectors.items():
    for key, measure in (
      ('dimensions_per', lambda own: dimensions_per_feature(own.T)),
      ('dimensionality_of', lambda own: np.mean(dimensionalities(own))),
    ):
      found = np.asarray([float(measure(own)) for own in nets])
      spread[f'{key}_{name}'] = tables.quantile(found, 0.5)
  yield {
    'expected_entries': runs.configuration['num_samples']
    * (1.0 - runs.configuration['sparsity']),
    **{'null_loss': null, 'lowest_loss': float(loss[lowest])},
    'median_loss': tables.quantile(loss, 0.5),
    'near': Share(int(is_near.sum()), runs.num_runs),
    'fresh_null_loss': float(runs.data['fresh_null_loss'][lowest]),
    'fresh_of_lowest': float(runs.data['fresh_loss'][lowest]),
    'explained_of_lowest': float(runs.data['explained'][lowest]),
    'outcome_of_lowest': Regime(int(runs.data['outcome'][lowest])).name,
    **{
      f'{name}_explained': tables.quantile(runs.data['explained'], q)
      for name, q in (('low', 0.0), ('median', 0.5), ('high', 1.0))
    },
    'median_length': tables.quantile(np.median(lengths['sample'], axis=1), 0.5),
    'longest': tables.quantile(lengths['sample'].max(axis=1), 0.5),
    'num_features_held': tables.quantile(
      (lengths['feature'] > polygons.THRESHOLDS.represented).sum(axis=1), 0.5
    ),
    **spread,
  }


def _others(runs: Runs) -> dict[str, Any]:
  """Returns the configuration without the number of samples."""
  return {k: v for k, v in runs.configuration.items() if k != 'num_samples'}


def _onset(explained: Mapping[int, float]) -> int | None:
  """Returns the least T from which on all T explain a feature."""
  onset = None
  for size in sorted(explained, reverse=True):
    if not explained[size] >= EXPLAINED:
      break
    onset = size
  return onset


def onsets(found: Sequence[Runs]) -> Iterator[Row]:
  """Yields where regimes end and begin, for each setting but T."""
  settings: list[dict[str, Any]] = []
  for runs in found:
    if _others(runs) not in settings:
      settings.append(_others(runs))
  varied = [
    name for name in settings[0] if len({own[name] for own in settings}) > 1
  ]
  for own in settings:
    by_size = {
      runs.configuration['num_samples']: runs
      for runs in found
      if _others(runs) == own
    }
    sizes = sorted(by_size)
    medians = {
      size: tables.quantile(by_size[size].data['explained'], 0.5)
      for size in sizes
    }
    held = [
      size
      for size in sizes
      if np.mean(by_size[size].data['outcome'] == Regime.SAMPLES) > 0.5
    ]
    onset = _onset(medians)
    worst = min(sizes, key=medians.__getitem__)
    words = [f'{name}={text_of(own[name])}' for name in varied]
    yield {
      **own,
      'setting': ' '.join(words) or 'default',
      'num_seeds': by_size[worst].num_runs,
      'last_polygon': max(held, default=None),
      'onset': onset,
      'onset_density': onset and onset * (1.0 - own['sparsity']),
      'worst_T': worst,
      'worst_explained': medians[worst],
      'explained_at_most_T': medians[sizes[-1]],
    }
