"""Runs a `Dynamics` for many steps and keeps only what it is told to observe.

dynamics --unroll--> final state, observations at chosen steps
dynamics --track------> dynamics that also keeps a running record
dynamics --intervene--> dynamics that also acts on the state at given steps
"""

from collections.abc import Callable, Sequence
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, ArrayTree, Dynamics, Info, PRNGKey, State

Observe = Callable[[State, Info], ArrayTree]


def side_key(key: PRNGKey, use: int) -> PRNGKey:
  """Returns a key of a run that its training never takes.

  `unroll` splits a run's key in two, which are its fold-ins 0 and 1.

  Args:
    key: of the run, as `unroll` takes it.
    use: >= 0, one number for each thing that is drawn beside the training.

  Raises:
    ValueError: on a negative use.
  """
  if use < 0:
    raise ValueError(f'use must be >= 0: {use}')
  return jax.random.fold_in(key, 2 + use)


def unroll(
  key: PRNGKey,
  dynamics: Dynamics,
  num_steps: int,
  *,
  observe: Observe | None = None,
  observe_at: Sequence[int] | None = None,
) -> tuple[State, ArrayTree]:
  """Runs `dynamics` and records observations at a static list of steps.

  Step k of 1..num_steps draws its key by `fold_in` inside the loop, so no array
  of keys is ever held and a run's first k steps do not depend on its length.
  Nothing is stored between the observed steps.

  Args:
    key: [] typed key of the whole run.
    dynamics: what is run.
    num_steps: number of steps, >= 0.
    observe: (state after step k, info of step k) -> pytree to keep. None keeps
      nothing.
    observe_at: increasing step numbers in 1..num_steps at which to observe.
      None means every step.

  Returns:
    The state after `num_steps` steps, and the observations stacked along a new
    leading axis of length len(observe_at). Reverse-mode differentiable where
    the observed steps are evenly spaced up to the end; forward mode always.

  Raises:
    ValueError: on a negative `num_steps`, or steps that do not increase within
      1..num_steps.
  """
  if num_steps < 0:
    raise ValueError(f'num_steps must be >= 0: {num_steps}')
  if observe is None:
    observe, observe_at = (lambda state, info: ()), ()
  steps = range(1, num_steps + 1) if observe_at is None else observe_at
  steps = _validate_steps(steps, num_steps)

  init_key, run_key = jax.random.split(key)
  state = dynamics.init(init_key)
  if num_steps == 0:
    return state, ()

  def advance(index: Array, state: State) -> tuple[State, Info]:
    return dynamics.step(jax.random.fold_in(run_key, index), state)

  # What is read of a step's info is carried along, so that the program has the
  # step once; the rest stays zero.
  shapes = jax.eval_shape(advance, jnp.int32(0), state)[1]
  unread = jax.tree.map(lambda leaf: jax.lax.full_like(leaf, 0), shapes)
  is_read = _is_read(observe, state, unread)

  def segment(
    carry: tuple[Array, State], gap: Array | int
  ) -> tuple[tuple[Array, State], ArrayTree]:
    start, state = carry

    def body(i: Array, carry: tuple[State, list[Array]]) -> Any:
      state, info = advance(start + i, carry[0])
      leaves = jax.tree.leaves(info)
      return state, list(itertools.compress(leaves, is_read))

    leaves, structure = jax.tree.flatten(unread)
    init = state, list(itertools.compress(leaves, is_read))
    state, read = jax.lax.fori_loop(0, gap, body, init)
    found = iter(read)
    leaves = [next(found) if r else leaf for r, leaf in zip(is_read, leaves)]
    info = jax.tree.unflatten(structure, leaves)
    return (start + gap, state), observe(state, info)

  # The end closes the last segment; what is seen there is dropped unless asked.
  ends = steps if steps and steps[-1] == num_steps else [*steps, num_steps]
  gaps = np.diff([0, *ends]).astype(np.int32)
  carry = (jnp.int32(0), state)
  if np.all(gaps == gaps[0]):
    # A static length lowers to scan, which reverse mode can differentiate.
    gap = int(gaps[0])
    (_, state), seen = jax.lax.scan(
      lambda c, _: segment(c, gap), carry, length=len(gaps)
    )
  else:
    (_, state), seen = jax.lax.scan(segment, carry, jnp.asarray(gaps))
  return state, jax.tree.map(lambda leaf: leaf[: len(steps)], seen)


def _is_read(observe: Observe, state: State, info: Info) -> list[bool]:
  """Says of each leaf of a step's info whether it is observed."""
  leaves, structure = jax.tree.flatten(info)
  jaxpr = jax.make_jaxpr(
    lambda leaves: observe(state, jax.tree.unflatten(structure, leaves))
  )(leaves).jaxpr
  atoms = [atom for equation in jaxpr.eqns for atom in equation.invars]
  read = {id(atom) for atom in (*atoms, *jaxpr.outvars)}
  return [id(variable) in read for variable in jaxpr.invars]


def log_spaced(num_steps: int, num: int) -> list[int]:
  """Returns at most `num` increasing steps from 1 to `num_steps`, log-spaced.

  Steps that round to the same number are given once, so there may be fewer.
  """
  if num_steps < 1 or num < 1:
    raise ValueError(f'num_steps and num must be >= 1: {num_steps}, {num}')
  steps = np.geomspace(num_steps, 1, num).round().astype(int)
  return np.unique(steps).tolist()


class TrackedState(NamedTuple):
  """State of a tracked dynamics.

  Attributes:
    inner: state of the dynamics that is tracked.
    step: int32 [], number of steps made.
    record: the running record.
  """

  inner: State
  step: Array
  record: Any


def track(
  dynamics: Dynamics,
  init: Callable[[State], Any],
  update: Callable[[Any, Array, State, Info], Any],
) -> Dynamics:
  """Carries a running record (a first crossing, a maximum) through every step.

  The record is as large as what `init` returns; no trajectory is stored.

  Args:
    dynamics: what is tracked; it runs unchanged.
    init: initial state -> initial record.
    update: (record, number of steps made, state after the step, info of the
      step) -> record, of the same shapes and dtypes.

  Returns:
    A `Dynamics` over `TrackedState`, with the inner dynamics' info.
  """

  def tracked_init(key: PRNGKey) -> TrackedState:
    inner = dynamics.init(key)
    return TrackedState(inner, jnp.int32(0), init(inner))

  def tracked_step(
    key: PRNGKey, state: TrackedState
  ) -> tuple[TrackedState, Info]:
    inner, info = dynamics.step(key, state.inner)
    step = state.step + 1
    return TrackedState(
      inner, step, update(state.record, step, inner, info)
    ), info

  return Dynamics(tracked_init, tracked_step)


class IntervenedState(NamedTuple):
  """State of a dynamics with interventions.

  Attributes:
    inner: state of the dynamics that is acted upon.
    step: int32 [], number of steps made.
  """

  inner: State
  step: Array


def intervene(
  dynamics: Dynamics,
  at: Sequence[int] | None,
  change: Callable[[PRNGKey, State], State],
) -> Dynamics:
  """Acts on the state after given steps (resampling, rows of unit length).

  Args:
    dynamics: what is acted upon.
    at: step numbers >= 1 after which `change` acts; None means every step.
    change: (key, state) -> state, of the same shapes and dtypes.

  Returns:
    A `Dynamics` over `IntervenedState`, with the inner dynamics' info.

  Raises:
    ValueError: on steps that do not increase or are below 1.
  """
  steps = None if at is None else jnp.asarray(_validate_steps(at, None), int)

  def intervened_init(key: PRNGKey) -> IntervenedState:
    return IntervenedState(dynamics.init(key), jnp.int32(0))

  def intervened_step(
    key: PRNGKey, state: IntervenedState
  ) -> tuple[IntervenedState, Info]:
    step_key, change_key = jax.random.split(key)
    inner, info = dynamics.step(step_key, state.inner)
    step = state.step + 1
    if steps is None:
      inner = change(change_key, inner)
    else:
      inner = jax.lax.cond(
        jnp.any(step == steps),
        change,
        lambda _, unchanged: unchanged,
        change_key,
        inner,
      )
    return IntervenedState(inner, step), info

  return Dynamics(intervened_init, intervened_step)


def _validate_steps(steps: Sequence[int], num_steps: int | None) -> list[int]:
  """Returns the steps as a list; raises unless they increase from 1 on."""
  steps = [int(step) for step in steps]
  if steps and steps[0] < 1:
    raise ValueError(f'step numbers start at 1: {steps[0]}')
  if any(late <= early for early, late in itertools.pairwise(steps)):
    raise ValueError(f'step numbers must increase: {steps}')
  if num_steps is not None and steps and steps[-1] > num_steps:
    raise ValueError(
      f'step {steps[-1]} lies past the end of a run of {num_steps} steps'
    )
  return steps
