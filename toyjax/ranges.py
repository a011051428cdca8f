"""What numbers a seed, an index and a device's array can hold, exactly.

    numbers --seed, num_seeds, indices--> the same, or a ValueError
    xs of a sweep --require_kept--> nothing, or a ValueError

JAX cuts integers to 32 bits in silence: two seeds would then name one run, and
two inputs of a sweep one input.
"""

import operator
from typing import Any

import jax
import numpy as np

from toyjax.base import Array, ArrayTree

# Seeds and indices are words of the key. Both are below this, so that a run has
# one key in either precision.
NUM_WORDS = 2**32
MAX_SEEDS = 2**31  # Stores hold seed indices as int32.


def seed(value: Any) -> int:
  """Returns a seed as a Python integer.

  Args:
    value: an integer in 0..2^32 - 1, of Python, NumPy or JAX.

  Raises:
    ValueError: on any other number, and on what is no integer.
  """
  return _integer(value, 'a seed', 0, NUM_WORDS - 1)


def num_seeds(value: Any) -> int:
  """Returns a number of seeds as a Python integer.

  Args:
    value: an integer in 1..2^31, of Python, NumPy or JAX.

  Raises:
    ValueError: on any other number, and on what is no integer.
  """
  return _integer(value, 'a number of seeds', 1, MAX_SEEDS)


def _integer(value: Any, name: str, least: int, most: int) -> int:
  try:
    if isinstance(value, bool | np.bool_):
      raise TypeError
    number = operator.index(value)
  except TypeError:
    raise ValueError(f'{name} must be an integer: {value!r}') from None
  if not least <= number <= most:
    raise ValueError(f'{name} must lie in {least}..{most}: {number}')
  return number


def indices(values: Any) -> np.ndarray | Array:
  """Returns seed indices as uint32, none of them changed.

  Args:
    values: integers in 0..2^32 - 1 of any shape. Traced ones are taken at their
      word, for they cannot be looked at.

  Raises:
    ValueError: naming the first that lies outside, or a dtype of no integers.
  """
  is_traced = isinstance(values, jax.core.Tracer)
  found = values if is_traced else np.asarray(values)
  if not found.size:
    return found.astype(np.uint32)
  if found.dtype.kind not in 'iu':
    shown = '' if is_traced else f': {found.ravel()[0]!r}'
    raise ValueError(f'indices must be integers, not {found.dtype}{shown}')
  if not is_traced:
    outside = found[(found < 0) | (found >= NUM_WORDS)]
    if outside.size:
      raise ValueError(
        f'indices must lie in 0..{NUM_WORDS - 1}: {int(outside.ravel()[0])}'
      )
  return found.astype(np.uint32)


def require_kept(xs: ArrayTree) -> None:
  """Checks that a device can hold the numbers of a pytree of arrays.

  Without x64 a device holds 32 bits a number. Floats are rounded there, which
  is ordinary; but a float that would become infinite or zero, and an integer
  that would become another, are none that were asked for.

  Args:
    xs: pytree of arrays of NumPy or JAX.

  Raises:
    ValueError: naming the leaf and the first number that would be lost.
  """
  for path, leaf in jax.tree_util.tree_leaves_with_path(xs):
    if isinstance(leaf, jax.Array):
      continue  # It is on a device already.
    values = np.asarray(leaf)
    kept = jax.dtypes.canonicalize_dtype(values.dtype)
    if kept == values.dtype:
      continue
    lost = values[_is_lost(values, kept)]
    if lost.size:
      raise ValueError(
        f'xs{jax.tree_util.keystr(path)} holds {lost.ravel()[0].item()}, which '
        f'{kept} cannot hold: enable x64, or cast it yourself'
      )


def _is_lost(values: np.ndarray, kept: np.dtype) -> np.ndarray:
  """Returns where a cast makes another number than rounding does."""
  if values.dtype.kind in 'iu':
    ends = np.iinfo(kept)
    return (values < ends.min) | (values > ends.max)
  if values.dtype.kind == 'c':
    part = np.finfo(kept).dtype
    return _is_lost(values.real, part) | _is_lost(values.imag, part)
  size = np.abs(values)
  # Devices take numbers below the least normal one as zero.
  vanishes = (size > 0) & (size < np.finfo(kept).tiny)
  with np.errstate(over='ignore'):
    overflows = np.isfinite(values) & ~np.isfinite(values.astype(kept))
  return vanishes | overflows
