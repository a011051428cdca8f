"""Classes of stored runs: how many each has, and a typical member of each.

runs, or their certificates --populate--> Population --classify--> rows
"""

from collections.abc import Sequence
import enum
from typing import NamedTuple

import numpy as np

from toyjax import roles
from toyjax.analysis.autoencoder.catalogue import Entry
from toyjax.analysis.autoencoder.certificates import Verdict
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.studies.certify_failure.certifying import CERTIFICATES
from toyjax.studies.folders import Folder
from toyjax.tables import Row, Share
from toyjax.toys.relu_autoencoder import Outcome

BY = ('outcome', 'certificate')
_QUANTILES = {'05': 0.05, 'median': 0.5, '95': 0.95}


class Population(NamedTuple):
  """All runs of one configuration at one step, each with its class.

  Attributes:
    runs: as trained, 'run' [S] the number of each in its group.
    by: what the classes are, one of `BY`.
    step: optimizer steps made.
    names: of all classes there can be.
    codes: int [S], index into `names`.
    weights: W [S, M, N], polished where runs are certified.
    bias: b [S, N].
    sse: [S].
  """

  runs: Runs
  by: str
  step: int
  names: Sequence[str]
  codes: np.ndarray
  weights: np.ndarray
  bias: np.ndarray
  sse: np.ndarray

  @property
  def title(self) -> str:
    """What tells the configuration, for figures."""
    point = self.runs.configuration
    return (
      f'n = {point["num_features"]}, m = {point["num_hidden"]}, '
      f'{point["optimizer"]}, learning rate {point["learning_rate"]:g}, '
      f'init scale {point["init_scale"]:g}'
    )

  @property
  def solved_weights(self) -> np.ndarray:
    """W [Q, M, N] of the runs whose label says so, as they were trained."""
    outcomes, weights = at_step(self.runs, self.step, 'outcome', 'weights')
    return weights[roles.are(outcomes, Outcome)].astype(float)


def at_step(runs: Runs, step: int, *names: str) -> list[np.ndarray]:
  """Returns arrays [S, ...] of runs at one of the observed steps."""
  at = runs.values['observe_steps'].index(step)
  return [runs.data[name][:, at] for name in names]


def quantiles(name: str, values: np.ndarray) -> dict[str, float]:
  """Returns cells of three quantiles of what is finite, NaN for none."""
  finite = values[np.isfinite(values)]
  return {
    f'{name}_{label}': float(np.quantile(finite, q)) if len(finite) else np.nan
    for label, q in _QUANTILES.items()
  }


def populate(
  folder: Folder,
  found: Sequence[Runs],
  *,
  configuration: int,
  step: int,
  by: str,
) -> Population:
  """Returns the finished runs of one configuration of a group.

  Args:
    folder: of optimization_failure.
    found: the configurations of the group, from `Folder.split`.
    configuration: which, from 0.
    step: one of the observed steps; certificates are of one alone.
    by: one of `BY`.

  Raises:
    SettingError: where the folder does not hold what is asked for.
  """
  if not 0 <= configuration < len(found):
    raise SettingError(
      f'--configuration={configuration} must lie in 0..{len(found) - 1}'
    )
  runs = found[configuration]
  if not runs.num_runs:
    raise SettingError(f'no run of {runs.stage} has finished yet')
  if by == 'certificate':
    return Population(runs, by, step, *_certified(folder, runs, step))
  arrays = at_step(runs, step, 'outcome', 'weights', 'bias', 'sse')
  return Population(runs, by, step, _names(Outcome), *arrays)


def _names(codes: type[enum.IntEnum]) -> list[str]:
  return [code.name.lower().replace('_', ' ') for code in codes]


def _certified(folder: Folder, runs: Runs, step: int):
  """Returns names, codes, weights, bias and SSE of certified runs."""
  stored = folder.open(folder.choose(runs.stage), CERTIFICATES)
  if stored.attrs.get('step') != step:
    raise SettingError(
      f'certificates are of --step={stored.attrs.get("step")} alone'
    )
  number = runs.data['run']
  for missing in np.setdiff1d(number, stored.runs)[:1]:
    raise SettingError(
      f'{CERTIFICATES} holds {len(stored.runs)} runs of {runs.stage}, not '
      f'run {missing}; certify the folder again, or take --by=outcome'
    )
  verdicts, entries, *rest = (
    stored.read(name, number)
    for name in ('verdict', 'entry', 'weights', 'bias', 'sse')
  )
  names = [f'{v}: {e}' for v in _names(Verdict) for e in _names(Entry)]
  return names, len(Entry) * verdicts.astype(int) + entries, *rest


def classify(population: Population, num_members: int) -> list[Row]:
  """Returns a row for each class that occurs, the largest first.

  Args:
    population: the runs.
    num_members: at most so many of each class, the most typical run first, then
      at even ranks down to the least typical: '_members', which are indices
      into the population.
  """
  rows = []
  for code in np.unique(population.codes):
    (own,) = np.nonzero(population.codes == code)
    sse = population.sse[own]
    order = own[typical_order(population.weights[own], sse)]
    ranks = np.linspace(0, len(own) - 1, min(num_members, len(own)))
    rows.append(
      {
        'step': population.step,
        'by': population.by,
        'class': population.names[code],
        '': Share(len(own), len(population.codes)),
        **quantiles('sse', sse),
        'typical_run': int(population.runs.data['run'][order[0]]),
        '_members': order[ranks.round().astype(int)].tolist(),
      }
    )
  return sorted(rows, key=lambda row: -row[''].count)


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
