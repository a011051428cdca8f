"""Where greedy generation of the tiny text net leads, and which runs are tied.

runs --follow--> Endings: the end, a cycle such as dog->dog, or nowhere
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from toyjax import statistics
from toyjax.runs import Runs
from toyjax.studies.text_failure.settings import words_of
from toyjax.toys import text_mlp
from toyjax.toys.text_mlp import Outcome


class Endings(NamedTuple):
  """Where greedy generation leads from one word.

  Attributes:
    names: of what occurs: the end token, cycles such as 'dog->dog', and
      'diverged' for runs without finite weights.
    which: int [S], into `names`.
  """

  names: tuple[str, ...]
  which: np.ndarray

  @property
  def ends(self) -> np.ndarray:
    """Which runs come to the end token, bool [S]."""
    return self.which == 0

  def classes(self) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the end, never, then each cycle, the most frequent first.

    Yields:
      Name, and bool [S]. Runs that diverged never end; they are a class of
      their own, too.
    """
    yield self.names[0], self.ends
    yield f'never {self.names[0]}', ~self.ends
    counts = statistics.counts(self.which, len(self.names))
    for k in sorted(range(1, len(counts)), key=lambda k: (-counts[k], k)):
      yield self.names[k], self.which == k


def follow(runs: Runs, k: int, starts: Sequence[str]) -> Iterator[Endings]:
  """Follows every run's greedy generation to its end or its cycle.

  Args:
    runs: of a configuration.
    k: which observation.
    starts: words.

  Yields:
    The endings from each start.
  """
  vocabulary, end = words_of(runs.values).vocabulary, runs.values['end']
  last = vocabulary.index(end)
  maps, of_run = _distinct(runs.data['predictions'][:, k])
  diverged = runs.data['outcome'][:, k] == Outcome.DIVERGED
  for start in starts:
    first = vocabulary.index(start)
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


def has_tie(runs: Runs, k: int) -> np.ndarray:
  """Returns bool [S]: a tie after some input of a pair, at observation k."""
  inputs = words_of(runs.values).pairs[:, 0]
  return np.any(runs.data['tied'][:, k, inputs], axis=1)


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
