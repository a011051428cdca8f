"""absl flags of one number each, within their ranges.

absl's own take infinity, NaN and integers that no array can hold.
"""

from collections.abc import Callable
from typing import Any

from absl import flags

from scripts.shared.list_flags import number
from toyjax import ranges

flags.disclaim_key_flags()

# Most values of a dimension, of layers, of points, and of digits shown: far
# beyond what is of use, and below what takes a machine's memory.
MOST_FEATURES = 4096
MOST_UNITS = 65_536
MOST_LAYERS = 64
MOST_POINTS = 1_000_000
MOST_DIGITS = 20


class _NumberParser(flags.ArgumentParser):
  """Parses one number."""

  def __init__(self, kind: type, parse_number: Callable[[str], Any]):
    self._kind = kind
    self._parse_number = parse_number
    self.syntactic_help = 'an integer' if kind is int else 'a number'

  def parse(self, argument: Any) -> Any:
    """Returns the number; raises ValueError on what is none."""
    return self._parse_number(str(argument))

  def flag_type(self) -> str:
    """Returns the name of the type shown in --helpxml."""
    return self._kind.__name__


def define_integer(
  name: str,
  default: int | None,
  description: str,
  lower: int,
  upper: int | None = None,
  *,
  required: bool = False,
) -> None:
  """Defines a flag of an integer in lower..upper, by default 2^31 - 1."""
  _define(name, default, description, int, number(int, lower, upper), required)


def define_float(
  name: str,
  default: float | None,
  description: str,
  lower: float | None = None,
  upper: float | None = None,
  *,
  exclusive: bool = False,
) -> None:
  """Defines a flag of a finite number, above `lower` itself if exclusive."""
  least = -float('inf') if lower is None else lower
  parse = number(float, least, upper, exclusive=exclusive)
  _define(name, default, description, float, parse, False)


def define_seed(description: str, *, beside: int = 0) -> None:
  """Defines --seed; scripts that use the next ones too say how many."""
  define_integer('seed', 0, description, 0, ranges.NUM_WORDS - 1 - beside)


def define_num_devices(description: str) -> None:
  """Defines --num_devices, at most 1024: each is a thread or more."""
  define_integer('num_devices', 0, description, 0, 1024)


def _define(
  name: str,
  default: Any,
  description: str,
  kind: type,
  parse: Callable[[str], Any],
  required: bool,
) -> None:
  flags.DEFINE(
    _NumberParser(kind, parse),
    name,
    default,
    description,
    serializer=flags.ArgumentSerializer(),
    required=required,
  )
