"""The ReLU autoencoder and its training against float64 references."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references
from tests.toys.autoencoder import TOLERANCES, make, random_case
from toyjax import descent, loops, optimizers
from toyjax.data import sparse_features
from toyjax.toys import relu_autoencoder

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


def test_loss_refuses_batches_of_another_width():
  toy = make(5)
  with pytest.raises(AssertionError):
    toy.loss(toy.init(jax.random.key(0)), jnp.zeros((3, 4)))


def test_importances_may_be_given_one_by_one():
  weights, bias, batch = random_case(5, 2, seed=4)
  params = relu_autoencoder.Params(jnp.float32(weights), jnp.float32(bias))
  importance = np.asarray([1.0, 0.2, 3.0, 0.0, 0.5], np.float32)
  errors = [
    importance * (references.reconstruct(weights, bias, x) - x) ** 2
    for x in batch
  ]
  toy = make(5, 2, importance=jnp.asarray(importance))
  np.testing.assert_allclose(
    toy.loss(params, jnp.float32(batch)), np.mean(errors), rtol=1e-5
  )
  powers = make(5, 2, importance=0.7 ** jnp.arange(5.0))
  decayed = make(5, 2, importance_decay=0.7)
  np.testing.assert_allclose(
    powers.loss(params, jnp.float32(batch)),
    decayed.loss(params, jnp.float32(batch)),
    rtol=1e-6,
  )
