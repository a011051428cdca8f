"""Where to roll out next, to learn how many changes there are, and where.

Given a segmentation z = (K, places) rates are independent, so the chance of
success at t depends only on the segment that holds t. The information of one
rollout about z is therefore exact, for all positions at once:

    gain(t) = I(y_t; z) = h(E[m_z(t)]) - E[h(m_z(t))],

with m_z(t) the predictive mean and h the entropy of a coin, by prefix sums
over the probabilities of segments: O(K T²), no sampling. It is information
about which changes there are, not about the rates themselves.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference.changepoint.active import (
  Rollout,
  coin_entropy_nats,
  follow,
)
from toyjax.inference.changepoint.segments import Prior, State, init, update
from toyjax.inference.changepoint.segments_posterior import (
  infer,
  segment_probs,
  sum_by_position,
)


def predictive_means(state: State) -> Array:
  """Returns the chance that the next rollout at t succeeds, [T].

  E[p_t], or with a concentration ρ the mean of the position's own rate,
  (ρ E[p_t] + S_t) / (ρ + S_t + F_t).
  """
  probs = segment_probs(state, infer(state))
  means = sum_by_position(probs * state.means)
  return _of_position(state, means, jnp.arange(len(means)))


def _of_position(state: State, means: Array, position: Array) -> Array:
  """Turns mean rates of segments into predictive means at a position."""
  if state.prior.dispersion is None:
    return means
  successes = state.counts.successes[position]
  total = successes + state.counts.failures[position]
  concentration = state.prior.dispersion.concentration
  return (concentration * means + successes) / (concentration + total)


def information_gains_nats(state: State) -> Array:
  """Returns I(y_t; K and places | outcomes) of one rollout at each t, [T].

  Positions past the last have -inf. A gain below 1e-6 is rounding in float32.
  With a dispersion the predictive differs from position to position within a
  segment: O(K T²) + O(J T³).
  """
  probs = segment_probs(state, infer(state))
  places = jnp.arange(probs.shape[1])
  mean = sum_by_position(probs * state.means)
  mean = _of_position(state, mean, places)
  if state.prior.dispersion is None:
    expected = sum_by_position(probs * coin_entropy_nats(state.means))
  else:
    starts, ends = places[:, None], jnp.arange(probs.shape[2])[None]

    def expect(position: Array) -> Array:
      chances = _of_position(state, state.means, position)
      holds = ((starts <= position) & (position < ends))[None]
      return jnp.sum(jnp.where(holds, probs * coin_entropy_nats(chances), 0.0))

    expected = jax.lax.map(expect, places)
  gains = coin_entropy_nats(mean) - expected
  return jnp.where(places < state.prior.num_positions, gains, -jnp.inf)


def select(state: State, costs: Array | None = None) -> Array:
  """Returns the position of the next rollout, int []: the most informative.

  Args:
    state: what is known.
    costs: [T], > 0, of a rollout at each position; where given, gain per cost
      is what counts.
  """
  gains = information_gains_nats(state)
  return jnp.argmax(gains if costs is None else gains / costs)


Policy = Callable[[PRNGKey, State], Array]


def by_information(key: PRNGKey, state: State) -> Array:
  """The policy of the largest information gain; it needs no randomness."""
  del key
  return select(state)


def run(
  key: PRNGKey,
  prior: Prior,
  roll_out: Callable[[PRNGKey, Array], Array],
  num_rollouts: int,
  policy: Policy = by_information,
) -> tuple[State, Rollout]:
  """Runs a policy for a fixed number of rollouts, as `changepoint.run` does.

  Args:
    key: [] typed key.
    prior: the prior.
    roll_out: (key, position) -> bool [], whether the rollout succeeded.
    num_rollouts: N >= 0.
    policy: (key, state) -> position.

  Returns:
    The final state, and the rollouts in their order, arrays [N].
  """
  return follow(key, init(prior), update, roll_out, num_rollouts, policy)
