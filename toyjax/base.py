"""The two contracts of toyjax: `Toy` and `Dynamics`. Types only.

Everything is written for one seed. No array has a batch or instance axis;
`toyjax.sweeps.sweep` adds the axis of seeds.

Shape legend of the whole project: S seeds, B batch, T time or positions,
N features, M hidden, K components or outcomes, V vocabulary.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax

Array = jax.Array
ArrayTree = chex.ArrayTree
PRNGKey = jax.Array  # A typed key of shape [], as `jax.random.key` makes it.
Params = Any  # A pytree of arrays, the toy's own NamedTuple.
Batch = Any  # What the toy's `sample` returns and its `loss` takes.
State = Any  # What the next step needs.
Info = Any  # What only people need.


class Toy(NamedTuple):
  """A model with its data and its loss: three pure functions.

  Attributes:
    init: key -> initial parameters.
    sample: key -> batch. A toy with a fixed data set ignores its key.
    loss: (params, batch) -> scalar [] to be minimised.
  """

  init: Callable[[PRNGKey], Params]
  sample: Callable[[PRNGKey], Batch]
  loss: Callable[[Params, Batch], Array]


class Dynamics(NamedTuple):
  """Anything that moves step by step: two pure functions.

  Attributes:
    init: key -> state before the first step.
    step: (key, state) -> (next state, info). The state holds what the next
      step needs, the info what only people need.
  """

  init: Callable[[PRNGKey], State]
  step: Callable[[PRNGKey, State], tuple[State, Info]]
