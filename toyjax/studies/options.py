"""The settings of the machine that every sweep has beside its own."""

from toyjax import chunks, parsers
from toyjax.parsers import Choice, Number
from toyjax.settings import MACHINE, Setting


def num_devices(
  text: str = 'Host (CPU) devices; 0 means one for each core.',
) -> Setting:
  """Returns the row of the number of devices, with a help of its own."""
  parse = Number(int, 0, 1024)  # Each is a thread or more.
  return Setting('num_devices', 0, parse, MACHINE, text)


def folder(
  default: str,
  text: str = 'Folder for results. The same command on the same folder '
  'resumes.',
) -> Setting:
  """Returns the row of the folder, with a help of its own."""
  return Setting('workdir', default, parsers.path, MACHINE, text)


def machine_settings(workdir: str) -> tuple[Setting, ...]:
  """Returns the rows that every sweep has beside the study's own."""
  return (
    Setting(
      'chunk_size',
      0,
      Number(int, 0),
      MACHINE,
      'Runs computed and stored at a time. Less memory and a livelier progress '
      'bar against speed; 0 takes what --workdir has, or suits the device.',
    ),
    Setting(
      'map',
      'lanes',
      Choice(chunks.MAPS),
      MACHINE,
      'How a device maps the run over seeds: lanes is made for tiny programs; '
      'results differ in last bits.',
    ),
    folder(workdir),
    num_devices(
      'Host (CPU) devices the runs are spread over; 0 means one for each core.'
    ),
    Setting(
      'dry_run',
      False,
      parsers.truth,
      MACHINE,
      'Only say what time, memory and disk it will take.',
    ),
  )


FROM_STORE = Setting(
  'from_store',
  False,
  parsers.truth,
  MACHINE,
  'Label, tabulate and draw the runs in --workdir again, without training.',
)


def seed_settings(num_seeds: int, *, grows: bool = True) -> tuple[Setting, ...]:
  """Returns the rows of a sweep over seeds.

  Args:
    num_seeds: default.
    grows: whether more seeds may extend a folder.
  """
  more = (
    'A larger number extends an existing --workdir.'
    if grows
    else 'A --workdir keeps its own.'
  )
  return (
    Setting(
      'num_seeds',
      num_seeds,
      Number(int, 1),
      MACHINE,
      f'Seeds per configuration. {more}',
    ),
    FROM_STORE,
  )
