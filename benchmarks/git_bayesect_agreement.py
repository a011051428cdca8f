"""Do git_bayesect and toyjax pick alike and believe alike on the same draws?"""

from collections.abc import Callable
from typing import Any, NamedTuple

import git_bayesect
import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint.policies import by_expected_entropy

JEFFREYS = (0.5, 0.5)


class Traces(NamedTuple):
  """Simulated traces and how they are searched.

  Attributes:
    num_positions: T.
    num_rollouts: N.
    rates: p₁ and p₂.
  """

  num_positions: int
  num_rollouts: int
  rates: tuple[float, float]

  def trial(self, policy: changepoint.Policy, dtype: Any) -> Callable:
    """Returns key -> (change, its posterior, the rollouts)."""

    def trial(
      key: PRNGKey,
    ) -> tuple[Array, Array, changepoint.Rollout]:
      change_key, run_key = jax.random.split(key)
      change = jax.random.randint(change_key, (), 1, self.num_positions)

      def roll_out(key: PRNGKey, position: Array) -> Array:
        rate = jnp.where(position < change, *self.rates)
        return jax.random.uniform(key, dtype=jnp.float32) < rate

      prior = changepoint.make_prior(
        before=JEFFREYS,
        after=JEFFREYS,
        weights=jnp.ones(self.num_positions, dtype),
      )
      state, rollouts = changepoint.run(
        run_key, prior, roll_out, self.num_rollouts, policy
      )
      return change, changepoint.posterior(state), rollouts

    return trial


def replay(
  positions: np.ndarray, successes: np.ndarray, num_positions: int
) -> tuple[int, float, np.ndarray]:
  """Tells git_bayesect one trace's rollouts and asks for its picks.

  Args:
    positions: int [N], where they started.
    successes: bool [N].
    num_positions: T.

  Returns:
    At how many steps it would pick the same, by how many bits its expected
    entropy at a pick that differs is worse at most, and the posterior of τ [T].
  """
  bisector = git_bayesect.Bisector(np.ones(num_positions))
  num_same, worst = 0, 0.0
  for position, success in zip(positions, successes, strict=True):
    pick = num_positions - 1 - bisector.select()
    num_same += pick == position
    if pick != position:
      entropies = [expected_entropy_bits(bisector, t) for t in (position, pick)]
      worst = max(worst, entropies[0] - entropies[1])
    bisector.record(num_positions - 1 - int(position), bool(success))
  return num_same, worst, bisector.distribution[::-1]


def expected_entropy_bits(
  bisector: git_bayesect.Bisector, position: int
) -> float:
  """Returns E[H(τ | y)] of one rollout, from git_bayesect's own posteriors."""
  size = len(bisector.prior_weights)
  index = size - 1 - int(position)
  old, new = (
    (bisector.obs_yes[-1] - bisector.obs_yes + 0.5)
    / (bisector.obs_total[-1] - bisector.obs_total + 1.0),
    (bisector.obs_yes + 0.5) / (bisector.obs_total + 1.0),
  )
  chance = np.where(index <= np.arange(size), new, old)
  total = 0.0
  for chances in (chance, 1.0 - chance):
    weights = bisector.distribution * chances
    probs = weights / weights.sum()
    probs = probs[probs > 0]
    total -= weights.sum() * float(np.sum(probs * np.log2(probs)))
  return total


def check(traces: Traces, num_traces: int, seed: int) -> dict[str, float]:
  """Returns how far the two agree on the same draws, in float64."""
  with jax.enable_x64(True):
    keys = jax.random.split(jax.random.key(seed), num_traces)
    trial = traces.trial(by_expected_entropy, jnp.float64)
    _, posteriors, rollouts = jax.jit(jax.vmap(trial))(keys)
  num_same, worst_tie, worst_posterior = 0, 0.0, 0.0
  for index in range(num_traces):
    same, tie, posterior = replay(
      np.asarray(rollouts.position[index]),
      np.asarray(rollouts.success[index]),
      traces.num_positions,
    )
    num_same += same
    worst_tie = max(worst_tie, tie)
    difference = np.max(np.abs(posterior - np.asarray(posteriors[index])))
    worst_posterior = max(worst_posterior, float(difference))
  return {
    'checked_traces': num_traces,
    'same_picks': num_same / (num_traces * traces.num_rollouts),
    'largest_loss_bits': worst_tie,
    'largest_posterior_difference': worst_posterior,
  }
