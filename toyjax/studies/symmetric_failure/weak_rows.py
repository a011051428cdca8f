"""The weak row of states on the way: tilt condition, bias, frozen optimum.

states [S] (W, b), float64 --its shortest row--> rows of shares and medians
"""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import statistics
from toyjax.analysis.autoencoder import frozen, pieces, tilt
from toyjax.base import Array
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.symmetric_failure import frozen_rows
from toyjax.tables import Row
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Params

_STEP = 1e-6  # Of the descent by which |W_d| is seen to grow or shrink.
# What is asked of the shortest row of each state: arrays [S, ...].
Weak = dict[str, np.ndarray]
# A dead row is shorter than this (as in the labels), on for every input.
_DEAD_NORM = relu_autoencoder.THRESHOLDS.dead_norm
_CLOSE = 0.05  # A relaxed row is at its prediction within this fraction.


@jax.jit
@jax.vmap
def _look_at(params: Params) -> dict[str, Array]:
  norms = jnp.linalg.norm(params.weights, axis=0)
  row = jnp.argmin(norms)
  grads = jax.grad(relu_autoencoder.one_hot_sse)(params).weights[:, row]
  moved = jnp.linalg.norm(params.weights[:, row] - _STEP * grads)
  z = pieces.preactivations(params)
  num_features = len(params.bias)
  others = jnp.arange(num_features) != row
  total = jnp.sum(jnp.where(others[None, :], params.weights, 0), axis=1)
  all_on = jnp.all(z[:, row] > 0)
  general, special = tilt.general(params, row), tilt.special(params, row)
  return {
    'sse': relu_autoencoder.one_hot_sse(params),
    # By one small step of gradient descent, and by the two conditions.
    'grows': moved > norms[row],
    'general': general.gain > general.cost,
    'special': special.gain > special.cost,
    # What the study's condition assumes; Σ W_j is 0 below a hundredth of its
    # terms' lengths.
    'assumed': all_on
    & jnp.all(jnp.where(others, z[row], -1) <= 0)
    & (jnp.linalg.norm(total) < 0.01 * jnp.sum(norms)),
    'is_dead': all_on & (norms[row] < _DEAD_NORM),
    'bias_times_n': params.bias[row] * num_features,
    # Where it comes to rest with all else frozen.
    'predicted': frozen.predict(params, row),
    'rested': frozen_rows.relax(params, row).weights,
  }


def _look(weights: np.ndarray, bias: np.ndarray) -> Weak:
  """Returns what is asked of the shortest row of each state, in float64."""
  states = Params(jnp.asarray(weights, float), jnp.asarray(bias, float))
  return {name: np.asarray(leaf) for name, leaf in _look_at(states).items()}


def rows(
  trained: Iterable[Runs], values: Values
) -> tuple[list[Row], list[Row]]:
  """Returns the rows of tilt.csv and of dead.csv.

  Args:
    trained: runs from scratch, which are looked at step by step.
    values: of all settings; their random states come first, in tilt.csv alone.
  """
  tilts, dead = [], []
  for n in values['state_features']:
    at = {'source': 'random', 'num_features': n}
    at |= {'weight_decay': None, 'step': None}
    tilts.append(_tilt_row(at, _look(*_random_states(n, values)), values))
  for runs in trained:
    for k, step in enumerate(values['state_steps']):
      at = {
        'source': 'training',
        'num_features': runs.configuration['num_features'],
        'weight_decay': runs.configuration['weight_decay'],
        'step': step,
      }
      weak = _look(runs.data['weights'][:, k], runs.data['bias'][:, k])
      tilts.append(_tilt_row(at, weak, values))
      dead.append(_dead_row(at, weak))
  return tilts, dead


def _random_states(n: int, values: Values) -> tuple[np.ndarray, np.ndarray]:
  """Draws W ~ N(0, 1) and b ~ N(0, 1/4): [S, 2, N] and [S, N]."""
  rng = np.random.default_rng((values['seed'], n))
  size = values['num_random_states']
  return rng.normal(size=(size, 2, n)), rng.normal(size=(size, n)) / 2.0


def _tilt_row(at: Row, weak: Weak, values: Values) -> Row:
  """Compares both conditions with what the row does, in unsolved states."""
  kept = weak['sse'] >= values['solved_sse']
  grows, general, special, assumed = (
    weak[name][kept] for name in ('grows', 'general', 'special', 'assumed')
  )
  wrong = special != grows
  return {
    **at,
    'num_states': len(kept),
    'num_unsolved': int(np.sum(kept)),
    'num_growing': int(np.sum(grows)),
    'general_wrong': int(np.sum(general != grows)),
    'special_wrong': int(np.sum(wrong)),
    'fraction': statistics.wilson(int(np.sum(wrong)), len(grows)),
    'special_says_grow_wrongly': int(np.sum(special & ~grows)),
    'special_says_shrink_wrongly': int(np.sum(~special & grows)),
    'num_assumptions_hold': int(np.sum(assumed)),
    'wrong_where_they_hold': int(np.sum(wrong & assumed)),
  }


def _dead_row(at: Row, weak: Weak) -> Row:
  """Says where dead rows have their bias, and where they would come to rest."""
  dead = weak['is_dead']
  num_dead = int(np.sum(dead))
  names = ('bias_times_n', 'rested', 'predicted')
  return {
    **at,
    'num_states': len(dead),
    'num_dead': num_dead,
    'fraction': statistics.wilson(num_dead, len(dead)),
    **_rest(*(weak[name][dead] for name in names)),
  }


def _rest(bias: np.ndarray, rested: np.ndarray, predicted: np.ndarray) -> Row:
  """Returns biases times n and places of rest of dead rows, None for none."""
  names = (
    *('bias_median', 'bias_low', 'bias_high', 'bias_within_5_percent'),
    *('num_at_prediction', 'median_cosine', 'median_norm_of_optimum'),
  )
  if not len(bias):
    return dict.fromkeys(names)
  low, middle, high = np.quantile(bias, [0.025, 0.5, 0.975]).tolist()
  size = np.linalg.norm(rested, axis=1)
  off = np.linalg.norm(rested - predicted, axis=1)
  product = size * np.linalg.norm(predicted, axis=1)
  cosine = np.sum(rested * predicted, axis=1) / np.maximum(product, 1e-300)
  within = int(np.sum(np.abs(bias - 1) < 0.05))
  at_prediction = int(np.sum(off <= _CLOSE * size))
  medians = float(np.median(cosine)), float(np.median(size))
  return dict(zip(names, (middle, low, high, within, at_prediction, *medians)))
