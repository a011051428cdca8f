"""The settings of the report on where one trace goes wrong."""

import math
from typing import Any

from toyjax import settings
from toyjax.inference.changepoint import rivals
from toyjax.parsers import MOST_POINTS, Choice, Number, Parser
from toyjax.settings import FIXED, Setting
from toyjax.studies import traces


def concentration(text: str) -> float:
  """Returns a number above zero, or infinity; raises ValueError on another."""
  if text in ('inf', 'none'):
    return math.inf
  return Number(float, 0.0, exclusive=True)(text)


def _row(name: str, default: Any, parse: Parser, text: str) -> Setting:
  return Setting(name, default, parse, FIXED, text)


SETTINGS = (
  *traces.rows(
    'locate_error',
    trace='Folder of one math-rollouts problem, or one above it.',
    skip_bad='Leave out what cannot be read, and list it.',
  ),
  _row(
    'prior',
    'published',
    Choice(tuple(rivals.PRIORS)),
    'Of the rates before and after the change. published: Beta(2, 2) and '
    'Beta(1, 19).',
  ),
  _row(
    'num_rollouts',
    0,
    Number(int, 0, MOST_POINTS),
    'Rollouts of a replay; 0 uses all that are recorded.',
  ),
  _row(
    'policy',
    'eig',
    Choice(tuple(rivals.STEPWISE)),
    'Where a replay rolls out next; eig: where it tells most about the change.',
  ),
  _row(
    'none',
    'left_out',
    Choice(('left_out', 'wrong')),
    'What a rollout without an answer counts as. Published accuracies leave it '
    'out, which hides loops that never end.',
  ),
  _row(
    'numbers',
    'largest',
    Choice(('largest', 'smallest')),
    'Where only an accuracy is recorded: the largest or the smallest number of '
    'rollouts, at most --max_rollouts, that it allows.',
  ),
  _row(
    'level',
    0.8,
    Number(float, 0.01, 0.999),
    'Of credible intervals and bands; published: .8.',
  ),
  _row(
    'alpha',
    0.05,
    Number(float, 1e-9, 0.5),
    'Rate of false DROP, of false NO_DROP, and of a confidence set that '
    'misses.',
  ),
  _row(
    'smallest_drop',
    0.2,
    Number(float, 0.0, 0.99),
    'The least fall of P(correct) that matters: NO_DROP denies falls of at '
    'least this, and several changes count falls above it. .2: the gap of '
    'pivotal-token search (Abdin et al. 2024).',
  ),
  _row(
    'concentration',
    [5.0, 10.0, 20.0, 50.0, 100.0, math.inf],
    concentration,
    'Scatter of the rates of positions around their level, Beta(ρ p, '
    'ρ (1 - p)); inf is none. The one with most evidence is used.',
  ),
  _row(
    'max_segments',
    5,
    Number(int, 1, 20),
    'Most segments of the several-changes model.',
  ),
  _row(
    'recovery',
    0.5,
    Number(float, 0.01, 1.0),
    'A drop is recovered where the rate later regains this part of it.',
  ),
  _row(
    'num_draws',
    2000,
    Number(int, 1, 100 * MOST_POINTS),
    'Posterior draws for the three drops.',
  ),
  _row(
    'context',
    2,
    Number(int, 0),
    'Sentences shown before and after the guilty one.',
  ),
  settings.seed('Of replays and of posterior draws.'),
)
