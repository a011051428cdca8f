"""Rows of the text net's losses, chances to end, and comparisons.

Configuration --> losses.csv, best.csv, temperatures.csv, differences.csv
"""

from collections.abc import Iterator, Mapping, Sequence
import itertools
from typing import Any

import jax
import numpy as np

from scripts.shared import tables, text_runs, text_trial
from scripts.shared.text_runs import Configuration
from toyjax import statistics
from toyjax.analysis import token_chains
from toyjax.data import word_pairs
from toyjax.toys import text_mlp
from toyjax.toys.text_mlp import Outcome

QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)
# Numbers in the logit tables that are held at a time.
_BLOCK = 2**22


def loss_rows(
  configuration: Configuration,
  epochs: Sequence[int],
  printed: Mapping[int, float],
) -> Iterator[dict[str, Any]]:
  """Yields quantiles of the loss, and where a printed loss lies among them.

  Diverged runs count as an infinite loss. Epoch 0 is before training.
  """
  losses = all_losses(configuration)
  for k, epoch in enumerate((0, *epochs)):
    own = losses[:, k]
    row = {**configuration.flags, 'epoch': epoch, 'total': len(own)}
    # Neighbours are not averaged: one of them may be infinite.
    quantiles = np.quantile(own, QUANTILES, method='inverted_cdf')
    row |= {'lowest': float(own.min()), 'highest': float(own.max())}
    row |= {f'q{100 * q:g}': float(v) for q, v in zip(QUANTILES, quantiles)}
    value = printed.get(epoch)
    row['printed'] = value
    row['count_at_most_printed'] = (
      None if value is None else int(np.sum(own <= value))
    )
    yield row


def all_losses(configuration: Configuration) -> np.ndarray:
  """Returns the losses [S, 1 + K] at epoch 0 and the observed ones.

  Of a run that diverged, be it by a weight alone, the loss is infinite.
  """
  runs = configuration.runs
  diverged = runs['outcome'] == Outcome.DIVERGED
  later = np.where(diverged, np.inf, runs['loss'])
  losses = np.concatenate([runs['initial_loss'][:, None], later], axis=1)
  return np.where(np.isfinite(losses), losses, np.inf).astype(float)


def best_row(configuration: Configuration) -> dict[str, Any]:
  """Returns the run of the lowest loss after the last epoch."""
  runs = configuration.runs
  losses = all_losses(configuration)[:, -1]
  best = int(losses.argmin())
  return {
    **configuration.flags,
    'total': len(losses),
    'seed_index': int(runs['seed_index'][best]),
    'loss': float(losses[best]),
    'outcome': Outcome(int(runs['outcome'][best, -1])).name,
    'num_correct': int(runs['correct'][best, -1].sum()),
    'num_pairs': len(configuration.words.pairs),
  }


def temperature_rows(
  configuration: Configuration, settings: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
  """Yields the chance that a sampled text ends, by temperature.

  P(end within L tokens) of every net after its last epoch, exactly in float64;
  its mean over the nets is the chance for a net of a random seed. `greedy_*`
  are the nets whose greedy generation ends, and the others. `num_diverged` nets
  are left out: a weight, the loss or a logit after some word is not finite.
  """
  start = configuration.start
  finite, chances = _chances(configuration, settings)
  (found,) = text_runs.endings(configuration, -1, [start])
  ends = (found.which == 0)[finite]
  for (temperature, max_tokens), chance in chances.items():
    values = chance[finite]
    average = statistics.mean(values)
    row = {
      **configuration.flags,
      'temperature': temperature,
      'top_k': settings['top_k'] or len(configuration.words.vocabulary),
      'max_tokens': max_tokens,
      'start': start,
      'total': len(values),
      'num_diverged': int(np.sum(~finite)),
      'mean_prob_end': average.estimate,
      'lower': max(average.lower, 0.0),
      'upper': min(average.upper, 1.0),
    }
    for name, kept in (('greedy_ends', ends), ('greedy_never_ends', ~ends)):
      part = statistics.mean(values[kept])
      row |= {
        f'{name}_total': int(kept.sum()),
        f'{name}_mean_prob_end': part.estimate,
        f'{name}_lower': max(part.lower, 0.0),
        f'{name}_upper': min(part.upper, 1.0),
      }
    yield row


def _chances(
  configuration: Configuration, settings: Mapping[str, Any]
) -> tuple[np.ndarray, dict[tuple[float, int], np.ndarray]]:
  """Returns P(end within L tokens) of every net, by temperature and L.

  Returns:
    bool [S], whether the net is finite and so are its logits after every word,
    be it no input; and (T, L) -> [S], NaN where it is not.
  """
  vocabulary = configuration.words.vocabulary
  place = word_pairs.index_of(configuration.start, vocabulary, role='start')
  last = word_pairs.index_of(configuration.end, vocabulary, role='end')
  tables_of = jax.jit(jax.vmap(text_mlp.logit_table))
  weights = configuration.runs['weights']
  finite = configuration.runs['outcome'][:, -1] != Outcome.DIVERGED
  choices = list(
    itertools.product(settings['temperature'], settings['max_tokens'])
  )
  chances = {choice: np.full(len(weights), np.nan) for choice in choices}
  size = max(1, _BLOCK // len(vocabulary) ** 2)
  for first in range(0, len(weights), size):
    block = slice(first, first + size)
    logits = np.asarray(
      tables_of(
        text_trial.unflatten(
          weights[block], configuration.group.static, settings
        )
      )
    )
    finite[block] &= np.isfinite(logits).all(axis=(1, 2))
    kept = first + np.flatnonzero(finite[block])
    for temperature in settings['temperature']:
      transitions = token_chains.transition_matrix(
        logits[kept - first],
        temperature=temperature,
        top_k=settings['top_k'] or None,
      )
      for max_tokens in settings['max_tokens']:
        within = token_chains.prob_end_within(
          transitions, end=last, max_tokens=max_tokens
        )
        chances[temperature, max_tokens][kept] = within[:, place]
  return finite, chances


def difference_rows(
  found: Sequence[Configuration], epochs: Sequence[int]
) -> Iterator[dict[str, Any]]:
  """Yields each configuration's share of LEARNED_ALL less that of the first.

  A seed has one key in all of them, and nets of other lists or sizes begin with
  the same draws: the interval is that of pairs, never that of two independent
  samples. Where one has more seeds so far, only the common ones count.
  """
  base = found[0]
  for configuration in found[1:]:
    here, there = tables.common(
      configuration.runs['seed_index'], base.runs['seed_index']
    )
    for k, epoch in enumerate(epochs):
      a, b = (
        c.runs['outcome'][own, k] == Outcome.LEARNED_ALL
        for c, own in ((configuration, here), (base, there))
      )
      gap = tables.paired_difference(a, b)
      yield {
        'configuration': configuration.label,
        'less': base.label,
        'epoch': epoch,
        'num_pairs': len(a),
        'learned': int(a.sum()),
        'learned_less': int(b.sum()),
        'difference': gap.estimate,
        'lower': gap.lower,
        'upper': gap.upper,
      }
