"""The record of where a folder of results comes from: `manifest.json`.

    identity (script, scientific flags, layout)   checked before anything is run
    invocations (start, end, environment)         appended, never rewritten

The same identity resumes a folder; another is refused and nothing is lost. The
stores of a folder repeat its identity, so that a manifest that was changed by
hand does not pass for theirs.
"""

from collections.abc import Mapping, Sequence
import datetime
import importlib.metadata
import json
import logging
import os
import pathlib
import platform
import subprocess
from typing import Any

import filelock
import jax

from toyjax import checks, manifest_form, processors

FILENAME = 'manifest.json'
_LOCKNAME = '.lock'
_LOGGER = logging.getLogger(__name__)
_PACKAGES = ('toyjax', 'jax', 'jaxlib', 'optax', 'numpy', 'zarr')


class WorkdirError(Exception):
  """A folder cannot be used as asked; the message is one line for a person."""


def environment() -> dict[str, Any]:
  """Returns the versions and devices that a result may depend on."""
  devices = jax.local_devices()
  return {
    'versions': {
      'python': platform.python_version(),
      **{name: _version(name) for name in _PACKAGES},
    },
    'git_commit': _git_commit(),
    'machine': f'{platform.system()} {platform.machine()}',
    'processor': processors.model(),
    'instruction_set': processors.instruction_set(),
    'num_cores': os.cpu_count(),
    'device': devices[0].device_kind,
    'platform': devices[0].platform,
    'num_devices': len(devices),
    'xla_flags': os.environ.get('XLA_FLAGS', ''),
  }


class Workdir:
  """A locked folder with a manifest. Use as a context manager.

  Attributes:
    path: the folder.
    manifest: the content of `manifest.json`.
  """

  def __init__(
    self,
    path: str | pathlib.Path,
    *,
    script: str,
    science: Mapping[str, Any],
    extent: Mapping[str, int],
    layout: Mapping[str, Any],
    environment: Mapping[str, Any],
  ):
    """Names the folder and what shall be in it; touches nothing yet.

    Args:
      path: the folder; created when entered.
      script: name of the script that owns the folder.
      science: flags that change results; must equal the folder's.
      extent: flags that may grow, such as the number of seeds.
      layout: flags that shape the stored files; must equal the folder's.
      environment: what else results may depend on, noted with each start.

    Raises:
      ValueError: where the path is an address, or a setting is NaN or infinite.
    """
    self.path = checks.local_path(path)
    self._lock = filelock.FileLock(self.path / _LOCKNAME, blocking=False)
    self._asked = json.loads(
      json.dumps(
        {
          'script': script,
          'science': dict(science),
          'extent': dict(extent),
          'layout': dict(layout),
        },
        allow_nan=False,
      )
    )
    self._environment = dict(environment)
    self.manifest: dict[str, Any] = {}

  def __enter__(self) -> 'Workdir':
    """Checks, creates and locks the folder, and notes the start.

    Raises:
      WorkdirError: where the folder is foreign, locked, unwritable, or holds
        results of other flags. Nothing in it is changed then.
    """
    self._find()  # A folder that is refused is not even locked.
    try:
      self.path.mkdir(parents=True, exist_ok=True)
      self._lock.acquire()
    except filelock.Timeout:
      raise WorkdirError(
        f'{self.path} is in use by another run; wait for it or stop it'
      ) from None
    except OSError as error:
      raise WorkdirError(
        f'cannot write to {self.path}: {error.strerror or error}'
      ) from None
    try:
      found = self._find()
      earlier_ones = found['invocations'] if found else []
      self._compare(earlier_ones)
      self.manifest = {
        'format': manifest_form.FORMAT,
        **self._asked,
        'invocations': earlier_ones,
      }
      for earlier in self.manifest['invocations']:
        if earlier['status'] == 'running':
          earlier['status'] = 'killed'  # It holds the lock no more.
      self.manifest['invocations'].append(
        {
          'started': _now(),
          'ended': None,
          'status': 'running',
          **self._environment,
        }
      )
      self._write()
    except BaseException:
      self._lock.release()
      raise
    return self

  def __exit__(self, error_type: Any, error: Any, traceback: Any) -> None:
    try:
      last = self.manifest['invocations'][-1]
      last['ended'] = _now()
      last['status'] = 'finished' if error_type is None else 'stopped'
      self._write()
    finally:
      self._lock.release()

  @property
  def identity(self) -> dict[str, Any]:
    """What makes the runs of the folder what they are, for its stores."""
    return identity(self._asked)

  def _compare(self, invocations: Sequence[Mapping[str, Any]]) -> None:
    """Logs where code for another processor is to add to what there is."""
    name = 'instruction_set'
    then = [found[name] for found in invocations if found.get(name)]
    now = self._environment.get(name)
    if then and now and then[-1] != now:
      _LOGGER.warning(
        '%s was begun with code for %s, goes on with %s: every run is valid, '
        'but the same seed may differ in its last bits',
        self.path,
        then[-1],
        now,
      )

  def note(self, **entries: Any) -> None:
    """Adds entries to the manifest, such as the labels of a summary.

    Raises:
      ValueError: on NaN or infinity, which JSON does not have.
    """
    _strict(entries)  # What cannot be written is not noted, either.
    self.manifest.update(entries)
    self._write()

  def _find(self) -> dict[str, Any] | None:
    """Returns the manifest there, if any; raises unless it may be resumed."""
    found = read(self.path)
    if found is None:
      return None
    if found.get('script') != self._asked['script']:
      raise WorkdirError(
        f'{self.path} belongs to {found.get("script")!r}, not to '
        f'{self._asked["script"]!r}; choose another --workdir'
      )
    was = identity(found)
    for difference in checks.unlike(was, self.identity):
      raise WorkdirError(
        f'{self.path} holds results for {difference}; choose another --workdir'
      )
    for name, stored in found['extent'].items():
      asked = self._asked['extent'].get(name)
      if asked is None or asked < stored:
        raise WorkdirError(
          f'{self.path} already holds --{name}={stored}, more than {asked}; '
          'choose another --workdir'
        )
    return found

  def _write(self) -> None:
    """Replaces the manifest in one move, so that it is never half written."""
    temporary = self.path / f'{FILENAME}.partial'
    try:
      temporary.write_text(_strict(self.manifest), encoding='utf-8')
      os.replace(temporary, self.path / FILENAME)
    except OSError as error:
      raise WorkdirError(
        f'cannot write to {self.path}: {error.strerror or error}'
      ) from None


def identity(found: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the part of a manifest that makes the runs what they are."""
  return {name: found[name] for name in ('script', 'science', 'layout')}


def read(path: str | pathlib.Path) -> dict[str, Any] | None:
  """Returns the manifest of a folder, or None where it is empty or absent.

  Raises:
    WorkdirError: where the path is no folder, or holds files but no manifest,
      or one that says too little to be used.
  """
  path = pathlib.Path(path)
  if path.exists() and not path.is_dir():
    raise WorkdirError(f'{path} is a file, not a folder')
  try:
    found = manifest_form.parse((path / FILENAME).read_text(encoding='utf-8'))
  except FileNotFoundError:
    ours = {_LOCKNAME, f'{FILENAME}.partial'}
    if path.exists() and {entry.name for entry in path.iterdir()} - ours:
      raise WorkdirError(
        f'{path} holds other files and no {FILENAME}; choose another --workdir'
      ) from None
    return None
  except (OSError, ValueError, RecursionError) as error:
    raise WorkdirError(
      f'cannot read {path / FILENAME}: {checks.reason(error)}'
    ) from None
  return found


def _strict(content: Mapping[str, Any]) -> str:
  """Returns JSON, which has no NaN and no infinity."""
  return json.dumps(content, indent=2, allow_nan=False) + '\n'


def _now() -> str:
  now = datetime.datetime.now(datetime.UTC)
  return now.isoformat(timespec='seconds')


def _version(package: str) -> str | None:
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return None


def _git_commit() -> str | None:
  """Returns the commit of this source, marked where it has been changed."""
  folder = pathlib.Path(__file__).parent

  def git(*arguments: str) -> str:
    return subprocess.run(
      ['git', *arguments],
      cwd=folder,
      capture_output=True,
      encoding='utf-8',
      errors='replace',
      check=True,
    ).stdout.strip()

  try:
    changed = git('status', '--porcelain', '--untracked-files=no', '--', '.')
    return git('rev-parse', 'HEAD') + ('+changes' if changed else '')
  except (OSError, subprocess.CalledProcessError):
    return None
