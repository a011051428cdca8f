"""Whether the precision of a training can hold the numbers of its settings.

Rounding is ordinary. But a rate that becomes zero or infinite, two values of a
sweep that become one, and a beta that becomes 1 are not what was asked for.
"""

import math
from typing import Any

import numpy as np

from toyjax.parsers import SettingError


def require_held(
  name: str,
  value: Any,
  dtype: str,
  *,
  is_vector: bool = False,
  is_below_one: bool = False,
) -> None:
  """Checks every float of a setting, alone or in a list.

  Args:
    name: of the setting.
    value: of any kind; what is no float is passed over.
    dtype: float32 or float64.
    is_vector: whether a list is one value, so that numbers may be equal.
    is_below_one: whether numbers must be less than 1.

  Raises:
    SettingError: naming the setting and the number.
  """
  values = value if isinstance(value, list) else [value]
  numbers = [v for v in values if isinstance(v, float) and math.isfinite(v)]
  held = [np.dtype(dtype).type(_held(name, v, dtype)) for v in numbers]
  for number, rounded in zip(numbers, held):
    if is_below_one and rounded >= 1.0:
      why = '' if number >= 1.0 else f': in {dtype} it is 1'
      raise SettingError(f'--{name}={number} must be < 1{why}')
  for i, rounded in enumerate([] if is_vector else held):
    first = held.index(rounded)
    if first < i:
      raise SettingError(
        f'--{name}={numbers[first]},{numbers[i]} are one number in {dtype}: '
        f'{rounded}'
      )


def _held(name: str, number: float, dtype: str) -> float:
  largest, least = (float(getattr(np.finfo(dtype), n)) for n in ('max', 'tiny'))
  if abs(number) > largest:
    raise SettingError(
      f'--{name}={number} is infinite in {dtype}, which ends at {largest:.3g}'
    )
  # Devices take numbers below the least normal one as zero.
  if 0.0 < abs(number) < least:
    raise SettingError(
      f'--{name}={number} is 0 in {dtype}, which begins at {least:.3g}'
    )
  return number
