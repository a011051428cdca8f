r"""Do the tests pass on other processors, Pythons, device counts and loads?

Runs the tests once for each leg and prints a table of the legs as Markdown. A
leg changes one thing at a time: the instruction set that XLA may use, the
number of XLA devices, or a load on all cores; each also has a hash seed of its
own. The exit status is 1 where a test fails or none runs.

  make test-matrix ARGS='--legs=*-SSE4_2,*-busy --tests=tests/lanes'
  python -m benchmarks.test_matrix --list
  python -m benchmarks.test_matrix --pythons=.venv/bin/python --jobs=2
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import fnmatch
import os
import pathlib
import shlex
import subprocess
import sys
import time
from typing import NamedTuple
from xml.etree import ElementTree

from absl import app, flags

from scripts.shared.list_flags import define_list
from scripts.shared.path_flags import define_path

ROOT = pathlib.Path(__file__).parents[1]
VERSIONS = (
  'import platform, jax; print(platform.python_version(), jax.__version__)'
)
# Name of a leg: instruction set (None: all there are), devices, busy.
KINDS: Mapping[str, tuple[str | None, int, bool]] = {
  'default': (None, 2, False),
  'SSE4_2': ('SSE4_2', 2, False),
  'AVX': ('AVX', 2, False),
  'AVX2': ('AVX2', 2, False),
  '1device': (None, 1, False),
  '4devices': (None, 4, False),
  'busy': (None, 2, True),
}

define_list(
  'pythons',
  [],
  str,
  'Interpreters that have what the tests need; by default those of the folders '
  '.venv*, which `make` sets up.',
  is_swept=False,
)
define_list('legs', ['*'], str, "Names, or patterns such as '3.12-*'.")
flags.DEFINE_string(
  'tests', '', "What pytest is told: 'tests/lanes -k scan'. By default all."
)
flags.DEFINE_integer('jobs', 2, 'Processes of a leg; 0: only its own.', 0)
define_path('workdir', 'runs/test_matrix', "Folder for each leg's log.")
flags.DEFINE_bool('list', False, 'Only name the legs.')


class Leg(NamedTuple):
  """One run of the tests.

  Attributes:
    name: for people, and for --legs.
    python: the interpreter.
    versions: of Python and of JAX.
    isa: the largest instruction set that XLA may use, None for all.
    num_devices: XLA devices.
    hash_seed: of Python's strings.
    busy: whether all cores have other work beside the tests.
  """

  name: str
  python: str
  versions: tuple[str, str]
  isa: str | None
  num_devices: int
  hash_seed: int
  busy: bool

  def environment(self) -> dict[str, str]:
    """Returns what the tests' processes find, beside what is there."""
    isa = [] if self.isa is None else [f'--xla_cpu_max_isa={self.isa}']
    return {
      # As users compile, whatever `make test` does.
      'TOYJAX_TEST_CODE': 'optimized',
      'XLA_FLAGS': ' '.join([*os.environ.get('XLA_FLAGS', '').split(), *isa]),
      'TOYJAX_TEST_DEVICES': str(self.num_devices),
      'PYTHONHASHSEED': str(self.hash_seed),
    }


class Result(NamedTuple):
  """How the tests of a leg ended."""

  passed: int
  failed: int
  skipped: int
  seconds: float
  failures: list[str]


def make_legs(pythons: Sequence[str]) -> list[Leg]:
  """Returns all legs of the interpreters.

  Raises:
    ValueError: where one does not run, or cannot import JAX.
  """
  legs: list[Leg] = []
  for python in pythons:
    try:
      versions = subprocess.run(
        [python, '-c', VERSIONS],
        capture_output=True,
        encoding='utf-8',
        check=True,
      ).stdout.split()
    except (OSError, subprocess.CalledProcessError):
      raise ValueError(
        f'{python} does not run or has no JAX: `make setup` makes one that does'
      ) from None
    minor = '.'.join(versions[0].split('.')[:2])
    for kind, (isa, num_devices, busy) in KINDS.items():
      # So that no two legs of all have the same.
      hash_seed = len(legs)
      legs.append(
        Leg(
          f'{minor}-{kind}',
          python,
          (versions[0], versions[1]),
          isa,
          num_devices,
          hash_seed,
          busy,
        )
      )
  return legs


def find_pythons() -> list[str]:
  """Returns the interpreters of the folders that `make` sets up."""
  # Not resolved: a link out of its folder would lose the folder's packages.
  return sorted(str(path) for path in ROOT.glob('.venv*/bin/python'))


@contextlib.contextmanager
def load(num_processes: int) -> Iterator[list[subprocess.Popen]]:
  """Keeps some cores busy, at the tests' own priority; yields who does."""
  spinning = [
    subprocess.Popen([sys.executable, '-c', 'while True: pass'])
    for _ in range(num_processes)
  ]
  try:
    yield spinning
  finally:
    for process in spinning:
      process.kill()
      process.wait()


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
  with (
    load((os.cpu_count() or 1) * leg.busy),
    log.open('w', encoding='utf-8') as file,
  ):
    subprocess.run(
      [leg.python, '-m', 'pytest', f'--junitxml={report}', *arguments],
      cwd=ROOT,
      env=os.environ | leg.environment(),
      stdin=subprocess.DEVNULL,
      stdout=file,
      stderr=subprocess.STDOUT,
    )
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


HEADER = (
  '| leg | Python | JAX | instruction set | devices | hash seed | passed '
  '| failed | skipped | time |\n|---|---|---|---|---|---|---|---|---|---|'
)


def row(leg: Leg, result: Result) -> str:
  """Returns a line of the table."""
  minutes, seconds = divmod(round(result.seconds), 60)
  cells = [
    *(leg.name, *leg.versions, leg.isa or 'all', leg.num_devices),
    *(leg.hash_seed, result.passed, result.failed, result.skipped),
    f'{minutes} min {seconds} s' if minutes else f'{seconds} s',
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
  results = {}
  print(HEADER, flush=True)
  for leg in chosen:
    results[leg] = run(leg, arguments, folder / f'{leg.name}.log')
    print(row(leg, results[leg]), flush=True)
  for leg, result in results.items():
    for name in result.failures:
      print(f'{leg.name}: {name}')
  bad = [r for r in results.values() if r.failures or not r.passed]
  sys.exit(1 if bad else 0)


if __name__ == '__main__':
  app.run(main)
