"""Losses by NumPy, regimes of nets that are built for them."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests import references
from toyjax.analysis.autoencoder import memorising
from toyjax.analysis.autoencoder.memorising import Losses, Regime
from toyjax.data import row_blocks
from toyjax.toys.relu_autoencoder import Params

_N, _T = 5, 6
_X = np.random.default_rng(0).uniform(size=(_T, _N)).astype(np.float32)


def _blocks(x, largest):
  return row_blocks.make(
    lambda numbers: jnp.asarray(x)[numbers],
    num_rows=len(x),
    largest=largest,
    density=1.0,
  )


def _params(seed):
  draw = np.random.default_rng(seed)
  weights, bias = draw.normal(size=(2, _N)), draw.normal(size=_N)
  return Params(jnp.float32(weights), jnp.float32(bias))


@pytest.mark.parametrize('largest', [6, 2])
def test_losses_are_sums_over_features_and_means_over_samples(largest):
  params = _params(1)
  found = memorising.losses(params, _blocks(_X, largest))
  total = references.loss(*params, _X, importance_decay=1.0, reduction='sum')
  np.testing.assert_allclose(found.loss, total / _T, rtol=1e-5)
  np.testing.assert_allclose(found.null, _X.var(axis=0).sum(), rtol=1e-4)
  hidden = memorising.hidden_vectors(params, _blocks(_X, largest))
  np.testing.assert_allclose(hidden, params.weights @ _X.T, rtol=1e-5)


def test_the_best_constant_explains_nothing():
  mean = jnp.asarray(_X.mean(axis=0))
  params = Params(jnp.zeros((2, _N)), mean)
  found = memorising.losses(params, _blocks(_X, _T))
  assert abs(memorising.explained(found, _N)) < 1e-4


def test_a_net_of_two_features_explains_two():
  # One at a time, as two features on two axes answer: variances are alike.
  x = np.repeat(np.eye(_N, dtype=np.float32), 4, axis=0)
  weights = np.zeros((2, _N), np.float32)
  weights[[0, 1], [0, 1]] = 1.0
  bias = np.append([0.0, 0.0], np.full(_N - 2, 1 / _N)).astype(np.float32)
  params = Params(jnp.asarray(weights), jnp.asarray(bias))
  found = memorising.losses(params, _blocks(x, len(x)))
  np.testing.assert_allclose(memorising.explained(found, _N), 2.0, rtol=1e-4)


def _corners(number, turn=0.3):
  angles = turn + 2.0 * np.pi * np.arange(number) / number
  return np.stack([np.cos(angles), np.sin(angles)])


@pytest.mark.parametrize('number', [3, 4, 5, 9, 12, 30])
def test_a_polygon_has_all_samples_as_corners(number):
  hidden = 1.3 * _corners(number)
  assert memorising.is_polygon(jnp.asarray(hidden))
  short = hidden.copy()
  short[:, 0] *= 0.1
  assert not memorising.is_polygon(jnp.asarray(short))
  assert not memorising.is_polygon(jnp.asarray(np.roll(hidden, 1, 0)[:, :-1]))


def test_two_samples_in_one_direction_are_no_polygon():
  hidden = np.concatenate([_corners(5), _corners(5)[:, :1]], axis=1)
  assert not memorising.is_polygon(jnp.asarray(hidden))


@pytest.mark.parametrize(
  ('hidden', 'loss', 'expected'),
  [
    (_corners(5), 2.0, Regime.SAMPLES),
    (_corners(5), np.nan, Regime.DIVERGED),
    (_corners(5) * 0.1, 0.79, Regime.FEATURES),  # A feature of 5 is .2.
    (_corners(5) * 0.1, 0.81, Regime.NEITHER),
    (_corners(5) * 0.1, np.inf, Regime.DIVERGED),
  ],
)
def test_regimes(hidden, loss, expected):
  fresh = Losses(jnp.float32(loss), jnp.float32(1.0))
  found = memorising.classify(_params(0), jnp.float32(hidden), fresh)
  assert found == expected
