"""Optimizers against closed forms and PyTorch's published update rules."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from toyjax import optimizers

NUMBERS = {
  'momentum': 0.8,
  'b1': 0.85,
  'b2': 0.97,
  'eps': 1e-3,
  'decay': 0.95,
  'weight_decay': 0.2,
}


def _make(name, learning_rate=0.05, schedule=None, **changes):
  chosen = {k: (NUMBERS | changes)[k] for k in optimizers.HYPERPARAMETERS[name]}
  return optimizers.make(
    name, learning_rate=learning_rate, schedule=schedule, **chosen
  )


def _run(optimizer, grads, start):
  params = jnp.asarray(start, jnp.float32)
  state = optimizer.init(params)
  for grad in grads:
    updates, state = optimizer.update(jnp.float32(grad), state, params)
    params = optax.apply_updates(params, updates)
  return np.asarray(params, float)


def _expected(name, grads, start, lr=0.05):
  """The rules in float64, as their papers and PyTorch's manual write them."""
  h = NUMBERS
  p, m, v = float(start), 0.0, 0.0
  for t, g in enumerate(grads, start=1):
    if name == 'sgd':
      p -= lr * g
    elif name == 'momentum':
      m = h['momentum'] * m + g
      p -= lr * m
    elif name == 'rmsprop':
      v = h['decay'] * v + (1 - h['decay']) * g * g
      p -= lr * g / (np.sqrt(v) + h['eps'])
    else:
      if name == 'adamw':
        p -= lr * h['weight_decay'] * p
      m = h['b1'] * m + (1 - h['b1']) * g
      v = h['b2'] * v + (1 - h['b2']) * g * g
      p -= (
        lr
        * (m / (1 - h['b1'] ** t))
        / (np.sqrt(v / (1 - h['b2'] ** t)) + h['eps'])
      )
  return p


@pytest.mark.parametrize('name', optimizers.HYPERPARAMETERS)
def test_updates_follow_the_published_rule(name):
  grads = np.random.default_rng(0).normal(size=12)
  # AdamW's decay uses the weights before the step in both writings.
  np.testing.assert_allclose(
    _run(_make(name), grads, 1.3), _expected(name, grads, 1.3), rtol=2e-5
  )


@pytest.mark.parametrize('name', optimizers.HYPERPARAMETERS)
def test_every_number_may_be_traced(name):
  grads = [0.3, -0.2, 0.9]
  numbers = {k: NUMBERS[k] for k in optimizers.HYPERPARAMETERS[name]}

  @jax.jit
  def end(learning_rate, numbers):
    optimizer = optimizers.make(
      name, learning_rate=learning_rate, schedule=None, **numbers
    )
    params = jnp.float32(1.3)
    state = optimizer.init(params)
    for grad in grads:
      updates, state = optimizer.update(jnp.float32(grad), state, params)
      params = optax.apply_updates(params, updates)
    return params

  traced = end(jnp.float32(0.05), jax.tree.map(jnp.float32, numbers))
  np.testing.assert_allclose(traced, _run(_make(name), grads, 1.3), rtol=1e-5)


def test_unknown_missing_and_unused_hyperparameters_are_named():
  with pytest.raises(ValueError, match='unknown optimizer'):
    optimizers.make('lion', learning_rate=0.1, schedule=None)
  with pytest.raises(ValueError, match='weight_decay'):
    optimizers.make(
      'adamw', learning_rate=0.1, schedule=None, b1=0.9, b2=0.9, eps=0.0
    )
  with pytest.raises(ValueError, match='sgd'):
    optimizers.make('sgd', learning_rate=0.1, schedule=None, momentum=0.9)


def test_warmup_cosine_has_unit_peak_and_ends_at_zero():
  schedule = optimizers.make_schedule(
    'warmup_cosine', warmup_steps=10, num_steps=50
  )
  truth = optax.warmup_cosine_decay_schedule(0.0, 1.0, 10, 50)
  for step in (0, 1, 5, 9, 10, 11, 30, 49, 50, 60):
    np.testing.assert_allclose(schedule(step), truth(step), atol=1e-6)
  assert float(schedule(10)) == 1.0
  np.testing.assert_allclose(schedule(30), 0.5, atol=1e-6)


def test_a_schedule_multiplies_the_rate():
  schedule = optimizers.make_schedule(
    'warmup_cosine', warmup_steps=2, num_steps=6
  )
  grads = [1.0] * 6
  moved = 1.0 - _run(_make('sgd', schedule=schedule), grads, 1.0)
  expected = 0.05 * sum(float(schedule(step)) for step in range(6))
  np.testing.assert_allclose(moved, expected, rtol=1e-5)


def test_schedules_reject_what_does_not_fit():
  no_schedule = optimizers.make_schedule(
    'constant', warmup_steps=0, num_steps=5
  )
  assert no_schedule is None
  with pytest.raises(ValueError, match='unknown schedule'):
    optimizers.make_schedule('linear', warmup_steps=0, num_steps=5)
  with pytest.raises(ValueError, match='warmup_steps'):
    optimizers.make_schedule('warmup_cosine', warmup_steps=5, num_steps=5)
