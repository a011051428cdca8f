"""Counts of the text net's runs, each with its interval.

runs of a configuration --> rows of summary, generation, wrong, exchange
"""

from collections.abc import Iterator
import itertools

import numpy as np

from toyjax import tables
from toyjax.data import word_pairs
from toyjax.data.word_pairs import WordPairs
from toyjax.runs import Runs
from toyjax.studies.text_failure import endings
from toyjax.studies.text_failure.settings import start_of, words_of
from toyjax.tables import Row, Share
from toyjax.toys.text_mlp import Outcome

# Key of a row of the summary: whether it is printed.
SHOWN = '_is_shown'
_MAX_CYCLES = 4  # Printed; all of them are in summary.csv.
_MAX_SETS = 100  # Sets of wrong pairs with a row of their own.


def summary_rows(runs: Runs) -> Iterator[Row]:
  """Yields counts of runs by measure and class, at each observed epoch.

  The measures: outcome; ties after an input of a pair; dead layers; whether
  each pair is learned, by argmax; where greedy generation from the start leads.
  """
  for k, epoch in enumerate(runs.values['observe_epochs']):
    num_cycles = 0
    for measure, name, chosen in _measured(runs, k):
      is_shown = measure != 'learned'
      if is_shown and '->' in name:
        num_cycles += 1
        is_shown = num_cycles <= _MAX_CYCLES
      yield {
        'epoch': epoch,
        'measure': measure,
        'class': name,
        '': Share(int(chosen.sum()), runs.num_runs),
        SHOWN: is_shown,
      }


def _measured(runs: Runs, k: int) -> Iterator[tuple[str, str, np.ndarray]]:
  """Yields a measure, one of its classes, and which runs are in it [S]."""
  words, start = words_of(runs.values), start_of(runs.values)
  codes = runs.data['outcome'][:, k]
  for code in Outcome:
    yield 'outcome', code.name, codes == code
  yield 'tie', 'after an input', endings.has_tie(runs, k)
  dead = runs.data['dead_layers'][:, k]
  for layer, is_dead in enumerate(dead.T, start=1):
    yield 'dead layer', str(layer), is_dead
  yield 'dead layer', 'any', np.any(dead, axis=1)
  for p, right in enumerate(runs.data['correct'][:, k].T):
    yield 'learned', _pair_name(words, p), right
  (found,) = endings.follow(runs, k, [start])
  for name, chosen in found.classes():
    yield f'generation from {start}', name, chosen


def generation_rows(runs: Runs) -> Iterator[Row]:
  """Yields where greedy generation leads from every word, the start first.

  After the last epoch; `count_tied` of the runs had a tie after some input.
  """
  start, end = start_of(runs.values), runs.values['end']
  words = words_of(runs.values).vocabulary
  starts = (start, *(word for word in words if word not in (start, end)))
  tied = endings.has_tie(runs, -1)
  for word, found in zip(starts, endings.follow(runs, -1, starts)):
    for name, chosen in found.classes():
      yield {
        'epoch': runs.values['observe_epochs'][-1],
        'start': word,
        'class': name,
        '': Share(int(chosen.sum()), runs.num_runs),
        'count_tied': int(np.sum(chosen & tied)),
      }


def wrong_rows(runs: Runs) -> Iterator[Row]:
  """Yields which pairs are wrong together, the most frequent set first.

  After the last epoch. A run that diverged has every pair wrong. Sets beyond
  the first `_MAX_SETS` are one row, 'others'.
  """
  words = words_of(runs.values)
  sets, which, counts = np.unique(
    ~runs.last('correct'), axis=0, return_inverse=True, return_counts=True
  )
  tied = np.bincount(
    which.ravel(), weights=endings.has_tie(runs, -1), minlength=len(sets)
  )
  order = np.argsort(-counts, kind='stable')
  rows: list[tuple[str, int | None, list[int]]] = [
    (
      ' '.join(_pair_name(words, p) for p in np.flatnonzero(sets[k]).tolist())
      or 'none',
      int(sets[k].sum()),
      [k],
    )
    for k in order[:_MAX_SETS]
  ]
  if len(order) > _MAX_SETS:
    rows.append(('others', None, order[_MAX_SETS:].tolist()))
  for name, number, members in rows:
    yield {
      'epoch': runs.values['observe_epochs'][-1],
      'wrong': name,
      'num_wrong': number,
      '': Share(int(counts[members].sum()), runs.num_runs),
      'count_tied': int(tied[members].sum()),
    }


def exchange_rows(runs: Runs) -> Iterator[Row]:
  """Yields how often one pair is wrong at the end and its mirror image right.

  Pairs that play the same part must be wrong equally often, whatever the net,
  in exact arithmetic where no tie occurs and no fixed order of training tells
  them apart: `z` is McNemar's (b - c)/√(b + c), about normal then. With ties
  the lower index is taken, and the two may differ; in float32 a million runs
  show that runs one rounding away from a tie lean to one side as well.
  """
  words = words_of(runs.values)
  try:
    groups = word_pairs.exchangeable_pairs(words.pairs)
  except ValueError:
    return  # An input with two outputs: no symmetry is known.
  tied = endings.has_tie(runs, -1)
  for name, kept in (('all', np.ones_like(tied)), ('untied', ~tied)):
    wrong = ~runs.last('correct')[kept]
    for group in groups:
      for i, j in itertools.combinations(group, 2):
        a, b = wrong[:, i], wrong[:, j]
        only_a, only_b = int(np.sum(a & ~b)), int(np.sum(~a & b))
        yield {
          'epoch': runs.values['observe_epochs'][-1],
          'runs': name,
          'pair_a': _pair_name(words, i),
          'pair_b': _pair_name(words, j),
          'total': len(wrong),
          'wrong_only_a': only_a,
          'wrong_only_b': only_b,
          'difference': tables.paired_difference(a, b),
          'z': (only_a - only_b) / max(only_a + only_b, 1) ** 0.5,
        }


def _pair_name(words: WordPairs, p: int) -> str:
  """Returns a pair as text, e.g. 'hello->world'."""
  return '->'.join(words.vocabulary[token] for token in words.pairs[p])
