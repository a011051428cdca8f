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
    digests: of each file of the watched folder then but for locks, by its path
      there.
    written: when each of them was, in nanoseconds.
    is_there: whether there is such a folder.
    num_seeds: runs a configuration by the folder's manifest; None where it has
      none, or does not say.
  """

  status: int | str
  printed: str
  remarks: str
  digests: dict[str, str]
  written: dict[str, int]
  is_there: bool
  num_seeds: int | None

  @property
  def files(self) -> dict[str, str]:
    """The digests but for those of manifests, which tell the time."""
    return {
      name: digest
      for name, digest in self.digests.items()
      if pathlib.PurePath(name).name != manifest.FILENAME
    }

  def files_of(self, folder: str) -> dict[str, str]:
    """The digests of files below a folder in the watched one, by name there."""
    return {
      str(pathlib.PurePath(name).relative_to(folder)): digest
      for name, digest in self.files.items()
      if pathlib.PurePath(name).is_relative_to(folder)
    }

  @property
  def stored(self) -> dict[str, int]:
    """When chunks of arrays were written, which is once."""
    return {
      name: at
      for name, at in self.written.items()
      if name.endswith('.npz')
      or ('.zarr/' in name and not name.endswith('.json'))
    }


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


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
  return [
    path
    for path in sorted(folder.rglob('*'))
    if path.is_file() and path.name != '.lock'
  ]


def _digest(path: pathlib.Path) -> str:
  return hashlib.sha256(path.read_bytes()).hexdigest()


def _num_seeds(folder: pathlib.Path) -> int | None:
  held = manifest.read(folder) or {'extent': {}, 'layout': {}}
  return {**held['layout'], **held['extent']}.get('num_seeds')


def _child(
  commands: Sequence[Sequence[str]], watched: pathlib.Path, path: pathlib.Path
) -> None:
  from matplotlib.figure import Figure

  from toyjax.command import lifecycle

  os.chdir(processes.ROOT)
  # Pictures in full take as long as most trainings here. Films give no path.
  save = Figure.savefig

  def save_small(self, path, **options):
    small = {'dpi': 50} if isinstance(path, pathlib.Path) else {}
    save(self, path, **options | small)

  Figure.savefig = save_small  # type: ignore[method-assign]
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
    files = {str(path.relative_to(watched)): path for path in _files(watched)}
    found.append(
      Ended(
        *(status, printed.getvalue(), remarks.getvalue()),
        {name: _digest(path) for name, path in files.items()},
        {name: path.stat().st_mtime_ns for name, path in files.items()},
        *(watched.exists(), _num_seeds(watched)),
      )
    )
  path.write_text(json.dumps(found))
