"""One run of the chaos map: descend from one point, and say how it stands.

x (learning rate, Δ, nudge) --trial--> results by name, as `variables`
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import chunks, loops, store
from toyjax.analysis.chaos import dynamics as chaos
from toyjax.analysis.chaos import endings as chaos_endings
from toyjax.analysis.chaos import lyapunov
from toyjax.analysis.chaos.endings import Ending
from toyjax.base import Array, Dynamics
from toyjax.settings import Values
from toyjax.toys import relu_autoencoder


def variables(values: Values) -> dict[str, store.Variable]:
  """Returns a description of each result of a stage."""

  def observed(text, **attrs):
    return store.Variable(('step',), {'long_name': text, **attrs})

  found = {
    'ending': observed('how the run stands', **store.flag_attrs(Ending)),
    'sse': observed('sum of squared errors over the n samples'),
    'total_norm': observed('sum of |W_i|'),
    'dead_norm': observed('|W_0|, of the row that was dead'),
    'mirror_defect': observed('largest distance of a weight from its mirror'),
    'solved_step': store.Variable(
      (),
      {
        'long_name': 'steps after which sse was first below solved_sse',
        'comment': '-1 where that never happened; every step was looked at',
      },
    ),
  }
  if values['is_followed']:
    found |= {
      'log_growth': observed('ln of the length of a tangent that began at 1'),
      'log_peak': observed(
        'the largest log_growth so far, at least 0',
        comment='until the run was first solved: at a solution outputs sit on '
        'kinks, where the Jacobian of one side says nothing of the other',
      ),
    }
  return found


def shorten(values: Values, num_steps: int) -> Values:
  """Returns values of a shorter run, observed at its end only."""
  own = {'num_steps': num_steps, 'window': num_steps}
  return {**values, **own, 'observe_steps': [num_steps]}


def make_trial(values: Values) -> chunks.Trial:
  """Returns the run of one point of the map.

  Args:
    values: of a stage; is_followed says whether a tangent vector is carried
      along.
  """
  shared = {
    name: values[name]
    for name in ('num_features', 'separation', 'loss_reduction')
  }

  def trial(x: Mapping[str, Array]) -> dict[str, Array]:
    dynamics = chaos.training_map(
      **shared,
      norm_factor=values['norm_factor'],
      keep_mirror=values['keep_mirror'],
      learning_rate=x['learning_rate'],
      delta=x['delta'],
      nudge=x['nudge'],
      dtype=values['dtype'],
    )
    observed, solved_step = chaos_endings.run(
      dynamics,
      **shared,
      observe_steps=values['observe_steps'],
      window=values['window'],
      solved_sse=values['solved_sse'],
      thresholds=chaos_endings.THRESHOLDS,
    )
    results = {**observed._asdict(), 'solved_step': solved_step}
    if values['is_followed']:
      results |= _follow(dynamics, values)
    return results

  return trial


def _follow(dynamics: Dynamics, values: Values) -> dict[str, Array]:
  """Runs again with a tangent vector: its growth at the observed steps.

  Its peak is the largest growth before the run is first solved.
  """
  # One generic direction for all runs, so that pictures are smooth.
  draws = np.random.default_rng(0).standard_normal((3, values['num_features']))

  def direction(state):
    tangent = relu_autoencoder.Params(
      jnp.asarray(draws[:2], values['dtype']),
      jnp.asarray(draws[2], values['dtype']),
    )
    return state._replace(params=tangent)

  def update(record, step, state, info):
    del step
    peak, was_solved = record
    sse = relu_autoencoder.sse_from_one_hot_loss(
      info.loss,
      num_features=values['num_features'],
      loss_reduction=values['loss_reduction'],
    )
    solved = was_solved | (sse < values['solved_sse'])
    return jnp.where(solved, peak, jnp.maximum(peak, state.log_growth)), solved

  _, growth = loops.unroll(
    jax.random.key(0),  # Nothing is drawn.
    loops.track(
      lyapunov.follow(dynamics, direction),
      lambda state: (jnp.zeros_like(state.log_growth), jnp.bool_(False)),
      update,
    ),
    values['num_steps'],
    observe=lambda state, info: {
      'log_growth': state.inner.log_growth,
      'log_peak': state.record[0],
    },
    observe_at=values['observe_steps'],
  )
  return growth
