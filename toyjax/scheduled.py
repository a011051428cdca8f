"""Gradient descent by the usual settings of a study, with a schedule.

toy, values, one run's x --descend--> last parameters, those observed
steps --halfway--> place of the one to compare the last with
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from toyjax import descent, loops, optimizer_settings, optimizers
from toyjax.base import Params, Toy
from toyjax.settings import Values


def descend(
  toy: Toy, values: Values, x: Mapping[str, Any]
) -> tuple[Params, Params]:
  """Trains a toy, its schedule without a warm-up.

  Args:
    toy: what is trained.
    values: optimizer, schedule, num_steps, observe_steps and dtype.
    x: key, learning_rate, and what the optimizer uses, of one run.

  Returns:
    The parameters after all steps, and those after the observed ones along a
    new leading axis [K, ...].
  """
  optimizer = optimizer_settings.make(
    values['optimizer'],
    x,
    schedule=optimizers.make_schedule(
      values['schedule'], warmup_steps=0, num_steps=values['num_steps']
    ),
    dtype=jnp.dtype(values['dtype']),
  )
  state, observed = loops.unroll(
    x['key'],
    descent.descend(toy, optimizer),
    values['num_steps'],
    observe=lambda state, info: state.params,
    observe_at=values['observe_steps'],
  )
  return state.params, observed


def halfway(steps: Sequence[int]) -> int:
  """Returns the place of the observed step nearest to half of the last."""
  return min(range(len(steps)), key=lambda k: abs(2 * steps[k] - steps[-1]))
