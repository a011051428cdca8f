"""One run of the net of one variable: train, observe, diagnose.

x (key and traced flags of one run) --trial--> results by name, as VARIABLES
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import (
  chunks,
  descent,
  flat_params,
  loops,
  observing,
  optimizer_settings,
  store,
)
from toyjax.base import Array, ArrayTree, Dynamics, Toy
from toyjax.settings import Values
from toyjax.toys import sqrt_mlp
from toyjax.variables import coded, described

# What a label is read from, beside whether the run diverged.
MEASURED = ('rmse', 'decrease', 'constancy', 'straightness', 'num_dead')

_GRID = 'on the even grid of num_points'
VARIABLES = {
  'outcome': coded(sqrt_mlp.Outcome, 'how the run stands', 'step'),
  **described(
    'step',
    rmse=f'root mean squared error {_GRID}',
    max_error=f'largest error {_GRID}',
    constancy='range of the answers over the range of the target',
    straightness='departure of the answers from their best line over that of '
    'the target from its own',
    num_dead=f'hidden units off everywhere {_GRID}',
    num_linear=f'hidden units on everywhere {_GRID}',
    num_switching=f'hidden units that switch {_GRID}',
  ),
  **described(initial_loss=f'mean squared error before training, {_GRID}'),
  'decrease': store.Variable(
    ('step',),
    {
      'long_name': 'share of its mean squared error that the run lost over the '
      'last tenth of the steps',
      'comment': _GRID,
    },
  ),
  'weights': store.Variable(
    ('weight',),
    {
      'long_name': 'all parameters after the last step',
      'comment': 'weight [outputs, inputs], row by row, then bias, of each '
      'layer from input to output',
    },
  ),
}


def widths(values: Values) -> tuple[int, ...]:
  """Returns the widths of the hidden layers."""
  return (values['hidden_dim'],) * values['num_hidden_layers']


def target(values: Values) -> dict[str, Any]:
  """Returns the target and its coefficients, none but of a polynomial."""
  is_polynomial = values['target'] == 'polynomial'
  return {
    'target': values['target'],
    'coefficients': values['coefficients'] if is_polynomial else (),
  }


def make_toy(values: Values, init_scale: float | Array = 1.0) -> Toy:
  """Returns the toy of a stage.

  Args:
    values: of the stage.
    init_scale: one run's; shapes do not depend on it.
  """
  return sqrt_mlp.make(
    **target(values),
    low=values['low'],
    high=values['high'],
    num_points=values['num_points'],
    spacing=values['spacing'],
    widths=widths(values),
    init=values['init'],
    init_scale=init_scale,
    dtype=jnp.dtype(values['dtype']),
  )


def make_dynamics(toy: Toy, values: Values, x: Mapping[str, Array]) -> Dynamics:
  """Returns the training of one run, over `descent.DescentState`.

  Args:
    toy: from `make_toy`.
    values: of the stage.
    x: the traced settings of one run: learning_rate and those that its
      optimizer uses.
  """
  optimizer = optimizer_settings.make(
    values['optimizer'], x, schedule=None, dtype=jnp.dtype(values['dtype'])
  )
  return descent.descend(toy, optimizer)


def diagnosis(
  x: Array, targets: Array, solved_rmse: float
) -> Callable[[sqrt_mlp.Params, Array], sqrt_mlp.Diagnosis]:
  """Returns (params, decrease) -> how a run stands; see `sqrt_mlp.diagnose`."""
  return lambda params, decrease: sqrt_mlp.diagnose(
    params,
    x=x,
    values=targets,
    decrease=decrease,
    solved_rmse=solved_rmse,
    thresholds=sqrt_mlp.THRESHOLDS,
  )


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train, observe, diagnose."""
  seen = observing.with_earlier(values['observe_steps'])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    toy = make_toy(values, x['init_scale'])
    dynamics = make_dynamics(toy, values, x)
    grid = jnp.linspace(
      values['low'],
      values['high'],
      values['num_points'],
      dtype=jnp.dtype(values['dtype']),
    )
    targets = sqrt_mlp.target_values(grid, **target(values))
    state, params = loops.unroll(
      x['key'],
      dynamics,
      values['num_steps'],
      observe=lambda state, info: state.params,
      observe_at=seen.steps,
    )
    errors = jax.vmap(toy.loss, in_axes=(0, None))(params, grid)
    decrease = 1.0 - errors[seen.at] / errors[seen.earlier_at]

    labels = jax.vmap(diagnosis(grid, targets, values['solved_rmse']))(
      jax.tree.map(lambda leaf: leaf[seen.at], params), decrease
    )
    initial, _ = loops.unroll(x['key'], dynamics, 0)
    return {
      **labels._asdict(),
      'decrease': decrease,
      'initial_loss': toy.loss(initial.params, grid),
      'weights': flat_params.flatten(state.params),
    }

  return trial


def relabel(
  values: Values, stored: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
  """Labels runs again by their stored quantities.

  Args:
    values: `solved_rmse`, see `sqrt_mlp.diagnose`.
    stored: outcome and the arrays named in `MEASURED`, [S, K].

  Returns:
    outcome, [S, K].
  """
  codes = sqrt_mlp.label(
    is_finite=stored['outcome'] != sqrt_mlp.Outcome.DIVERGED,
    **{name: jnp.asarray(stored[name]) for name in MEASURED},
    solved_rmse=values['solved_rmse'],
    thresholds=sqrt_mlp.THRESHOLDS,
  )
  return {'outcome': np.asarray(codes)}
