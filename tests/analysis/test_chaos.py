"""The start of the chaos map, its symmetry, and how runs are judged."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import loops
from toyjax.analysis.chaos import dynamics as chaos
from toyjax.analysis.chaos import endings as chaos_endings
from toyjax.analysis.chaos.endings import Ending
from toyjax.toys import relu_autoencoder

POINT = {
  'num_features': 7,
  'separation': 1,
  'norm_factor': 1.0,
  'loss_reduction': 'mean',
  'learning_rate': 1.9,
  'delta': 0.2,
  'nudge': 0.0,
  'keep_mirror': False,
  'dtype': 'float32',
}


def _start(**changes):
  dynamics = chaos.training_map(**POINT | changes)
  return dynamics.init(jax.random.key(0)).params


@functools.cache
def _train(num_steps, **changes):
  dynamics = chaos.training_map(**POINT | changes)
  return loops.unroll(jax.random.key(0), dynamics, num_steps)[0].params


def _run(steps, window=10, **changes):
  point = POINT | changes
  return chaos_endings.run(
    chaos.training_map(**point),
    num_features=point['num_features'],
    loss_reduction=point['loss_reduction'],
    separation=point['separation'],
    observe_steps=steps,
    window=window,
    solved_sse=1e-2,
    thresholds=chaos_endings.THRESHOLDS,
  )


def _judge(params):
  diagnosis = relu_autoencoder.diagnose(
    params,
    earlier_sse=relu_autoencoder.one_hot_sse(params),
    solved_sse=1e-2,
    thresholds=relu_autoencoder.THRESHOLDS,
  )
  gradient = jax.grad(relu_autoencoder.one_hot_sse)(params)
  return diagnosis.outcome, diagnosis.sse, gradient


@pytest.mark.parametrize('num_features', [4, 7, 8])
def test_the_start_is_symmetric_failure_and_stationary(num_features):
  with jax.enable_x64(True):
    judge = jax.jit(_judge)
    for norm_factor in (1.0, 1.3):
      start = chaos.symmetric_failure(
        num_features=num_features,
        separation=1,
        norm_factor=norm_factor,
        dtype='float64',
      )
      outcome, sse, gradient = judge(start)
      assert outcome == relu_autoencoder.Outcome.SYMMETRIC_FAILURE
      assert float(sse) == pytest.approx(1.0 - 1.0 / num_features)
      for leaf in gradient:
        # At the minimum norm outputs sit on kinks: rounding, nothing else.
        np.testing.assert_allclose(leaf, 0.0, atol=1e-14)


def test_the_hexagon_has_the_published_norm():
  norms = np.linalg.norm(_start().weights, axis=0)
  np.testing.assert_allclose(norms, [0.0] + [2.0**0.5] * 6, rtol=1e-6)
  assert float(_start().bias[0]) == pytest.approx(1.0 / 7.0)


@pytest.mark.parametrize('separation', [1, 2, 3])
def test_the_raised_rows_are_mirror_images_that_far_apart(separation):
  rows = chaos.raised_rows(num_features=7, separation=separation)
  params = _start(separation=separation, delta=0.125)
  raised = np.asarray(params.bias) - np.asarray(
    _start(separation=separation, delta=0.0).bias
  )
  np.testing.assert_allclose(
    raised, np.isin(np.arange(7), rows) * 0.125, atol=1e-7
  )
  weights = np.asarray(params.weights)
  cosine = weights[:, rows[0]] @ weights[:, rows[1]] / 2.0
  assert cosine == pytest.approx(np.cos(separation * np.pi / 3.0), abs=1e-6)
  mirror = chaos.mirror_rows(7, separation)
  assert mirror[rows[0]] == rows[1]
  image = chaos.reflect(params.weights, mirror)
  np.testing.assert_array_equal(image, weights)  # Bit for bit.


def test_neighbours_are_the_rows_next_to_the_dead_one():
  assert chaos.raised_rows(num_features=7, separation=1) == (1, 6)


def test_a_nudge_is_one_rounding_of_one_weight():
  plain, nudged = _start(), _start(nudge=1.0)
  changed = np.asarray(plain.weights) != np.asarray(nudged.weights)
  assert np.argwhere(changed).tolist() == [[0, 1]]
  ulps = np.abs(nudged.weights - plain.weights)[0, 1] / np.spacing(
    np.abs(plain.weights[0, 1])
  )
  assert 1.0 <= float(ulps) <= 2.0
  np.testing.assert_array_equal(plain.bias, nudged.bias)


def test_reductions_differ_by_the_learning_rate_alone():
  with jax.enable_x64(True):
    mean = _train(300, dtype='float64')
    total = _train(
      300, loss_reduction='sum', learning_rate=1.9 / 49, dtype='float64'
    )
    samples = _train(
      300,
      loss_reduction='mean_samples',
      learning_rate=1.9 / 7,
      dtype='float64',
    )
    start = _start(dtype='float64')
  for other in (total, samples):
    np.testing.assert_allclose(other.weights, mean.weights, atol=1e-10)
  moved = np.asarray(mean.weights) - np.asarray(start.weights)
  assert np.abs(moved).max() > 1e-3


def test_keeping_the_mirror_changes_nothing_but_rounding():
  mirror = chaos.mirror_rows(7, 1)
  with jax.enable_x64(True):
    kept = _train(300, keep_mirror=True, dtype='float64')
    free = _train(300, dtype='float64')
    image = chaos.reflect(kept.weights, mirror)
  np.testing.assert_array_equal(image, kept.weights)
  np.testing.assert_allclose(kept.weights, free.weights, atol=1e-10)


def test_the_dead_row_moves_along_the_mirror_axis():
  row = np.asarray(_train(3000).weights[:, 0])
  assert abs(row[0]) > 1e-4
  assert abs(row[1]) < 1e-3 * abs(row[0])


def test_slow_and_wild_runs_are_told_apart():
  run = jax.jit(lambda rate: _run([50, 100], learning_rate=rate))
  slow, _ = run(0.1)
  assert slow.ending.tolist() == [Ending.ON_ITS_WAY] * 2
  wild, solved = run(100.0)
  assert wild.ending.tolist() == [Ending.DIVERGED] * 2
  assert int(solved) == -1


def test_a_run_recovers_as_in_the_published_map():
  observed, solved = jax.jit(lambda: _run([10_000, 25_000], window=100))()
  assert observed.ending.tolist() == [Ending.ON_ITS_WAY, Ending.RECOVERED]
  assert 10_000 < int(solved) < 25_000
  assert float(observed.total_norm[1]) == pytest.approx(14.1, abs=0.1)
  assert float(observed.sse[1]) < 1e-2 < float(observed.sse[0])


@pytest.mark.parametrize(
  ('high', 'low', 'rose', 'expected'),
  [
    (0.009, 0.001, True, Ending.RECOVERED),
    (0.9, 0.5, True, Ending.OSCILLATING),
    (0.9, 0.5, False, Ending.ON_ITS_WAY),
    (0.857, 0.857, True, Ending.ON_ITS_WAY),
    (2.0, 1.99, True, Ending.LOST),
    (2.0, 1.0, False, Ending.LOST),
    (np.nan, np.nan, False, Ending.DIVERGED),
  ],
)
def test_endings_by_hand(high, low, rose, expected):
  record = chaos_endings._Record(
    *(jnp.float32(v) for v in (low, high, low)), jnp.bool_(rose), jnp.int32(-1)
  )
  assert int(_end(record)) == expected


@jax.jit
def _end(record):
  params = relu_autoencoder.Params(jnp.zeros((2, 7)), jnp.zeros(7))
  return chaos_endings._ending(
    params, record.last, record, 1e-2, chaos_endings.THRESHOLDS
  )


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'separation': 4}, 'separation'),
    ({'separation': 0}, 'separation'),
    ({'norm_factor': 0.9}, '0.9'),
    ({'loss_reduction': 'median'}, 'median'),
  ],
)
def test_a_start_that_does_not_exist_is_refused(changes, message):
  with pytest.raises(ValueError, match=message):
    _start(**changes)


def test_steps_must_fill_windows():
  with pytest.raises(ValueError, match='multiples of the window 10'):
    _run([25])
