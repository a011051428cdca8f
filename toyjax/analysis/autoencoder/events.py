"""What happens to a ReLU autoencoder on the way, seen at every step.

    dynamics --watch--> dynamics that also keeps `Events`, no trajectory
    Events   --waits, survival--> times to solve and to escape

Places are states of the weights on one-hot data, X = I_n, by the tests of
`relu_autoencoder.diagnose`. A run is looked at before its first step and after
every step, so that nothing that lasts one step is missed.
"""

import enum
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import loops, statistics
from toyjax.base import Array, Dynamics
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Fate, Params, Thresholds


class Place(enum.IntEnum):
  """Where a run can be at a step; several may hold at once."""

  SYMMETRIC = 0  # Symmetric failure as `Outcome` labels it: dead rows at 1/n.
  ONE_DEAD = 1  # Symmetric failure with a single dead row: the study's own.
  NEAR_SYMMETRIC = 2  # SYMMETRIC under the thresholds of `near_symmetric`.
  ON_FOR_ALL = 3  # Some are on for all inputs, the rest (>= 2) learned.
  MERGED = 4  # All that is not learned is merged.
  SOLVED = 5  # SSE < solved_sse.
  DIVERGED = 6  # Something is not finite.


# The places that `Events.escape_step` is about, in its order.
ESCAPED = (Place.SYMMETRIC, Place.ONE_DEAD)


class Events(NamedTuple):
  """What happened up to a step; all int32 and step numbers, -1 for never.

  Step k is the state after k steps, 0 the initial one. P places, N features.

  Attributes:
    first_step: [P] first step at each place.
    last_step: [P] last step at each place so far.
    num_steps: [P] number of steps at each place.
    longest_stay: [P] most steps in a row at each place.
    stay: [P] length of the stay that goes on, 0 elsewhere.
    escape_step: [2] for each place in `ESCAPED`, the first step after its
      first_step that is not NEAR_SYMMETRIC. Leaving by divergence is no escape.
      Wider thresholds on the way out keep a run that hovers at the edge from
      counting as escaped.
    first_learned: [N] first step at which each feature's fate is LEARNED.
    last_unlearned: [N] last step at which it was not, so that
      last_unlearned + 1 is when it was learned for good.
    times_lost: [N] number of steps at which it had just stopped being LEARNED.
    is_learned: [N] 1 where it is LEARNED now.
  """

  first_step: Array
  last_step: Array
  num_steps: Array
  longest_stay: Array
  stay: Array
  escape_step: Array
  first_learned: Array
  last_unlearned: Array
  times_lost: Array
  is_learned: Array


def near_symmetric(thresholds: Thresholds, factor: float) -> Thresholds:
  """Widens the tolerances of symmetric failure by a factor.

  Those are the norm and the bias of dead rows and the polygon's regularity; the
  on-pattern, dead rows on for all inputs and the rest learned, stays.

  Args:
    thresholds: usually `relu_autoencoder.THRESHOLDS`.
    factor: >= 1, so that what is symmetric is near symmetric.

  Raises:
    ValueError: on a factor below 1.
  """
  if factor < 1.0:
    raise ValueError(f'factor must be >= 1: {factor}')
  return thresholds._replace(
    dead_norm=factor * thresholds.dead_norm,
    dead_bias=factor * thresholds.dead_bias,
    regularity=factor * thresholds.regularity,
  )


def begin(num_features: int) -> Events:
  """Returns the record before anything was looked at."""
  never = jnp.full(len(Place), -1, jnp.int32)
  none = jnp.zeros(len(Place), jnp.int32)
  unseen = jnp.full(num_features, -1, jnp.int32)
  zeros = jnp.zeros(num_features, jnp.int32)
  return Events(
    first_step=never,
    last_step=never,
    num_steps=none,
    longest_stay=none,
    stay=none,
    escape_step=jnp.full(len(ESCAPED), -1, jnp.int32),
    first_learned=unseen,
    last_unlearned=unseen,
    times_lost=zeros,
    is_learned=zeros,
  )


def look(
  events: Events,
  step: Array,
  params: Params,
  *,
  solved_sse: float,
  thresholds: Thresholds,
  near_factor: float,
) -> Events:
  """Adds what is seen at one step to the record.

  Args:
    events: the record of the steps before.
    step: int32 [], number of steps made.
    params: W [M, N] and b [N] after that step.
    solved_sse: a run is solved when its SSE is below.
    thresholds: usually `relu_autoencoder.THRESHOLDS`.
    near_factor: see `near_symmetric`.

  Returns:
    The record with this step.
  """
  at, is_learned = locate(
    params,
    solved_sse=solved_sse,
    thresholds=thresholds,
    near_factor=near_factor,
  )
  stay = jnp.where(at, events.stay + 1, 0)
  first_step = jnp.where(at & (events.first_step < 0), step, events.first_step)
  escapes = (
    (events.escape_step < 0)
    & (jnp.stack([first_step[place] for place in ESCAPED]) >= 0)
    & ~at[Place.NEAR_SYMMETRIC]
    & ~at[Place.DIVERGED]
  )
  lost = (events.is_learned > 0) & ~is_learned
  new = is_learned & (events.first_learned < 0)
  return Events(
    first_step=first_step,
    last_step=jnp.where(at, step, events.last_step),
    num_steps=events.num_steps + at,
    longest_stay=jnp.maximum(events.longest_stay, stay),
    stay=stay,
    escape_step=jnp.where(escapes, step, events.escape_step),
    first_learned=jnp.where(new, step, events.first_learned),
    last_unlearned=jnp.where(is_learned, events.last_unlearned, step),
    times_lost=events.times_lost + lost,
    is_learned=is_learned.astype(jnp.int32),
  )


def locate(
  params: Params,
  *,
  solved_sse: float,
  thresholds: Thresholds,
  near_factor: float,
) -> tuple[Array, Array]:
  """Says where weights are: bool [P] by `Place`, and bool [N], learned or not.

  The arguments are those of `look`. Symmetric failure needs M = 2.
  """
  # The outcome itself is not asked for; the rest needs no earlier SSE.
  found = relu_autoencoder.diagnose(
    params,
    earlier_sse=jnp.float32(0.0),
    solved_sse=solved_sse,
    thresholds=thresholds,
  )
  num_features = params.bias.shape[0]
  finite = found.fates[0] != Fate.UNDEFINED
  solved = finite & (found.sse < solved_sse)

  def is_symmetric(thresholds):
    return ~solved & relu_autoencoder.is_symmetric(
      params,
      fates=found.fates,
      inputs_on=found.inputs_on,
      thresholds=thresholds,
    )

  symmetric = is_symmetric(thresholds)
  num_on_for_all = jnp.sum(found.inputs_on == num_features, dtype=jnp.int32)
  places = {
    Place.SYMMETRIC: symmetric,
    Place.ONE_DEAD: symmetric & (found.num_learned == num_features - 1),
    Place.NEAR_SYMMETRIC: is_symmetric(near_symmetric(thresholds, near_factor)),
    Place.ON_FOR_ALL: (num_on_for_all > 0)
    & (found.num_learned >= 2)
    & (num_on_for_all + found.num_learned == num_features),
    Place.MERGED: (found.num_merged > 0)
    & (found.num_merged + found.num_learned == num_features),
    Place.SOLVED: solved,
    Place.DIVERGED: ~finite,
  }
  # The barrier keeps XLA from testing again for every number that asks.
  at = jax.lax.optimization_barrier(jnp.stack([places[p] for p in Place]))
  return at, found.fates == Fate.LEARNED


def watch(
  dynamics: Dynamics,
  *,
  solved_sse: float,
  thresholds: Thresholds,
  near_factor: float,
) -> Dynamics:
  """Carries `Events` through every step of the training of an autoencoder.

  Args:
    dynamics: over a state with `params`, such as `descent.descend` makes.
    solved_sse: see `look`; so the next two.
    thresholds: see `look`.
    near_factor: see `near_symmetric`.

  Returns:
    A `Dynamics` over `loops.TrackedState`, whose record is `Events`.
  """
  see = functools.partial(
    look,
    solved_sse=solved_sse,
    thresholds=thresholds,
    near_factor=near_factor,
  )

  def init(state):
    events = begin(state.params.bias.shape[0])
    return see(events, jnp.int32(0), state.params)

  def update(events, step, state, info):
    del info
    return see(events, step, state.params)

  return loops.track(dynamics, init, update)


def recovered_asymmetrically(
  first_step: np.ndarray, place: Place, last_step: int
) -> np.ndarray:
  """Whether runs passed a failure and then solved, bool [S].

  Args:
    first_step: int [S, P], see `Events`.
    place: what counts as symmetric failure, such as `Place.SYMMETRIC`.
    last_step: only what happened up to it counts.
  """
  passed, solved = first_step[:, place], first_step[:, Place.SOLVED]
  return (passed >= 0) & (passed < solved) & (solved <= last_step)


def survival(first: np.ndarray, last_step: int) -> statistics.Survival:
  """Returns the Kaplan-Meier curve of first steps [S], -1 for never."""
  return statistics.kaplan_meier(*waits(0, first, last_step))


def waits(
  start: np.ndarray | int, end: np.ndarray, last_step: int
) -> tuple[np.ndarray, np.ndarray]:
  """Turns steps of beginning and end into what `kaplan_meier` takes.

  Args:
    start: int [S] step at which each run began to wait, >= 0; or that of all.
    end: int [S] step of the event, -1 where it never came.
    last_step: where the observation ends; runs without the event, diverged
      ones too, wait until then.

  Returns:
    Waiting times [S] in steps, and bool [S], whether the event was observed.
  """
  observed = (end >= 0) & (end <= last_step)
  return np.where(observed, end, last_step) - start, observed
