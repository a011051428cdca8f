r"""The error of the ReLU autoencoder on X = I_n, one smooth piece at a time.

With z_ji = W_iᵀW_j + b_i, the input of output i for the one-hot sample e_j,

    F(W, b) = Σ_ji (ReLU(z_ji) - δ_ij)²            the SSE
    F_A(W, b) = Σ_ji (A_ji z_ji - δ_ij)²           its piece of pattern A

and F = F_A wherever A_ji = 1 exactly where z_ji > 0. F_A is a polynomial of
degree four, so its gradient and Hessian are exact.

Where z_ji = 0 two pieces meet. For j != i the error ReLU(z)² has no kink: F and
its gradient are continuous there, only the Hessian jumps. For j = i the error
falls from 1 with slope -2 as z_ii grows from 0 and is constant below: a ridge,
on which nothing is a minimum that can raise z_ii alone.

    Params --vector--> v [MN + N] --gradient, hessian--> on the piece of v
"""

import chex
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Params


def vector(params: Params) -> Array:
  """Returns v [MN + N]: the rows of W one after the other, then b."""
  return jnp.concatenate([params.weights.ravel(), params.bias])


def params_of(v: Array, num_features: int) -> Params:
  """Returns the parameters of v [MN + N], the inverse of `vector`."""
  weights, bias = v[:-num_features], v[-num_features:]
  return Params(weights.reshape(-1, num_features), bias)


def preactivations(params: Params) -> Array:
  """Returns Z [N, N], z_ji = W_iᵀW_j + b_i: output i for the input e_j."""
  chex.assert_rank([params.weights, params.bias], [2, 1])
  return params.weights.T @ params.weights + params.bias[None, :]


def on_pattern(params: Params) -> Array:
  """Returns A, bool [N, N]: A_ji says whether output i is on for e_j."""
  return preactivations(params) > 0


def sse_on_piece(params: Params, pattern: Array) -> Array:
  """Returns F_A [], the SSE with the given outputs on, whatever their sign.

  Args:
    params: W [M, N] and b [N].
    pattern: A, bool [N, N].
  """
  z = preactivations(params)
  return jnp.sum(
    (jnp.where(pattern, z, 0) - jnp.eye(len(z), dtype=z.dtype)) ** 2
  )


def sse(v: Array, num_features: int) -> Array:
  """Returns F [] of a vector; see `relu_autoencoder.one_hot_sse`."""
  return relu_autoencoder.one_hot_sse(params_of(v, num_features))


def gradient(v: Array, pattern: Array) -> Array:
  """Returns ∇F_A [MN + N] at v.

  With Q_ji = A_ji (z_ji - δ_ij): ∂F/∂W = 2 W (Q + Qᵀ), ∂F/∂b_i = 2 Σ_j Q_ji.
  """
  params = params_of(v, pattern.shape[0])
  q = _errors(params, pattern)
  return vector(Params(2 * params.weights @ (q + q.T), 2 * jnp.sum(q, axis=0)))


def hessian(v: Array, pattern: Array) -> Array:
  """Returns ∇²F_A [MN + N, MN + N] at v.

  2 Σ_ji A_ji ∇z_ji ∇z_jiᵀ + 2 I_M ⊗ (Q + Qᵀ), the second on W alone.
  """
  params = params_of(v, pattern.shape[0])
  num_hidden, num_features = params.weights.shape
  slopes = jnp.where(pattern.ravel()[:, None], slopes_of(params), 0)
  q = _errors(params, pattern)
  num_weights = num_hidden * num_features
  second = jnp.kron(jnp.eye(num_hidden, dtype=v.dtype), q + q.T)
  return 2 * (slopes.T @ slopes).at[:num_weights, :num_weights].add(second)


def slopes_of(params: Params) -> Array:
  """Returns ∇z_ji, [N N, MN + N], in row j N + i.

  ∂z_ji/∂W_i = W_j and ∂z_ji/∂W_j = W_i (2 W_i for j = i), ∂z_ji/∂b_i = 1.
  """
  weights = params.weights
  num_hidden, num_features = weights.shape
  identity = jnp.eye(num_features, dtype=weights.dtype)
  own = jnp.einsum('aj,ik->jiak', weights, identity)
  other = jnp.einsum('ai,jk->jiak', weights, identity)
  bias = jnp.broadcast_to(identity, (num_features,) * 3)
  num_pairs = num_features**2
  return jnp.concatenate(
    [
      (own + other).reshape(num_pairs, num_hidden * num_features),
      bias.reshape(num_pairs, num_features),
    ],
    axis=1,
  )


def _errors(params: Params, pattern: Array) -> Array:
  """Returns Q [N, N], the error of each output that is on, else 0."""
  z = preactivations(params)
  return jnp.where(pattern, z - jnp.eye(len(z), dtype=z.dtype), 0)


def rotations(v: Array, num_features: int) -> Array:
  """Returns the directions in which a rotation of the hidden space moves v.

  F does not change along them. For a < b the generator sends W_a to -W_b and
  W_b to W_a.

  Args:
    v: [MN + N].
    num_features: N.

  Returns:
    [M(M-1)/2, MN + N], not normalised.
  """
  weights, bias = params_of(v, num_features)
  num_hidden = len(weights)
  found = []
  for a in range(num_hidden):
    for b in range(a + 1, num_hidden):
      turned = jnp.zeros_like(weights)
      turned = turned.at[a].set(-weights[b]).at[b].set(weights[a])
      found.append(vector(Params(turned, jnp.zeros_like(bias))))
  return jnp.stack(found) if found else jnp.zeros((0, len(v)), v.dtype)


def kink_distance(params: Params) -> Array:
  """Returns [] the least |z_ji|: how far, in output, the next kink is."""
  return jnp.min(jnp.abs(preactivations(params)))
