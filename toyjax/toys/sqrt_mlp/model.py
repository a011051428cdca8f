"""The ReLU net of one variable: targets, parameters, model, inits and loss."""

from collections.abc import Callable, Mapping, Sequence
import itertools
import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey, Toy

SPACINGS = ('even', 'uniform')  # A fixed even grid, or fresh uniform draws.


class Dense(NamedTuple):
  """One dense layer z = Wa + b.

  Attributes:
    weight: W, [outputs, inputs].
    bias: b, [outputs].
  """

  weight: Array
  bias: Array


class Params(NamedTuple):
  """Parameters of one net: a ReLU after each layer but the last.

  Attributes:
    layers: the layers from input (1) to output (1).
  """

  layers: tuple[Dense, ...]


def apply(params: Params, x: Array) -> Array:
  """Answers one example: y = W_L ReLU(... ReLU(W_1 x + b_1) ...) + b_L.

  Args:
    params: of any depth.
    x: [] one number.

  Returns:
    y [].
  """
  output = params.layers[-1]
  a = (jnp.reshape(x, (1,)), *hidden_values(params, x))[-1]
  return (output.weight @ a + output.bias)[0]


def hidden_values(params: Params, x: Array) -> tuple[Array, ...]:
  """Returns the hidden values a_l [M_l] = ReLU(W_l a_(l-1) + b_l), a_0 = x.

  Args:
    params: of any depth.
    x: [] one number.
  """
  chex.assert_rank(x, 0)
  a = jnp.reshape(x, (1,))
  hidden = []
  for layer in params.layers[:-1]:
    a = jax.nn.relu(layer.weight @ a + layer.bias)
    hidden.append(a)
  return tuple(hidden)


TARGETS = ('sqrt', 'log', 'sin', 'polynomial')
_FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
  'sqrt': jnp.sqrt,
  'log': jnp.log,
  'sin': jnp.sin,
}


def target_values(
  x: Array, *, target: str, coefficients: Sequence[float]
) -> Array:
  """Returns f(x), of the shape and dtype of x.

  Args:
    x: any shape.
    target: a name in `TARGETS`.
    coefficients: of the polynomial Σ_k c_k x^k, c_0 first; empty for the
      others.

  Raises:
    ValueError: on an unknown name, or coefficients that do not belong to it.
  """
  if target not in TARGETS:
    raise ValueError(
      f'unknown target {target!r}: choose from {", ".join(TARGETS)}'
    )
  if (target == 'polynomial') != bool(len(coefficients)):
    raise ValueError(
      'coefficients belong to the target polynomial, which needs one or more: '
      f'{target!r}, {tuple(coefficients)}'
    )
  if target != 'polynomial':
    return _FUNCTIONS[target](x)
  value = jnp.zeros_like(x)
  for coefficient in reversed(coefficients):
    value = value * x + coefficient
  return value


# An init draws one layer: (key, outputs, inputs) -> Dense, in float32.
Init = Callable[[PRNGKey, int, int], Dense]


def _torch_linear(key, num_outputs, num_inputs):
  weight_key, bias_key = jax.random.split(key)
  bound = 1.0 / math.sqrt(num_inputs)
  shape = (num_outputs, num_inputs)
  return Dense(
    _symmetric(weight_key, shape, bound),
    _symmetric(bias_key, (num_outputs,), bound),
  )


def _flax_dense(key, num_outputs, num_inputs):
  draw = jax.nn.initializers.lecun_normal()
  kernel = draw(key, (num_inputs, num_outputs), jnp.float32)
  return Dense(kernel.T, jnp.zeros(num_outputs, jnp.float32))


def _symmetric(key, shape, bound):
  return jax.random.uniform(
    key, shape, jnp.float32, minval=-bound, maxval=bound
  )


INITS: Mapping[str, Init] = {
  'torch_linear': _torch_linear,  # W, b ~ U(±1/√inputs), nn.Linear's default
  'flax_dense': _flax_dense,  # W ~ N(0, 1/inputs) cut at 2 sd, b = 0
}


def make(
  *,
  target: str,
  coefficients: Sequence[float],
  low: float,
  high: float,
  num_points: int,
  spacing: str,
  widths: Sequence[int],
  init: str,
  init_scale: float | Array,
  dtype: jax.typing.DTypeLike,
) -> Toy:
  """Builds the toy for one seed. The loss is the mean of (y(x) - f(x))².

  Args:
    target: f, a name in `TARGETS`.
    coefficients: of the polynomial Σ_k c_k x^k, c_0 first; else empty.
    low: left end of the interval; >= 0 for sqrt, > 0 for log.
    high: right end, > low.
    num_points: B >= 2, points of a batch.
    spacing: 'even' for a fixed grid with both ends, 'uniform' for fresh draws
      from [low, high).
    widths: of the hidden layers, one or more, each >= 1.
    init: a name in `INITS`; drawn per seed and layer.
    init_scale: factor of weights and biases at the start; may be traced.
    dtype: of parameters and data. Draws are made in float32 and cast, so that
      runs of different dtypes start from the same weights.

  Returns:
    A `Toy` over `Params` and batches x [B].

  Raises:
    ValueError: on sizes too small, an interval that is none or lies outside
      the target's domain, or an unknown name.
  """
  check_interval(target, low, high)
  if num_points < 2 or not widths or min(widths) < 1:
    raise ValueError(
      'num_points must be >= 2 and widths one or more numbers >= 1: '
      f'{num_points}, {tuple(widths)}'
    )
  for name, value, names in (
    ('init', init, INITS),
    ('spacing', spacing, SPACINGS),
  ):
    if value not in names:
      raise ValueError(
        f'unknown {name} {value!r}: choose from {", ".join(names)}'
      )
  sizes = (1, *widths, 1)

  def draw(key: PRNGKey) -> Params:
    scale = jnp.asarray(init_scale, jnp.float32)
    layers = tuple(
      INITS[init](jax.random.fold_in(key, k), outputs, inputs)
      for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes))
    )
    return jax.tree.map(
      lambda leaf: (scale * leaf).astype(dtype), Params(layers)
    )

  def sample(key: PRNGKey) -> Array:
    if spacing == 'even':
      del key
      return jnp.linspace(low, high, num_points, dtype=dtype)
    return jax.random.uniform(
      key, (num_points,), dtype, minval=low, maxval=high
    )

  def loss(params: Params, batch: Array) -> Array:
    chex.assert_rank(batch, 1)
    values = target_values(batch, target=target, coefficients=coefficients)
    outputs = jax.vmap(apply, in_axes=(None, 0))(params, batch)
    return jnp.mean((outputs - values) ** 2)

  target_values(jnp.ones(1), target=target, coefficients=coefficients)
  return Toy(draw, sample, loss)


def check_interval(target: str, low: float, high: float) -> None:
  """Raises ValueError where [low, high] is no interval f is defined on."""
  if not (math.isfinite(low) and math.isfinite(high) and low < high):
    raise ValueError(f'low must lie below high, both finite: {low}, {high}')
  if (target == 'sqrt' and low < 0) or (target == 'log' and low <= 0):
    raise ValueError(f'{target} is not defined on all of [{low}, {high}]')
