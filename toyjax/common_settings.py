"""Rows that many studies have, and rows taken from another study.

init, SEED, DTYPE, steps, ... --> rows; borrow --> one of other rows
"""

from collections.abc import Iterable, Sequence
from typing import Any

from toyjax import ranges
from toyjax.parsers import POSITIVE, Choice, Number, SettingError
from toyjax.settings import FIXED, Setting, Values, fixed, static, traced


def init(names: Iterable[str], default: str, **fields: Any) -> Setting:
  """Returns the row of the init, which is among these names."""
  every = tuple(names)
  text = f'Among {", ".join(every)}; always drawn per seed.'
  return static('init', [default], Choice(every), text, **fields)


INIT_SCALE = traced(
  'init_scale', [1.0], POSITIVE, "Multiplies the init's standard deviation."
)


def seed(text: str, *, beside: int = 0) -> Setting:
  """Returns the row of the seed; studies that use the next ones too say it."""
  parse = Number(int, 0, ranges.NUM_WORDS - 1 - beside)
  return fixed('seed', 0, parse, text)


def share(name: str, default: float, text: str) -> Setting:
  """Returns the row of one number for all runs, between 0 and 1 alone."""
  parse = Number(float, 0.0, 1.0, exclusive=True)
  return fixed(name, default, parse, text, is_below_one=True)


def traced_of(
  static_name: str, users: Sequence[str], name: str, default: list, *row: Any
) -> Setting:
  """Returns the row of an axis that some values of a static setting have.

  Args:
    static_name: of the static setting, which stands before.
    users: its values that have the axis.
    name: of the axis.
    default: a list, cut to its first number where nobody uses it.
    *row: its parser and its help.
  """

  def follow(value: list[Any], is_given: bool, values: Values) -> list[Any]:
    is_used = is_given or set(users) & set(values[static_name])
    return value if is_used else value[:1]

  needs = static_name, tuple(users)
  return traced(name, default, *row, needs=needs, follow=follow)


SEED = seed('Seed of the whole sweep: seed index i is fold_in(seed, i).')
DTYPES = ('float32', 'float64')
DTYPE = fixed('dtype', 'float32', Choice(DTYPES), 'Precision of the training.')


def steps(
  num_steps: int,
  observe: Sequence[int],
  *,
  about: str,
  least: int,
  unit: str = 'steps',
) -> tuple[Setting, Setting]:
  """Returns the rows of the length of a run and of where it is observed.

  Args:
    num_steps: default.
    observe: default; those past the end are left out.
    about: help of the length.
    least: steps of a run, and to be observed.
    unit: steps or epochs.
  """
  number = Number(int, least)

  def observed(value: list[int], is_given: bool, values: Values) -> list[int]:
    end = values[f'num_{unit}']
    if not is_given:
      return [*(step for step in value if step < end), end]
    if value != sorted(value):
      raise SettingError(f'--observe_{unit} must increase: {value}')
    if value[-1] > end:
      raise SettingError(
        f'--observe_{unit}={value[-1]} lies past the end, --num_{unit}={end}'
      )
    return value

  return (
    fixed(f'num_{unit}', num_steps, number, about),
    fixed(
      f'observe_{unit}',
      list(observe),
      number,
      f'Increasing {unit} after which runs are labelled and stored; those past '
      f'--num_{unit} are an error, unless this flag is left alone.',
      follow=observed,
    ),
  )


def borrow(
  rows: Sequence[Setting], name: str, default: Any, text: str = ''
) -> Setting:
  """Returns a row of another study, with a default of one's own.

  Args:
    rows: of that study.
    name: of the setting.
    default: one value holds for all runs; a list leaves the row its role. No
      other setting is needed for it to be used.
    text: its help; '' is that of the row.
  """
  (row,) = (row for row in rows if row.name == name)
  role = row.role if isinstance(default, list) else FIXED
  row = row._replace(default=default, role=role, needs=None)
  return row._replace(help=text or row.help)
