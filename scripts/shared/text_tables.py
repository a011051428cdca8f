"""Rows of the text net's tables, each a count with its interval.

Configuration --> summary.csv, exchange.csv, losses.csv, temperatures.csv, ...
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
# Nets whose chains are computed at a time.
_BLOCK = 65_536


def summary_rows(
  configuration: Configuration,
  epochs: Sequence[int],
  *,
  start: str,
  end: str,
) -> Iterator[dict[str, Any]]:
  """Yields counts of runs by measure and class, at each observed epoch.

  The measures: outcome; ties after an input of a pair; dead layers; whether
  each pair is learned, by argmax; where greedy generation from the start leads,
  and from every other word.
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
    starts = (start, *(w for w in words.vocabulary if w not in (start, end)))
    for word, found in zip(
      starts, text_runs.endings(configuration, k, starts=starts, end=end)
    ):
      by_name = statistics.counts(found.which, len(found.names))
      never = len(found.which) - int(by_name[0])
      measure = f'generation from {word}'
      counts.append((measure, found.names[0], int(by_name[0])))
      counts.append((measure, f'never {end}', never))
      cycles = sorted(
        zip(found.names[1:], by_name[1:].tolist()), key=lambda c: (-c[1], c[0])
      )
      counts += [(measure, name, count) for name, count in cycles]
    for measure, name, count in counts:
      yield {
        **configuration.flags,
        'epoch': epoch,
        'measure': measure,
        'class': name,
        **tables.interval_cells(count, configuration.num_runs),
      }


def pair_name(words: word_pairs.WordPairs, p: int) -> str:
  """Returns a pair as text, e.g. 'hello->world'."""
  return '->'.join(words.vocabulary[token] for token in words.pairs[p])


def exchange_rows(
  configuration: Configuration, epochs: Sequence[int]
) -> Iterator[dict[str, Any]]:
  """Yields how often one pair is wrong and its mirror image right.

  Pairs that play the same part must be wrong equally often, whatever the net,
  where no tie occurs and no fixed order tells them apart: `z` is McNemar's
  (b - c)/√(b + c), about normal then. With ties the lower index is taken, and
  the two may differ.
  """
  try:
    groups = word_pairs.exchangeable_pairs(configuration.words.pairs)
  except ValueError:
    return  # An input with two outputs: no symmetry is known.
  for k, epoch in enumerate(epochs):
    tied = configuration.has_tie(k)
    for name, kept in (('all', np.ones_like(tied)), ('untied', ~tied)):
      right = configuration.runs['correct'][kept, k]
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
  """Returns the losses [S, 1 + K] at epoch 0 and the observed ones."""
  runs = configuration.runs
  losses = np.concatenate([runs['initial_loss'][:, None], runs['loss']], axis=1)
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
  are the nets whose greedy generation ends, and the others.
  """
  start, end = settings['start'], settings['end']
  vocabulary = configuration.words.vocabulary
  place = word_pairs.index_of(start, vocabulary, role='start')
  last = word_pairs.index_of(end, vocabulary, role='end')
  finite = configuration.runs['outcome'][:, -1] != Outcome.DIVERGED
  (found,) = text_runs.endings(configuration, -1, starts=[start], end=end)
  ends = (found.which == 0)[finite]
  tables_of = jax.jit(jax.vmap(text_mlp.logit_table))
  weights = configuration.runs['weights'][finite]
  for temperature, max_tokens in itertools.product(
    settings['temperature'], settings['max_tokens']
  ):
    chance = []
    for first in range(0, len(weights), _BLOCK):
      params = text_trial.unflatten(
        weights[first : first + _BLOCK], configuration.group.static, settings
      )
      transitions = token_chains.transition_matrix(
        np.asarray(tables_of(params)),
        temperature=temperature,
        top_k=settings['top_k'] or None,
      )
      within = token_chains.prob_end_within(
        transitions, end=last, max_tokens=max_tokens
      )
      chance.append(within[:, place])
    values = np.concatenate([np.zeros(0), *chance])
    average = statistics.mean(values)
    row = {
      **configuration.flags,
      'temperature': temperature,
      'top_k': settings['top_k'] or len(vocabulary),
      'max_tokens': max_tokens,
      'start': start,
      'total': len(values),
      'num_diverged': int(np.sum(~finite)),
      'mean_prob_end': average.estimate,
      'lower': average.lower,
      'upper': average.upper,
    }
    for name, kept in (('greedy_ends', ends), ('greedy_never_ends', ~ends)):
      part = statistics.mean(values[kept])
      row |= {
        f'{name}_total': int(kept.sum()),
        f'{name}_mean_prob_end': part.estimate,
        f'{name}_lower': part.lower,
        f'{name}_upper': part.upper,
      }
    yield row


def difference_rows(
  found: Sequence[Configuration], epochs: Sequence[int]
) -> Iterator[dict[str, Any]]:
  """Yields each configuration's share of LEARNED_ALL less that of the first.

  Configurations of the same list, sizes and init start from the same weights,
  and are compared in pairs; the others as independent samples.
  """
  base = found[0]
  same = ('pairs', 'embed_dim', 'hidden_dim', 'init')
  for configuration in found[1:]:
    is_paired = all(configuration.flags[n] == base.flags[n] for n in same)
    for k, epoch in enumerate(epochs):
      a, b = (
        c.runs['outcome'][:, k] == Outcome.LEARNED_ALL
        for c in (configuration, base)
      )
      if is_paired:
        size = min(len(a), len(b))
        a, b = a[:size], b[:size]
        gap = statistics.paired_difference(
          int(np.sum(a & b)),
          int(np.sum(a & ~b)),
          int(np.sum(~a & b)),
          int(np.sum(~a & ~b)),
        )
      else:
        gap = statistics.difference(int(a.sum()), len(a), int(b.sum()), len(b))
      yield {
        'configuration': configuration.label,
        'less': base.label,
        'epoch': epoch,
        'paired': is_paired,
        'learned': int(a.sum()),
        'total': len(a),
        'learned_less': int(b.sum()),
        'total_less': len(b),
        'difference': gap.estimate,
        'lower': gap.lower,
        'upper': gap.upper,
      }
