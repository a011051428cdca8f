"""Tries many values of a script's flags in one fork, which trains nothing."""

from collections.abc import Sequence
import importlib
import json
import os
import pathlib
import tempfile

from tests.scripts import processes

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
BAD = {
  'int': (*NO_NUMBERS, *NO_INTEGERS),
  'float': NO_NUMBERS,
  'comma-separated list of int': (*NO_NUMBERS, *NO_INTEGERS, '7,7'),
  'comma-separated list of float': (*NO_NUMBERS, '0.7,0.7', '.5,0.50'),
  'path': NO_PATHS,
}


def ask(script: str, cases: Sequence[Sequence[str]]) -> dict:
  """Returns what a script says of its flags.

  Args:
    script: its name, in scripts.
    cases: the flags of each case.

  Returns:
    'kinds': type of each flag; 'bad': flag, value and answer for all of `BAD`;
    'cases': the answer to each case. An answer is the line that refuses, or ''.
  """
  with tempfile.TemporaryDirectory() as name:
    path = pathlib.Path(name) / 'found.json'
    process = processes._forks.Process(
      target=_child, args=(script, cases, str(path))
    )
    process.start()
    process.join(processes.TIMEOUT)
    assert process.exitcode == 0, script
    return json.loads(path.read_text())


def _child(script: str, cases: Sequence[Sequence[str]], path: str) -> None:
  from absl import flags
  from absl.testing import flagsaver

  os.chdir(processes.ROOT)
  module = importlib.import_module(f'scripts.{script}')
  FLAGS = flags.FLAGS
  kinds = {
    flag.name: flag.parser.flag_type() if flag.parser else flag.flag_type()
    for name, listed in FLAGS.flags_by_module_dict().items()
    if name == module.__name__ or name.startswith('scripts.')
    for flag in listed
  }
  required = {
    name: value
    for name, value in {'trace': '.', 'position': '0'}.items()
    if name in FLAGS
  }
  saved = flagsaver.save_flag_values(FLAGS)

  def answer(case: Sequence[str]) -> str:
    FLAGS.unparse_flags()
    try:
      given = [f'--{name}={value}' for name, value in required.items()]
      FLAGS([script, *given, *case])
      if hasattr(module, 'read_settings'):
        module.read_settings()
    except flags.Error as error:
      return str(error)
    finally:
      flagsaver.restore_flag_values(saved, FLAGS)
    return ''

  found = {
    'kinds': kinds,
    'bad': [
      (name, value, answer([f'--{name}={value}']))
      for name, kind in kinds.items()
      for value in BAD.get(kind, ())
    ],
    'cases': [answer(case) for case in cases],
  }
  pathlib.Path(path).write_text(json.dumps(found))
