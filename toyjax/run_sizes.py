"""What one run takes in memory, read off its program without running it.

trial, x --> its results, what its loops carry, its largest arrays, in bytes
"""

from collections.abc import Callable
import math
from typing import Any

import jax
from jax.extend import core

from toyjax.base import ArrayTree
from toyjax.lanes.control import LOOPS
from toyjax.lanes.values import equations_within


def num_bytes(arrays: ArrayTree) -> int:
  """Returns the bytes of a pytree of arrays, or of their shapes."""
  return sum(map(_num_bytes, jax.tree.leaves(arrays)))


def run_bytes(trial: Callable[[Any], ArrayTree], x: Any) -> int:
  """Returns about what a run takes at a time.

  Args:
    trial: x -> pytree of arrays.
    x: one run, or its shapes.

  Returns:
    Bytes of its results, of what its largest loop carries along, and of its
    largest array with one more like it: more where a step holds many arrays.
  """
  return program_bytes(jax.make_jaxpr(trial)(x).jaxpr)


def program_bytes(jaxpr: core.Jaxpr) -> int:
  """Returns `run_bytes` of the program of one run."""
  largest = max(
    (
      _num_bytes(variable.aval)
      for equation in equations_within(jaxpr)
      for variable in equation.outvars
    ),
    default=0,
  )
  results = sum(_num_bytes(variable.aval) for variable in jaxpr.outvars)
  return results + carried_bytes(jaxpr) + 2 * largest


def carried_bytes(jaxpr: core.Jaxpr) -> int:
  """Returns the bytes that the largest loop of a program carries along."""
  return max(
    (
      sum(_num_bytes(variable.aval) for variable in equation.outvars)
      for equation in equations_within(jaxpr)
      if equation.primitive.name in LOOPS
    ),
    default=0,
  )


def _num_bytes(array: Any) -> int:
  return math.prod(array.shape) * array.dtype.itemsize
