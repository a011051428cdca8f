"""One run of the ReLU autoencoder with all of its events on the way.

x (key and traced flags of one run) --trial--> results by name, as VARIABLES
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scripts.shared import autoencoder_trial
from toyjax import chunks, loops, store
from toyjax.analysis import events
from toyjax.base import Array, ArrayTree
from toyjax.toys import relu_autoencoder

_PLACES = ' '.join(place.name.lower() for place in events.Place)
_EVENTS = {
  'first_step': ('place', 'first step at each place, -1 for never'),
  'last_step': ('place', 'last step at each place'),
  'num_steps': ('place', 'number of steps at each place'),
  'longest_stay': ('place', 'most steps in a row at each place'),
  'escape_step': ('escaped', 'first step no longer near symmetric failure'),
  'first_learned': ('feature', 'first step at which a feature is learned'),
  'last_unlearned': ('feature', 'last step at which it is not'),
  'times_lost': ('feature', 'times that it is lost again'),
}

VARIABLES = {
  **{
    name: store.Variable((dim,), {'long_name': text, 'places': _PLACES})
    for name, (dim, text) in _EVENTS.items()
  },
  'outcome': store.Variable(
    (),
    {
      'long_name': 'how the run stands at its end',
      **store.flag_attrs(relu_autoencoder.Outcome),
    },
  ),
  'sse': store.Variable((), {'long_name': 'sum of squared errors at the end'}),
  'weights': store.Variable(('hidden', 'feature'), {'long_name': 'W'}),
  'bias': store.Variable(('feature',), {'long_name': 'b'}),
}


def make_trial(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  num_steps: int | None = None,
) -> chunks.Trial:
  """Returns the experiment for one seed: train, watch every step, diagnose.

  Args:
    static: the group's static flags, its dtype among them.
    settings: all scientific flags.
    num_steps: a shorter run, for estimates.
  """
  num_steps = num_steps or settings['num_steps']
  own = {**settings, 'dtype': static['dtype']}

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    dynamics = events.watch(
      autoencoder_trial.make_dynamics(static, own, x),
      solved_sse=settings['solved_sse'],
      thresholds=relu_autoencoder.THRESHOLDS,
      near_factor=settings['near_factor'],
    )
    state, earlier = loops.unroll(
      x['key'],
      dynamics,
      num_steps,
      observe=lambda s, _: relu_autoencoder.one_hot_sse(s.inner.params),
      observe_at=[max(num_steps * 9 // 10, 1)],
    )
    params = state.inner.params
    found = relu_autoencoder.diagnose(
      params,
      earlier_sse=earlier[0],
      solved_sse=settings['solved_sse'],
      thresholds=relu_autoencoder.THRESHOLDS,
    )
    return {
      **{name: getattr(state.record, name) for name in _EVENTS},
      'outcome': found.outcome,
      'sse': found.sse,
      'weights': params.weights,
      'bias': params.bias,
    }

  return trial


def count_outcomes(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Counts what a chunk went through, for the progress line."""
  return {
    place.name.lower(): int(np.sum(chunk['first_step'][:, place] >= 0))
    for place in (events.Place.SYMMETRIC, events.Place.SOLVED)
  }
