"""absl flags that hold lists of numbers or names: `--momentum=0.9,0.99`."""

from collections.abc import Callable, Sequence
import math
from typing import Any

from absl import flags

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
    return 'comma-separated list'


def number(
  kind: type, lower: float, *, exclusive: bool = False
) -> Callable[[str], Any]:
  """Returns a parser of finite numbers >= lower, or > lower if exclusive."""

  def parse(text: str) -> Any:
    try:
      value = kind(text)
    except ValueError:
      raise ValueError(f'{text!r} is not a {kind.__name__}') from None
    if not math.isfinite(value):
      raise ValueError(f'{text} is not finite')
    if value < lower or (exclusive and value == lower):
      raise ValueError(f'{text} must be {">" if exclusive else ">="} {lower}')
    return value

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
