"""The settings of the report on where one trace goes wrong."""

import math

from toyjax.common_settings import seed
from toyjax.inference.changepoint import rivals
from toyjax.parsers import (
  MOST_POINTS,
  NATURAL,
  POSITIVE,
  SAMPLES,
  Choice,
  Number,
)
from toyjax.settings import fixed
from toyjax.studies import traces


def concentration(text: str) -> float:
  """Returns a number above zero, or infinity; raises ValueError on another."""
  if text in ('inf', 'none'):
    return math.inf
  return POSITIVE(text)


SETTINGS = (
  *traces.rows(
    'locate_error',
    trace='Folder of one math-rollouts problem, or one above it.',
    skip_bad='Leave out what cannot be read, and list it.',
  ),
  fixed(
    'prior',
    'published',
    Choice(tuple(rivals.PRIORS)),
    'Of the rates before and after the change. published: Beta(2, 2) and '
    'Beta(1, 19).',
  ),
  fixed(
    'num_rollouts',
    0,
    Number(int, 0, MOST_POINTS),
    'Rollouts of a replay; 0 uses all that are recorded.',
  ),
  fixed(
    'policy',
    'eig',
    Choice(tuple(rivals.STEPWISE)),
    'Where a replay rolls out next; eig: where it tells most about the change.',
  ),
  fixed(
    'none',
    'left_out',
    Choice(('left_out', 'wrong')),
    'What a rollout without an answer counts as. Published accuracies leave it '
    'out, which hides loops that never end.',
  ),
  fixed(
    'numbers',
    'largest',
    Choice(('largest', 'smallest')),
    'Where only an accuracy is recorded: the largest or the smallest number of '
    'rollouts, at most --max_rollouts, that it allows.',
  ),
  fixed(
    'level',
    0.8,
    Number(float, 0.01, 0.999),
    'Of credible intervals and bands; published: .8.',
  ),
  fixed(
    'alpha',
    0.05,
    Number(float, 1e-9, 0.5),
    'Rate of false DROP, of false NO_DROP, and of a confidence set that '
    'misses.',
  ),
  fixed(
    'smallest_drop',
    0.2,
    Number(float, 0.0, 0.99),
    'The least fall of P(correct) that matters: NO_DROP denies falls of at '
    'least this, and several changes count falls above it. .2: the gap of '
    'pivotal-token search (Abdin et al. 2024).',
  ),
  fixed(
    'concentration',
    [5.0, 10.0, 20.0, 50.0, 100.0, math.inf],
    concentration,
    'Scatter of the rates of positions around their level, Beta(ρ p, '
    'ρ (1 - p)); inf is none. The one with most evidence is used.',
  ),
  fixed(
    'max_segments',
    5,
    Number(int, 1, 20),
    'Most segments of the several-changes model.',
  ),
  fixed(
    'recovery',
    0.5,
    Number(float, 0.01, 1.0),
    'A drop is recovered where the rate later regains this part of it.',
  ),
  fixed('num_draws', 2000, SAMPLES, 'Posterior draws for the three drops.'),
  fixed(
    'context', 2, NATURAL, 'Sentences shown before and after the guilty one.'
  ),
  seed('Of replays and of posterior draws.'),
)
