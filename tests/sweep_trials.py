"""A small trial and its runs, for the tests of sweeps."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from toyjax import chunks, loops, optimizers, sweeps
from toyjax.base import Toy
from toyjax.descent import descend

# Thirty steps, of which momentum keeps ten in mind, each rounding numbers of
# the order of 1 by half of 1.2e-7; found over 1,200 runs: up to 1.5e-5.
LAST_BITS = {'rtol': 2e-5, 'atol': 2e-5}


def train_one_weight(x):
  """Trains one weight on its own random data; every bit of x matters."""
  data_key, run_key = jax.random.split(x['key'])
  targets = jax.random.normal(data_key, (5,))
  toy = Toy(
    init=jax.random.normal,
    sample=lambda key: targets + 0.1 * jax.random.normal(key, (5,)),
    loss=lambda w, batch: jnp.mean((jnp.tanh(w) - batch) ** 2),
  )
  optimizer = optimizers.make(
    'momentum', learning_rate=x['rate'], schedule=None, momentum=0.9
  )
  state, loss = loops.unroll(
    run_key,
    descend(toy, optimizer),
    30,
    observe=lambda state, info: info.loss,
    observe_at=[1, 10, 30],
  )
  return {'w': state.params, 'loss': loss, 'index': x['seed_index']}


def make_xs(num_seeds):
  return sweeps.seeds_by_grid(
    seed=7,
    num_seeds=num_seeds,
    configurations=sweeps.grid(rate=np.float32([0.01, 0.1, 0.3])),
  )


def one_device():
  return jax.make_mesh(
    (1,),
    (chunks.RUNS,),
    axis_types=(jax.sharding.AxisType.Auto,),
    devices=jax.local_devices()[:1],
  )


# The layer from 128 hidden units to 33 outputs has 256 x 128 x 33 products, and
# its gradient more rows than columns.
_BATCH, _INPUTS, HIDDEN, OUTPUTS = (4, 64), 16, 128, 33
# Three steps of 0.1 on weights of the order of 1; sums of 256 products.
CLOSE = {'rtol': 1e-5, 'atol': 2e-6}


def train_large_net(key):
  """Trains a net with one hidden layer by three steps, batch [4, 64, N]."""
  start_key, run_key = jax.random.split(key)
  first_key, second_key = jax.random.split(start_key)

  def sample(key):
    return jax.random.normal(key, (*_BATCH, _INPUTS))

  def loss(params, batch):
    hidden = jax.lax.cond(
      jnp.sum(batch) > -1e9, jax.nn.relu, jnp.negative, batch @ params[0]
    )
    return jnp.mean((hidden @ params[1] - batch[..., :1]) ** 2)

  params = (
    jax.random.normal(first_key, (_INPUTS, HIDDEN)) / 4,
    jax.random.normal(second_key, (HIDDEN, OUTPUTS)) / 12,
  )
  toy = Toy(lambda key: params, sample, loss)
  state, _ = loops.unroll(run_key, descend(toy, optax.sgd(0.1)), 3)
  return state.params
