"""A study's commands one after the other in one process, as a user types them.

What JAX compiled for the first serves the others, so all of them take little
more time than one.
"""

from collections.abc import Sequence
import contextlib
import hashlib
import importlib
import io
import json
import os
import pathlib
import traceback
from typing import NamedTuple

from absl import flags

from tests.scripts import processes
from toyjax import manifest


class Ended(NamedTuple):
  """How a command ended.

  Attributes:
    status: exit status; text where it ended with a message.
    printed: on stdout.
    remarks: on stderr.
    files: digest of each file of the watched folder then, by its path there,
      but for what tells when it was written.
    is_there: whether there is such a folder.
    num_seeds: runs a configuration by the folder's manifest; None where it has
      none, or does not say.
  """

  status: int | str
  printed: str
  remarks: str
  files: dict[str, str]
  is_there: bool
  num_seeds: int | None


def run(
  commands: Sequence[Sequence[str]],
  watched: pathlib.Path,
  path: pathlib.Path,
) -> list[Ended]:
  """Runs commands in one process.

  Args:
    commands: each a study and its flags.
    watched: folder that is looked at after each.
    path: of a file for what passes between the processes.
  """
  process = processes.forks.Process(
    target=_child, args=(commands, watched, path)
  )
  process.start()
  process.join(processes.TIMEOUT)
  if process.exitcode is None:
    process.kill()
  assert process.exitcode == 0, f'the process of {commands} ended early'
  return [Ended(*each) for each in json.loads(path.read_text())]


def _files(folder: pathlib.Path) -> dict[str, str]:
  return {
    str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
    for path in sorted(folder.rglob('*'))
    if path.is_file() and path.name not in (manifest.FILENAME, '.lock')
  }


def _num_seeds(folder: pathlib.Path) -> int | None:
  held = manifest.read(folder) or {'extent': {}, 'layout': {}}
  return {**held['layout'], **held['extent']}.get('num_seeds')


def _child(
  commands: Sequence[Sequence[str]], watched: pathlib.Path, path: pathlib.Path
) -> None:
  from toyjax.command import lifecycle

  os.chdir(processes.ROOT)
  found = []
  for name, *arguments in commands:
    study = importlib.import_module(f'toyjax.studies.{name}').STUDY
    others = set(flags.FLAGS)
    lifecycle.define(study)
    printed, remarks = io.StringIO(), io.StringIO()
    status: int | str = 0
    with (
      contextlib.redirect_stdout(printed),
      contextlib.redirect_stderr(remarks),
    ):
      try:
        rest = flags.FLAGS([name, *arguments])
        lifecycle.main(study, rest)
      except SystemExit as error:
        status = error.code or 0
      except Exception:
        status = traceback.format_exc()
    for flag in set(flags.FLAGS) - others:
      delattr(flags.FLAGS, flag)
    found.append(
      Ended(
        *(status, printed.getvalue(), remarks.getvalue(), _files(watched)),
        *(watched.exists(), _num_seeds(watched)),
      )
    )
  path.write_text(json.dumps(found))
