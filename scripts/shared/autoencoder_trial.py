"""One run of the ReLU autoencoder on one-hot data: train, observe, diagnose.

x (key and traced flags of one run) --trial--> results by name, as VARIABLES
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import observing, optimizer_flags
from toyjax import chunks, descent, loops, optimizers, store, sweeps
from toyjax.base import Array, ArrayTree, Dynamics
from toyjax.data import sparse_features
from toyjax.toys import relu_autoencoder

# What a label is read from.
RELABELLED = ('weights', 'bias', 'earlier_sse')

VARIABLES = {
  'outcome': store.Variable(
    ('step',),
    {
      'long_name': 'how the run stands',
      **store.flag_attrs(relu_autoencoder.Outcome),
    },
  ),
  'sse': store.Variable(
    ('step',), {'long_name': 'sum of squared errors over the n samples'}
  ),
  'earlier_sse': store.Variable(
    ('step',), {'long_name': 'sse when nine tenths of the steps were made'}
  ),
  'fates': store.Variable(
    ('step', 'feature'),
    {
      'long_name': 'how each feature fares',
      **store.flag_attrs(relu_autoencoder.Fate),
    },
  ),
  'inputs_on': store.Variable(
    ('step', 'feature'), {'long_name': 'inputs for which an output is on'}
  ),
  'shared_over': store.Variable(
    ('step',), {'long_name': 'g of the only shared feature, else 0'}
  ),
  'num_learned': store.Variable(('step',), {'long_name': 'learned features'}),
  'num_shared': store.Variable(('step',), {'long_name': 'shared features'}),
  'num_merged': store.Variable(('step',), {'long_name': 'merged features'}),
  'num_off': store.Variable(('step',), {'long_name': 'features that are off'}),
  'weights': store.Variable(
    ('step', 'hidden', 'feature'), {'long_name': 'W, column i is W_i'}
  ),
  'bias': store.Variable(('step', 'feature'), {'long_name': 'b'}),
  'first_solved_step': store.Variable(
    (),
    {
      'long_name': 'number of steps after which sse was first below solved_sse',
      'comment': '-1 where that never happened; every step was looked at',
    },
  ),
}


def make_dynamics(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  x: Mapping[str, Array],
) -> Dynamics:
  """Returns the training of one run, over `descent.DescentState`.

  Args:
    static: num_features, num_hidden, optimizer, init and loss_reduction.
    settings: dtype, schedule, warmup_steps and num_steps.
    x: the traced flags of one run: learning_rate, init_scale, and those that
      its optimizer uses, see `optimizer_flags.used`.
  """
  dtype = jnp.dtype(settings['dtype'])
  toy = relu_autoencoder.make(
    num_features=static['num_features'],
    num_hidden=static['num_hidden'],
    sample=sparse_features.one_hot(
      num_features=static['num_features'], dtype=dtype
    ),
    init=static['init'],
    init_scale=x['init_scale'],
    importance_decay=1.0,
    loss_reduction=static['loss_reduction'],
    dtype=dtype,
  )
  optimizer = optimizer_flags.make(
    static['optimizer'],
    x,
    schedule=optimizers.make_schedule(
      settings['schedule'],
      warmup_steps=settings['warmup_steps'],
      num_steps=settings['num_steps'],
    ),
    dtype=dtype,
  )
  return descent.descend(toy, optimizer)


def make_trial(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  num_steps: int | None = None,
) -> chunks.Trial:
  """Returns the experiment for one seed: train, observe, diagnose.

  Args:
    static: the group's static flags.
    settings: all scientific flags.
    num_steps: a shorter run, observed at its end only, for estimates.
  """
  steps = settings['observe_steps'] if num_steps is None else [num_steps]
  num_steps = num_steps or settings['num_steps']
  seen = observing.with_earlier(steps)
  solved_sse = settings['solved_sse']

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    training = make_dynamics(static, settings, x)

    def first_solved(record, step, state, info):
      del state  # The loss is that of the weights before this step.
      sse = relu_autoencoder.sse_from_one_hot_loss(
        info.loss,
        num_features=static['num_features'],
        loss_reduction=static['loss_reduction'],
      )
      return jnp.where((record < 0) & (sse < solved_sse), step - 1, record)

    dynamics = loops.track(
      training,
      init=lambda state: jnp.int32(-1),
      update=first_solved,
    )
    state, params = loops.unroll(
      x['key'],
      dynamics,
      num_steps,
      observe=lambda state, info: state.inner.params,
      observe_at=seen.steps,
    )
    sse = jax.vmap(relu_autoencoder.one_hot_sse)(params)
    params = jax.tree.map(lambda leaf: leaf[seen.at], params)
    labels = jax.vmap(_diagnose, in_axes=(0, 0, None))(
      params, sse[seen.earlier_at], solved_sse
    )
    end_sse = relu_autoencoder.one_hot_sse(state.inner.params)
    return {
      **labels._asdict(),
      'earlier_sse': sse[seen.earlier_at],
      'weights': params.weights,
      'bias': params.bias,
      'first_solved_step': jnp.where(
        (state.record < 0) & (end_sse < solved_sse), num_steps, state.record
      ),
    }

  return trial


def _diagnose(params, earlier_sse, solved_sse):
  return relu_autoencoder.diagnose(
    params,
    earlier_sse=earlier_sse,
    solved_sse=solved_sse,
    thresholds=relu_autoencoder.THRESHOLDS,
  )


def relabel(
  results: Mapping[str, np.ndarray], solved_sse: float
) -> dict[str, ArrayTree]:
  """Diagnoses stored weights again, as a sweep over the runs.

  Args:
    results: the stored arrays named in `RELABELLED`, [S, K, ...].
    solved_sse: see `relu_autoencoder.diagnose`.

  Returns:
    The fields of `relu_autoencoder.Diagnosis` by name, [S, K, ...].
  """

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    params = relu_autoencoder.Params(x['weights'], x['bias'])
    labels = jax.vmap(_diagnose, in_axes=(0, 0, None))(
      params, x['earlier_sse'], solved_sse
    )
    return labels._asdict()

  xs = {name: results[name] for name in RELABELLED}
  return sweeps.sweep(trial, xs, chunk_size=16_384)


def count_last_step(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Counts the outcomes of a chunk at its last step, for the progress line."""
  counts = np.bincount(
    chunk['outcome'][:, -1], minlength=len(relu_autoencoder.Outcome)
  )
  return {
    code.name.lower(): int(counts[code]) for code in relu_autoencoder.Outcome
  }
