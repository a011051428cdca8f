"""One run of the ReLU autoencoder with all of its events on the way.

x (key and traced settings of one run) --trial--> results by name, as VARIABLES
"""

from collections.abc import Mapping

import numpy as np

from toyjax import chunks, store
from toyjax.analysis.autoencoder import events
from toyjax.base import Array, ArrayTree
from toyjax.settings import Values
from toyjax.studies.optimization_failure.trial import (
  make_dynamics,
  run_to_end,
)
from toyjax.toys import relu_autoencoder
from toyjax.variables import coded, described

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
  **described(sse='sum of squared errors at the end'),
  **described('hidden', 'feature', weights='W'),
  **described('feature', bias='b'),
  'outcome': coded(relu_autoencoder.Outcome, 'how the run stands at its end'),
}


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train, watch every step, diagnose."""

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    dynamics = events.watch(
      make_dynamics(values, x),
      solved_sse=values['solved_sse'],
      thresholds=relu_autoencoder.THRESHOLDS,
      near_factor=values['near_factor'],
    )
    state, found = run_to_end(x['key'], dynamics, values)
    params = state.inner.params
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
