"""Closed forms of the error's derivatives against autodiff and differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.autoencoder import pieces
from toyjax.toys.relu_autoencoder import Params

pytestmark = pytest.mark.usefixtures('float64')

SIZES = [(1, 3), (2, 7), (3, 5)]


def _vector(num_hidden, num_features, seed=0):
  rng = np.random.default_rng(seed)
  return jnp.asarray(rng.normal(size=num_hidden * num_features + num_features))


@pytest.mark.parametrize(('num_hidden', 'num_features'), SIZES)
def test_gradient_and_hessian_are_those_of_autodiff(num_hidden, num_features):
  v = _vector(num_hidden, num_features)
  pattern = pieces.on_pattern(pieces.params_of(v, num_features))

  def piece(v):
    return pieces.sse_on_piece(pieces.params_of(v, num_features), pattern)

  np.testing.assert_allclose(
    pieces.gradient(v, pattern),
    jax.jit(jax.grad(piece))(v),
    rtol=1e-12,
    atol=1e-12,
  )
  np.testing.assert_allclose(
    pieces.hessian(v, pattern),
    jax.jit(jax.hessian(piece))(v),
    rtol=1e-12,
    atol=1e-12,
  )
  np.testing.assert_allclose(piece(v), pieces.sse(v, num_features), rtol=1e-14)


@pytest.mark.parametrize(('num_hidden', 'num_features'), SIZES)
def test_hessian_is_the_brute_force_one(num_hidden, num_features):
  """Central differences of the SSE itself, well within one smooth piece."""
  v = np.asarray(_vector(num_hidden, num_features, seed=1))
  params = pieces.params_of(jnp.asarray(v), num_features)
  step = 1e-4
  assert pieces.kink_distance(params) > 20 * step

  def sse(v):
    weights, bias = (
      v[:-num_features].reshape(-1, num_features),
      v[-num_features:],
    )
    z = weights.T @ weights + bias[None, :]
    return np.sum((np.maximum(z, 0.0) - np.eye(num_features)) ** 2)

  size = len(v)
  moves = step * np.eye(size)
  brute = np.empty((size, size))
  for p in range(size):
    for q in range(size):
      brute[p, q] = (
        sse(v + moves[p] + moves[q])
        - sse(v + moves[p] - moves[q])
        - sse(v - moves[p] + moves[q])
        + sse(v - moves[p] - moves[q])
      ) / (4 * step**2)
  exact = pieces.hessian(jnp.asarray(v), pieces.on_pattern(params))
  np.testing.assert_allclose(exact, brute, atol=2e-6 * np.abs(brute).max())


def test_slopes_are_the_jacobian():
  params = pieces.params_of(_vector(2, 4), 4)

  def z(v):
    return pieces.preactivations(pieces.params_of(v, 4)).ravel()

  np.testing.assert_allclose(
    pieces.slopes_of(params), jax.jacobian(z)(pieces.vector(params)), rtol=1e-14
  )


@pytest.mark.parametrize(('num_hidden', 'num_features'), SIZES)
def test_rotations_leave_the_error_alone(num_hidden, num_features):
  v = _vector(num_hidden, num_features)
  turns = pieces.rotations(v, num_features)
  assert turns.shape == (num_hidden * (num_hidden - 1) // 2, len(v))
  pattern = pieces.on_pattern(pieces.params_of(v, num_features))
  np.testing.assert_allclose(
    turns @ pieces.gradient(v, pattern), 0.0, atol=1e-11
  )


def test_vector_and_params_are_inverse():
  params = Params(jnp.arange(6.0).reshape(2, 3), jnp.asarray([7.0, 8.0, 9.0]))
  back = pieces.params_of(pieces.vector(params), 3)
  np.testing.assert_array_equal(back.weights, params.weights)
  np.testing.assert_array_equal(back.bias, params.bias)
