"""How runs of the tiny text net stand, counted from logits in plain NumPy.

It shares no code with toyjax: a second opinion on its labels.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

END_WORD = '!'
START_WORD = 'hello'
LOOP_WORD = 'dog'

# The first class, in this order, that fits.
OUTCOMES = (
  'DIVERGED',
  'LEARNED_ALL',
  'TIED',
  'DEAD_LAYER',
  'PARTLY_LEARNED',
  'ALL_WRONG',
)
# What greedy generation from `START_WORD` does.
ENDINGS = (
  f'{START_WORD} ends at {END_WORD}',
  f'{START_WORD} falls into {LOOP_WORD}->{LOOP_WORD}',
  f'{START_WORD} falls into another cycle',
)


class Fates(NamedTuple):
  """How the runs of one side stand at one epoch.

  Attributes:
    outcome: int [S], place in `OUTCOMES`.
    gaps: [S, V], how far the two largest logits lie apart after each token; 0
      is an exact tie.
    tied: bool [S], whether they are tied after any token.
    dead_layers: bool [S, L].
    correct: bool [S, P].
    ending: int [S], place in `ENDINGS`.
  """

  outcome: np.ndarray
  gaps: np.ndarray
  tied: np.ndarray
  dead_layers: np.ndarray
  correct: np.ndarray
  ending: np.ndarray


def top_gaps(logits: np.ndarray) -> np.ndarray:
  """Returns the gap [..., V] of the two largest logits [..., V, V]."""
  ordered = np.sort(logits, axis=-1)
  return ordered[..., -1] - ordered[..., -2]


def find_ending(predictions: Sequence[int], vocabulary: Sequence[str]) -> int:
  """Follows greedy generation until the end word or a word seen before."""
  token, path = vocabulary.index(START_WORD), []
  while token not in path:
    if vocabulary[token] == END_WORD:
      return 0
    path.append(token)
    token = int(predictions[token])
  return 1 if vocabulary[token] == LOOP_WORD and path[-1] == token else 2


def judge(
  logits: np.ndarray,
  dead_layers: np.ndarray,
  finite: np.ndarray,
  *,
  vocabulary: Sequence[str],
  pairs: np.ndarray,
) -> Fates:
  """Says how each run stands; argmax takes the lower index in a tie.

  Args:
    logits: [S, V, V], those after each token.
    dead_layers: bool [S, L], of finite runs.
    finite: bool [S], whether loss and parameters are.
    vocabulary: [V] words.
    pairs: [P, 2].
  """
  inputs, outputs = np.asarray(pairs).T
  predictions = logits.argmax(axis=-1)
  correct = (predictions[:, inputs] == outputs) & finite[:, None]
  gaps = top_gaps(logits)
  tied = (gaps == 0.0) & finite[:, None]
  any_tied = tied[:, inputs].any(axis=1)
  outcome = np.select(
    [
      ~finite,
      correct.all(axis=1) & ~any_tied,
      any_tied,
      dead_layers.any(axis=1),
      correct.any(axis=1),
    ],
    range(5),
    default=5,
  )
  ending = [find_ending(row, vocabulary) for row in predictions.tolist()]
  return Fates(
    outcome, gaps, tied.any(axis=1), dead_layers, correct, np.asarray(ending)
  )


def set_apart(fates: Fates, *, inputs: np.ndarray, tolerance: float) -> Fates:
  """Calls every run tied whose largest logits lie within the tolerance.

  Where that is so for an input of a pair the run is TIED, whatever it was but
  DIVERGED; no pair counts as right and no ending (-1): rounding decides them.
  """
  close = np.less_equal(fates.gaps, tolerance)
  near = close[:, inputs].any(axis=1)
  diverged = fates.outcome == OUTCOMES.index('DIVERGED')
  return fates._replace(
    outcome=np.where(near & ~diverged, OUTCOMES.index('TIED'), fates.outcome),
    tied=close.any(axis=1) & ~diverged,
    correct=fates.correct & ~near[:, None],
    ending=np.where(near, -1, fates.ending),
  )


def differ(a: Fates, b: Fates) -> np.ndarray:
  """Returns bool [S], which runs two sides label differently, gaps aside."""
  different = np.zeros(len(a.outcome), bool)
  for name in set(Fates._fields) - {'gaps'}:
    unequal = getattr(a, name) != getattr(b, name)
    different |= unequal.reshape(len(different), -1).any(axis=1)
  return different


def count(
  fates: Fates, vocabulary: Sequence[str], pairs: np.ndarray
) -> Mapping[str, int]:
  """Returns name -> number of runs, for everything that is compared."""
  counts = {
    name: int(np.sum(fates.outcome == code))
    for code, name in enumerate(OUTCOMES)
  }
  counts['any tie'] = int(np.sum(fates.tied))
  for k, dead in enumerate(fates.dead_layers.T):
    counts[f'layer {k + 1} dead'] = int(np.sum(dead))
  for code, name in enumerate(ENDINGS):
    counts[name] = int(np.sum(fates.ending == code))
  for (token, following), right in zip(np.asarray(pairs), fates.correct.T):
    name = f'right: {vocabulary[token]}->{vocabulary[following]}'
    counts[name] = int(np.sum(right))
  return counts
