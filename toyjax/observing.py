"""Steps to observe so that the decrease of a loss can be told at each.

steps K --with_earlier--> all steps seen, places of the K, places nine tenths
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp

from toyjax.base import Array


class Seen(NamedTuple):
  """Where to look, and what was seen where.

  Attributes:
    steps: increasing steps to observe.
    at: int [K], places in `steps` of the steps asked for.
    earlier_at: int [K], places of those when nine tenths of them were made.
  """

  steps: list[int]
  at: Array
  earlier_at: Array


def with_earlier(steps: Sequence[int]) -> Seen:
  """Adds to each step the one when nine tenths of it were made.

  A decrease is taken over the last tenth of the steps.
  """
  earlier = [step * 9 // 10 for step in steps]
  seen = sorted({*steps, *earlier})
  return Seen(
    seen,
    jnp.asarray([seen.index(step) for step in steps]),
    jnp.asarray([seen.index(step) for step in earlier]),
  )
