r"""Descent of the autoencoder's error by L-BFGS, on one-hot data unless said.

v --start--> State --step--> State ... until its end is not UNFINISHED

A valley whose floor falls for ever holds what creeps along it, and a descent is
free not to creep: L-BFGS takes long steps where the curvature it has seen is
small, and its line search takes them wherever F falls enough. A step here is
one evaluation of F and ∇F; everything is written for one state and meant for
float64.

References:
  Nocedal 1980, Updating quasi-Newton matrices with limited storage. Lewis and
  Overton 2013, Nonsmooth optimization via quasi-Newton methods, for the line
  search by bisection, which asks nothing of second derivatives at kinks.
"""

from collections.abc import Callable
import enum
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from toyjax.analysis.autoencoder import pieces
from toyjax.base import Array

# v [MN + N] -> F [] and ∇F [MN + N].
Evaluate = Callable[[Array], tuple[Array, Array]]

# Shares of the expected fall and of the slope that a step must reach.
_FALL, _SLOPE = 1e-4, 0.9
# Halvings and doublings of a step before its direction is given up.
_MOST_TRIALS = 60
_LEAST_CURVED = 1e-14  # A pair with less s·y / (|s| |y|) is not remembered.


class End(enum.IntEnum):
  """How a descent ended."""

  DIVERGED = 0  # F or ∇F was not finite from the start.
  SOLVED = 1  # F fell below solved_sse.
  CRITICAL = 2  # |∇F| fell below the tolerance, F did not.
  STALLED = 3  # No step along -∇F itself lowers F by more than its rounding.
  UNFINISHED = 4  # None of these yet.


class State(NamedTuple):
  """A descent on its way, P = MN + N and K remembered pairs.

  Attributes:
    v: [P], the last accepted parameters.
    sse: F [] there.
    gradient: [P].
    direction: [P], along which steps are tried.
    slope: [] of F along it.
    size: [] of the step that is tried next, in lengths of the direction.
    low: [] the largest size known to be too short.
    high: [] the least one known to be too long.
    num_trials: int32 [] sizes tried along this direction.
    moves: [K, P], s of each pair, the latest first.
    turns: [K, P], y.
    inverse: [K], 1 / (s·y); 0 where there is no pair.
    num_steps: int32 [], accepted.
    num_evaluations: int32 [], of F and ∇F.
    largest_norm: [], largest |W|_F of v so far.
    end: int32 [], a code of `End`.
  """

  v: Array
  sse: Array
  gradient: Array
  direction: Array
  slope: Array
  size: Array
  low: Array
  high: Array
  num_trials: Array
  moves: Array
  turns: Array
  inverse: Array
  num_steps: Array
  num_evaluations: Array
  largest_norm: Array
  end: Array


class Tolerances(NamedTuple):
  """Where a descent ends.

  Attributes:
    solved_sse: as SOLVED where F is below.
    gradient: as CRITICAL where |∇F| is below.
  """

  solved_sse: float
  gradient: float


def start(
  v: Array,
  *,
  num_features: int,
  num_pairs: int,
  tolerances: Tolerances,
  evaluate: Evaluate | None = None,
) -> State:
  """Returns a descent about to set out along -∇F, by a step of at most 1.

  Args:
    v: [MN + N].
    num_features: N.
    num_pairs: K >= 1, steps that the inverse Hessian is made of.
    tolerances: where it ends.
    evaluate: F and its gradient; None is the SSE on X = I.
  """
  sse, gradient = _evaluate(v, num_features, evaluate)
  square = jnp.sum(gradient**2)
  zero, count = jnp.zeros_like(sse), jnp.int32(0)
  memory = jnp.zeros((num_pairs, *v.shape), v.dtype)
  state = State(
    v=v,
    sse=sse,
    gradient=gradient,
    direction=-gradient,
    slope=-square,
    size=_first_size(square),
    low=zero,
    high=zero + jnp.inf,
    num_trials=count,
    moves=memory,
    turns=memory,
    inverse=jnp.zeros(num_pairs, v.dtype),
    num_steps=count,
    num_evaluations=count + 1,
    largest_norm=_norm(v, num_features),
    end=count + End.UNFINISHED,
  )
  finite = jnp.isfinite(sse + square)
  end = jnp.where(finite, _end(state, tolerances), End.DIVERGED)
  return state._replace(end=end)


def step(
  state: State,
  *,
  num_features: int,
  tolerances: Tolerances,
  evaluate: Evaluate | None = None,
) -> State:
  """Tries one size: takes the step, or tries another next time.

  A step is taken where F falls by enough and its slope has turned by enough
  (weak Wolfe conditions). A descent that has ended stays as it is.
  """
  move = state.size * state.direction
  v = state.v + move
  sse, gradient = _evaluate(v, num_features, evaluate)
  along = jnp.sum(gradient * state.direction)
  # What is not finite passes no comparison: the step was too long.
  falls = sse <= state.sse + _FALL * state.size * state.slope
  turned = along >= _SLOPE * state.slope
  taken = falls & turned
  low = jnp.where(falls, state.size, state.low)
  high = jnp.where(falls, state.high, state.size)
  tried = state._replace(
    low=low,
    high=high,
    size=jnp.where(jnp.isfinite(high), (low + high) / 2, 2 * state.size),
    num_trials=state.num_trials + 1,
    num_evaluations=state.num_evaluations + 1,
  )
  moved = _remember(tried, move, gradient - state.gradient)._replace(
    v=v,
    sse=sse,
    gradient=gradient,
    num_steps=state.num_steps + 1,
    largest_norm=jnp.maximum(state.largest_norm, _norm(v, num_features)),
  )
  found = _where(taken, moved, tried)
  given_up = ~taken & (found.num_trials >= _MOST_TRIALS)
  stalled = given_up & ~jnp.any(found.inverse > 0)
  # A direction that leads nowhere is forgotten, with all that it came from.
  found = found._replace(inverse=jnp.where(given_up, 0, found.inverse))
  found = _where(taken | given_up, _aim(found), found)
  end = jnp.where(stalled, End.STALLED, _end(found, tolerances))
  return _where(state.end == End.UNFINISHED, found._replace(end=end), state)


def descend(
  v: Array,
  *,
  num_features: int,
  num_pairs: int,
  tolerances: Tolerances,
  max_evaluations: int,
  remembers: bool | Array = True,
  evaluate: Evaluate | None = None,
) -> State:
  """Descends until it ends, or stays UNFINISHED after so many evaluations.

  Where `remembers`, bool [], is false, all pairs are forgotten after each step:
  steepest descent with the same line search. The others are those of `start`.
  """
  given: Any = {'num_features': num_features, 'tolerances': tolerances}
  given |= {'evaluate': evaluate}

  def advance(state: State) -> State:
    state = step(state, **given)
    if remembers is True:
      return state
    return _where(jnp.asarray(remembers), state, _forget(state))

  return jax.lax.while_loop(
    lambda state: (
      (state.end == End.UNFINISHED) & (state.num_evaluations < max_evaluations)
    ),
    advance,
    start(v, num_pairs=num_pairs, **given),
  )


def _forget(state: State) -> State:
  """Goes on along -∇F, unless a direction is being searched along."""
  plain = _aim(state._replace(inverse=jnp.zeros_like(state.inverse)))
  return _where(state.num_trials > 0, state, plain)


def _evaluate(
  v: Array, num_features: int, evaluate: Evaluate | None
) -> tuple[Array, Array]:
  if evaluate is not None:
    return evaluate(v)
  params = pieces.params_of(v, num_features)
  pattern = pieces.on_pattern(params)
  return pieces.sse_on_piece(params, pattern), pieces.gradient(v, pattern)


def _norm(v: Array, num_features: int) -> Array:
  return jnp.sqrt(jnp.sum(v[:-num_features] ** 2))


def _first_size(square: Array) -> Array:
  return 1 / jnp.maximum(jnp.sqrt(square), 1)


def _where(condition: Array, a: State, b: State) -> State:
  return jax.tree.map(lambda x, y: jnp.where(condition, x, y), a, b)


def _end(state: State, tolerances: Tolerances) -> Array:
  small = jnp.sum(state.gradient**2) < tolerances.gradient**2
  return jnp.where(
    state.sse < tolerances.solved_sse,
    End.SOLVED,
    jnp.where(small, End.CRITICAL, End.UNFINISHED),
  ).astype(jnp.int32)


def _remember(state: State, move: Array, turn: Array) -> State:
  """Puts a pair before the others, where it is curved upwards."""
  curved = jnp.sum(move * turn)
  lengths = jnp.sqrt(jnp.sum(move**2) * jnp.sum(turn**2))
  is_new = curved > _LEAST_CURVED * lengths

  def push(memory: Array, latest: Array) -> Array:
    pushed = jnp.concatenate([latest[None], memory[:-1]])
    return jnp.where(is_new, pushed, memory)

  return state._replace(
    moves=push(state.moves, move),
    turns=push(state.turns, turn),
    inverse=push(state.inverse, 1 / jnp.where(is_new, curved, 1)),
  )


def _aim(state: State) -> State:
  """Sets out along -H⁻¹ ∇F, or along -∇F where that would not fall."""
  direction, factors = -state.gradient, []
  num_pairs = len(state.moves)
  for k in range(num_pairs):
    factor = state.inverse[k] * jnp.sum(state.moves[k] * direction)
    direction = direction - factor * state.turns[k]
    factors.append(factor)
  # s·y / y·y of the latest pair stands for the rest of the inverse Hessian.
  square = jnp.sum(state.turns[0] ** 2) * state.inverse[0]
  direction = direction / jnp.where(square > 0, square, 1)
  for k in reversed(range(num_pairs)):
    back = state.inverse[k] * jnp.sum(state.turns[k] * direction)
    direction = direction + (factors[k] - back) * state.moves[k]
  slope = jnp.sum(direction * state.gradient)
  steepest = jnp.sum(state.gradient**2)
  plain = ~(slope < 0) | ~(square > 0)
  return state._replace(
    direction=jnp.where(plain, -state.gradient, direction),
    slope=jnp.where(plain, -steepest, slope),
    size=jnp.where(plain, _first_size(steepest), 1),
    low=jnp.zeros_like(state.low),
    high=jnp.full_like(state.high, jnp.inf),
    num_trials=jnp.zeros_like(state.num_trials),
  )
