"""Whether the precision of a training can hold the numbers of its flags.

Rounding is ordinary. But a rate that becomes zero or infinite, two values of a
sweep that become one, and a beta that becomes 1 are not what was asked for.
"""

from collections.abc import Mapping, Sequence
import math
from typing import Any

from absl import flags
import numpy as np

flags.disclaim_key_flags()

# Lists that are one value: equal numbers in them are no repetition.
_VECTORS = ('coefficients',)


def check(
  settings: Mapping[str, Any], dtype: str, *, below_one: Sequence[str] = ()
) -> None:
  """Checks every float among the settings, alone or in a list.

  Args:
    settings: flag -> value or list of values; other values are passed over.
    dtype: float32 or float64.
    below_one: flags whose numbers must be less than 1.

  Raises:
    flags.Error: naming the flag and the number.
  """
  for name, value in settings.items():
    numbers = _floats(value)
    held = [np.dtype(dtype).type(_held(name, v, dtype)) for v in numbers]
    for number, rounded in zip(numbers, held):
      if name in below_one and rounded >= 1.0:
        why = '' if number >= 1.0 else f': in {dtype} it is 1'
        raise flags.Error(f'--{name}={number} must be < 1{why}')
    if name in _VECTORS:
      continue
    for i, rounded in enumerate(held):
      first = held.index(rounded)
      if first < i:
        raise flags.Error(
          f'--{name}={numbers[first]},{numbers[i]} are one number in {dtype}: '
          f'{rounded}'
        )


def _floats(value: Any) -> list[float]:
  values = value if isinstance(value, list) else [value]
  return [v for v in values if isinstance(v, float) and math.isfinite(v)]


def _held(name: str, number: float, dtype: str) -> float:
  largest, least = (float(getattr(np.finfo(dtype), n)) for n in ('max', 'tiny'))
  if abs(number) > largest:
    raise flags.Error(
      f'--{name}={number} is infinite in {dtype}, which ends at {largest:.3g}'
    )
  # Devices take numbers below the least normal one as zero.
  if 0.0 < abs(number) < least:
    raise flags.Error(
      f'--{name}={number} is 0 in {dtype}, which begins at {least:.3g}'
    )
  return number
