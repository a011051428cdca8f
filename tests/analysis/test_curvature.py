"""Second order at kinks, against differences and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.autoencoder import curvature, curvature_bounds, pieces
from toyjax.toys.relu_autoencoder import Params

pytestmark = pytest.mark.usefixtures('float64')

TOLERANCES = {'kink_tolerance': 1e-9, 'zero_tolerance': 1e-9}
SEARCH = {'num_starts': 4, 'num_iterations': 12}


def _polygon(num_sides, norm, num_dead=0):
  """The regular polygon, each live output right, behind dead rows at 1/n."""
  angles = 2 * np.pi * np.arange(num_sides) / num_sides
  rows = norm * np.stack([np.cos(angles), np.sin(angles)])
  num_features = num_sides + num_dead
  return Params(
    jnp.asarray(np.concatenate([np.zeros((2, num_dead)), rows], axis=1)),
    jnp.concatenate(
      [
        jnp.full(num_dead, 1 / num_features),
        jnp.full(num_sides, 1 - norm**2),
      ]
    ),
  )


def _minimum_norm(num_sides):
  return np.sqrt(1 / (1 - np.cos(2 * np.pi / num_sides)))


@jax.jit
def _second_order(params):
  return curvature.second_order(
    pieces.vector(params),
    num_features=len(params.bias),
    **TOLERANCES,
    **SEARCH,
  )


@jax.jit
def _forms(params):
  return curvature.forms(
    pieces.vector(params), num_features=len(params.bias), kink_tolerance=1e-9
  )


def test_it_is_the_one_sided_second_difference_of_the_error():
  params = _polygon(6, _minimum_norm(6), num_dead=1)
  at, v = _forms(params), pieces.vector(params)
  assert int(at.num_kinks) == 12
  rng = np.random.default_rng(0)
  directions = rng.normal(size=(40, len(v)))
  normals = np.asarray(at.normals)
  normals = normals[np.abs(normals).sum(axis=1) > 0]
  # Some that stay on a kink, or on several.
  for k, direction in enumerate(directions[20:]):
    along = np.linalg.qr(normals[: 1 + k % 5].T)[0]
    direction -= along @ (along.T @ direction)
  sse = jax.jit(jax.vmap(lambda v: pieces.sse(v, 7)))
  along_each = jax.vmap(curvature.curvature_along, in_axes=(0, None))
  expected = along_each(jnp.asarray(directions), at)
  sizes = np.asarray([1e-4, 2e-4])
  for direction, curved in zip(directions, expected):
    rises = sse(v[None] + np.outer(sizes, direction)) - sse(v[None])
    once, twice = 2 * np.asarray(rises) / sizes**2
    np.testing.assert_allclose(
      2 * once - twice,  # The term of third order is gone.
      curved,
      atol=1e-5 * np.sum(direction**2) * 30,
    )


@pytest.mark.parametrize('seed', range(6))
def test_the_search_has_a_witness(seed):
  rng = np.random.default_rng(seed)
  size, num_kinks = 9, 5
  root = rng.normal(size=(size, size))
  hessian = root @ root.T - rng.uniform(1, 4) * np.eye(size)
  normals = np.zeros((9, size))
  normals[:num_kinks] = 2 * rng.normal(size=(num_kinks, size))
  at = curvature.Forms(
    off_hessian=jnp.asarray(hessian),
    normals=jnp.asarray(normals),
    rotations=jnp.zeros((size, size)),
    num_rotations=jnp.int32(0),
    num_kinks=jnp.int32(num_kinks),
    on_ridge=jnp.bool_(False),
  )
  level, direction = _lowest(at)
  np.testing.assert_allclose(
    level, curvature.curvature_along(direction, at), atol=1e-12
  )
  np.testing.assert_allclose(jnp.linalg.norm(direction), 1.0)
  # It starts from eigenvectors of the pieces all off and all on, both ways.
  ends = [hessian, hessian + 2 * normals.T @ normals]
  starts = np.hstack([np.linalg.eigh(end)[1][:, :4] for end in ends])
  along = jax.vmap(curvature.curvature_along, in_axes=(1, None))
  tried = along(jnp.asarray(np.hstack([starts, -starts])), at)
  assert level <= np.min(tried) + 1e-12
  assert level >= np.linalg.eigvalsh(hessian)[0] - 1e-12


@jax.jit
def _lowest(at):
  return curvature.lowest(at, num_starts=4, num_iterations=20)


def test_a_solved_polygon_is_nowhere_negative():
  for params in (_polygon(5, _minimum_norm(5)), _polygon(5, 1.4)):
    found = _second_order(params)
    assert found.verdict == curvature.Verdict.NON_NEGATIVE
    assert found.spectrum.num_negative == 0
    # On the solved piece only z_ii count: N equations.
    assert found.spectrum.num_positive == 5
    assert found.spectrum.num_zero == 15 - 5 - 1
    assert not found.on_ridge


def test_a_merged_pair_is_a_saddle():
  # Both outputs of the pair give one half: parting them is descent.
  rows = np.asarray(_polygon(4, 1.5).weights)
  params = Params(
    jnp.asarray(np.concatenate([rows, rows[:, :1]], axis=1)),
    jnp.asarray([0.5 - 1.5**2, *([1 - 1.5**2] * 3), 0.5 - 1.5**2]),
  )
  assert (
    jnp.linalg.norm(
      pieces.gradient(pieces.vector(params), pieces.on_pattern(params))
    )
    < 1e-12
  )
  found = _second_order(params)
  assert found.verdict == curvature.Verdict.NEGATIVE
  assert float(found.upper) == pytest.approx(float(found.lower), abs=1e-9)
  v, size = pieces.vector(params), 1e-3
  fall = pieces.sse(v + size * found.direction, 5) - pieces.sse(v, 5)
  np.testing.assert_allclose(fall, size**2 * found.upper / 2, rtol=1e-2)


def test_turning_and_permuting_change_nothing():
  params = _polygon(6, _minimum_norm(6), num_dead=1)
  turn = np.asarray([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
  order = np.asarray([3, 1, 0, 2, 6, 4, 5])
  turned = Params(turn @ params.weights[:, order], params.bias[order])
  batch = jax.tree.map(lambda *a: jnp.stack(a), params, turned)
  both = jax.jit(jax.vmap(_second_order))(batch)
  assert both.verdict.tolist() == [curvature.Verdict.NEGATIVE] * 2
  assert both.num_kinks.tolist() == [12, 12]
  np.testing.assert_allclose(
    both.spectrum.eigenvalues[0], both.spectrum.eigenvalues[1], atol=1e-9
  )
  # Each search has its own witness; the least of all lies within the bounds.
  gap = 1e-8
  least = []
  for state, upper, direction in zip(
    (params, turned), both.upper, both.direction
  ):
    at = _forms(state)
    np.testing.assert_allclose(
      upper, curvature.curvature_along(direction, at), atol=1e-12
    )
    found = curvature_bounds.enclose(
      at, np.asarray(direction), gap=gap, max_cones=10_000
    )
    assert found.is_certified
    assert found.upper <= upper + 1e-12
    least.append(found.upper)
  np.testing.assert_allclose(*least, rtol=0, atol=gap)
  assert np.all(both.lower < np.asarray(least))  # Kinks hold part of it back.


def test_a_diagonal_kink_is_said_to_be_a_ridge():
  params = _polygon(5, 1.4)
  bias = params.bias.at[2].set(-(1.4**2))
  assert _second_order(params._replace(bias=bias)).on_ridge
