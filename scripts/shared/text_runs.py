"""Reads the stored runs of the tiny text net, grid point by grid point.

results.zarr --read--> Configuration --endings--> where generation leads
"""

from collections.abc import Iterator, Mapping, Sequence
import pathlib
from typing import Any, NamedTuple

import numpy as np

from scripts.shared import grids, optimizer_flags, text_flags
from toyjax.data import word_pairs
from toyjax.toys import text_mlp
from toyjax.toys.text_mlp import Outcome

_SHORT = {
  **optimizer_flags.SHORT,
  'embed_dim': 'embed',
  'hidden_dim': 'hidden',
  **dict.fromkeys(text_flags.CHOICES, ''),
}
_READ = (
  'outcome',
  'loss',
  'predictions',
  'tied',
  'correct',
  'dead_layers',
  'initial_loss',
  'weights',
  'seed_index',
)


class Configuration(NamedTuple):
  """All runs of one point of the grid.

  Attributes:
    label: what tells it from the others.
    flags: value of each list flag; None where its optimizer does not use it.
    group: its group, whose static flags are those of `text_trial`.
    words: vocabulary and pairs.
    start: word that generation starts from.
    end: word that ends it.
    runs: name -> array [S, ...], the stored results.
  """

  label: str
  flags: dict[str, Any]
  group: grids.Group
  words: word_pairs.WordPairs
  start: str
  end: str
  runs: dict[str, np.ndarray]

  @property
  def num_runs(self) -> int:
    """S."""
    return len(self.runs['outcome'])

  def has_tie(self, k: int) -> np.ndarray:
    """Returns bool [S]: a tie after some input of a pair, at observation k."""
    return np.any(self.runs['tied'][:, k, self.words.pairs[:, 0]], axis=1)


def read(
  path: pathlib.Path, groups: Sequence[grids.Group], settings: Mapping[str, Any]
) -> Iterator[Configuration]:
  """Yields the configurations of all groups with their finished runs.

  Args:
    path: of the store.
    groups: the groups of the store, in order.
    settings: all scientific flags.
  """
  for group in groups:
    stored = grids.open_finished(path, group)
    number = stored.runs % group.num_configurations
    runs = {name: stored.read(name) for name in _READ}
    points = grids.points(
      group,
      settings,
      text_flags.LISTS,
      short=_SHORT,
      always=('pairs', 'embed_dim', 'hidden_dim', 'optimizer'),
    )
    words = text_flags.words_of(settings, group.static['pairs'])
    for c, (flags, label) in enumerate(points):
      yield Configuration(
        label=label,
        flags=flags,
        group=group,
        words=words,
        start=text_flags.start_of(settings, words),
        end=settings['end'],
        runs={name: values[number == c] for name, values in runs.items()},
      )


class Endings(NamedTuple):
  """Where greedy generation leads from one word.

  Attributes:
    names: of what occurs: the end token, cycles such as 'dog->dog', and
      'diverged' for runs without finite weights.
    which: int [S], into `names`.
  """

  names: tuple[str, ...]
  which: np.ndarray


def endings(
  configuration: Configuration, k: int, starts: Sequence[str]
) -> Iterator[Endings]:
  """Follows every run's greedy generation to its end or its cycle.

  Args:
    configuration: the runs.
    k: which observation.
    starts: words.

  Yields:
    The endings from each start.
  """
  vocabulary, end = configuration.words.vocabulary, configuration.end
  last = word_pairs.index_of(end, vocabulary, role='end')
  maps, of_run = _distinct(configuration.runs['predictions'][:, k])
  diverged = configuration.runs['outcome'][:, k] == Outcome.DIVERGED
  for start in starts:
    first = word_pairs.index_of(start, vocabulary, role='start')
    names: dict[str, int] = {end: 0}
    of_map = []
    for following in maps:
      cycle = text_mlp.trace_cycle(following, start=first, end=last)
      name = end
      if cycle:
        name = _unlike(end, text_mlp.name_cycle(cycle, vocabulary))
      of_map.append(names.setdefault(name, len(names)))
    which = np.asarray(of_map, int)[of_run]
    if diverged.any():
      code = names.setdefault(_unlike(end, 'diverged'), len(names))
      which = np.where(diverged, code, which)
    yield Endings(tuple(names), which)


def _unlike(end: str, name: str) -> str:
  """Returns a name that is not that of the end token, which may be any word."""
  return f'({name})' if name == end else name


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the distinct rows [D, V] of [S, V], and int [S] which is which."""
  # As bytes: to sort numbers is slow where there are millions of rows.
  keys = np.ascontiguousarray(rows.astype(np.uint16))
  keys = keys.view(f'V{keys.itemsize * keys.shape[1]}').ravel()
  _, first, which = np.unique(keys, return_index=True, return_inverse=True)
  return rows[first], which
