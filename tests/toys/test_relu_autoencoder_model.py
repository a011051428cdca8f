"""The ReLU autoencoder, its inits and its data, against float64 references."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from tests import references
from toyjax import descent, loops, optimizers, sweeps
from toyjax.data import sparse_features
from toyjax.toys import relu_autoencoder

# Unit roundoff times the length of the longest sum here (about 100 terms) is
# 6e-6 in float32 and 1e-14 in float64; values are of order 1.
TOLERANCES = {'float32': 1e-5, 'float64': 1e-13}

PUBLISHED_NORM_AND_BIAS = {
  5: (1.2030, -0.4472),
  6: (1.41421, -1.0),
  7: (1.62971, -1.65597),
  8: (1.84776, -2.41421),
}


def make(num_features=5, num_hidden=2, sample=None, **changes):
  dtype = changes.get('dtype', jnp.float32)
  settings = {
    'init': 'glorot_normal',
    'init_scale': 1.0,
    'importance_decay': 1.0,
    'loss_reduction': 'mean',
    'dtype': dtype,
  }
  if sample is None:
    sample = sparse_features.one_hot(num_features=num_features, dtype=dtype)
  return relu_autoencoder.make(
    num_features=num_features,
    num_hidden=num_hidden,
    sample=sample,
    **(settings | changes),
  )


def random_case(num_features, num_hidden, seed):
  """Weights, bias and a batch of 9 that are exact in float32."""
  rng = np.random.default_rng(seed)
  arrays = (
    rng.normal(size=(num_hidden, num_features)),
    0.3 * rng.normal(size=num_features),
    rng.uniform(size=(9, num_features)),
  )
  return [array.astype(np.float32).astype(float) for array in arrays]


# ----- apply, loss and gradient -----

SIZES = ((2, 1), (5, 2), (6, 3))


@pytest.mark.parametrize('dtype', TOLERANCES)
@pytest.mark.parametrize(('num_features', 'num_hidden'), SIZES)
def test_apply_is_the_formula(num_features, num_hidden, dtype):
  weights, bias, batch = random_case(num_features, num_hidden, seed=1)
  with jax.enable_x64(dtype == 'float64'):
    params = relu_autoencoder.Params(
      jnp.asarray(weights, dtype), jnp.asarray(bias, dtype)
    )
    for x in batch:
      y = relu_autoencoder.apply(params, jnp.asarray(x, dtype))
      assert y.dtype == dtype
      np.testing.assert_allclose(
        y,
        references.reconstruct(weights, bias, x),
        atol=TOLERANCES[dtype],
        rtol=0,
      )


@pytest.mark.parametrize('dtype', TOLERANCES)
@pytest.mark.parametrize('reduction', relu_autoencoder.LOSS_REDUCTIONS)
@pytest.mark.parametrize('importance_decay', [1.0, 0.7])
@pytest.mark.parametrize(('num_features', 'num_hidden'), SIZES)
def test_loss_and_gradient_are_the_formulas(
  num_features, num_hidden, importance_decay, reduction, dtype
):
  weights, bias, batch = random_case(num_features, num_hidden, seed=2)
  settings = {'importance_decay': importance_decay, 'reduction': reduction}
  with jax.enable_x64(dtype == 'float64'):
    toy = make(
      num_features,
      num_hidden,
      importance_decay=importance_decay,
      loss_reduction=reduction,
      dtype=dtype,
    )
    params = relu_autoencoder.Params(
      jnp.asarray(weights, dtype), jnp.asarray(bias, dtype)
    )
    value, grads = jax.value_and_grad(toy.loss)(
      params, jnp.asarray(batch, dtype)
    )
    assert value.dtype == grads.weights.dtype == grads.bias.dtype == dtype
  expected = references.loss(weights, bias, batch, **settings)
  weight_grad, bias_grad = references.gradient(weights, bias, batch, **settings)
  # Sums over the batch grow with it, so errors are relative to the largest.
  near = functools.partial(np.testing.assert_allclose, rtol=0)
  near(value, expected, atol=TOLERANCES[dtype] * expected)
  largest = np.abs(weight_grad).max()
  near(grads.weights, weight_grad, atol=TOLERANCES[dtype] * largest)
  near(grads.bias, bias_grad, atol=TOLERANCES[dtype] * largest)


@pytest.mark.parametrize('reduction', relu_autoencoder.LOSS_REDUCTIONS)
def test_reference_gradient_is_the_slope_of_the_reference_loss(reduction):
  weights, bias, batch = random_case(4, 2, seed=3)
  settings = {'importance_decay': 0.7, 'reduction': reduction}
  weight_grad, bias_grad = references.gradient(weights, bias, batch, **settings)
  step = 1e-6  # No pre-activation of this case lies so near to its kink.
  for array, grad in ((weights, weight_grad), (bias, bias_grad)):
    for place in np.ndindex(array.shape):
      kept = array[place]
      array[place] = kept + step
      above = references.loss(weights, bias, batch, **settings)
      array[place] = kept - step
      below = references.loss(weights, bias, batch, **settings)
      array[place] = kept
      slope = (above - below) / (2.0 * step)
      np.testing.assert_allclose(slope, grad[place], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize('reduction', relu_autoencoder.LOSS_REDUCTIONS)
def test_sse_from_one_hot_loss(reduction):
  weights, bias, _ = random_case(6, 2, seed=4)
  toy = make(6, loss_reduction=reduction)
  params = relu_autoencoder.Params(jnp.float32(weights), jnp.float32(bias))
  sse = relu_autoencoder.sse_from_one_hot_loss(
    toy.loss(params, toy.sample(jax.random.key(0))),
    num_features=6,
    loss_reduction=reduction,
  )
  truth = references.one_hot_sse(weights, bias)
  np.testing.assert_allclose(sse, truth, rtol=1e-5)
  np.testing.assert_allclose(
    relu_autoencoder.one_hot_sse(params), truth, rtol=1e-5
  )


# ----- Training, step by step -----

HYPERPARAMETERS = {
  'sgd': {'learning_rate': 0.5},
  'momentum': {'learning_rate': 0.1, 'momentum': 0.9},
  'rmsprop': {'learning_rate': 1e-3, 'decay': 0.99, 'eps': 1e-8},
  'adam': {'learning_rate': 1e-2, 'b1': 0.9, 'b2': 0.999, 'eps': 1e-8},
  'adamw': {
    'learning_rate': 1e-2,
    'b1': 0.9,
    'b2': 0.999,
    'eps': 1e-8,
    'weight_decay': 0.1,
  },
}


@pytest.mark.parametrize('optimizer', HYPERPARAMETERS)
def test_training_follows_the_reference_step_by_step(optimizer):
  num_steps, numbers = 200, HYPERPARAMETERS[optimizer]
  with jax.enable_x64(True):
    toy = make(5, importance_decay=0.9, dtype=jnp.float64)
    dynamics = descent.descend(
      toy, optimizers.make(optimizer, schedule=None, **numbers)
    )
    key = jax.random.key(5)
    # Compiled, as the run is: a float32 draw may differ by an ulp otherwise.
    start, _ = jax.jit(lambda key: loops.unroll(key, dynamics, 0))(key)
    _, (params, losses) = jax.jit(
      lambda key: loops.unroll(
        key,
        dynamics,
        num_steps,
        observe=lambda state, info: (state.params, info.loss),
      )
    )(key)
  params, losses = jax.tree.map(np.asarray, (params, losses))
  expected = references.train(
    start.params.weights,
    start.params.bias,
    np.eye(5),
    num_steps,
    make_optimizer=lambda: references.Optimizer(optimizer, **numbers),
    importance_decay=0.9,
    reduction='mean',
  )
  count = 0
  for k, (weights, bias, loss) in enumerate(expected):
    np.testing.assert_allclose(params.weights[k], weights, atol=1e-10, rtol=0)
    np.testing.assert_allclose(params.bias[k], bias, atol=1e-10, rtol=0)
    np.testing.assert_allclose(losses[k], loss, atol=1e-10, rtol=0)
    count += 1
  assert count == num_steps
  assert losses[-1] < 0.9 * losses[0]


# ----- Inits -----

# name: (std of W, bound of |W|, std of b, bound of |b|, mean of W and of b) at
# M = 2, N = 5 and scale 1; a normal has no bound.
LAWS = {
  'glorot_normal': (np.sqrt(2 / 7), np.inf, 0.0, 0.0, 0.0),
  'glorot_uniform': (np.sqrt(2 / 7), np.sqrt(6 / 7), 0.0, 0.0, 0.0),
  'normal': (1.0, np.inf, 0.0, 0.0, 0.0),
  'uniform_positive': (
    1e-3 / np.sqrt(12),
    1e-3,
    1e-3 / np.sqrt(12),
    1e-3,
    5e-4,
  ),
  'torch_linear': (
    1 / np.sqrt(15),
    1 / np.sqrt(5),
    1 / np.sqrt(6),
    1 / np.sqrt(2),
    0.0,
  ),
}


def test_every_init_has_a_law_here():
  assert set(LAWS) == set(relu_autoencoder.INITS)


@pytest.mark.parametrize('scale', [1.0, 0.25])
@pytest.mark.parametrize('init', LAWS)
def test_init_has_the_stated_moments_and_range(init, scale):
  num_seeds = 20_000
  std_w, bound_w, std_b, bound_b, mean = LAWS[init]
  toy = make(5, init=init, init_scale=scale)
  params = jax.vmap(toy.init)(sweeps.seed_keys(6, jnp.arange(num_seeds)))
  for leaf, std, bound in (
    (params.weights, scale * std_w, scale * bound_w),
    (params.bias, scale * std_b, scale * bound_b),
  ):
    assert leaf.dtype == jnp.float32
    values = np.asarray(leaf, float).reshape(num_seeds, -1)
    centre = scale * mean if std > 0.0 else 0.0
    # 1e-6: one float32 rounding of the bound.
    assert np.abs(values).max() <= bound * (1.0 + 1e-6)
    # A normal's squares vary most, by √2 times their mean.
    sigma_mean = std / np.sqrt(num_seeds)
    sigma_square = np.sqrt(2.0 / num_seeds) * std**2
    # Entry by entry: no two entries share a law's shift or scale by chance.
    np.testing.assert_allclose(
      values.mean(axis=0), centre, atol=5.0 * sigma_mean, rtol=0
    )
    np.testing.assert_allclose(
      ((values - centre) ** 2).mean(axis=0),
      std**2,
      atol=5.0 * sigma_square,
      rtol=0,
    )
    if std > 0.0 and np.isfinite(bound):
      low = 0.0 if mean else -bound
      assert values.max() > bound - 1e-3 * (bound - low)
      assert values.min() < low + 1e-3 * (bound - low)


@pytest.mark.parametrize('init', LAWS)
def test_entries_of_an_init_are_independent(init):
  toy = make(5, init=init)
  params = jax.vmap(toy.init)(sweeps.seed_keys(7, jnp.arange(20_000)))
  values = np.asarray(params.weights).reshape(20_000, -1)
  if LAWS[init][2] > 0.0:
    values = np.concatenate([values, params.bias], axis=1)
  correlations = np.corrcoef(values.T) - np.eye(values.shape[1])
  assert np.abs(correlations).max() < 5.0 / np.sqrt(20_000)


@pytest.mark.parametrize('init', LAWS)
def test_init_is_the_same_however_many_seeds_are_mapped(init):
  toy = make(5, init=init)

  draw = jax.jit(jax.vmap(toy.init))
  keys = sweeps.seed_keys(8, jnp.arange(1000))
  many, alone = draw(keys), [draw(keys[k : k + 1]) for k in range(20)]
  stacked = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *alone)
  for leaf, first in zip(many, stacked):
    np.testing.assert_array_equal(leaf[:20], first)
  assert len(np.unique(np.asarray(many.weights), axis=0)) == 1000


@pytest.mark.parametrize('num_seeds', [1000, 4000])
def test_published_glorot_scale_holds_at_any_number_of_seeds(num_seeds):
  # Inits of the stacked [1000, 5, 2] array end at .031, .020 or .017 instead.
  toy = make(5)
  params = jax.vmap(toy.init)(sweeps.seed_keys(9, jnp.arange(num_seeds)))
  sigma = 0.5345 / np.sqrt(2 * 10 * num_seeds)
  assert abs(np.std(params.weights) - 0.5345) < 5.0 * sigma + 5e-5


def test_init_scale_is_traced_and_proportional():
  key = jax.random.key(10)
  draw = jax.jit(lambda scale: make(5, init_scale=scale).init(key).weights)
  np.testing.assert_array_equal(draw(4.0), 4.0 * draw(1.0))


def test_dtypes_start_from_the_same_draws():
  key = jax.random.key(11)
  single = make(5, init='torch_linear').init(key)
  with jax.enable_x64(True):
    double = make(5, init='torch_linear', dtype=jnp.float64).init(key)
    assert double.weights.dtype == double.bias.dtype == jnp.float64
  half = make(5, init='torch_linear', dtype=jnp.bfloat16).init(key)
  assert half.weights.dtype == jnp.bfloat16
  for one, two, three in zip(single, double, half):
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one.astype(jnp.bfloat16), three)


# ----- Data -----


def sparse(sparsity, *, normalize=False, dtype=jnp.float32, batch_size=5000):
  return sparse_features.sparse_uniform(
    num_features=6,
    batch_size=batch_size,
    sparsity=sparsity,
    normalize=normalize,
    dtype=dtype,
  )


@pytest.mark.parametrize('sparsity', [0.0, 0.3, 0.95, 1.0])
def test_features_are_absent_with_probability_s_else_uniform(sparsity):
  batch = np.asarray(sparse(sparsity)(jax.random.key(12)), float)
  present = batch > 0.0
  bar = 5.0 * np.sqrt(sparsity * (1.0 - sparsity) / 5000)
  np.testing.assert_allclose(
    1.0 - present.mean(axis=0), sparsity, atol=bar, rtol=0
  )
  assert batch.min() >= 0.0
  assert batch.max() <= 1.0
  values = batch[present]
  for power in (1, 2) if sparsity < 1.0 else ():
    mean = 1.0 / (power + 1)
    sigma = np.sqrt((1.0 / (2 * power + 1) - mean**2) / len(values))
    assert abs((values**power).mean() - mean) < 5.0 * sigma


def test_features_are_independent():
  present = np.asarray(sparse(0.5)(jax.random.key(13))) > 0.0
  correlations = np.corrcoef(present.T) - np.eye(6)
  assert np.abs(correlations).max() < 5.0 / np.sqrt(5000)


def test_uniform_values_reach_one_and_never_zero(monkeypatch):
  # The extremes of `jax.random.uniform`, too rare to wait for.
  for extreme, value in ((0.0, 1.0), (1.0 - 2.0**-24, 2.0**-24)):
    monkeypatch.setattr(
      jax.random,
      'uniform',
      lambda key, shape, dtype, extreme=extreme: jnp.full(
        shape, extreme, dtype
      ),
    )
    np.testing.assert_array_equal(sparse(0.0)(jax.random.key(0)), value)


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_normalized_rows_have_unit_length_and_empty_rows_stay_zero(dtype):
  key = jax.random.key(14)
  with jax.enable_x64(dtype == 'float64'):
    plain = np.asarray(sparse(0.8, dtype=dtype)(key))
    batch = sparse(0.8, normalize=True, dtype=dtype)(key)
    assert batch.dtype == dtype
  empty = ~plain.any(axis=1)
  assert 0 < empty.sum() < 5000  # .8^6 = .26 of the rows.
  batch = np.asarray(batch, float)
  np.testing.assert_array_equal(batch[empty], 0.0)
  lengths = np.linalg.norm(batch[~empty], axis=1)
  np.testing.assert_allclose(lengths, 1.0, rtol=TOLERANCES[dtype])
  directions = (
    plain / np.where(empty, 1.0, np.linalg.norm(plain, axis=1))[:, None]
  )
  np.testing.assert_allclose(batch, directions, atol=1e-6)


def test_sparse_batches_depend_on_the_key_alone_and_sparsity_may_be_traced():
  key, other_key = jax.random.split(jax.random.key(15))
  draw = jax.jit(lambda key, sparsity: sparse(sparsity)(key))
  batch = sparse(0.5)(key)
  np.testing.assert_array_equal(batch, sparse(0.5)(key))
  np.testing.assert_array_equal(batch, draw(key, 0.5))
  other = sparse(0.5)(other_key)
  assert np.mean((batch == other) & (batch > 0.0)) < 1e-3
  # Sparser data lose features and keep the values of the rest.
  sparser = np.asarray(draw(key, 0.8))
  assert ((sparser == 0.0) | (sparser == np.asarray(batch))).all()


def test_fixed_data_ignore_the_key():
  keys = jax.random.split(jax.random.key(16))
  samples = np.arange(12.0, dtype=np.float32).reshape(4, 3)
  for key in keys:
    np.testing.assert_array_equal(sparse_features.fixed(samples)(key), samples)
    np.testing.assert_array_equal(
      sparse_features.one_hot(num_features=5, dtype=jnp.float32)(key),
      np.eye(5),
    )


# ----- Errors -----


@pytest.mark.parametrize(
  ('changes', 'named'),
  [
    ({'num_features': 1}, '1'),
    ({'num_hidden': 0}, '0'),
    ({'init': 'xavier'}, 'xavier'),
    ({'loss_reduction': 'median'}, 'median'),
  ],
)
def test_make_refuses_by_name(changes, named):
  sample = sparse_features.fixed(np.eye(5, dtype=np.float32))
  with pytest.raises(ValueError, match=named):
    make(**({'sample': sample} | changes))


@pytest.mark.parametrize('shape', [(3,), (2, 3, 4)])
def test_fixed_data_must_be_a_matrix(shape):
  with pytest.raises(ValueError, match=r'\[T, N\]'):
    sparse_features.fixed(np.zeros(shape, np.float32))


def test_loss_refuses_batches_of_another_width():
  toy = make(5)
  with pytest.raises(AssertionError):
    toy.loss(toy.init(jax.random.key(0)), jnp.zeros((3, 4)))


# ----- Published values -----


@pytest.mark.parametrize('num_features', PUBLISHED_NORM_AND_BIAS)
def test_regular_polygon_at_its_minimum_norm_is_exact(num_features):
  norm, bias = PUBLISHED_NORM_AND_BIAS[num_features]
  weights, biases = references.regular_polygon(num_features)
  np.testing.assert_allclose(
    np.linalg.norm(weights, axis=0), norm, atol=6e-5, rtol=0
  )
  np.testing.assert_allclose(biases, bias, atol=6e-5, rtol=0)

  def sse(stretch):
    params = references.regular_polygon(num_features, stretch)
    return float(
      relu_autoencoder.one_hot_sse(
        relu_autoencoder.Params(*map(jnp.float32, params))
      )
    )

  # Outputs carry a few roundings of numbers up to |W|² = 13.7, so about 3e-6.
  assert sse(1.0) < 1e-9
  assert sse(2.0) < 1e-9
  assert sse(0.99) > 1e-4


def expected_loss(toy, params, density, *, num_points):
  """E[Σ_i I_i (y_i - x_i)²] by the midpoint rule over each set of features."""
  num_features = params.bias.shape[0]
  middles = (np.arange(num_points) + 0.5) / num_points
  total = 0.0
  for present in itertools.product([False, True], repeat=num_features):
    axes = [middles if here else [0.0] for here in present]
    batch = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, num_features)
    weight = np.prod(np.where(present, density, 1.0 - density))
    total += weight * toy.loss(params, jnp.asarray(batch)) * num_features
  return float(total)


# W, number of the features left out, loss in r, s and V = s/3 - s²/4.
CANDIDATES = {
  'ignore_second': ([[1, 0]], (1,), lambda r, s, v: r * v),
  'ignore_first': ([[0, 1]], (0,), lambda r, s, v: v),
  'digon': ([[1, -1]], (), lambda r, s, v: (1 + r) * s**2 / 6),
  'digon_of_three': (
    [[1, -1, 0], [0, 0, 1]],
    (),
    lambda r, s, v: s**2 / 3,
  ),
}


@pytest.mark.parametrize('importance', [0.1, 1.0, 5.0])
@pytest.mark.parametrize('density', [0.05, 0.4, 1.0])
@pytest.mark.parametrize('candidate', CANDIDATES)
def test_phase_diagram_candidates(candidate, density, importance):
  weights, ignored, formula = CANDIDATES[candidate]
  num_hidden, num_features = np.shape(weights)
  # The importance is that of the last feature, the others have 1.
  decay = importance if num_features == 2 else 1.0
  bias = np.zeros(num_features)
  bias[list(ignored)] = density / 2.0  # The mean of what is ignored.
  with jax.enable_x64(True):
    toy = make(
      num_features, num_hidden, importance_decay=decay, dtype=jnp.float64
    )
    params = relu_autoencoder.Params(jnp.float64(weights), jnp.float64(bias))
    value = expected_loss(toy, params, density, num_points=40)
  # The midpoint rule errs by at most 1 / 40² of each second derivative.
  truth = formula(importance, density, density / 3 - density**2 / 4)
  np.testing.assert_allclose(value, truth, rtol=2e-3)


@pytest.mark.parametrize(
  'candidate', ['ignore_second', 'ignore_first', 'digon']
)
def test_phase_diagram_candidates_on_sampled_data(candidate):
  weights, ignored, formula = CANDIDATES[candidate]
  density, importance, num_batches = 0.3, 0.6, 200
  bias = np.zeros(2, np.float32)
  bias[list(ignored)] = density / 2.0
  sample = sparse_features.sparse_uniform(
    num_features=2,
    batch_size=2000,
    sparsity=1.0 - density,
    normalize=False,
    dtype=jnp.float32,
  )
  toy = make(2, 1, sample=sample, importance_decay=importance)
  params = relu_autoencoder.Params(jnp.float32(weights), jnp.asarray(bias))
  losses = jax.vmap(lambda key: 2.0 * toy.loss(params, toy.sample(key)))(
    jax.random.split(jax.random.key(17), num_batches)
  )
  truth = formula(importance, density, density / 3 - density**2 / 4)
  sigma = np.std(losses) / np.sqrt(num_batches)
  assert abs(np.mean(losses) - truth) < 5.0 * sigma
  assert sigma < 0.01 * truth


@pytest.mark.parametrize(
  ('num_sides', 'dead_bias', 'published'),
  [
    (4, 0.0, 0.11111),
    (5, 0.0, 0.06874),
    (5, 1.0 / 12.0, 0.06180),
    (6, 0.0, 0.04819),
  ],
)
def test_best_polygon_on_features_of_random_size(
  num_sides, dead_bias, published
):
  """Chen et al. 2023: x = μ e_i, μ ~ U[0, 1], N = 6, M = 2, expected SSE."""
  with jax.enable_x64(True):
    toy = make(6, dtype=jnp.float64)
    middles = (jnp.arange(400) + 0.5) / 400
    batch = (middles[:, None, None] * jnp.eye(6)[None]).reshape(-1, 6)
    live = jnp.arange(6) < num_sides
    angles = 2.0 * jnp.pi * jnp.arange(6) / num_sides
    polygon = live[None] * jnp.stack([jnp.cos(angles), jnp.sin(angles)])

    @jax.jit
    def sse(shape):
      length, bias = shape
      params = relu_autoencoder.Params(
        length * polygon, jnp.where(live, bias, dead_bias)
      )
      return 6.0 * toy.loss(params, batch)

    best = scipy.optimize.minimize(
      sse, [1.2, -0.2], jac=jax.grad(sse), method='BFGS'
    )
  assert best.fun == pytest.approx(published, abs=1e-5)


@pytest.mark.parametrize('init', relu_autoencoder.INITS)
def test_float64_runs_start_from_the_float32_weights(init):
  def draw(dtype, scale):
    toy = relu_autoencoder.make(
      num_features=7,
      num_hidden=2,
      sample=sparse_features.one_hot(num_features=7, dtype=dtype),
      init=init,
      init_scale=scale,
      importance_decay=1.0,
      loss_reduction='mean',
      dtype=dtype,
    )
    return jax.jit(toy.init)(jax.random.key(5))

  single = draw(jnp.float32, jnp.float32(0.7))
  with jax.enable_x64(True):
    double = draw(jnp.float64, jnp.float64(0.7))
  assert double.weights.dtype == np.float64
  for a, b in zip(single, double):
    np.testing.assert_array_equal(np.asarray(a, np.float64), b)
