"""absl flags of numbers, of lists and of paths, checked when they are read.

`--momentum=0.9,0.99` is a list; what is out of range ends in one line.
"""

from collections.abc import Callable, Sequence
import math
import re
from typing import Any

from absl import flags

LARGEST = 2**31 - 1  # Integers that devices count with have 32 bits.
_DECIMAL = {
  int: re.compile(r'[+-]?[0-9]+'),
  float: re.compile(r'[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?', re.I),
}
_NAMES = {int: 'an integer', float: 'a float'}

# A flag counts as defined by the script that calls these, so --help shows it.
flags.disclaim_key_flags()


class _ListParser(flags.ArgumentParser):
  """Parses a comma-separated list, a set of values to sweep or any list."""

  def __init__(self, parse_item: Callable[[str], Any], is_swept: bool = True):
    self._parse_item = parse_item
    self._is_swept = is_swept
    self.syntactic_help = 'a comma-separated list'

  def parse(self, argument: str | Sequence[Any]) -> list[Any]:
    """Returns the list; raises ValueError on what is not one."""
    if isinstance(argument, str):
      argument = [item.strip() for item in argument.split(',')]
    values = [self._parse_item(str(item)) for item in argument]
    if not self._is_swept:
      return values
    if not values:
      raise ValueError('needs at least one value')
    if len(set(values)) < len(values):
      raise ValueError(f'has a value twice: {argument}')
    return values

  def flag_type(self) -> str:
    """Returns the name of the type shown in --helpxml."""
    kind = getattr(self._parse_item, 'kind', None)
    return 'comma-separated list' + (f' of {kind}' if kind else '')


def number(
  kind: type,
  lower: float = -math.inf,
  upper: float | None = None,
  *,
  exclusive: bool = False,
) -> Callable[[str], Any]:
  """Returns a parser of finite numbers in plain decimal notation.

  Args:
    kind: int or float.
    lower: the least number, or what it must be above if `exclusive`.
    upper: the greatest; None is `LARGEST` for integers, and no end for floats.
    exclusive: whether `lower` itself is refused.
  """
  if upper is None:
    upper = LARGEST if kind is int else math.inf

  def parse(text: str) -> Any:
    text = text.strip()
    shown = text if len(text) <= 40 else f'{text[:40]}...'
    if text.lower().lstrip('+-') in ('nan', 'inf', 'infinity'):
      raise ValueError(f'{shown} must be finite')
    # Python takes 1_000, too, and digits of other scripts.
    if not _DECIMAL[kind].fullmatch(text):
      raise ValueError(f'{shown!r} is not {_NAMES[kind]}')
    # Python makes no integer of thousands of digits; that far they are alike.
    value = kind(text) if len(text) < 100 else float(text)
    if kind is float and math.isinf(value):
      raise ValueError(f'{shown} must be finite')
    if value < lower or (exclusive and value == lower):
      raise ValueError(f'{shown} must be {">" if exclusive else ">="} {lower}')
    if value > upper:
      raise ValueError(f'{shown} must be <= {upper}')
    return value

  parse.kind = kind.__name__  # type: ignore[attr-defined]
  return parse


def choice(names: Sequence[str]) -> Callable[[str], str]:
  """Returns a parser that takes one of the names."""

  def parse(text: str) -> str:
    if text not in names:
      raise ValueError(f'{text!r} is unknown: choose from {", ".join(names)}')
    return text

  return parse


def define_list(
  name: str,
  default: Sequence[Any],
  parse_item: Callable[[str], Any],
  description: str,
  *,
  is_swept: bool = True,
) -> flags.FlagHolder:
  """Defines a flag that holds a list whose items `parse_item` accepts.

  A list that is swept needs one value or more, all different.
  """
  return flags.DEFINE(
    _ListParser(parse_item, is_swept),
    name,
    list(default),
    description,
    serializer=flags.CsvListSerializer(','),
  )
