"""The update that an article derives by hand, beside the gradient of its loss.

batch, W, b --hand_written, gradient--> loss, and what is taken from W and b

Both act on batches with features first, [N, B], as few features make short
rows.
"""

from collections.abc import Callable, Mapping
import functools
from typing import Any, NamedTuple

import chex
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np

from toyjax import loops
from toyjax.analysis.autoencoder import polygons
from toyjax.base import Array, Dynamics, PRNGKey
from toyjax.toys.relu_autoencoder import Params

# (W and b, batch [N, B], importance [N]) -> loss [], what W and b lose at rate
# 1.
Update = Callable[[Params, Array, Array], tuple[Array, Params]]
Arms = dict[str, Params]  # Nets by name.
_WIDTH = 1e-6  # Of a difference in float64, about the root of its rounding.


class _Pass(NamedTuple):
  """What both updates are made of, over a batch of B.

  Attributes:
    hidden: h, [M, B].
    errors: δ = y - x where an output is on and else 0, [N, B].
    decoder: ∂L/∂W through the output layer alone, Σ I_j δ_j h_k / B, [M, N].
    loss: [].
  """

  hidden: Array
  errors: Array
  decoder: Array
  loss: Array


def _pass(params: Params, batch: Array, importance: Array) -> _Pass:
  chex.assert_rank([params.weights, batch, importance], [2, 2, 1])
  hidden = params.weights @ batch
  outputs = params.weights.T @ hidden + params.bias[:, None]
  # The source leaves out what is at zero exactly, too.
  errors = jnp.where(outputs > 0.0, outputs - batch, 0.0)
  missed = jnp.where(outputs > 0.0, 0.0, batch)
  squares = jnp.sum(errors**2 + missed**2, axis=1)
  size = batch.shape[1]
  decoder = hidden @ (importance[:, None] * errors).T / size
  loss = 0.5 * jnp.sum(importance * squares) / size
  return _Pass(hidden, errors, decoder, loss)


def gradient(
  params: Params, batch: Array, importance: Array
) -> tuple[Array, Params]:
  """Returns L and its gradient.

  L = 1/2 mean over samples of Σ_i I_i (y_i - x_i)², with δ_i = y_i - x_i where
  output i is on and else 0:
  ∂L/∂W_kj = mean of I_j δ_j h_k + x_j Σ_i I_i δ_i W_ki, ∂L/∂b_j = mean of
  I_j δ_j.

  Args:
    params: W [M, N] and b [N].
    batch: [N, B], features first.
    importance: I, [N].
  """
  found = _pass(params, batch, importance)
  weighted = importance[:, None] * found.errors
  back = params.weights @ weighted
  weights = found.decoder + back @ batch.T / batch.shape[1]
  return found.loss, Params(weights, jnp.mean(weighted, axis=1))


def hand_written(
  params: Params, batch: Array, importance: Array
) -> tuple[Array, Params]:
  """Returns L and the update that the article derives for it.

  It takes mean I_j δ_j (h_k + W_kj x_j) from W_kj and mean δ_j from b_j. Of the
  sum over outputs i, through which W_kj acts as encoder, it keeps i = j; and
  the bias goes without importance.

  Args:
    params: W [M, N] and b [N].
    batch: [N, B], features first.
    importance: I, [N].

  References:
    Merck 2025, Demonstrating superposition, "Computing the gradient in C".
  """
  found = _pass(params, batch, importance)
  own = importance * jnp.mean(found.errors * batch, axis=1)
  weights = found.decoder + params.weights * own[None, :]
  return found.loss, Params(weights, jnp.mean(found.errors, axis=1))


UPDATES: Mapping[str, Update] = {
  'hand_written': hand_written,
  'gradient': gradient,
}


def descend(
  arms: Mapping[str, Update],
  *,
  init: Callable[[PRNGKey], Arms],
  sample: Callable[[PRNGKey], Array],
  importance: Array,
  learning_rate: float | Array,
) -> Dynamics:
  """Returns the dynamics of several nets, all of which see the same batches.

  Args:
    arms: name -> what is taken at each step, times the rate.
    init: key -> parameters by the same names.
    sample: key -> batch [N, B], features first.
    importance: I, [N].
    learning_rate: may be traced.

  Returns:
    A `Dynamics` over parameters by name, with each arm's loss before the step.
  """

  def step(key: PRNGKey, state: Arms) -> tuple[Arms, dict[str, Array]]:
    batch = sample(key)
    losses, moved = {}, {}
    for name, update in arms.items():
      losses[name], taken = update(state[name], batch, importance)
      moved[name] = jax.tree.map(
        lambda own, less: own - learning_rate * less, state[name], taken
      )
    return moved, losses

  return Dynamics(init, step)


def averaged(dynamics: Dynamics, average_steps: float) -> Dynamics:
  """Tracks the moving average of each arm's loss.

  a ← a + (L - a) / K, from the first step's loss on.

  Args:
    dynamics: from `descend`.
    average_steps: K >= 1.
  """

  def update(record: Any, step: Array, state: Arms, info: Any) -> Any:
    del state
    return {
      name: jnp.where(
        step == 1, info[name], old + (info[name] - old) / average_steps
      )
      for name, old in record.items()
    }

  return loops.track(
    dynamics,
    init=lambda state: {
      name: jnp.zeros((), own.bias.dtype) for name, own in state.items()
    },
    update=update,
  )


def jittered(key: PRNGKey, arms: Arms, noise: float) -> Arms:
  """Adds the same normal noise to W and b of every arm.

  Args:
    key: of the noise.
    arms: parameters by name.
    noise: its standard deviation.
  """

  def add(params: Params) -> Params:
    keys = jax.random.split(key)
    return Params(
      *(
        leaf + noise * jax.random.normal(own, leaf.shape).astype(leaf.dtype)
        for own, leaf in zip(keys, params)
      )
    )

  return {name: add(params) for name, params in arms.items()}


def tell(params: Params, test: Array, importance: Array) -> dict[str, Array]:
  """Returns what a net has come to: polygon, L, |∇L|, and the net itself.

  Args:
    params: W [2, N] and b [N].
    test: samples [N, B], features first.
    importance: I, [N].
  """
  loss, slope = gradient(params, test, importance)
  found = polygons.describe(params.weights, thresholds=polygons.THRESHOLDS)
  return {
    'outcome': found.outcome,
    'loss': loss,
    'gradient_norm': jnp.linalg.norm(jax.flatten_util.ravel_pytree(slope)[0]),
    'ends': params.weights,
    'biases': params.bias,
  }


def finite_differences(
  params: Params, batch: Array, importance: Array, *, width: float
) -> Params:
  """Returns ∂L/∂W and ∂L/∂b by central differences of L alone.

  Args:
    params: W [M, N] and b [N], in float64 to mean anything.
    batch: [N, B], features first.
    importance: I, [N].
    width: of a difference, on either side.
  """
  flat, unflatten = jax.flatten_util.ravel_pytree(params)

  def loss(shift: Array) -> Array:
    return gradient(unflatten(flat + shift), batch, importance)[0]

  shifts = width * jnp.eye(len(flat), dtype=flat.dtype)
  ahead, behind = (jax.vmap(loss)(sign * shifts) for sign in (1.0, -1.0))
  return unflatten((ahead - behind) / (2.0 * width))


def misses(
  importance: np.ndarray, *, sparsity: float, num_states: int, seed: int
) -> dict[tuple[str, str], np.ndarray]:
  """Compares the updates with differences of L at random states, in float64.

  Args:
    importance: I, [N].
    sparsity: S of a batch of 64.
    num_states: of W ~ N(0, 1), M = 2, and b ~ N(0, .3).
    seed: of the states.

  Returns:
    (name of the update, field of `Params`) -> |update - differences| /
    |differences| [num_states].
  """
  num_features = len(importance)
  draw = np.random.default_rng(seed)
  off: dict[tuple[str, str], list[float]] = {
    (name, part): [] for name in UPDATES for part in Params._fields
  }
  with jax.enable_x64(True):
    differ = jax.jit(functools.partial(finite_differences, width=_WIDTH))
    for _ in range(num_states):
      params = Params(
        jnp.asarray(draw.normal(size=(2, num_features))),
        jnp.asarray(0.3 * draw.normal(size=num_features)),
      )
      there = draw.uniform(size=(num_features, 64)) >= sparsity
      batch = there * draw.uniform(size=there.shape)
      truth = differ(params, batch, importance)
      for name, update in UPDATES.items():
        taken = update(params, jnp.asarray(batch), jnp.asarray(importance))[1]
        for part in Params._fields:
          exact = np.asarray(getattr(truth, part))
          miss = np.linalg.norm(getattr(taken, part) - exact)
          off[name, part].append(float(miss / np.linalg.norm(exact)))
  return {name: np.asarray(values) for name, values in off.items()}
