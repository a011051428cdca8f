"""Outcomes of a toy, each with a role: solved, undecided, failed, diverged.

    class Outcome(roles.Outcome):
      DIVERGED = 0, Role.DIVERGED
      LEARNED = 1, Role.SOLVED

From the role follow what counts as solved, and every colour.
"""

import enum
from typing import Self

import numpy as np


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


def are(
  codes: np.ndarray, outcomes: type[Outcome], role: Role = Role.SOLVED
) -> np.ndarray:
  """Returns which codes are of outcomes of a role, bool like `codes`."""
  return np.isin(codes, [code for code in outcomes if code.role is role])
