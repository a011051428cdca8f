"""absl flags of files and folders, `~` expanded once, where they are read."""

import os
from typing import Any

from absl import flags

from toyjax import checks

flags.disclaim_key_flags()


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


class _PathParser(flags.ArgumentParser):
  """Parses a path, or one of the words that a flag also takes."""

  syntactic_help = 'a path'

  def __init__(self, *, is_optional: bool):
    self._is_optional = is_optional

  def parse(self, argument: Any) -> str:
    """Returns the path; raises ValueError on what is none."""
    if not argument.strip() and not (self._is_optional and not argument):
      raise ValueError('a path is needed')
    return path(argument)

  def flag_type(self) -> str:
    """Returns the name of the type shown in --helpxml."""
    return 'path'


def define_path(
  name: str, default: str | None, description: str, *, required: bool = False
) -> None:
  """Defines a flag of a local path; '' is taken where it is the default."""
  flags.DEFINE(
    _PathParser(is_optional=default == ''),
    name,
    default,
    description,
    serializer=flags.ArgumentSerializer(),
    required=required,
  )
