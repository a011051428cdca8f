"""The settings of the machine that every sweep has beside its own."""

from toyjax import chunks, parsers
from toyjax.parsers import COUNT, NATURAL, Choice, Number
from toyjax.settings import Setting, machine


def num_devices(
  text: str = 'Host (CPU) devices; 0 means one for each core.',
) -> Setting:
  """Returns the row of the number of devices, with a help of its own."""
  parse = Number(int, 0, 1024)  # Each is a thread or more.
  return machine('num_devices', 0, parse, text)


def folder(
  default: str,
  text: str = 'Folder for results. The same command on the same folder '
  'resumes.',
) -> Setting:
  """Returns the row of the folder, with a help of its own."""
  return machine('workdir', default, parsers.path, text)


def machine_settings(workdir: str) -> tuple[Setting, ...]:
  """Returns the rows that every sweep has beside the study's own."""
  return (
    machine(
      'chunk_size',
      0,
      NATURAL,
      'Runs computed and stored at a time. Less memory and a livelier progress '
      'bar against speed; 0 takes what --workdir has, or suits the device.',
    ),
    machine(
      'map',
      'lanes',
      Choice(chunks.MAPS),
      'How a device maps the run over seeds: lanes is made for tiny programs; '
      'results differ in last bits.',
    ),
    folder(workdir),
    num_devices(
      'Host (CPU) devices the runs are spread over; 0 means one for each core.'
    ),
    machine(
      'dry_run',
      False,
      parsers.truth,
      'Only say what time, memory and disk it will take.',
    ),
  )


KEEP_PROGRAMS = machine(
  'keep_programs',
  True,
  parsers.truth,
  "Keep compiled programs in the user's cache folder for the next start; at "
  'most 256 MiB.',
)
FROM_STORE = machine(
  'from_store',
  False,
  parsers.truth,
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
    machine('num_seeds', num_seeds, COUNT, f'Seeds per configuration. {more}'),
    FROM_STORE,
  )
