"""toyjax: studies of how, and how often, tiny systems fail.

toyjax                       lists the studies
toyjax run NAME --flag=...   runs one, with the flags of scripts/NAME.py
toyjax run NAME --help       explains it
"""

import ast
import difflib
import importlib
import sys

from absl import flags

from toyjax.study_names import FOLDER, names

flags.disclaim_key_flags()


def main() -> None:
  """Runs what the command line asks for."""
  arguments = sys.argv[1:]
  match arguments:
    case []:
      print(f'{__doc__}\n{_list()}')
    case ['--help' | '-h' | 'help']:
      print(__doc__)
    case ['run', name, *rest] if name in names():
      study = importlib.import_module(f'toyjax.studies.{name}')
      # Slow to import, and a list of the studies needs none of it.
      lifecycle = importlib.import_module('toyjax.command.lifecycle')
      # absl explains the main module, and defines its flags.
      sys.modules['__main__'].__doc__ = study.__doc__
      sys.argv = [f'toyjax run {name}', *rest]
      lifecycle.start(study.STUDY)
    case ['run', name, *_] if not name.startswith('-'):
      close = difflib.get_close_matches(name, names(), n=1)
      hint = f'; did you mean {close[0]}?' if close else ''
      sys.exit(f'toyjax: {name} is no study{hint}\n\n{_list()}')
    case ['run', *_]:
      sys.exit(f'toyjax: run what?\n\n{_list()}')
    case _:
      sys.exit(f'toyjax: {arguments[0]} is unknown\n{__doc__}')


def _list() -> str:
  """Returns every study with the first line of its documentation."""
  width = max(map(len, names()))
  lines = []
  for name in names():
    path = FOLDER / name / '__init__.py'
    # Read, since to import all of them is slow.
    text = ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or ''
    first = text.partition('\n')[0]
    lines.append(f'  {name:{width}}  {first}')
  return '\n'.join(lines)
