"""Classes of stored runs: how many each has, and a typical member of each.

results.zarr, or certificates.zarr --read--> Population --classify--> classes
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from absl import flags
import numpy as np

from scripts.shared import certifying, grids, stored_folder
from toyjax import statistics
from toyjax.statistics import Interval

flags.disclaim_key_flags()

CERTIFICATES = f'certificates/{certifying.FILENAME}'
BY = ('outcome', 'certificate')


class Population(NamedTuple):
  """All runs of one configuration at one step, each with its class.

  Attributes:
    title: what tells the configuration, for figures.
    by: what the classes are, one of `BY`.
    step: optimizer steps made.
    names: names of the classes.
    codes: int [S], index into `names`.
    runs: int [S], number of each run in its group.
    weights: W [S, M, N].
    bias: b [S, N].
    sse: [S].
    solved: bool [S], whether the stored label says so.
    end_weights: W [S, M, N] as trained, which `weights` are not where they
      were polished.
  """

  title: str
  by: str
  step: int
  names: list[str]
  codes: np.ndarray
  runs: np.ndarray
  weights: np.ndarray
  bias: np.ndarray
  sse: np.ndarray
  solved: np.ndarray
  end_weights: np.ndarray


class Class(NamedTuple):
  """One class of a population.

  Attributes:
    name: of the class.
    num_runs: its runs.
    total: runs in all.
    share: num_runs / total with its 95 % Wilson interval.
    sse: quantiles .05, .5 and .95 of the SSE; NaN where none is finite.
    members: indices into the population, the most typical first.
  """

  name: str
  num_runs: int
  total: int
  share: Interval
  sse: np.ndarray
  members: np.ndarray


def read(
  workdir: str,
  group: grids.Group,
  *,
  configuration: int,
  step: int,
  by: str,
) -> Population:
  """Reads the finished runs of one configuration of a group.

  Args:
    workdir: folder of optimization_failure.
    group: of the folder.
    configuration: its number in the group, from 0.
    step: one of the observed steps; certificates are of one alone.
    by: one of `BY`.

  Raises:
    flags.Error: where the folder does not hold what is asked for.
  """
  if not 0 <= configuration < group.num_configurations:
    raise flags.Error(
      f'--configuration={configuration} must lie in '
      f'0..{group.num_configurations - 1}'
    )
  stored = stored_folder.open_group(workdir, group)
  runs = stored.runs
  runs = runs[runs % group.num_configurations == configuration]
  if not len(runs):
    raise flags.Error(f'no run of {group.name} has finished yet')
  steps = stored.read_labels('step').tolist()
  if step not in steps:
    raise flags.Error(f'--step={step} was not observed: choose one of {steps}')
  labels, weights, bias, sse = (
    stored.read(name, runs)[:, steps.index(step)]
    for name in ('outcome', 'weights', 'bias', 'sse')
  )
  meanings = stored.attrs_of('outcome')['flag_meanings'].split()
  solved = np.asarray([name.startswith('solved') for name in meanings])[labels]
  if by == 'outcome':
    names = [name.replace('_', ' ') for name in meanings]
    found = (names, labels, weights, bias, sse)
  else:
    found = _certified(workdir, group, runs, step)
  names, codes, shown, bias, sse = found
  point = {name: values[configuration] for name, values in group.axes.items()}
  title = (
    f'n = {group.static["num_features"]}, m = {group.static["num_hidden"]}, '
    f'{group.static["optimizer"]}, learning rate {point["learning_rate"]:g}, '
    f'init scale {point["init_scale"]:g}'
  )
  return Population(
    title, by, step, names, codes, runs, shown, bias, sse, solved, weights
  )


def _certified(workdir: str, group: grids.Group, runs: np.ndarray, step: int):
  """Returns names, codes, weights, bias and SSE of certified runs."""
  stored = stored_folder.open_group(workdir, group, CERTIFICATES)
  if stored.attrs.get('step') != step:
    raise flags.Error(
      f'certificates are of --step={stored.attrs.get("step")} alone'
    )
  missing = np.setdiff1d(runs, stored.runs)
  if len(missing):
    raise flags.Error(
      f'{CERTIFICATES} holds {len(stored.runs)} runs of {group.name}, not '
      f'run {missing[0]}; certify the folder again, or take --by=outcome'
    )
  names = ('verdict', 'entry')
  verdicts, entries = (_flags(stored.attrs_of(name)) for name in names)
  pairs = np.stack([stored.read(name, runs) for name in names], axis=1)
  kinds, codes = np.unique(pairs, axis=0, return_inverse=True)
  texts = [
    f'{verdicts.get(int(verdict), "not certified")}: '
    f'{entries.get(int(entry), "in no catalogue")}'
    for verdict, entry in kinds
  ]
  values = (stored.read(name, runs) for name in ('weights', 'bias', 'sse'))
  return (texts, codes.ravel(), *values)


def _flags(attrs: Mapping[str, Any]) -> dict[int, str]:
  """Returns the names of a variable's codes, from its CF attributes."""
  names = attrs['flag_meanings'].split()
  values = np.asarray(attrs['flag_values']).tolist()
  return {code: name.replace('_', ' ') for code, name in zip(values, names)}


def classify(population: Population, num_members: int) -> list[Class]:
  """Returns the classes that occur, the largest first.

  Args:
    population: the runs.
    num_members: at most so many of each class, the most typical run first, then
      at even ranks down to the least typical.
  """
  total = len(population.codes)
  classes = []
  for code in np.unique(population.codes):
    (own,) = np.nonzero(population.codes == code)
    sse = population.sse[own]
    finite = sse[np.isfinite(sse)]
    order = own[typical_order(population.weights[own], sse)]
    ranks = np.linspace(0, len(own) - 1, min(num_members, len(own)))
    classes.append(
      Class(
        name=population.names[code],
        num_runs=len(own),
        total=total,
        share=statistics.wilson(len(own), total),
        sse=np.quantile(finite, [0.05, 0.5, 0.95])
        if len(finite)
        else np.full(3, np.nan),
        members=order[ranks.round().astype(int)],
      )
    )
  return sorted(classes, key=lambda found: -found.num_runs)


def typical_order(weights: np.ndarray, sse: np.ndarray) -> np.ndarray:
  """Orders runs from the most typical to the least.

  A run is described by its sorted row norms and its SSE, which no rotation and
  no permutation changes. Its distance from the typical is the sum over these
  numbers of |value - median| / median absolute deviation; a number that does
  not vary counts for nothing. Equal distances keep the order of the runs.

  Args:
    weights: W [S, M, N].
    sse: [S].

  Returns:
    int [S], indices into the runs. Those not finite come last.
  """
  norms = np.sort(np.linalg.norm(weights.astype(float), axis=1), axis=1)
  values = np.concatenate([norms, sse[:, None].astype(float)], axis=1)
  finite = np.isfinite(values).all(axis=1)
  distance = np.full(len(values), np.inf)
  if finite.any():
    away = np.abs(values[finite] - np.median(values[finite], axis=0))
    spread = np.median(away, axis=0)
    # Spreads of rounding errors alone are no spreads.
    varies = spread > 1e-6
    distance[finite] = (away[:, varies] / spread[varies]).sum(axis=1)
  return np.argsort(distance, kind='stable')
