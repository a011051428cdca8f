"""One run of the tiny text net: train in epochs, observe, diagnose, follow.

x (key and traced flags of one run) --trial--> results by name, as VARIABLES
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import flat_params, optimizer_flags, text_flags
from scripts.shared.flat_params import flatten
from toyjax import chunks, loops, statistics, store
from toyjax.base import Array, ArrayTree, Dynamics, Toy
from toyjax.data import word_pairs
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


def unflatten(
  weights: np.ndarray, static: Mapping[str, Any], settings: Mapping[str, Any]
) -> text_mlp.Params:
  """Returns the parameters of stored nets, see `flat_params.unflatten`."""
  return flat_params.unflatten(weights, make_toy(static, settings)[0])


def make_toy(
  static: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[Toy, word_pairs.WordPairs]:
  """Returns the toy of a group, and its words.

  Args:
    static: pairs, embed_dim, hidden_dim, optimizer, batches and init.
    settings: words, num_hidden_layers and dtype.
  """
  words = text_flags.words_of(settings, static['pairs'])
  toy = text_mlp.make(
    vocabulary_size=len(words.vocabulary),
    pairs=words.pairs,
    embed_dim=static['embed_dim'],
    hidden_dims=(static['hidden_dim'],) * settings['num_hidden_layers'],
    batch_size=len(words.pairs),
    init=static['init'],
    dtype=jnp.dtype(settings['dtype']),
  )
  return toy, words


def make_dynamics(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  x: Mapping[str, Array],
) -> Dynamics:
  """Returns the training of one run, an epoch a step.

  Args:
    static: see `make_toy`.
    settings: see `make_toy`.
    x: the traced flags of one run: learning_rate and those that its optimizer
      uses, see `optimizer_flags.used`.
  """
  toy, words = make_toy(static, settings)
  order, size = text_flags.split_batches(static['batches'])
  optimizer = optimizer_flags.make(
    static['optimizer'], x, schedule=None, dtype=jnp.dtype(settings['dtype'])
  )
  return text_mlp.descend_in_epochs(
    toy,
    optimizer,
    pairs=words.pairs,
    batch_size=size or len(words.pairs),
    shuffle=order == 'shuffled',
  )


def make_trial(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  num_epochs: int | None = None,
  *,
  with_path: bool = False,
) -> chunks.Trial:
  """Returns the experiment for one seed: train, observe, diagnose.

  Args:
    static: the group's static flags.
    settings: all scientific flags.
    num_epochs: a shorter run, observed at its end only, for estimates.
    with_path: whether to return 'path' too, the weights at each observed epoch
      and, first, before training.
  """
  epochs = settings['observe_epochs'] if num_epochs is None else [num_epochs]
  num_epochs = num_epochs or settings['num_epochs']
  toy, words = make_toy(static, settings)
  pairs = words.pairs

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    dynamics = make_dynamics(static, settings, x)
    state, params = loops.unroll(
      x['key'],
      dynamics,
      num_epochs,
      observe=lambda state, info: state.params,
      observe_at=epochs,
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


def count_last_epoch(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Counts the outcomes of a chunk at its last epoch, for the progress line."""
  counts = statistics.counts(chunk['outcome'][:, -1], len(text_mlp.Outcome))
  return {code.name.lower(): int(counts[code]) for code in text_mlp.Outcome}
