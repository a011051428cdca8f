"""Flags from settings, checked when they are read: one row, one flag.

    rows --define--> absl flags --given--> name -> value, what was typed

`--momentum=0.9,0.99` is a list; what is out of range ends in one line.
"""

from collections.abc import Sequence
from typing import Any

from absl import flags

from toyjax import parsers
from toyjax.parsers import Choice, Number, Parser
from toyjax.settings import Setting, parsed_list

# A flag counts as defined by the script that calls these, so --help shows it.
flags.disclaim_key_flags()


class _ListParser(flags.ArgumentParser):
  """Parses a comma-separated list, a set of values to sweep or any list."""

  syntactic_help = 'a comma-separated list'

  def __init__(self, parse_item: Parser, is_vector: bool):
    self._parse_item = parse_item
    self._is_vector = is_vector

  def parse(self, argument: str | Sequence[Any]) -> list[Any]:
    """Returns the list; raises ValueError on what is not one."""
    if isinstance(argument, str):
      argument = [item.strip() for item in argument.split(',')]
    return parsed_list(self._parse_item, argument, is_vector=self._is_vector)

  def flag_type(self) -> str:
    """Returns the name of the type shown in --helpxml."""
    kind = parsers.kind_of(self._parse_item)
    return 'comma-separated list' + (f' of {kind}' if kind else '')


class _NumberParser(flags.ArgumentParser):
  """Parses one number; absl's own take infinity and NaN."""

  def __init__(self, number: Number):
    self._number = number
    is_integer = number.kind is int
    self.syntactic_help = 'an integer' if is_integer else 'a number'

  def parse(self, argument: Any) -> Any:
    """Returns the number; raises ValueError on what is none."""
    return self._number(str(argument))

  def flag_type(self) -> str:
    """Returns the name of the type shown in --helpxml."""
    return self._number.kind.__name__


class _PathParser(flags.ArgumentParser):
  """Parses a path, or '' where that is the default."""

  syntactic_help = 'a path'

  def __init__(self, *, is_optional: bool):
    self._is_optional = is_optional

  def parse(self, argument: Any) -> str:
    """Returns the path; raises ValueError on what is none."""
    if not argument.strip() and not (self._is_optional and not argument):
      raise ValueError('a path is needed')
    return parsers.path(argument)

  def flag_type(self) -> str:
    """Returns the name of the type shown in --helpxml."""
    return 'path'


class _WordParser(flags.ArgumentParser):
  """Parses text that a parser of its own checks."""

  def __init__(self, parse: Parser):
    self._parse = parse

  def parse(self, argument: Any) -> Any:
    """Returns the value; raises ValueError on what is none."""
    return self._parse(argument)


def define(
  settings: Sequence[Setting],
  *,
  required: Sequence[str] = (),
  into: flags.FlagValues = flags.FLAGS,
) -> None:
  """Defines a flag for each row.

  Args:
    settings: the rows.
    required: names of those that must be given.
    into: what holds the flags.
  """
  for setting in settings:
    row: Any = (setting.name, setting.default, setting.help)
    rest: Any = {'flag_values': into, 'required': setting.name in required}
    if isinstance(setting.parse, Choice) and not setting.is_list:
      name, default, text = row
      flags.DEFINE_enum(name, default, list(setting.parse.names), text, **rest)
    elif setting.parse is parsers.truth:
      flags.DEFINE_bool(*row, **rest)
    elif setting.parse is str and not setting.is_list:
      flags.DEFINE_string(*row, **rest)
    else:
      rest['serializer'] = (
        flags.CsvListSerializer(',')
        if setting.is_list
        else flags.ArgumentSerializer()
      )
      flags.DEFINE(_parser(setting), *row, **rest)


def _parser(setting: Setting) -> flags.ArgumentParser:
  if setting.is_list:
    return _ListParser(setting.parse, setting.is_vector)
  if isinstance(setting.parse, Number):
    return _NumberParser(setting.parse)
  if setting.parse is parsers.path:
    return _PathParser(is_optional=setting.default == '')
  return _WordParser(setting.parse)


def given(
  settings: Sequence[Setting], held: flags.FlagValues = flags.FLAGS
) -> dict[str, Any]:
  """Returns the value of each flag that was not left alone.

  Args:
    settings: the rows.
    held: what holds the flags, parsed.
  """
  return {
    setting.name: held[setting.name].value
    for setting in settings
    if not held[setting.name].using_default_value
  }
