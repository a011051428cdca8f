"""The settings of a study as data: one row a setting, entered once.

    rows, what is given --resolve--> values, name -> checked value

A role says what a setting does to a sweep. Scripts make flags of the rows;
importers give values by name. Nothing else in the library has a default for a
scientific number.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import functools
from typing import Any, NamedTuple

from toyjax import precision
from toyjax.parsers import Number, Parser, SettingError, expand

# All settings by name, as they stand in the manifest.
Values = dict[str, Any]

# Roles: shapes and statics are built into a compiled program, each combination
# one; traced ones are the axes of its grid. Fixed ones hold for all runs;
# reported ones matter to no run, so that a report may change them. Those of the
# machine say where and how it runs, and are no part of what a result is.
SHAPE, STATIC, TRACED = 'shape', 'static', 'traced'
FIXED, REPORTED, MACHINE = 'fixed', 'reported', 'machine'
_SWEPT = (SHAPE, STATIC, TRACED)


class Setting(NamedTuple):
  """One setting, made by the function of its role, such as `fixed`.

  Attributes:
    name: of the flag and of the value.
    default: its value; a list where several can be given.
    parse: text -> one value, see `parsers`.
    role: what it does to a sweep, see above.
    help: one line or two for a person.
    letter: of a shape, in the names of groups: n in n7_m2.
    label: its name in the label of a configuration; '' where the value stands
      alone, None for the name itself.
    is_vector: whether a list is one value, so that numbers may repeat.
    is_below_one: whether numbers must be less than 1 in the training's dtype.
    held_in: dtype that must hold the numbers; '' is that of the training.
    needs: name and values of a static setting without which this one is not
      used.
    follow: (value, whether it was given, all values) -> value, for what follows
      from others; raises SettingError where it does not fit.
  """

  name: str
  default: Any
  parse: Parser
  role: str
  help: str
  letter: str = ''
  label: str | None = None
  is_vector: bool = False
  is_below_one: bool = False
  held_in: str = ''
  needs: tuple[str, tuple[str, ...]] | None = None
  follow: Callable[[Any, bool, Values], Any] | None = None

  @property
  def is_list(self) -> bool:
    """Whether it holds a list of values."""
    return isinstance(self.default, list)

  @property
  def is_swept(self) -> bool:
    """Whether its values are those of a grid."""
    return self.role in _SWEPT


def _row(
  role: str, name: str, default: Any, parse: Parser, text: str, **fields: Any
) -> Setting:
  return Setting(name, default, parse, role, text, **fields)


# A row of each role: (name, default, parse, help, further fields of Setting).
shape, static, traced = (functools.partial(_row, role) for role in _SWEPT)
fixed, reported, machine = (
  functools.partial(_row, role) for role in (FIXED, REPORTED, MACHINE)
)


def resolve(
  settings: Sequence[Setting],
  given: Mapping[str, Any],
  *,
  dtypes: Callable[[Values], Sequence[str]] = lambda values: [values['dtype']],
) -> Values:
  """Returns a checked value for every setting.

  Args:
    settings: the rows.
    given: name -> value, or a list of values; others take their default.
    dtypes: values -> the precisions of the training, which must hold every
      number, see `precision.require_held`.

  Raises:
    SettingError: naming the setting that is unknown, out of range or does not
      fit the others.
  """
  names = [setting.name for setting in settings]
  for name in given:
    if name not in names:
      raise SettingError(f'--{name} is unknown: choose from {", ".join(names)}')
  values = {
    setting.name: parsed(setting, given[setting.name])
    if setting.name in given
    else _copy(setting.default)
    for setting in settings
  }
  for setting in settings:
    if setting.follow is not None:
      name = setting.name
      values[name] = setting.follow(values[name], name in given, values)
  for dtype in dtypes(values):
    require_held(settings, values, dtype)
  _require_used(settings, values)
  return values


def _copy(value: Any) -> Any:
  return list(value) if isinstance(value, list) else value


def parsed(setting: Setting, value: Any) -> Any:
  """Returns a value within the range of its setting.

  Args:
    setting: whose.
    value: as it is meant, or as text; of a list any items, or one alone. None
      is what was not given, and fits where that is the default.

  Raises:
    SettingError: on what is out of range, or a list with a value twice.
  """
  is_one = isinstance(value, str) or not isinstance(value, Iterable)
  if is_one and value in (None, '') and setting.default in (None, ''):
    return setting.default
  items = [value] if is_one else list(value)
  try:
    if not setting.is_list:
      return setting.parse(str(value))
    return parsed_list(setting.parse, items, is_vector=setting.is_vector)
  except ValueError as error:
    raise SettingError(f'--{setting.name}: {error}') from None


def parsed_list(
  parse: Parser, items: Sequence[Any], *, is_vector: bool = False
) -> list[Any]:
  """Returns a list of values, one or more and all different but in a vector.

  Numbers can be ranges, see `parsers.expand`.

  Raises:
    ValueError: on an item out of range, on none, on one that is there twice.
  """
  texts = [str(item) for item in items]
  if isinstance(parse, Number):
    texts = expand(texts)
  values = [parse(text) for text in texts]
  if is_vector:
    return values
  if not values:
    raise ValueError('needs at least one value')
  if len(set(values)) < len(values):
    raise ValueError(f'has a value twice: {[str(item) for item in items]}')
  return values


def require_held(
  settings: Sequence[Setting], values: Values, dtype: str
) -> None:
  """Checks that a training in a dtype can hold all numbers.

  Raises:
    SettingError: naming the setting and the number.
  """
  for setting in settings:
    precision.require_held(
      setting.name,
      values[setting.name],
      setting.held_in or dtype,
      is_vector=setting.is_vector,
      is_below_one=setting.is_below_one,
    )


def _require_used(settings: Sequence[Setting], values: Values) -> None:
  """Refuses to sweep what no configuration uses."""
  for setting in settings:
    if setting.needs is None or not setting.is_swept:
      continue
    name, users = setting.needs
    number = len(values[setting.name])
    if number > 1 and not set(values[name]) & set(users):
      raise SettingError(
        f'--{setting.name} lists {number} values that '
        f'{", ".join(values[name])} does not use'
      )


def names_of(settings: Sequence[Setting], *roles: str) -> list[str]:
  """Returns the names of the settings of these roles, in their order."""
  return [setting.name for setting in settings if setting.role in roles]


def swept(settings: Sequence[Setting]) -> Iterator[Setting]:
  """Yields the settings that span a grid: the columns of every table."""
  return (setting for setting in settings if setting.is_swept)


def text_of(value: Any) -> str:
  """Returns a value in few digits, or in all that tell it from others."""
  if not isinstance(value, float):
    return str(value)
  short = f'{value:g}'
  return short if float(short) == value else repr(value)
