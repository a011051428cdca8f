"""Simulated traces with one change, none, or rises, and trials on them.

traces (NumPy) --simulated, null--> xs --sweep(make_trial(policy))--> results

Every policy and every prior sees the same traces with the same keys.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import changepoint_choices, changepoint_rivals
from toyjax import sweeps
from toyjax.base import Array, PRNGKey
from toyjax.chunks import Trial
from toyjax.inference import changepoint
from toyjax.inference.changepoint import batches, evidence, intervals
from toyjax.inference.changepoint.policies import Design, RollOut

Rate = float | str
DRAWN = 'prior'
CONSTANTS = tuple(f'constant {tenth / 10:g}' for tenth in range(1, 10))
RISES = ('rise .2 to .8', 'ramp .1 to .9', 'late rise .05 to .7')
NUM_LOOKS = 5  # At searches, whose rollouts are seen through their budget.


def rate_pairs(
  p1: Sequence[Rate], p2: Sequence[Rate]
) -> list[tuple[Rate, Rate]]:
  """Returns all pairs of numbers, and the drawn pair if both lists have it."""
  return [
    (before, after)
    for before in p1
    for after in p2
    if (before == DRAWN) == (after == DRAWN)
  ]


def simulated(
  *,
  seed: int,
  num_traces: int,
  num_positions: int,
  rates: tuple[Rate, Rate],
  prior: str,
) -> dict[str, Any]:
  """Returns xs of traces with one change, uniform over the positions.

  Trace i is the same for every pair of numbers but for the rates themselves,
  and for every prior unless the rates are drawn from it.
  """
  rng = np.random.default_rng([seed, 1])
  changes = rng.integers(0, num_positions, num_traces)
  uniforms = rng.random(num_traces)
  shapes = changepoint_choices.PRIORS[prior]
  before, after = (
    rng.beta(*shape, num_traces)
    if rate == DRAWN
    else np.full(num_traces, float(rate))
    for rate, shape in zip(rates, shapes)
  )
  is_before = np.arange(num_positions) < changes[:, None]
  levels = np.where(is_before, before[:, None], after[:, None])
  return _xs(seed, prior, levels, changes, uniforms)


def null(
  *, seed: int, num_traces: int, num_positions: int, kind: str, prior: str
) -> dict[str, Any]:
  """Returns xs of traces that never fall: of a kind in CONSTANTS or RISES."""
  share = np.arange(num_positions) / max(num_positions - 1, 1)
  if kind in CONSTANTS:
    levels = np.full(num_positions, float(kind.split()[1]))
  else:
    levels = {
      'rise .2 to .8': np.where(share < 0.5, 0.2, 0.8),
      'ramp .1 to .9': 0.1 + 0.8 * share,
      'late rise .05 to .7': np.where(share < 0.9, 0.05, 0.7),
    }[kind]
  levels = np.tile(levels, (num_traces, 1))
  none = np.zeros(num_traces)
  return _xs(seed, prior, levels, none, none)


def _xs(seed, prior, levels, changes, uniforms) -> dict[str, Any]:
  num_traces = len(levels)
  shapes = np.ravel(changepoint_choices.PRIORS[prior]).astype(np.float32)
  return {
    'key': sweeps.seed_keys(seed, np.arange(num_traces)),
    'shapes': np.tile(shapes, (num_traces, 1)),
    'rates': levels.astype(np.float32),
    'change': changes.astype(np.int32),
    'uniform': uniforms.astype(np.float32),
  }


def join(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
  """Returns the xs of all parts, one after another."""
  return {
    name: (jnp if name == 'key' else np).concatenate([x[name] for x in parts])
    for name in parts[0]
  }


def _start(x: dict[str, Array]) -> tuple[changepoint.Prior, RollOut]:
  shapes: Any = x['shapes']
  prior = changepoint.make_prior(
    before=(shapes[0], shapes[1]),
    after=(shapes[2], shapes[3]),
    weights=jnp.ones_like(x['rates']),
  )

  def roll_out(key: PRNGKey, position: Array) -> Array:
    return jax.random.bernoulli(key, x['rates'][position])

  return prior, roll_out


def make_trial(
  policy: str,
  *,
  num_positions: int,
  num_rollouts: int,
  level: float,
  mass: float,
) -> Trial:
  """Returns the trial of a policy: where it finds the change, how sure it is.

  Its results: `location`, `num_rollouts`, `num_rounds`, `is_complete`, whether
  each interval covers the change and how many positions it has, and `place`,
  P(τ < change) + u P(τ = change): uniform where the posterior is calibrated.

  Of a stepwise policy also `locations` [N], the most probable position after
  each rollout, and `first_sure` [], after how many the mass was first reached,
  N + 1 if never.
  """
  rival = changepoint_rivals.POLICIES[policy]()
  budget = changepoint_rivals.budget(policy, num_rollouts, num_positions)

  def trial(x: dict[str, Array]) -> dict[str, Array]:
    prior, roll_out = _start(x)
    found = rival.find(x['key'], prior, roll_out, budget)
    probs = changepoint.posterior(found.state)
    change, uniform = x['change'], x['uniform']
    central = intervals.central_interval(probs, level=level)
    highest = intervals.highest_density(probs, level=level)
    random = intervals.randomised_interval(probs, uniform, level=level)
    before = jnp.sum(jnp.where(jnp.arange(len(probs)) < change, probs, 0.0))
    path = {}
    if policy in changepoint_rivals.STEPWISE:
      prior = changepoint_rivals.believed(policy, prior)
      rollouts = _run(policy, x['key'], prior, roll_out, num_rollouts)
      path = _look(*evidence.replay(prior, rollouts, _measure(mass)))
    return {
      'location': found.location,
      'num_rollouts': found.num_rollouts,
      'num_rounds': found.num_rounds,
      'is_complete': found.is_complete,
      'central': (central.lower <= change) & (change <= central.upper),
      'hpd': highest.members[change],
      'randomised': (random.lower <= change) & (change <= random.upper),
      'central_width': central.upper - central.lower + 1,
      'hpd_width': jnp.sum(highest.members),
      'randomised_width': jnp.maximum(random.upper - random.lower + 1, 0),
      'place': before + uniform * probs[change],
      **path,
    }

  return trial


def _measure(
  mass: float,
) -> Callable[[changepoint.State], tuple[Array, Array]]:
  def measure(state: changepoint.State) -> tuple[Array, Array]:
    top = jnp.max(changepoint.posterior(state))
    return changepoint.most_probable_position(state), top >= mass

  return measure


def _look(locations: Array, is_sure: Array) -> dict[str, Array]:
  first = jnp.argmax(is_sure) + 1
  first = jnp.where(jnp.any(is_sure), first, len(is_sure) + 1)
  return {'locations': locations, 'first_sure': first}


def _run(policy, key, prior, roll_out, num_rollouts) -> changepoint.Rollout:
  step = changepoint_rivals.STEPWISE[policy]
  return changepoint.run(key, prior, roll_out, num_rollouts, step)[1]


def make_alarm_trial(
  policy: str, *, num_positions: int, num_rollouts: int
) -> Trial:
  """Returns the trial of the largest log e-values: `change` and `drop`, [].

  Of a one-at-a-time policy after every rollout; of a search after every fifth
  of its budget; of a fixed design once, at its end.
  """
  rival = changepoint_rivals.POLICIES[policy]()
  budget = changepoint_rivals.budget(policy, num_rollouts, num_positions)

  def look(state: changepoint.State) -> dict[str, Array]:
    return {
      'change': evidence.log_e_change_nats(state),
      'drop': evidence.log_e_drop_nats(state),
    }

  def trial(x: dict[str, Array]) -> dict[str, Array]:
    prior, roll_out = _start(x)
    if policy in changepoint_rivals.STEPWISE:
      prior = changepoint_rivals.believed(policy, prior)
      rollouts = _run(policy, x['key'], prior, roll_out, num_rollouts)
      path = evidence.replay(prior, rollouts, look)
    else:
      states = [
        rival.find(x['key'], prior, roll_out, size).state
        for size in look_sizes(policy, budget)
      ]
      stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
      path = jax.vmap(look)(stacked)
    return jax.tree.map(jnp.max, path)

  return trial


def look_sizes(policy: str, budget: int) -> list[int]:
  """Returns after how many rollouts a search or a fixed design is looked at."""
  design = changepoint_rivals.POLICIES[policy]().design
  if design == Design.FIXED:
    return [budget]
  looks = np.linspace(0, budget, min(NUM_LOOKS, budget) + 1)[1:]
  return sorted({int(size) for size in looks})


def make_batch_trial(
  batch_size: int, *, num_rollouts: int, mass: float
) -> Trial:
  """Returns the trial of parallel rollouts, q at a time.

  Up to eight by exact joint information, beyond by a spread over quantiles. Its
  results: `locations` [R] after each round, and `first_sure`, after how many
  rounds the mass was reached, R + 1 if never.
  """
  num_rounds = num_rollouts // batch_size
  choose: Callable[..., Array] = (
    batches.select_jointly if batch_size <= 8 else batches.select_spread
  )

  def trial(x: dict[str, Array]) -> dict[str, Array]:
    prior, roll_out = _start(x)
    _, rollouts = batches.run_batches(
      x['key'],
      prior,
      roll_out,
      num_rounds,
      lambda state: choose(state, batch_size, batches.none_pending()),
    )

    def step(
      state: changepoint.State, batch: changepoint.Rollout
    ) -> tuple[changepoint.State, tuple[Array, Array]]:
      state, _ = jax.lax.scan(
        lambda s, one: (changepoint.update(s, *one), None), state, batch
      )
      return state, _measure(mass)(state)

    start = changepoint.init(prior)
    return _look(*jax.lax.scan(step, start, rollouts)[1])

  return trial
