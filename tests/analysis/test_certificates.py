"""Known states are called what they are, whatever their rotation and order."""

import jax
import numpy as np
import pytest

from toyjax.analysis.autoencoder import (
  certificates,
  critical_points,
  pieces,
  polishing,
  settling,
  valleys,
)
from toyjax.analysis.autoencoder.catalogue import Entry
from toyjax.analysis.autoencoder.certificates import Verdict

pytestmark = pytest.mark.usefixtures('float64')


def _certify(states):
  weights = np.stack([np.asarray(state[0]) for state in states])
  bias = np.stack([np.asarray(state[1]) for state in states])
  return certificates.certify(weights, bias, settling.SETTINGS)


def _polygon(num_features, *, shared=0, off=0, merged=0, longer=1.0):
  num_vertices = num_features - shared - off - merged
  radius = critical_points.minimum_radius(
    num_vertices, beside_dead=shared + off > 0
  )
  return critical_points.polygon(
    num_features=num_features,
    num_shared=shared,
    num_off=off,
    num_merged=merged,
    radius=longer * radius,
  )


def _turned(params, angle, order):
  """Rotates the hidden space, mirrors it, and permutes the features."""
  cos, sin = np.cos(angle), np.sin(angle)
  turn = np.asarray([[cos, -sin], [sin, cos]]) @ np.diag([1.0, -1.0])
  return (turn @ np.asarray(params[0]))[:, order], np.asarray(params[1])[order]


KNOWN = [
  # state, SSE, verdict, entry
  (_polygon, {}, 0.0, Verdict.GLOBAL_MINIMUM, Entry.SOLVED),
  (_polygon, {'longer': 1.3}, 0.0, Verdict.GLOBAL_MINIMUM, Entry.SOLVED),
  (_polygon, {'shared': 1}, 6 / 7, Verdict.SADDLE, Entry.SHARED),
  (_polygon, {'shared': 1, 'longer': 1.2}, 6 / 7, Verdict.SADDLE, Entry.SHARED),
  (_polygon, {'shared': 2}, 12 / 7, Verdict.SADDLE, Entry.SHARED),
  (_polygon, {'merged': 1}, 1.0, Verdict.SADDLE, Entry.MERGED),
  (_polygon, {'off': 1}, 1.0, Verdict.FLAT, Entry.OFF),
  (_polygon, {'off': 1, 'merged': 1}, 2.0, Verdict.SADDLE, Entry.MIXED),
]


def test_known_critical_points():
  found = _certify([make(7, **known) for make, known, *_ in KNOWN])
  np.testing.assert_array_equal(found.verdict, [k[3] for k in KNOWN])
  np.testing.assert_array_equal(found.entry, [k[4] for k in KNOWN])
  np.testing.assert_allclose(found.sse, [k[2] for k in KNOWN], atol=1e-12)
  np.testing.assert_allclose(found.catalogue_sse, found.sse, atol=1e-12)
  assert np.all(found.gradient_norm < 1e-12)
  assert np.all(found.distance < 1e-6)


def test_rotations_and_permutations_change_no_verdict():
  rng = np.random.default_rng(0)
  states = [make(7, **known) for make, known, *_ in KNOWN]
  states.append(valleys.fan(num_features=7, num_weak=1, radius=5.0))
  turned = [
    _turned(state, rng.uniform(0, 6.0), rng.permutation(7)) for state in states
  ]
  found, again = _certify(states), _certify(turned)
  np.testing.assert_array_equal(found.verdict, again.verdict)
  np.testing.assert_array_equal(found.entry, again.entry)
  np.testing.assert_allclose(found.sse, again.sse, atol=1e-10)


def test_a_valley_is_a_runaway_explained_at_its_own_norm():
  states = [
    valleys.fan(num_features=8, num_weak=1, radius=4.0),
    valleys.fan(num_features=8, num_weak=1, radius=12.0),
    valleys.fan(num_features=8, num_weak=2, radius=5.0),
  ]
  rng = np.random.default_rng(1)
  noisy = [
    (w + 1e-3 * rng.normal(size=w.shape), b + 1e-3 * rng.normal(size=b.shape))
    for w, b in states
  ]
  found = _certify(noisy)
  np.testing.assert_array_equal(found.verdict, [Verdict.RUNAWAY] * 3)
  np.testing.assert_array_equal(
    found.entry, [Entry.FAN_1, Entry.FAN_1, Entry.FAN_2]
  )
  np.testing.assert_allclose(found.infimum, [2 / 3, 2 / 3, 3 / 2])
  np.testing.assert_allclose(found.sse, found.catalogue_sse, atol=1e-9)
  assert np.all(found.radial_slope < 0.0)
  assert np.all(found.least_curvature > 0.3)
  norms = [np.linalg.norm(w) for w, _ in noisy]
  np.testing.assert_allclose(
    np.linalg.norm(found.weights, axis=(1, 2)), norms, rtol=1e-12
  )


def test_a_run_on_its_way_leads_to_a_global_minimum():
  """Noise off a saddle is enough: the descent goes on to SSE 0."""
  rng = np.random.default_rng(2)
  weights, bias = _polygon(5, shared=1, longer=1.2)
  states = [
    (weights + 0.2 * rng.normal(size=weights.shape), bias) for _ in range(8)
  ]
  found = _certify(states)
  np.testing.assert_array_equal(found.verdict, [Verdict.GLOBAL_MINIMUM] * 8)
  assert np.all(found.start_sse > 0.1)
  assert np.all(found.sse < 1e-18)


def test_an_exact_solution_has_a_margin():
  (tight, loose) = _certify([_polygon(7), _polygon(7, longer=1.3)]).margin
  assert abs(tight) < 1e-12
  expected = (1.3 * 1.62971) ** 2 * (1 - np.cos(2 * np.pi / 7)) - 1
  assert loose == pytest.approx(expected, abs=1e-4)


def test_what_is_not_finite_is_diverged():
  weights, bias = _polygon(7)
  found = _certify([(weights, bias), (weights * np.nan, bias)])
  np.testing.assert_array_equal(
    found.verdict, [Verdict.GLOBAL_MINIMUM, Verdict.DIVERGED]
  )
  assert np.isnan(found.sse[1])
  assert np.isnan(found.weights[1]).all()
  assert np.isnan(found.least_curvature[1])
  assert np.isfinite(found.weights[0]).all()


def test_no_state_is_no_error():
  found = certificates.certify(
    np.zeros((0, 2, 7)), np.zeros((0, 7)), settling.SETTINGS
  )
  assert len(found.verdict) == 0


def test_certificates_need_float64():
  with jax.enable_x64(False), pytest.raises(ValueError, match='float64'):
    _certify([_polygon(7)])


def test_shapes_that_do_not_fit_are_refused():
  with pytest.raises(ValueError, match='bias'):
    certificates.certify(
      np.zeros((2, 2, 7)), np.zeros((2, 6)), settling.SETTINGS
    )


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'radius': 1.0}, 'radius=1.0 is below'),
    ({'num_shared': 6}, '2 rows or more'),
    ({'num_shared': 1, 'num_merged': 1, 'radius': 3.0}, 'not critical'),
    ({'num_merged': 4}, 'merged pairs'),
  ],
)
def test_polygons_that_are_not_critical_are_refused(changes, message):
  asked = {
    'num_features': 7,
    'num_shared': 0,
    'num_off': 0,
    'num_merged': 0,
    'radius': 2.0,
    **changes,
  }
  with pytest.raises(ValueError, match=message):
    critical_points.polygon(**asked)


def test_the_least_radii_are_the_published_ones():
  for n, radius in ((5, 1.2030), (6, 1.41421), (7, 1.62971), (8, 1.84776)):
    assert critical_points.minimum_radius(n) == pytest.approx(radius, abs=5e-5)
  assert critical_points.minimum_radius(3, beside_dead=True) == 1.0


def test_descent_never_rises_and_relaxing_keeps_the_norm():
  rng = np.random.default_rng(3)
  v = rng.normal(size=(16, 21))
  start = [float(pieces.sse(jax.numpy.asarray(x), 7)) for x in v]
  sizes = {'num_features': 7, 'tolerance': 1e-12, 'max_steps': 5}
  down, floor = polishing.descend(v, **sizes), polishing.relax(v, **sizes)
  assert np.all(down.sse <= start)
  assert np.all(floor.sse <= start)
  assert np.all(down.num_steps <= 5)
  np.testing.assert_allclose(
    np.linalg.norm(floor.v[:, :14], axis=1),
    np.linalg.norm(v[:, :14], axis=1),
    rtol=1e-13,
  )
