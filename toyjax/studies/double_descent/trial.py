"""One net on T fixed sparse samples: train on all of them, tell what it holds.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping
import functools

import jax
import jax.numpy as jnp

from toyjax import chunks, descent, loops, optimizer_settings, optimizers
from toyjax.analysis.autoencoder import memorising
from toyjax.analysis.autoencoder.memorising import Regime
from toyjax.base import Array, ArrayTree, PRNGKey
from toyjax.data import row_blocks, sparse_features
from toyjax.settings import Values
from toyjax.toys import relu_autoencoder
from toyjax.variables import coded, described

_FRESH_BLOCK = 100  # Fresh samples that are held at a time.

VARIABLES = {
  'outcome': coded(Regime, 'what the net holds'),
  **described(
    loss='mean over its samples of |y - x|²',
    null_loss='that of the best constant answer',
    fresh_loss='the same of fresh samples',
    fresh_null_loss='the same of fresh samples',
    explained='fresh variance that is explained, in that of one feature',
  ),
  **described('hidden', 'feature', weights='W'),
  **described('feature', bias='b'),
  **described('hidden', 'sample', hidden_vectors='W x of each sample'),
}


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train on the samples, tell."""
  dtype = jnp.dtype(values['dtype'])
  num_features, num_samples = values['num_features'], values['num_samples']
  schedule = optimizers.make_schedule(
    'warmup_cosine',
    warmup_steps=int(values['warmup'] * values['num_steps']),
    num_steps=values['num_steps'],
  )

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    draw = sparse_features.sparse_uniform(
      num_features=num_features,
      batch_size=1,
      sparsity=x['sparsity'],
      normalize=values['row_length'] == 'unit',
      dtype=dtype,
    )

    def rows(key: PRNGKey, numbers: Array) -> Array:
      """Draws rows by their numbers: fewer are the first of more."""
      return jax.vmap(lambda t: draw(jax.random.fold_in(key, t))[0])(numbers)

    data_key = jax.random.fold_in(
      jax.random.key(values['seed']), x['data_seed'].astype(jnp.int32)
    )
    samples = row_blocks.make(
      functools.partial(rows, loops.side_key(data_key, 0)),
      num_rows=num_samples,
      largest=values['row_block'],
      density=1.0 - min(values['sparsity']),
    )
    fresh = row_blocks.drawn_anew(
      functools.partial(rows, loops.side_key(data_key, 1)),
      num_rows=values['num_test'],
      largest=_FRESH_BLOCK,
    )
    toy = relu_autoencoder.make(
      num_features=num_features,
      num_hidden=2,
      sample=lambda key: jnp.zeros(()),  # See `loss`.
      init=values['init'],
      init_scale=x['init_scale'],
      importance_decay=1.0,
      loss_reduction='sum',
      dtype=dtype,
    )
    is_mean = values['loss_reduction'] == 'mean'
    number = num_samples * num_features if is_mean else 1

    def loss(params: relu_autoencoder.Params, batch: Array) -> Array:
      del batch  # All samples, in blocks.
      one = functools.partial(toy.loss, params)
      return row_blocks.summed(one, samples) / number

    optimizer = optimizer_settings.make(
      values['optimizer'], x, schedule=schedule, dtype=dtype
    )
    state, _ = loops.unroll(
      x['key'],
      descent.descend(toy._replace(loss=loss), optimizer),
      values['num_steps'],
    )
    params = state.params
    own = memorising.losses(params, samples)
    new = memorising.losses(params, fresh)
    hidden = memorising.hidden_vectors(params, samples)
    return {
      'outcome': memorising.classify(params, hidden, new),
      **{'loss': own.loss, 'null_loss': own.null},
      **{'fresh_loss': new.loss, 'fresh_null_loss': new.null},
      'explained': memorising.explained(new, num_features),
      **{'weights': params.weights, 'bias': params.bias},
      'hidden_vectors': hidden,
    }

  return trial
