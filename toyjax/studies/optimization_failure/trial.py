"""One run of the ReLU autoencoder on one-hot data: train, observe, diagnose.

x (key and traced flags of one run) --trial--> results by name, as VARIABLES
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import (
  chunks,
  descent,
  loops,
  observing,
  optimizer_settings,
  optimizers,
  store,
  sweeps,
)
from toyjax.base import Array, ArrayTree, Dynamics, PRNGKey
from toyjax.data import sparse_features
from toyjax.settings import Values
from toyjax.toys import relu_autoencoder
from toyjax.variables import coded, described

# The schedule of studies that have none.
CONSTANT = {'schedule': 'constant', 'warmup_steps': 0}
# What a label is read from.
RELABELLED = ('weights', 'bias', 'earlier_sse')

VARIABLES = {
  'outcome': coded(relu_autoencoder.Outcome, 'how the run stands', 'step'),
  'fates': coded(
    relu_autoencoder.Fate, 'how each feature fares', 'step', 'feature'
  ),
  **described(
    'step',
    sse='sum of squared errors over the n samples',
    earlier_sse='sse when nine tenths of the steps were made',
    shared_over='g of the only shared feature, else 0',
    num_learned='learned features',
    num_shared='shared features',
    num_merged='merged features',
    num_off='features that are off',
  ),
  **described(
    *('step', 'feature'),
    inputs_on='inputs for which an output is on',
    bias='b',
  ),
  **described('step', 'hidden', 'feature', weights='W, column i is W_i'),
  'first_solved_step': store.Variable(
    (),
    {
      'long_name': 'number of steps after which sse was first below solved_sse',
      'comment': '-1 where that never happened; every step was looked at',
    },
  ),
}


def make_dynamics(values: Values, x: Mapping[str, Array]) -> Dynamics:
  """Returns the training of one run, over `descent.DescentState`.

  Args:
    values: num_features, num_hidden, optimizer, init, loss_reduction, dtype,
      schedule, warmup_steps and num_steps.
    x: the traced settings of one run: learning_rate, init_scale, and those that
      its optimizer uses, see `optimizer_settings.used`.
  """
  dtype = jnp.dtype(values['dtype'])
  toy = relu_autoencoder.make(
    num_features=values['num_features'],
    num_hidden=values['num_hidden'],
    sample=sparse_features.one_hot(
      num_features=values['num_features'], dtype=dtype
    ),
    init=values['init'],
    init_scale=x['init_scale'],
    importance_decay=1.0,
    loss_reduction=values['loss_reduction'],
    dtype=dtype,
  )
  optimizer = optimizer_settings.make(
    values['optimizer'],
    x,
    schedule=optimizers.make_schedule(
      values['schedule'],
      warmup_steps=values['warmup_steps'],
      num_steps=values['num_steps'],
    ),
    dtype=dtype,
  )
  return descent.descend(toy, optimizer)


def with_first_solved(training: Dynamics, values: Values) -> Dynamics:
  """Keeps the number of steps after which a run is first solved, else -1.

  The weights after the last step are not looked at.

  Args:
    training: from `make_dynamics`.
    values: num_features, loss_reduction and solved_sse.
  """

  def update(record, step, state, info):
    del state  # The loss is that of the weights before this step.
    sse = relu_autoencoder.sse_from_one_hot_loss(
      info.loss,
      num_features=values['num_features'],
      loss_reduction=values['loss_reduction'],
    )
    is_first = (record < 0) & (sse < values['solved_sse'])
    return jnp.where(is_first, step - 1, record)

  return loops.track(training, init=lambda state: jnp.int32(-1), update=update)


def run_to_end(
  key: PRNGKey, dynamics: Dynamics, values: Values
) -> tuple[ArrayTree, relu_autoencoder.Diagnosis]:
  """Returns the last state, its weights at `.inner.params`, and how it stands.

  Args:
    key: of the run.
    dynamics: from `make_dynamics`, tracked by something.
    values: num_steps and solved_sse.
  """
  num_steps = values['num_steps']
  state, earlier_sse = loops.unroll(
    key,
    dynamics,
    num_steps,
    observe=lambda state, info: relu_autoencoder.one_hot_sse(
      state.inner.params
    ),
    observe_at=[max(num_steps * 9 // 10, 1)],
  )
  return state, _diagnose(
    state.inner.params, earlier_sse[0], values['solved_sse']
  )


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train, observe, diagnose."""
  num_steps, solved_sse = values['num_steps'], values['solved_sse']
  seen = observing.with_earlier(values['observe_steps'])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    training = make_dynamics(values, x)

    dynamics = with_first_solved(training, values)
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
  values: Values, stored: Mapping[str, np.ndarray]
) -> dict[str, ArrayTree]:
  """Diagnoses stored weights again, as a sweep over the runs.

  Args:
    values: `solved_sse`, see `relu_autoencoder.diagnose`.
    stored: the arrays named in `RELABELLED`, [S, K, ...].

  Returns:
    The fields of `relu_autoencoder.Diagnosis` by name, [S, K, ...].
  """

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    params = relu_autoencoder.Params(x['weights'], x['bias'])
    labels = jax.vmap(_diagnose, in_axes=(0, 0, None))(
      params, x['earlier_sse'], values['solved_sse']
    )
    return labels._asdict()

  xs = {name: stored[name] for name in RELABELLED}
  return sweeps.sweep(trial, xs, chunk_size=16_384)
