"""Two sparse features in one hidden dimension: expected losses, exactly.

    params, density s, importance r --expected_loss--> a number
    s, r --candidates--> closed forms; --optimum--> the least loss there is
    weights --classify--> what they do with the dimension

Each feature is 0 with probability 1 - s, else uniform in (0, 1]. The expected
loss is piecewise polynomial in x, so that a fine quadrature is exact to about
1e-6 of a candidate's loss.

References:
  Elhage et al. 2022, Toy models of superposition, section 3 (n = 2, m = 1).
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize

from toyjax import roles
from toyjax.base import Array
from toyjax.roles import Role
from toyjax.toys.relu_autoencoder import Params, apply

_NUM_NODES = 48  # A feature's nodes; kinks leave an error of about 1 / nodes³.


class Kind(roles.Outcome):
  """What a net does with its one dimension."""

  # A weight or the loss is not finite.
  DIVERGED = 0, Role.DIVERGED
  # w is about (1, 0): the second answers its mean.
  IGNORES_SECOND = 1, Role.SOLVED
  # w is about (0, 1).
  IGNORES_FIRST = 2, Role.SOLVED
  # w is about (1, -1), an antipodal pair.
  SUPERPOSED = 3, Role.SOLVED
  # Both on one side: neither can be told from the other.
  MERGED = 4, Role.FAILED
  # Both weights are small.
  NEITHER = 5, Role.FAILED


CANDIDATES = (Kind.IGNORES_SECOND, Kind.IGNORES_FIRST, Kind.SUPERPOSED)
# A feature has a share of the dimension where |w_i| is above; candidates have 0
# or 1.
REPRESENTED = 0.5


class Optimum(NamedTuple):
  """The best of the minima that descents from the candidates end in.

  Attributes:
    kind: what it does.
    loss: the expected loss there.
    weights: float64 [2].
    bias: float64 [2].
  """

  kind: Kind
  loss: float
  weights: np.ndarray
  bias: np.ndarray


@functools.cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
  """Returns Gauss-Legendre's nodes and weights on [0, 1]."""
  nodes, weights = np.polynomial.legendre.leggauss(_NUM_NODES)
  return (nodes + 1.0) / 2.0, weights / 2.0


def expected_loss(
  params: Params, *, density: float | Array, importance: float | Array
) -> Array:
  """Returns E[(y_1 - x_1)² + r (y_2 - x_2)²] of one net.

  Args:
    params: W [1, 2] and b [2].
    density: s in [0, 1], the probability that a feature is there.
    importance: r >= 0 of the second feature; the first has 1.

  Returns:
    [], in the dtype of the parameters: twice the mean of the toy's loss.
  """
  nodes, weights = _nodes()
  dtype = params.bias.dtype
  values = jnp.asarray(np.concatenate([[0.0], nodes]), dtype)
  there = jnp.asarray(np.concatenate([[0.0], weights]), dtype)
  prob = density * there + (1.0 - density) * (values == 0.0)
  x = jnp.stack(jnp.meshgrid(values, values, indexing='ij'), -1)
  y = jax.vmap(jax.vmap(functools.partial(apply, params)))(x)
  scale = jnp.stack([jnp.ones((), dtype), jnp.asarray(importance, dtype)])
  return jnp.einsum('i,j,ijk,k->', prob, prob, (y - x) ** 2, scale)


def classify(params: Params, loss: Array) -> Array:
  """Returns the code of `Kind` of one net, int32 [].

  Args:
    params: W [1, 2] and b [2].
    loss: of the net, for whether it is finite.
  """
  first, second = params.weights[0]
  has_first = jnp.abs(first) > REPRESENTED
  has_second = jnp.abs(second) > REPRESENTED
  both = jnp.where(first * second < 0.0, Kind.SUPERPOSED, Kind.MERGED)
  kind = jnp.where(
    has_first,
    jnp.where(has_second, both, Kind.IGNORES_SECOND),
    jnp.where(has_second, Kind.IGNORES_FIRST, Kind.NEITHER),
  )
  leaves = [leaf.ravel() for leaf in (params.weights, params.bias, loss)]
  is_finite = jnp.isfinite(jnp.concatenate(leaves)).all()
  return jnp.where(is_finite, kind, Kind.DIVERGED).astype(jnp.int32)


def candidates(density: float, importance: float) -> dict[Kind, float]:
  """Returns the losses of the three candidates in closed form.

  With V = s/3 - s²/4, the variance of a feature: r V, V and (1 + r) s²/6. They
  are candidates, not optima: their norms and biases are not the best there are.

  Args:
    density: s in [0, 1].
    importance: r >= 0.
  """
  variance = density / 3.0 - density**2 / 4.0
  return {
    Kind.IGNORES_SECOND: importance * variance,
    Kind.IGNORES_FIRST: variance,
    Kind.SUPERPOSED: (1.0 + importance) * density**2 / 6.0,
  }


def start_of(kind: Kind, density: float) -> Params:
  """Returns the candidate itself, whose loss `candidates` gives.

  Args:
    kind: which.
    density: s; an ignored feature answers its mean s/2.
  """
  weights = {
    Kind.IGNORES_SECOND: (1.0, 0.0),
    Kind.IGNORES_FIRST: (0.0, 1.0),
    Kind.SUPERPOSED: (1.0, -1.0),
  }[kind]
  bias = np.where(np.asarray(weights) == 0.0, density / 2.0, 0.0)
  return Params(jnp.asarray([weights]), jnp.asarray(bias))


def optimum(density: float, importance: float) -> Optimum:
  """Returns the least expected loss, by descent from each candidate.

  To be called with x64 enabled.

  Args:
    density: s in (0, 1].
    importance: r > 0.
  """
  found = []
  for candidate in CANDIDATES:
    start = start_of(candidate, density)
    ended = scipy.optimize.minimize(
      lambda flat: tuple(
        np.asarray(part, float) for part in _descend(flat, density, importance)
      ),
      # An ignored weight has no slope at 0.
      np.concatenate([start.weights[0], start.bias]) + 1e-3,
      jac=True,
      method='BFGS',
      options={'gtol': 1e-7},
    )
    weights, bias = np.split(ended.x, 2)
    params = Params(jnp.asarray(weights)[None], jnp.asarray(bias))
    kind = Kind(int(classify(params, jnp.asarray(ended.fun))))
    found.append(Optimum(kind, float(ended.fun), weights, bias))
  return min(found, key=lambda each: each.loss)


@jax.jit
@jax.value_and_grad
def _descend(flat: Array, density: Array, importance: Array) -> Array:
  params = Params(flat[None, :2], flat[2:])
  return expected_loss(params, density=density, importance=importance)
