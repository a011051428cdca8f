"""What a setting may be: parsers of one value each, from text or from a value.

    text, or a value --parser--> value; ValueError says what is wrong

Numbers are finite and in plain decimal notation; paths expand `~` once.
"""

from collections.abc import Callable, Sequence
import dataclasses
import math
import os
import re
from typing import Any

import numpy as np

from toyjax import checks

Parser = Callable[[str], Any]

LARGEST = 2**31 - 1  # Integers that devices count with have 32 bits.
# Most values of a dimension, of layers, of points, and of digits shown: far
# beyond what is of use, and below what takes a machine's memory.
MOST_FEATURES = 4096
MOST_UNITS = 65_536
MOST_LAYERS = 64
MOST_POINTS = 1_000_000
MOST_DIGITS = 20

_DECIMAL = {
  int: re.compile(r'[+-]?[0-9]+'),
  float: re.compile(r'[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?', re.I),
}
_NAMES = {int: 'an integer', float: 'a float'}


class SettingError(ValueError):
  """A setting does not fit; the message is one line that names it."""


@dataclasses.dataclass(frozen=True)
class Number:
  """Parses a finite number in plain decimal notation.

  Attributes:
    kind: int or float.
    lower: the least number, or what it must be above if `exclusive`.
    upper: the greatest; None is `LARGEST` for integers, and no end for floats.
    exclusive: whether `lower` itself is refused.
  """

  kind: type
  lower: float = -math.inf
  upper: float | None = None
  exclusive: bool = False

  def __call__(self, text: str) -> Any:
    """Returns the number; raises ValueError on what is none, or out of range.

    Args:
      text: as a person types it.
    """
    text = text.strip()
    shown = text if len(text) <= 40 else f'{text[:40]}...'
    if text.lower().lstrip('+-') in ('nan', 'inf', 'infinity'):
      raise ValueError(f'{shown} must be finite')
    # Python takes 1_000, too, and digits of other scripts.
    if not _DECIMAL[self.kind].fullmatch(text):
      raise ValueError(f'{shown!r} is not {_NAMES[self.kind]}')
    # Python makes no integer of thousands of digits; that far they are alike.
    value = self.kind(text) if len(text) < 100 else float(text)
    if self.kind is float and math.isinf(value):
      raise ValueError(f'{shown} must be finite')
    if value < self.lower or (self.exclusive and value == self.lower):
      sign = '>' if self.exclusive else '>='
      raise ValueError(f'{shown} must be {sign} {self.lower}')
    upper = self.upper
    if upper is None:
      upper = LARGEST if self.kind is int else math.inf
    if value > upper:
      raise ValueError(f'{shown} must be <= {upper}')
    return value


# Ranges that many settings have, one name each.
COUNT = Number(int, 1)
NATURAL = Number(int, 0)  # 0 often stands for none, or for all.
SEVERAL = Number(int, 2)
FEATURES = Number(int, 2, MOST_FEATURES)
UNITS = Number(int, 1, MOST_UNITS)
POSITIONS = Number(int, 2, MOST_UNITS)
LAYERS = Number(int, 1, MOST_LAYERS)
POINTS = Number(int, 1, MOST_POINTS)
SAMPLES = Number(int, 1, 100 * MOST_POINTS)
DIGITS = Number(int, 0, MOST_DIGITS)
ANY = Number(float)
NOT_NEGATIVE = Number(float, 0.0)
POSITIVE = Number(float, 0.0, exclusive=True)
FACTOR = Number(float, 1.0)
PROBABILITY = Number(float, 0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class Choice:
  """Parses one of some names."""

  names: tuple[str, ...]

  def __call__(self, text: str) -> str:
    """Returns the name; raises ValueError on another one."""
    if text not in self.names:
      raise ValueError(
        f'{text!r} is unknown: choose from {", ".join(self.names)}'
      )
    return text


_SPREAD = re.compile(r'([^:]+):([^:]+):([0-9]{1,4})(log)?')


def expand(items: Sequence[str]) -> list[str]:
  """Returns items with ranges written out: 0:1:5 is 0, 0.25, 0.5, 0.75, 1.

  Args:
    items: numbers, or first:last:count for even steps, first:last:countlog for
      even factors. The ends are as they are given, those between have six
      digits.

  Raises:
    ValueError: on a range that has not two numbers and a count of 2 or more, or
      even factors from a number that is not positive.
  """
  found: list[str] = []
  for item in items:
    match = _SPREAD.fullmatch(item.strip())
    if match is None:
      found.append(item)
      continue
    ends = match.group(1, 2)
    first, last = map(Number(float), ends)
    count, is_log = int(match[3]), match[4] is not None
    if count < 2 or (is_log and min(first, last) <= 0.0):
      raise ValueError(
        f'{item!r}: a range is first:last:count, with a count of 2 or more, or '
        'first:last:countlog of positive numbers'
      )
    space = np.geomspace if is_log else np.linspace
    between = space(first, last, count)[1:-1].tolist()
    found += [ends[0], *map(_short, between), ends[1]]
  return found


def _short(value: float) -> str:
  """Writes a number in six digits, a whole one as whole ones are written."""
  return str(int(value)) if value.is_integer() else f'{value:.6g}'


def truth(text: str) -> bool:
  """Returns True or False; raises ValueError on what is neither."""
  found = {'true': True, 'false': False}.get(text.lower())
  if found is None:
    raise ValueError(f'{text!r} is neither true nor false')
  return found


def path(text: str) -> str:
  """Returns the path of a local file or folder, `~` and `~user` expanded.

  Raises:
    ValueError: on an address of another machine, or an unknown user.
  """
  checks.local_path(text)
  if '\0' in text:
    raise ValueError(f'{text!r} is no path')
  expanded = os.path.expanduser(text)
  if text.startswith('~') and expanded == text:
    user = text.partition('/')[0]
    raise ValueError(f'{text}: {user} is no user; ./{text} is a folder here')
  return expanded


def kind_of(parser: Parser) -> str:
  """Returns the name of the type that `--helpxml` shows; '' for text."""
  return parser.kind.__name__ if isinstance(parser, Number) else ''
