r"""How much harder are two hidden dimensions than three?

Reads a folder of `scripts.optimization_failure` that was swept over
--num_features and --num_hidden, trains nothing, and says at each observed step
what share of runs has failed, that is, is not solved: sizes.csv has one row per
n, m and step with its Wilson interval, ratios.csv the failure rate of the first
of --compare over that of the second with Koopman's score interval, sizes.png
shows both. All of it lies in WORKDIR/sizes, or in --output.

  python -m scripts.optimization_failure --num_features=3,4,5,6,7,8,9,10,12 \
    --num_hidden=2,3,4 --num_seeds=1024 --workdir=runs/sizes
  python -m scripts.failure_sizes --workdir=runs/sizes
"""

import contextlib
import logging

from toyjax import settings
from toyjax.manifest import WorkdirError
from toyjax.parsers import COUNT, SettingError
from toyjax.runs import Runs
from toyjax.settings import SHAPE, Values, fixed, reported
from toyjax.studies import folders, optimization_failure
from toyjax.studies.base import Plan, Task
from toyjax.studies.failure_sizes.report import report
from toyjax.studies.folders import Folder

_LOGGER = logging.getLogger(__name__)

SETTINGS = (
  *folders.rows(
    'Folder of scripts.optimization_failure.', 'sizes', workdir='runs/sizes'
  ),
  fixed(
    'compare', [2, 3], COUNT, 'Two values of m: the first rate over the second.'
  ),
  reported(
    'show_steps',
    [5000, 25_000],
    COUNT,
    'Observed steps to show; others are in the tables.',
  ),
)


def read(folder: Folder) -> list[Runs]:
  """Returns the finished runs of each size that has any.

  Raises:
    WorkdirError: where the folder holds nothing, or swept something else.
    StoreError: where it is damaged.
  """
  for row in settings.swept(folder.study.settings):
    if row.role != SHAPE and len(folder.values[row.name]) > 1:
      raise WorkdirError(
        f'{folder.path} was also swept over --{row.name}; only --num_features '
        'and --num_hidden may vary'
      )
  found = []
  for stage in folder.stages:
    finished: list[Runs] = []
    with contextlib.suppress(SettingError):  # The sweep did not come to it.
      every = folder.split(stage, folder.open(stage))
      finished = [runs for runs in every if runs.num_runs]
    found += finished
    if not finished:
      _LOGGER.warning(
        '%s: no run of %s is there, so that size is left out',
        folder.path,
        stage.name,
      )
  if not found:
    raise WorkdirError(f'{folder.path} has no finished run yet')
  return found


def prepare(values: Values) -> Plan:
  """Returns the plan: the runs of all sizes are counted and compared."""
  if len(values['compare']) != 2:
    raise SettingError(f'--compare takes two values of m: {values["compare"]}')
  folder = folders.open_trained(values, optimization_failure.STUDY)
  found = read(folder)
  observed = folder.values['observe_steps']
  shown = [step for step in values['show_steps'] if step in observed]
  return folder.plan(
    values,
    'sizes',
    lambda workdir: report(found, values['compare'], shown or observed[-1:]),
    science=folder.values | {'compare': values['compare']},
  )


STUDY = Task('failure_sizes', SETTINGS, prepare)
