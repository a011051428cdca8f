"""Counts of the text net's runs, each with its interval.

Configuration --> summary.csv, generation.csv, wrong.csv, exchange.csv
"""

from collections.abc import Iterator, Sequence
import itertools
from typing import Any

import numpy as np

from scripts.shared import tables, text_runs
from scripts.shared.text_runs import Configuration
from toyjax import statistics
from toyjax.data import word_pairs
from toyjax.toys.text_mlp import Outcome

_MAX_SETS = 100  # Sets of wrong pairs with a row of their own.


def summary_rows(
  configuration: Configuration, epochs: Sequence[int]
) -> Iterator[dict[str, Any]]:
  """Yields counts of runs by measure and class, at each observed epoch.

  The measures: outcome; ties after an input of a pair; dead layers; whether
  each pair is learned, by argmax; where greedy generation from the start leads.
  """
  runs, words = configuration.runs, configuration.words
  for k, epoch in enumerate(epochs):
    counts: list[tuple[str, str, int]] = [
      ('outcome', code.name, int(count))
      for code, count in zip(
        Outcome, statistics.counts(runs['outcome'][:, k], len(Outcome))
      )
    ]
    counts.append(
      ('tie', 'after an input', int(configuration.has_tie(k).sum()))
    )
    dead = runs['dead_layers'][:, k]
    counts += [
      ('dead layer', str(layer + 1), int(dead[:, layer].sum()))
      for layer in range(dead.shape[1])
    ]
    counts.append(('dead layer', 'any', int(dead.any(axis=1).sum())))
    counts += [
      ('learned', pair_name(words, p), int(runs['correct'][:, k, p].sum()))
      for p in range(len(words.pairs))
    ]
    (found,) = text_runs.endings(configuration, k, [configuration.start])
    counts += [
      (f'generation from {configuration.start}', name, int(chosen.sum()))
      for name, chosen in _ends(found, configuration.end)
    ]
    for measure, name, count in counts:
      yield {
        **configuration.flags,
        'epoch': epoch,
        'measure': measure,
        'class': name,
        **tables.interval_cells(count, configuration.num_runs),
      }


def _ends(
  found: text_runs.Endings, end: str
) -> Iterator[tuple[str, np.ndarray]]:
  """Yields where generation leads, and bool [S]: the end, never, each cycle.

  Runs that diverged never end; they are a class of their own, too.
  """
  yield end, found.which == 0
  yield f'never {end}', found.which > 0
  counts = statistics.counts(found.which, len(found.names))
  for k in sorted(range(1, len(counts)), key=lambda k: (-counts[k], k)):
    yield found.names[k], found.which == k


def generation_rows(
  configuration: Configuration, epoch: int
) -> Iterator[dict[str, Any]]:
  """Yields where greedy generation leads from every word, the start first.

  After the last epoch; `count_tied` of the runs had a tie after some input.
  """
  words = configuration.words.vocabulary
  start, end = configuration.start, configuration.end
  starts = (start, *(word for word in words if word not in (start, end)))
  tied = configuration.has_tie(-1)
  for word, found in zip(starts, text_runs.endings(configuration, -1, starts)):
    for name, chosen in _ends(found, end):
      yield {
        **configuration.flags,
        'epoch': epoch,
        'start': word,
        'class': name,
        **tables.interval_cells(int(chosen.sum()), configuration.num_runs),
        'count_tied': int(np.sum(chosen & tied)),
      }


def wrong_rows(
  configuration: Configuration, epoch: int
) -> Iterator[dict[str, Any]]:
  """Yields which pairs are wrong together, the most frequent set first.

  After the last epoch. A run that diverged has every pair wrong. Sets beyond
  the first `_MAX_SETS` are one row, 'others'.
  """
  words = configuration.words
  wrong = ~configuration.runs['correct'][:, -1]
  sets, which, counts = np.unique(
    wrong, axis=0, return_inverse=True, return_counts=True
  )
  tied = np.bincount(
    which.ravel(), weights=configuration.has_tie(-1), minlength=len(sets)
  )
  order = np.argsort(-counts, kind='stable')
  rows: list[tuple[str, int | None, int, int]] = [
    (
      ' '.join(pair_name(words, p) for p in np.flatnonzero(sets[k]).tolist())
      or 'none',
      int(sets[k].sum()),
      int(counts[k]),
      int(tied[k]),
    )
    for k in order[:_MAX_SETS]
  ]
  rest = order[_MAX_SETS:]
  if rest.size:
    rows.append(
      ('others', None, int(counts[rest].sum()), int(tied[rest].sum()))
    )
  for name, number, count, num_tied in rows:
    yield {
      **configuration.flags,
      'epoch': epoch,
      'wrong': name,
      'num_wrong': number,
      **tables.interval_cells(count, configuration.num_runs),
      'count_tied': num_tied,
    }


def pair_name(words: word_pairs.WordPairs, p: int) -> str:
  """Returns a pair as text, e.g. 'hello->world'."""
  return '->'.join(words.vocabulary[token] for token in words.pairs[p])


def exchange_rows(
  configuration: Configuration, epoch: int
) -> Iterator[dict[str, Any]]:
  """Yields how often one pair is wrong at the end and its mirror image right.

  Pairs that play the same part must be wrong equally often, whatever the net,
  in exact arithmetic where no tie occurs and no fixed order of training tells
  them apart: `z` is McNemar's (b - c)/√(b + c), about normal then. With ties
  the lower index is taken, and the two may differ; in float32 a million runs
  show that runs one rounding away from a tie lean to one side as well.
  """
  try:
    groups = word_pairs.exchangeable_pairs(configuration.words.pairs)
  except ValueError:
    return  # An input with two outputs: no symmetry is known.
  tied = configuration.has_tie(-1)
  for name, kept in (('all', np.ones_like(tied)), ('untied', ~tied)):
    right = configuration.runs['correct'][kept, -1]
    for group in groups:
      for a, b in itertools.combinations(group, 2):
        only_a = int(np.sum(~right[:, a] & right[:, b]))
        only_b = int(np.sum(right[:, a] & ~right[:, b]))
        both = int(np.sum(~right[:, a] & ~right[:, b]))
        neither = len(right) - only_a - only_b - both
        gap = statistics.paired_difference(both, only_a, only_b, neither)
        yield {
          **configuration.flags,
          'epoch': epoch,
          'runs': name,
          'pair_a': pair_name(configuration.words, a),
          'pair_b': pair_name(configuration.words, b),
          'total': len(right),
          'wrong_only_a': only_a,
          'wrong_only_b': only_b,
          'difference': gap.estimate,
          'lower': gap.lower,
          'upper': gap.upper,
          'z': (only_a - only_b) / max(only_a + only_b, 1) ** 0.5,
        }
