"""One run of the net of one variable: train, observe, diagnose.

x (key and traced flags of one run) --trial--> results by name, as VARIABLES
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import flat_params, observing, optimizer_flags
from toyjax import chunks, descent, loops, statistics, store
from toyjax.base import Array, ArrayTree, Dynamics, Toy
from toyjax.toys import sqrt_mlp

# What a label is read from, beside whether the run diverged.
MEASURED = ('rmse', 'decrease', 'constancy', 'straightness', 'num_dead')

_GRID = 'on the even grid of num_points'
VARIABLES = {
  'outcome': store.Variable(
    ('step',),
    {
      'long_name': 'how the run stands',
      **store.flag_attrs(sqrt_mlp.Outcome),
    },
  ),
  'rmse': store.Variable(
    ('step',), {'long_name': f'root mean squared error {_GRID}'}
  ),
  'max_error': store.Variable(
    ('step',), {'long_name': f'largest error {_GRID}'}
  ),
  'decrease': store.Variable(
    ('step',),
    {
      'long_name': 'share of its mean squared error that the run lost over the '
      'last tenth of the steps',
      'comment': _GRID,
    },
  ),
  'constancy': store.Variable(
    ('step',),
    {'long_name': 'range of the answers over the range of the target'},
  ),
  'straightness': store.Variable(
    ('step',),
    {
      'long_name': 'departure of the answers from their best line over that of '
      'the target from its own'
    },
  ),
  'num_dead': store.Variable(
    ('step',), {'long_name': f'hidden units off everywhere {_GRID}'}
  ),
  'num_linear': store.Variable(
    ('step',), {'long_name': f'hidden units on everywhere {_GRID}'}
  ),
  'num_switching': store.Variable(
    ('step',), {'long_name': f'hidden units that switch {_GRID}'}
  ),
  'initial_loss': store.Variable(
    (), {'long_name': f'mean squared error before training, {_GRID}'}
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


def widths(
  static: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[int, ...]:
  """Returns the widths of the hidden layers."""
  return (static['hidden_dim'],) * settings['num_hidden_layers']


def coefficients(
  static: Mapping[str, Any], settings: Mapping[str, Any]
) -> Sequence[float]:
  """Returns the coefficients of the target, none but for a polynomial."""
  is_polynomial = static['target'] == 'polynomial'
  return settings['coefficients'] if is_polynomial else ()


def make_toy(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  init_scale: float | Array = 1.0,
) -> Toy:
  """Returns the toy of a group.

  Args:
    static: target, hidden_dim and init.
    settings: coefficients, low, high, num_hidden_layers, num_points, spacing
      and dtype.
    init_scale: one run's; shapes do not depend on it.
  """
  return sqrt_mlp.make(
    target=static['target'],
    coefficients=coefficients(static, settings),
    low=settings['low'],
    high=settings['high'],
    num_points=settings['num_points'],
    spacing=settings['spacing'],
    widths=widths(static, settings),
    init=static['init'],
    init_scale=init_scale,
    dtype=jnp.dtype(settings['dtype']),
  )


def make_dynamics(
  toy: Toy,
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  x: Mapping[str, Array],
) -> Dynamics:
  """Returns the training of one run, over `descent.DescentState`.

  Args:
    toy: from `make_toy`.
    static: optimizer.
    settings: dtype.
    x: the traced flags of one run: learning_rate and those that its optimizer
      uses, see `optimizer_flags.used`.
  """
  optimizer = optimizer_flags.make(
    static['optimizer'], x, schedule=None, dtype=jnp.dtype(settings['dtype'])
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

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    toy = make_toy(static, settings, x['init_scale'])
    dynamics = make_dynamics(toy, static, settings, x)
    grid = jnp.linspace(
      settings['low'],
      settings['high'],
      settings['num_points'],
      dtype=jnp.dtype(settings['dtype']),
    )
    values = sqrt_mlp.target_values(
      grid,
      target=static['target'],
      coefficients=coefficients(static, settings),
    )
    state, params = loops.unroll(
      x['key'],
      dynamics,
      num_steps,
      observe=lambda state, info: state.params,
      observe_at=seen.steps,
    )
    errors = jax.vmap(toy.loss, in_axes=(0, None))(params, grid)
    decrease = 1.0 - errors[seen.at] / errors[seen.earlier_at]

    def diagnose(params, decrease):
      return sqrt_mlp.diagnose(
        params,
        x=grid,
        values=values,
        decrease=decrease,
        solved_rmse=settings['solved_rmse'],
        thresholds=sqrt_mlp.THRESHOLDS,
      )

    labels = jax.vmap(diagnose)(
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
  results: Mapping[str, np.ndarray], solved_rmse: float
) -> np.ndarray:
  """Labels runs again by their stored quantities.

  Args:
    results: outcome and the arrays named in `MEASURED`, [S, K].
    solved_rmse: see `sqrt_mlp.diagnose`.

  Returns:
    Codes [S, K].
  """
  codes = sqrt_mlp.label(
    is_finite=results['outcome'] != sqrt_mlp.Outcome.DIVERGED,
    **{name: jnp.asarray(results[name]) for name in MEASURED},
    solved_rmse=solved_rmse,
    thresholds=sqrt_mlp.THRESHOLDS,
  )
  return np.asarray(codes)


def count_last_step(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Counts the outcomes of a chunk at its last step, for the progress line."""
  counts = statistics.counts(chunk['outcome'][:, -1], len(sqrt_mlp.Outcome))
  return {code.name.lower(): int(counts[code]) for code in sqrt_mlp.Outcome}
