"""Tries many values of a study's flags; nothing is run."""

from collections.abc import Sequence
import importlib
from typing import NamedTuple

from absl import flags

from toyjax.command import lifecycle
from toyjax.command.flags import given
from toyjax.parsers import SettingError

# No flag of a number takes these; one of integers takes those less still.
NO_NUMBERS = (
  *('nan', '-nan', 'inf', '-inf', 'infinity', '1e400', '1_000', '0x10'),
  *('', ' ', 'ten', '1,,2', '٣', '1 2', '1e', '9' * 5000),
)
NO_INTEGERS = ('1.5', '1e3', '99999999999999999999', '-99999999999999999999')
NO_PATHS = (
  *('s3://bucket/x', 'gs://bucket/x', 'file:///tmp/x', 'FILE:/tmp/x'),
  *('http://host/x', '~nobody-of-that-name/x', ' '),
)
REPEATED = ('7,7', '0.7,0.7', '.5,0.50')
BAD = {
  'int': (*NO_NUMBERS, *NO_INTEGERS),
  'float': NO_NUMBERS,
  'comma-separated list of int': (*NO_NUMBERS, *NO_INTEGERS, '7,7'),
  'comma-separated list of float': (*NO_NUMBERS, '0.7,0.7', '.5,0.50'),
  'path': NO_PATHS,
}


class Doors(NamedTuple):
  """What a study says of its flags; an answer is the refusing line, or ''.

  Attributes:
    kinds: type of each flag.
    bad: flag, value and answer for all of `BAD`.
    cases: the answer to each case.
  """

  kinds: dict[str, str]
  bad: list[tuple[str, str, str]]
  cases: list[str]


def ask(name: str, cases: Sequence[Sequence[str]]) -> Doors:
  """Returns what a study says of its flags.

  Args:
    name: of the study.
    cases: the flags of each case.
  """
  study = importlib.import_module(f'toyjax.studies.{name}').STUDY
  held = flags.FlagValues()  # Others have flags of the same names.
  lifecycle.define(study, held)
  vectors = {row.name for row in study.settings if row.is_vector}
  required = [
    f'--{flag}={value}'
    for flag, value in {'trace': '.', 'position': '0'}.items()
    if flag in held
  ]

  def answer(case: Sequence[str]) -> str:
    held.unparse_flags()
    try:
      held([name, *required, *case])
      study.resolve(**given(study.settings, held))
    except (flags.Error, SettingError) as error:
      return str(error)
    return ''

  kinds = {flag: held[flag].flag_type() for flag in held}
  return Doors(
    kinds,
    [
      (flag, value, answer([f'--{flag}={value}']))
      for flag, kind in kinds.items()
      for value in BAD.get(kind, ())
      # Numbers of a vector may be equal.
      if flag not in vectors or value not in REPEATED
    ],
    [answer(case) for case in cases],
  )
