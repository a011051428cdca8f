r"""Do tests and main job pass on other processors, Pythons, devices, loads?

Runs the tests and the main job once for each leg and prints a table of the legs
as Markdown. A leg changes the instruction set that XLA may use, the number of
XLA devices, or a load on all cores, one of them or two; each also has a hash
seed of its own. All compile as for users. The exit status is 1 where a test or
the main job fails, or no test runs.

  make test-matrix ARGS='--legs=*-SSE4_2,*-busy --tests=tests/lanes'
  python -m benchmarks.test_matrix --list
  python -m benchmarks.test_matrix --pythons=.venv/bin/python --jobs=2
"""

from collections.abc import Sequence
import csv
import fnmatch
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time
from typing import NamedTuple
from xml.etree import ElementTree

from absl import app, flags

from benchmarks.matrix_legs import ROOT, Leg, find_pythons, load, make_legs
from toyjax import parsers
from toyjax.command.flags import define
from toyjax.settings import fixed

SETTINGS = (
  fixed(
    'pythons',
    [],
    str,
    'Interpreters that have what the tests need; by default those of the '
    'folders .venv*, which `make` sets up.',
    is_vector=True,
  ),
  fixed('legs', ['*'], str, "Names, or patterns such as '3.12-*'."),
  fixed(
    'workdir',
    'runs/test_matrix',
    parsers.path,
    "Folder for each leg's log and main job.",
  ),
)

define(SETTINGS)
flags.DEFINE_string(
  'tests', '', "What pytest is told: 'tests/lanes -k scan'. By default all."
)
flags.DEFINE_integer('jobs', 2, 'Processes of a leg; 0: only its own.', 0)
flags.DEFINE_bool('sweep', True, 'Also run the main job: `make sweep`.')
flags.DEFINE_bool('list', False, 'Only name the legs.')


def _run(leg: Leg, arguments: Sequence[str], log: pathlib.Path) -> int:
  """Runs a module with a leg's interpreter; returns its exit status."""
  with (
    load((os.cpu_count() or 1) * leg.busy),
    log.open('w', encoding='utf-8') as file,
  ):
    return subprocess.run(
      [leg.python, '-m', *arguments],
      cwd=ROOT,
      env=os.environ | leg.environment(),
      stdin=subprocess.DEVNULL,
      stdout=file,
      stderr=subprocess.STDOUT,
    ).returncode


class Result(NamedTuple):
  """How the tests of a leg ended."""

  passed: int
  failed: int
  skipped: int
  seconds: float
  failures: list[str]


def run(leg: Leg, arguments: Sequence[str], log: pathlib.Path) -> Result:
  """Runs the tests of a leg.

  Args:
    leg: which.
    arguments: of pytest.
    log: file for all that pytest says.

  Returns:
    What its report holds; nothing passed where it made none.
  """
  report = log.with_suffix('.xml')
  report.unlink(missing_ok=True)
  start = time.monotonic()
  _run(leg, ['pytest', f'--junitxml={report}', *arguments], log)
  seconds = time.monotonic() - start
  if not report.exists():
    return Result(0, 0, 0, seconds, [f'no report: see {log}'])
  total, failed, skipped, failures = 0, 0, 0, []
  for case in ElementTree.parse(report).iter('testcase'):
    kinds = {child.tag for child in case}
    total += 1
    skipped += 'skipped' in kinds
    if kinds & {'failure', 'error'}:
      failed += 1
      failures.append(f'{case.get("classname")}::{case.get("name")}')
  return Result(total - failed - skipped, failed, skipped, seconds, failures)


class Sweep(NamedTuple):
  """How the main job of a leg ended.

  Attributes:
    num_solved: runs of the largest n that are solved at the last step; None
      where the job failed.
    num_runs: of that n.
    seconds: the whole job.
  """

  num_solved: int | None
  num_runs: int
  seconds: float


def sweep(leg: Leg, workdir: pathlib.Path, arguments: Sequence[str]) -> Sweep:
  """Runs the main job of a leg in a new folder.

  Args:
    leg: which.
    workdir: replaced where it is there.
    arguments: flags beside the defaults.
  """
  shutil.rmtree(workdir, ignore_errors=True)
  start = time.monotonic()
  status = _run(
    leg,
    [
      *('scripts.optimization_failure', f'--workdir={workdir}'),
      *(f'--num_devices={leg.num_devices}', *arguments),
    ],
    workdir.with_name(f'{workdir.name}.log'),
  )
  seconds = time.monotonic() - start
  if status:
    return Sweep(None, 0, seconds)
  with (workdir / 'summary.csv').open(encoding='utf-8') as file:
    rows = list(csv.DictReader(file))
  last = [
    row
    for row in rows
    if (row['num_features'], row['step'])
    == (rows[-1]['num_features'], rows[-1]['step'])
  ]
  solved = [row for row in last if row['outcome'].startswith('SOLVED')]
  return Sweep(
    sum(int(row['count']) for row in solved), int(last[0]['total']), seconds
  )


HEADER = (
  '| leg | Python | JAX | instruction set | devices | hash seed | passed '
  '| failed | skipped | time | main job: solved, time |\n'
  '|---|---|---|---|---|---|---|---|---|---|---|'
)


def _duration(seconds: float) -> str:
  minutes, rest = divmod(round(seconds), 60)
  return f'{minutes} min {rest} s' if minutes else f'{rest} s'


def row(leg: Leg, result: Result, swept: Sweep | None) -> str:
  """Returns a line of the table."""
  if swept is None:
    job = 'not run'
  elif swept.num_solved is None:
    job = 'failed'
  else:
    job = (
      f'{swept.num_solved:,} of {swept.num_runs:,}, {_duration(swept.seconds)}'
    )
  cells = [
    *(leg.name, *leg.versions, leg.isa or 'all', leg.num_devices),
    *(leg.hash_seed, result.passed, result.failed, result.skipped),
    *(_duration(result.seconds), job),
  ]
  return f'| {" | ".join(map(str, cells))} |'


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  try:
    legs = make_legs(FLAGS.pythons or find_pythons())
  except ValueError as error:
    sys.exit(f'test_matrix: {error}')
  chosen = [
    leg
    for leg in legs
    if any(fnmatch.fnmatchcase(leg.name, pattern) for pattern in FLAGS.legs)
  ]
  if FLAGS.list:
    print(*(leg.name for leg in chosen), sep='\n')
    return
  if not chosen:
    known = ', '.join(leg.name for leg in legs) or 'none: `make setup` first'
    sys.exit(f'test_matrix: no leg is named {FLAGS.legs}; there are {known}')
  folder = pathlib.Path(FLAGS.workdir).resolve()
  folder.mkdir(parents=True, exist_ok=True)
  arguments = [
    *shlex.split(FLAGS.tests),
    *(f'--numprocesses={FLAGS.jobs}', '--dist=loadfile'),
  ]
  results, sweeps = {}, {}
  print(HEADER, flush=True)
  for leg in chosen:
    if FLAGS.sweep:
      sweeps[leg] = sweep(leg, folder / f'{leg.name}-sweep', [])
    results[leg] = run(leg, arguments, folder / f'{leg.name}.log')
    print(row(leg, results[leg], sweeps.get(leg)), flush=True)
  for leg, result in results.items():
    for name in result.failures:
      print(f'{leg.name}: {name}')
  bad = [r for r in results.values() if r.failures or not r.passed]
  unfinished = [job for job in sweeps.values() if job.num_solved is None]
  sys.exit(1 if bad or unfinished else 0)


if __name__ == '__main__':
  app.run(main)
