"""What each study promises of its folder: one table, a row a study.

The commands are those of `benchmarks.same_results_cases`.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from toyjax.plots import animations
from toyjax.studies.base import STORE

# Why tables have no counts of kinds that add up to a total.
_ONE = 'follows one run or one net'
_OVERLAP = 'one run may be of several kinds'
_BY_CASE = 'a row has all of its numbers, which a test of its own adds up'


class Promise(NamedTuple):
  """What a study does with its folder.

  Attributes:
    files: names of all that it writes there, but for what it stores.
    other: flag that asks for other science than its command.
    counted: tables whose counts of kinds add up to their totals; why there are
      none, where there are none.
    folder: its own, below that of the sweep it reads.
    store: what holds the arrays of its runs; '' where nothing is kept.
    grown: table and column of the number of seeds, where a folder may grow.
  """

  files: frozenset[str]
  other: str
  counted: frozenset[str] | str
  folder: str = '.'
  store: str = STORE
  grown: tuple[str, str] = ('summary.csv', 'total')


def _names(
  csv: Iterable[str] = (), png: Iterable[str] = (), *others: str
) -> frozenset[str]:
  tables = (f'{name}.csv' for name in csv)
  return frozenset([*tables, *(f'{name}.png' for name in png), *others])


_SUMMARY = _names(['summary'])
PROMISES: Mapping[str, Promise] = {
  'optimization_failure': Promise(
    _names(['summary', 'differences'], ['outcomes', 'survival']),
    *('--seed=1', _SUMMARY),
  ),
  'certify_failure': Promise(
    _names(['certificates', 'totals', 'unexplained'], ['valleys']),
    *('--step=200', _names(['certificates']), 'certificates'),
    'certificates.zarr',
  ),
  'descend_runaways': Promise(
    _names(['descents', 'flows'], ['paths']),
    *('--num_pairs=4', _names(['descents']), 'descents'),
  ),
  'latent_atlas': Promise(
    _names(
      ['atlas', 'radii', 'circles', 'phase'],
      ['atlas_n8_m2', 'radii_n8_m2', 'phase'],
    ),
    *('--circle_tolerance=0.03', _names(['atlas', 'phase']), 'atlas', ''),
  ),
  'replay_seed': Promise(
    _names(
      ['comparison'],
      ['training', 'gram', 'stages', 'tilt'],
      f'animation.{"mp4" if animations.mp4_is_possible() else "gif"}',
    ),
    *('--num_observed=5', _ONE, 'replays/n5_m2_run7'),
  ),
  'failure_sizes': Promise(
    _names(['sizes', 'ratios'], ['sizes']),
    *('--compare=3,2', 'only failures are counted', 'sizes', ''),
  ),
  'failure_survival': Promise(
    _names(
      ['summary', 'events', 'hazards', 'learning'],
      ['survival', 'hazards', 'escape'],
    ),
    *('--seed=1', _OVERLAP),
    grown=('summary.csv', 'num_seeds'),
  ),
  'symmetric_failure': Promise(
    _names(
      ['dead', 'descents', 'escape', 'frozen', 'tilt', 'verdicts'],
      ['escape', 'frozen', 'verdicts'],
    ),
    *('--seed=1', _OVERLAP),
    grown=('escape.csv', 'total'),
  ),
  'symmetric_escape': Promise(
    _names(['escape'], ['escape']), '--seed=1', _OVERLAP
  ),
  'resampling_trial': Promise(
    _names(['arms', 'pairs', 'spells'], ['repaired', 'survival']),
    '--seed=1',
    _OVERLAP,
  ),
  'latent_resampling': Promise(
    _names(['arms'], ['revived']), '--seed=1', 'means over states'
  ),
  'chaos_map': Promise(
    _names(
      ['summary', 'edges', 'zooms', 'dimensions', 'lyapunov', 'scan'],
      ['map', 'zooms', 'dimensions', 'lyapunov'],
    ),
    *('--size=17', _SUMMARY),
  ),
  'text_failure': Promise(
    _names(
      [
        *('summary', 'differences', 'generation', 'wrong', 'exchange'),
        *('losses', 'temperatures', 'best'),
      ],
      ['outcomes', 'generation', 'losses'],
    ),
    *('--seed=1', _names(['summary', 'generation'])),
  ),
  'sqrt_failure': Promise(
    _names(
      ['summary', 'transitions', 'regions', 'units', 'errors', 'agreement'],
      ['outcomes', 'regions', 'errors'],
    ),
    *('--seed=1', _names(['summary', 'transitions'])),
  ),
  'walk_text': Promise(
    _names((), ['map', 'lengths'], 'walk.txt'),
    *('--seed_index=5', _ONE, '.', ''),
  ),
  'walk_sqrt': Promise(
    _names((), ['net'], 'formula.txt', 'formula.tex'),
    *('--seed_index=6', _ONE, '.', ''),
  ),
  'changepoint_replay': Promise(
    _names(['replay'], ['replay', 'trajectories']), '--seed=1', _BY_CASE
  ),
  'changepoint_study': Promise(
    _names(['study'], ['coverage', 'errors', 'false_alarms', 'batches']),
    *('--seed=1', _OVERLAP, '.', 'sweeps'),
  ),
  'locate_error': Promise(
    _names(['positions'], ['trajectory'], 'report.md'),
    *('--seed=1', _BY_CASE, '.', ''),
  ),
  'superposition_phase': Promise(
    _names(['summary', 'cells', 'optima'], ['phases']),
    *('--seed=1', _SUMMARY),
    grown=('cells.csv', 'found_total'),
  ),
  'single_polygons': Promise(
    _names(['summary', 'polygons', 'ends'], ['losses']),
    *('--seed=1', _SUMMARY),
  ),
  'sparse_autoencoder': Promise(
    _names(
      ['summary', 'latents', 'features', 'fit', 'differences', 'dead'],
      ['features'],
    ),
    *('--seed=1', _names(['summary', 'latents'])),
  ),
  'superposition': Promise(
    _names(
      ['summary', 'cells', 'kept', 'sparser', 'switch', 'pairs'],
      ['phases', 'nets'],
    ),
    *('--seed=1', _SUMMARY),
  ),
  'feature_dimensionality': Promise(
    _names(
      ['summary', 'cells', 'lines', 'pooled'], ['dimensionality', 'misses']
    ),
    *('--seed=1', _SUMMARY),
  ),
  'hand_written_gradient': Promise(
    _names(
      ['gradient', 'summary', 'corners', 'differences'],
      ['vectors'],
      'animation.gif',
      *(['animation.mp4'] if animations.mp4_is_possible() else []),
    ),
    *('--seed=1', _SUMMARY),
  ),
  'double_descent': Promise(
    _names(['summary', 'losses', 'onsets'], ['planes', 'curves']),
    *('--seed=1', _SUMMARY),
  ),
  'sentence_dendrogram': Promise(
    _names(['clusters', 'sentences'], ['dendrogram']),
    *('--linkage=complete', _BY_CASE, '.', ''),
  ),
}
