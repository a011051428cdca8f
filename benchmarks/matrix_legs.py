"""The legs of the test matrix: interpreter, instruction set, devices, load.

interpreters --make_legs--> legs, each with the environment of its processes
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

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
  # Where time is short: all of these at once.
  'SSE4_2-1device': ('SSE4_2', 1, False),
  'AVX-4devices': ('AVX', 4, False),
  'AVX2-busy': ('AVX2', 2, True),
}


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
