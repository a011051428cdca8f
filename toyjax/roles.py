"""Outcomes of a toy, each with a role: solved, undecided, failed, diverged.

    class Outcome(roles.Outcome):
      DIVERGED = 0, Role.DIVERGED
      LEARNED = 1, Role.SOLVED

From the role follow what counts as solved, and every colour.
"""

from collections.abc import Mapping
import enum
from typing import Any, Self

import jax.numpy as jnp
import numpy as np

from toyjax.base import Array


class Role(enum.Enum):
  """What an outcome is to a reader of rates."""

  SOLVED = 'solved'
  UNDECIDED = 'undecided'  # Still on its way.
  FAILED = 'failed'
  DIVERGED = 'diverged'


class Outcome(enum.IntEnum):
  """How a run ended: a code as stored, with a role. To be subclassed.

  Attributes:
    role: what it is to a reader of rates.
  """

  role: Role

  def __new__(cls, code: int, role: Role = Role.FAILED) -> Self:
    """Makes the member of a code."""
    member = int.__new__(cls, code)
    member._value_ = code
    member.role = role
    return member


def first(kinds: type[enum.IntEnum], tests: Mapping[Any, Array]) -> Array:
  """Returns the int32 [] code of the first outcome whose test holds.

  Args:
    kinds: the outcomes, in the order in which they are tried.
    tests: bool [] of each of them; one must hold.
  """
  return jnp.select(
    [tests[kind] for kind in kinds], [jnp.int32(kind) for kind in kinds]
  )


def are(
  codes: np.ndarray, outcomes: type[Outcome], role: Role = Role.SOLVED
) -> np.ndarray:
  """Returns which codes are of outcomes of a role, bool like `codes`."""
  return np.isin(codes, [code for code in outcomes if code.role is role])
