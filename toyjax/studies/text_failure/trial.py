"""One run of the tiny text net: train in epochs, observe, diagnose, follow.

x (key and traced settings of one run) --trial--> results by name, as VARIABLES
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from toyjax import chunks, loops, optimizer_settings, store
from toyjax.base import Array, ArrayTree, Dynamics, Toy
from toyjax.flat_params import flatten
from toyjax.settings import Values
from toyjax.studies.text_failure.settings import split_batches, words_of
from toyjax.toys import text_mlp

VARIABLES = {
  'outcome': store.Variable(
    ('epoch',),
    {
      'long_name': 'how the run stands',
      **store.flag_attrs(text_mlp.Outcome),
    },
  ),
  'loss': store.Variable(
    ('epoch',),
    {'long_name': 'mean cross entropy over the pairs', 'units': 'nats'},
  ),
  'predictions': store.Variable(
    ('epoch', 'token'),
    {'long_name': 'next token by argmax', 'comment': text_mlp.TIE_RULE},
  ),
  'tied': store.Variable(
    ('epoch', 'token'),
    {'long_name': 'whether largest logits are exactly equal'},
  ),
  'correct': store.Variable(
    ('epoch', 'pair'), {'long_name': 'whether the output is predicted'}
  ),
  'num_dead_units': store.Variable(
    ('epoch', 'hidden_layer'),
    {'long_name': 'units that are off for all inputs of pairs'},
  ),
  'dead_layers': store.Variable(
    ('epoch', 'hidden_layer'), {'long_name': 'whether all units are dead'}
  ),
  'initial_loss': store.Variable(
    (), {'long_name': 'loss before training', 'units': 'nats'}
  ),
  'weights': store.Variable(
    ('weight',),
    {
      'long_name': 'all parameters after the last epoch',
      'comment': 'embedding [V, E], then kernel [inputs, outputs] and bias of '
      'each layer, each row by row',
    },
  ),
}


def make_toy(values: Values) -> Toy:
  """Returns the toy of a stage.

  Args:
    values: words, pairs, embed_dim, hidden_dim, num_hidden_layers, init and
      dtype.
  """
  words = words_of(values)
  return text_mlp.make(
    vocabulary_size=len(words.vocabulary),
    pairs=words.pairs,
    embed_dim=values['embed_dim'],
    hidden_dims=(values['hidden_dim'],) * values['num_hidden_layers'],
    batch_size=len(words.pairs),
    init=values['init'],
    dtype=jnp.dtype(values['dtype']),
  )


def make_dynamics(values: Values, x: Mapping[str, Array]) -> Dynamics:
  """Returns the training of one run, an epoch a step.

  Args:
    values: those of `make_toy`, optimizer and batches.
    x: the traced settings of one run: learning_rate and those that its
      optimizer uses, see `optimizer_settings.used`.
  """
  pairs = words_of(values).pairs
  order, size = split_batches(values['batches'])
  return text_mlp.descend_in_epochs(
    make_toy(values),
    optimizer_settings.make(
      values['optimizer'], x, schedule=None, dtype=jnp.dtype(values['dtype'])
    ),
    pairs=pairs,
    batch_size=size or len(pairs),
    shuffle=order == 'shuffled',
  )


def make_trial(values: Values, *, with_path: bool = False) -> chunks.Trial:
  """Returns the experiment for one seed: train, observe, diagnose.

  Args:
    values: of the stage.
    with_path: whether to return 'path' too, the weights at each observed epoch
      and, first, before training.
  """
  toy, pairs = make_toy(values), words_of(values).pairs

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    dynamics = make_dynamics(values, x)
    state, params = loops.unroll(
      x['key'],
      dynamics,
      values['num_epochs'],
      observe=lambda state, info: state.params,
      observe_at=values['observe_epochs'],
    )
    labels = jax.vmap(lambda p: text_mlp.diagnose(p, pairs=pairs))(params)
    initial, _ = loops.unroll(x['key'], dynamics, 0)
    results = {
      **labels._asdict(),
      'initial_loss': toy.loss(initial.params, jnp.asarray(pairs)),
      'weights': flatten(state.params),
    }
    if with_path:
      rows = [flatten(initial.params)[None], jax.vmap(flatten)(params)]
      results['path'] = jnp.concatenate(rows)
    return results

  return trial
