"""Rows of the text net's losses, chances to end, and comparisons.

runs of a configuration --> rows of losses, best, temperatures; differences
"""

from collections.abc import Iterator, Mapping, Sequence
import itertools

import jax
import numpy as np

from toyjax import flat_params, statistics, tables
from toyjax.analysis.nets import token_chains
from toyjax.runs import Runs, common
from toyjax.statistics import Interval
from toyjax.studies.text_failure import endings, trial
from toyjax.studies.text_failure.settings import start_of, words_of
from toyjax.tables import Row
from toyjax.toys import text_mlp
from toyjax.toys.text_mlp import Outcome

_QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)
# Numbers in the logit tables that are held at a time.
_BLOCK = 2**22


def loss_rows(runs: Runs, printed: Mapping[int, float]) -> Iterator[Row]:
  """Yields quantiles of the loss, and where a printed loss lies among them.

  Diverged runs count as an infinite loss. Epoch 0 is before training.

  Args:
    runs: of a configuration.
    printed: epoch -> loss of the published run.
  """
  for epoch, own in zip((0, *runs.values['observe_epochs']), losses(runs).T):
    value = printed.get(epoch)
    yield {
      'epoch': epoch,
      'total': len(own),
      'lowest': float(own.min()),
      'highest': float(own.max()),
      **{f'q{100 * q:g}': tables.quantile(own, q) for q in _QUANTILES},
      'printed': value,
      'count_at_most_printed': None
      if value is None
      else int(np.sum(own <= value)),
    }


def losses(runs: Runs) -> np.ndarray:
  """Returns the losses [S, 1 + K] at epoch 0 and the observed ones.

  Of a run that diverged, be it by a weight alone, the loss is infinite.
  """
  diverged = runs.data['outcome'] == Outcome.DIVERGED
  later = np.where(diverged, np.inf, runs.data['loss'])
  found = np.concatenate([runs.data['initial_loss'][:, None], later], axis=1)
  return np.where(np.isfinite(found), found, np.inf).astype(float)


def best_row(runs: Runs) -> Row:
  """Returns the run of the lowest loss after the last epoch."""
  last = losses(runs)[:, -1]
  best = int(last.argmin())
  return {
    'total': len(last),
    'seed_index': int(runs.data['seed_index'][best]),
    'loss': float(last[best]),
    'outcome': Outcome(int(runs.last('outcome')[best])).name,
    'num_correct': int(runs.last('correct')[best].sum()),
    'num_pairs': len(words_of(runs.values).pairs),
  }


def temperature_rows(runs: Runs) -> Iterator[Row]:
  """Yields the chance that a sampled text ends, by temperature.

  P(end within L tokens) of every net after its last epoch, exactly in float64;
  its mean over the nets is the chance for a net of a random seed. `greedy_*`
  are the nets whose greedy generation ends, and the others. `num_diverged` nets
  are left out: a weight, the loss or a logit after some word is not finite.
  """
  values, start = runs.values, start_of(runs.values)
  finite, chances = _chances(runs)
  (found,) = endings.follow(runs, -1, [start])
  ends = found.ends[finite]
  for (temperature, max_tokens), chance in chances.items():
    own = chance[finite]
    yield {
      'temperature': temperature,
      'top_k': values['top_k'] or len(words_of(values).vocabulary),
      'max_tokens': max_tokens,
      'start': start,
      'total': len(own),
      'num_diverged': int(np.sum(~finite)),
      'mean_prob_end': _mean(own),
      'greedy_ends_total': int(ends.sum()),
      'greedy_ends:mean_prob_end': _mean(own[ends]),
      'greedy_never_ends_total': int(np.sum(~ends)),
      'greedy_never_ends:mean_prob_end': _mean(own[~ends]),
    }


def _mean(chances: np.ndarray) -> Interval:
  """Returns the mean with its interval, cut to what a chance can be."""
  found = statistics.mean(chances)
  return Interval(found.estimate, max(found.lower, 0.0), min(found.upper, 1.0))


def _chances(
  runs: Runs,
) -> tuple[np.ndarray, dict[tuple[float, int], np.ndarray]]:
  """Returns P(end within L tokens) of every net, by temperature and L.

  Returns:
    bool [S], whether the net is finite and so are its logits after every word,
    be it no input; and (T, L) -> [S], NaN where it is not.
  """
  values = runs.values
  vocabulary = words_of(values).vocabulary
  place = vocabulary.index(start_of(values))
  last = vocabulary.index(values['end'])
  tables_of = jax.jit(jax.vmap(text_mlp.logit_table))
  weights, toy = runs.data['weights'], trial.make_toy(values)
  finite = runs.last('outcome') != Outcome.DIVERGED
  choices = itertools.product(values['temperature'], values['max_tokens'])
  chances = {choice: np.full(len(weights), np.nan) for choice in choices}
  size = max(1, _BLOCK // len(vocabulary) ** 2)
  for first in range(0, len(weights), size):
    block = slice(first, first + size)
    nets = flat_params.unflatten(weights[block], toy)
    logits = np.asarray(tables_of(nets))
    finite[block] &= np.isfinite(logits).all(axis=(1, 2))
    kept = first + np.flatnonzero(finite[block])
    for temperature in values['temperature']:
      transitions = token_chains.transition_matrix(
        logits[kept - first],
        temperature=temperature,
        top_k=values['top_k'] or None,
      )
      for max_tokens in values['max_tokens']:
        within = token_chains.prob_end_within(
          transitions, end=last, max_tokens=max_tokens
        )
        chances[temperature, max_tokens][kept] = within[:, place]
  return finite, chances


def difference_rows(found: Sequence[Runs]) -> Iterator[Row]:
  """Yields each configuration's share of LEARNED_ALL less that of the first.

  A seed has one key in all of them, and nets of other lists or sizes begin with
  the same draws: the interval is that of pairs, never that of two independent
  samples. Where one has more seeds so far, only the common ones count.
  """
  base = found[0]
  for runs in found[1:]:
    here, there = common(runs, base)
    learned = runs.data['outcome'][here] == Outcome.LEARNED_ALL
    less = base.data['outcome'][there] == Outcome.LEARNED_ALL
    for epoch, a, b in zip(runs.values['observe_epochs'], learned.T, less.T):
      yield {
        'configuration': runs.label,
        'less': base.label,
        'epoch': epoch,
        'num_pairs': len(a),
        'learned': int(a.sum()),
        'learned_less': int(b.sum()),
        'difference': tables.paired_difference(a, b),
      }
