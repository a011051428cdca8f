"""Whole programs: training, dynamics, Flax, optimizers of Optax."""

from typing import NamedTuple

from flax import nnx
import jax
import jax.numpy as jnp
import optax

from tests.toys import autoencoder as toys
from toyjax import loops, optimizers
from toyjax.base import Dynamics
from toyjax.data import sparse_features
from toyjax.descent import descend
from toyjax.toys import relu_autoencoder

NUM_SEEDS = 4
NUM_STEPS = 20


HYPERPARAMETERS = {
  'momentum': 0.9,
  'b1': 0.9,
  'b2': 0.999,
  # Large, so that gradients of rounding errors are not scaled up to one.
  'eps': 1e-3,
  'decay': 0.99,
  'weight_decay': 1e-2,
}


def _optimizer(name='adam', schedule=None):
  return optimizers.make(
    name,
    learning_rate=1e-2,
    schedule=schedule,
    **{h: HYPERPARAMETERS[h] for h in optimizers.HYPERPARAMETERS[name]},
  )


def autoencoder(sample=None, **changes):
  return toys.make(5, 2, sample, importance_decay=0.9, **changes)


def train(dynamics, key):
  state, losses = loops.unroll(
    key,
    dynamics,
    NUM_STEPS,
    observe=lambda state, info: info.loss,
    observe_at=[1, 2, 7, NUM_STEPS],
  )
  return state, losses


def _by_optimizer(name):
  def trial(key):
    return train(descend(autoencoder(), _optimizer(name)), key)

  return trial


def _by_init(init):
  def trial(key):
    toy = autoencoder(init=init, loss_reduction='sum')
    return train(descend(toy, _optimizer('sgd')), key)

  return trial


def _random_batches(key):
  return train(descend(autoencoder(toys.sparse(5, 6)), _optimizer()), key)


def _fixed_samples(key):
  data_key, run_key = jax.random.split(key)
  samples = toys.sparse(5, 6, normalize=True)(data_key)
  toy = autoencoder(sparse_features.fixed(samples))
  return train(descend(toy, _optimizer()), run_key)


def _scheduled(key):
  schedule = optimizers.make_schedule(
    'warmup_cosine', warmup_steps=5, num_steps=NUM_STEPS
  )
  toy = autoencoder()
  return train(descend(toy, _optimizer('adamw', schedule)), key)


def _tracked(key):
  dynamics = loops.track(
    descend(autoencoder(toys.sparse(5, 6)), _optimizer()),
    init=lambda state: (jnp.float32(jnp.inf), jnp.int32(0)),
    update=lambda record, step, state, info: (
      jnp.minimum(record[0], info.loss),
      jnp.where(info.loss < record[0], step, record[1]),
    ),
  )
  return train(dynamics, key)


def _intervened(key):
  def perturb(key, state):
    noise = jax.random.normal(key, state.params.weights.shape, jnp.float32)
    weights = state.params.weights + 0.01 * noise
    return state._replace(params=state.params._replace(weights=weights))

  dynamics = loops.intervene(
    descend(autoencoder(), _optimizer()), [3, 5], perturb
  )
  return train(dynamics, key)


def _every_step_normalized(key):
  def normalize(key, state):
    del key
    lengths = jnp.linalg.norm(state.params.weights, axis=0, keepdims=True)
    weights = state.params.weights / lengths
    return state._replace(params=state.params._replace(weights=weights))

  dynamics = loops.intervene(
    descend(autoencoder(), _optimizer()), None, normalize
  )
  return train(dynamics, key)


def _diagnosed(key):
  state, _ = train(descend(autoencoder(), _optimizer()), key)
  return relu_autoencoder.diagnose(
    state.params,
    earlier_sse=relu_autoencoder.one_hot_sse(state.params) + 1e-3,
    solved_sse=1e-6,
    thresholds=relu_autoencoder.THRESHOLDS,
  )


class _Plane(NamedTuple):
  """State of `_chaos`."""

  x: jax.Array
  step: jax.Array


def _chaos(key):
  """A dynamics without an optimizer, stopped when it leaves the unit disk."""
  start = jax.random.uniform(key, (2,), jnp.float32, -0.3, 0.3)
  matrix = jnp.asarray([[1.1, 0.3], [-0.3, 1.1]], jnp.float32)
  dynamics = Dynamics(
    lambda key: _Plane(start, jnp.int32(0)),
    lambda key, state: (
      jax.lax.cond(
        jnp.linalg.norm(state.x) < 1.0,
        lambda s: _Plane(jnp.tanh(matrix @ s.x), s.step + 1),
        lambda s: s,
        state,
      ),
      (),
    ),
  )
  return loops.unroll(
    key, dynamics, NUM_STEPS, observe=lambda state, info: state
  )


def _fit(loss, optimizer, params):
  """Descends a loss by an optimizer of Optax; returns parameters and losses."""

  def step(carry, _):
    params, opt_state = carry
    value, grads = jax.value_and_grad(loss)(params)
    updates, opt_state = optimizer.update(grads, opt_state, params)
    return (optax.apply_updates(params, updates), opt_state), value

  (params, _), losses = jax.lax.scan(
    step, (params, optimizer.init(params)), length=NUM_STEPS
  )
  return params, losses


class _Classifier(nnx.Module):
  """Embedding, two layers, logits."""

  def __init__(self, rngs):
    self.embed = nnx.Embed(7, 3, rngs=rngs)
    self.hidden = nnx.Linear(6, 5, rngs=rngs)
    self.out = nnx.Linear(5, 4, rngs=rngs)

  def __call__(self, tokens):
    vectors = self.embed(tokens).reshape(tokens.shape[0], -1)
    return self.out(jnp.tanh(self.hidden(vectors)))


def _flax(key):
  model_key, token_key, label_key = jax.random.split(key, 3)
  graph, params = nnx.split(_Classifier(nnx.Rngs(model_key)), nnx.Param)
  tokens = jax.random.randint(token_key, (6, 2), 0, 7)
  labels = jax.random.randint(label_key, (6,), 0, 4)
  optimizer = optax.chain(
    optax.clip_by_global_norm(1.0),
    optax.adamw(
      optax.warmup_cosine_decay_schedule(0.0, 3e-2, 5, NUM_STEPS), eps=1e-3
    ),
  )

  def loss(params):
    logits = nnx.merge(graph, params)(tokens)
    return jnp.mean(
      optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    )

  params, losses = _fit(loss, optimizer, params)
  return nnx.to_pure_dict(params), losses


def _optax(make):
  """Trains a matrix and a vector by an optimizer of optax's own."""

  def trial(key):
    target_key, start_key = jax.random.split(key)
    target = jax.random.normal(target_key, (3, 2), jnp.float32)
    params = {
      'a': jax.random.normal(start_key, (3, 2), jnp.float32),
      'b': jnp.ones(2, jnp.float32),
    }
    optimizer = make()

    def loss(params):
      return jnp.sum((params['a'] * params['b'][None] - target) ** 2)

    return _fit(loss, optimizer, params)

  return trial


PROGRAMS = {
  **{f'optimizer_{o}': _by_optimizer(o) for o in optimizers.HYPERPARAMETERS},
  **{f'init_{init}': _by_init(init) for init in relu_autoencoder.INITS},
  'random_batches': _random_batches,
  'fixed_samples': _fixed_samples,
  'schedule': _scheduled,
  'track': _tracked,
  'intervene': _intervened,
  'intervene_always': _every_step_normalized,
  'outcome': _diagnosed,
  'chaos': _chaos,
  'flax': _flax,
  'optax_lion': _optax(lambda: optax.lion(1e-2)),
  'optax_adafactor': _optax(lambda: optax.adafactor(1e-2)),
  'optax_multi_steps': _optax(
    lambda: optax.MultiSteps(optax.sgd(1e-2, 0.9), 3)
  ),
  'optax_masked': _optax(
    lambda: optax.masked(optax.rmsprop(1e-2), {'a': True, 'b': False})
  ),
}
