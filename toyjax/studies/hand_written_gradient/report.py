"""What the runs show: which update is a gradient, which polygons, who stays."""

from collections import Counter
from collections.abc import Iterator
import functools
import itertools

import numpy as np

from toyjax import statistics, tables, texts
from toyjax.analysis.autoencoder import hand_written, polygons
from toyjax.analysis.autoencoder.hand_written import UPDATES
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.plots import animations
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.studies.hand_written_gradient import figures
from toyjax.studies.hand_written_gradient.trial import STAGES, importance_of
from toyjax.tables import CONFIGURATION, Row, Share, Table, column, shares


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables, the sheet and the animation of the finished runs."""
  gradient = Table(
    'gradient',
    tables.each(
      found, functools.partial(_compare, num_states=values['num_states'])
    ),
    f'|update - finite differences of L| / |differences| at '
    f'{values["num_states"]} random states, float64:',
    (
      CONFIGURATION,
      *(column('update'), column('of'), column('median', form='.2g')),
      column('largest', form='.2g'),
    ),
  )
  summary = Table(
    'summary',
    tables.each(found, _count),
    'Polygons at the end of training:',
    (CONFIGURATION, column('update'), column('outcome'), *shares()),
    where=lambda row: row['end'] == STAGES[0] and row[''].count > 0,
  )
  corners = Table(
    'corners',
    tables.each(found, _corners),
    'The commonest corners, and how many still have them after '
    f'{values["then_steps"]:,} steps of the gradient:',
    (
      *(CONFIGURATION, column('update'), column('corners')),
      *(column('polygon'), *shares('')[:3]),
      column('median_loss', 'median loss', '.5f'),
      *shares('stays')[2:],
    ),
    where=lambda row: row['_rank'] < 4,
  )
  differences = Table(
    'differences',
    tables.each(found, _differences),
    'By hand less by the gradient, the same seeds and batches:',
    (
      *(CONFIGURATION, column('end'), column('what')),
      *tables.difference('difference:'),
    ),
  )
  moving = ['gif', 'mp4'] if animations.mp4_is_possible() else ['gif']
  return Report(
    (gradient, summary, corners, differences),
    (Sheet('vectors', lambda: figures.draw(found), dpi=70),),
    {'polygons': polygons.THRESHOLDS._asdict()},
    dict.fromkeys(
      [f'animation.{suffix}' for suffix in moving],
      functools.partial(
        figures.animate, found[-1], num_frames=values['num_frames']
      ),
    ),
  )


def _compare(runs: Runs, *, num_states: int) -> Iterator[Row]:
  """Compares both updates with differences of L at random states."""
  found = hand_written.misses(
    importance_of(runs.values),
    sparsity=runs.configuration['sparsity'],
    num_states=num_states,
    seed=runs.values['seed'],
  )
  for (name, part), misses in found.items():
    yield {
      **{'update': name, 'of': part, 'num_states': num_states},
      'median': float(np.median(misses)),
      'largest': float(np.max(misses)),
    }


def _count(runs: Runs) -> Iterator[Row]:
  for (u, update), (e, end) in itertools.product(
    enumerate(UPDATES), enumerate(STAGES)
  ):
    counts = statistics.counts(runs.data['outcome'][:, u, e], len(Polygon))
    for kind in Polygon:
      share = Share(int(counts[kind]), runs.num_runs)
      yield {'update': update, 'end': end, 'outcome': kind.name, '': share}


def corners_of(weights: np.ndarray) -> list[str]:
  """Returns the features of each net [S, 2, N] that are represented, named."""
  lengths = np.linalg.norm(weights, axis=1)
  threshold = polygons.THRESHOLDS.represented
  return [
    texts.spans(np.flatnonzero(row > threshold).tolist()) for row in lengths
  ]


def _corners(runs: Runs) -> Iterator[Row]:
  for u, update in enumerate(UPDATES):
    before, after = (
      list(
        zip(
          corners_of(runs.data['ends'][:, u, e]),
          runs.data['outcome'][:, u, e].tolist(),
        )
      )
      for e in range(len(STAGES))
    )
    counted = Counter(before).most_common()
    for rank, (which, count) in enumerate(counted):
      is_own = np.asarray([own == which for own in before])
      stay = sum(a == which for a, b in zip(after, before) if b == which)
      yield {
        'update': update,
        'corners': which[0],
        'polygon': Polygon(which[1]).name,
        '_rank': rank,
        '': Share(count, runs.num_runs),
        'median_loss': tables.quantile(runs.data['loss'][is_own, u, 0], 0.5),
        'stays': Share(stay, count),
        'median_loss_then': tables.quantile(
          runs.data['loss'][is_own, u, 1], 0.5
        ),
        'median_gradient_norm': tables.quantile(
          runs.data['gradient_norm'][is_own, u, 0], 0.5
        ),
      }


def _differences(runs: Runs) -> Iterator[Row]:
  """Compares the updates seed by seed."""
  ends, losses = runs.data['outcome'], runs.data['loss']
  for e, end in enumerate(STAGES):
    by_hand, true = ends[:, 0, e], ends[:, 1, e]
    for kind in Polygon:
      if (both := np.stack([by_hand == kind, true == kind])).any():
        yield {
          **{'end': end, 'what': kind.name},
          'difference:': tables.paired_difference(*both),
        }
    higher = losses[:, 0, e] > losses[:, 1, e]
    yield {
      **{'end': end, 'what': 'loss is the higher'},
      'difference:': tables.paired_difference(
        higher, losses[:, 0, e] < losses[:, 1, e]
      ),
    }
