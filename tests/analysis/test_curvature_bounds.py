"""Certified bounds of one-sided curvature, against enumeration and search."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from toyjax.analysis.autoencoder import (
  critical_points,
  curvature,
  curvature_bounds,
  pieces,
  symmetric_failure,
)

pytestmark = pytest.mark.usefixtures('float64')


def _forms_of(hessian, normals, rotations=None):
  """Forms of nine kinks at most, the rest of the rows zero."""
  size = len(hessian)
  rows = np.zeros((9, size))
  rows[: len(normals)] = normals
  if rotations is None:
    rotations = np.zeros((size, size))
  return curvature.Forms(
    off_hessian=jnp.asarray(hessian),
    normals=jnp.asarray(rows),
    rotations=jnp.asarray(rotations),
    num_rotations=jnp.int32(0),
    num_kinks=jnp.int32(len(normals)),
    on_ridge=jnp.bool_(False),
  )


def _random_forms(seed, *, size=9, num_kinks=5, num_negative=2):
  rng = np.random.default_rng(seed)
  turn = np.linalg.qr(rng.normal(size=(size, size)))[0]
  values = rng.uniform(0.0, 5.0, size)
  values[:num_negative] = -rng.uniform(0.5, 3.0, num_negative)
  normals = 2 * rng.normal(size=(num_kinks, size))
  return _forms_of(turn @ np.diag(values) @ turn.T, normals)


def _by_enumeration(at):
  """q is C¹: its minimum is an eigenvector of the piece that it points into."""
  normals = np.asarray(at.normals)
  kinks = np.flatnonzero(np.abs(normals).sum(axis=1))
  found = np.inf
  for signs in itertools.product([False, True], repeat=len(kinks)):
    on = normals[kinks[np.asarray(signs)]]
    vectors = np.linalg.eigh(at.off_hessian + 2 * on.T @ on)[1]
    crossing = np.maximum(normals @ np.hstack([vectors, -vectors]), 0)
    plain = np.einsum('pk,pq,qk->k', vectors, at.off_hessian, vectors)
    found = min(found, np.min(np.tile(plain, 2) + 2 * np.sum(crossing**2, 0)))
  return found


def _by_search(at, *, num_starts):
  """SciPy's descents of q over unit directions, from random ones."""
  hessian, normals = np.asarray(at.off_hessian), np.asarray(at.normals)
  rest = np.eye(len(hessian)) - np.asarray(at.rotations)

  def quotient(d):
    d = rest @ d
    square = d @ d
    crossing = np.maximum(normals @ d, 0)
    value = (d @ hessian @ d + 2 * crossing @ crossing) / square
    slope = hessian @ d + 2 * normals.T @ crossing - value * d
    return value, 2 * rest @ slope / square

  rng = np.random.default_rng(1)
  starts = rng.normal(size=(num_starts, len(hessian)))
  return min(
    scipy.optimize.minimize(quotient, start, jac=True, method='L-BFGS-B').fun
    for start in starts
  )


def _symmetric(num_features, factor=1.0):
  norm = factor * critical_points.minimum_radius(
    num_features - 1, beside_dead=True
  )
  v = pieces.vector(
    symmetric_failure.make(
      num_features=num_features, num_dead=1, norm=jnp.asarray(norm)
    )
  )
  return jax.jit(
    lambda v: curvature.forms(v, num_features=num_features, kink_tolerance=1e-9)
  )(v)


def _is_witness(found, at):
  """Whether the bounds are in order and the direction has the upper one."""
  np.testing.assert_allclose(np.linalg.norm(found.direction), 1.0)
  np.testing.assert_allclose(
    found.upper,
    curvature.curvature_along(jnp.asarray(found.direction), at),
    rtol=1e-9,
    atol=1e-12,
  )
  return found.lower <= found.upper


@pytest.mark.parametrize('num_negative', [0, 1, 2, 3])
@pytest.mark.parametrize('seed', range(4))
def test_the_bounds_hold_what_enumeration_finds(seed, num_negative):
  at = _random_forms(seed, num_negative=num_negative)
  # From any direction, that of a search or not.
  start = np.random.default_rng(seed).normal(size=9)
  found = curvature_bounds.enclose(at, start, gap=1e-6, max_cones=100_000)
  assert found.is_certified
  assert _is_witness(found, at)
  assert found.upper - found.lower <= 1e-6 * (1 + 1e-9)
  exact = _by_enumeration(at)
  assert found.lower - 1e-12 <= exact <= found.upper + 1e-12


@pytest.mark.parametrize('num_features', [5, 7])
def test_no_search_falls_below_the_bound(num_features):
  at = _symmetric(num_features)
  start = np.random.default_rng(0).normal(size=3 * num_features)
  found = curvature_bounds.enclose(at, start, gap=1e-9, max_cones=100_000)
  assert found.is_certified
  assert _is_witness(found, at)
  assert found.upper < -1e-5
  assert _by_search(at, num_starts=5) >= found.lower
  # Without kinks the least would be lower: some of them hold q back.
  assert found.lower > np.linalg.eigvalsh(at.off_hessian)[0] + 1e-3


def test_within_a_piece_it_is_the_closed_form():
  at = _symmetric(7, factor=1.1)
  found = curvature_bounds.enclose(at, np.ones(21), gap=1e-9, max_cones=100)
  norm = 1.1 * critical_points.minimum_radius(6)
  closed = symmetric_failure.lowest_curvature(num_features=7, norm=norm)
  assert found.is_certified
  assert found.lower - 1e-12 <= closed <= found.upper + 1e-12


def test_kinks_that_hold_everything_back_leave_zero():
  # q = -x² + 2 max(0, x)² + 2 max(0, -x)² + y²: never negative but H_off is.
  at = _forms_of(np.diag([-1.0, *[1.0] * 8]), np.eye(9)[:1] * [[1.0], [-1.0]])
  found = curvature_bounds.enclose(at, np.ones(9), gap=1e-6, max_cones=1000)
  assert found.is_certified
  np.testing.assert_allclose([found.lower, found.upper], 1.0, atol=2e-6)


def test_too_few_cones_certify_nothing():
  at = _symmetric(7)
  found = curvature_bounds.enclose(at, np.ones(21), gap=1e-9, max_cones=5)
  assert not found.is_certified
  assert _is_witness(found, at)
  np.testing.assert_allclose(
    found.lower, np.linalg.eigvalsh(at.off_hessian)[0], atol=1e-9
  )


def test_directions_of_rotation_are_left_out():
  # The lowest direction of all is one of rotation.
  at = _forms_of(
    np.diag([0.0, *np.arange(2.0, 10.0)]),
    np.zeros((0, 9)),
    rotations=np.diag([1.0, *[0.0] * 8]),
  )
  found = curvature_bounds.enclose(at, np.ones(9), gap=1e-6, max_cones=100)
  np.testing.assert_allclose([found.lower, found.upper], 2.0, atol=2e-6)
  assert abs(found.direction[0]) < 1e-9
