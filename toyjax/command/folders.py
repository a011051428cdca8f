"""The settings of a finished folder, for --from_store."""

import pathlib
from typing import Any

from absl import flags

from toyjax import checks, manifest
from toyjax.settings import Values
from toyjax.studies.base import Study, Task
from toyjax.studies.folders import find

flags.disclaim_key_flags()


def stored_values(
  path: str | pathlib.Path, study: Study | Task
) -> tuple[dict[str, Any], Values]:
  """Returns the manifest of a folder and the values to report it with.

  Args:
    path: the folder.
    study: that made it, and now reads it with --from_store; of its reported
      settings, what is given wins.

  Raises:
    WorkdirError: as `find`, and where any other flag is given a value that is
      not the folder's.
    StoreError: as `find`.
  """
  found = find(path, study.name)
  settings = dict(found['science'])
  for name, stored in (
    *found['layout'].items(),
    *found['extent'].items(),
    *found['science'].items(),
  ):
    if name not in flags.FLAGS:
      continue
    flag = flags.FLAGS[name]
    if not flag.present or flag.value == stored:
      continue
    if name not in study.reported:
      allowed = ' and '.join(f'--{other}' for other in study.reported)
      only = f'only {allowed} may differ' if allowed else 'nothing may differ'
      raise manifest.WorkdirError(
        f'{path} holds results for --{name}={checks.show(stored)}; with '
        f'--from_store {only}'
      )
    settings[name] = flag.value
  return found, settings
