"""Runs scripts as `python -m` does, most of them with libraries at hand.

To import the libraries takes longer than most of these runs. So one process
imports them, once for all tests, and each run is a fork of it that loads the
script as a fresh one would. `from_scratch` is the command that a user types.
"""

from collections.abc import Mapping, Sequence
import multiprocessing
import multiprocessing.process
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
# They must start no threads on import, since these would not be in the forks.
LIBRARIES = (
  'absl.app',
  'flax.nnx',
  'jax',
  'matplotlib.backends.backend_agg',
  'matplotlib.figure',
  'optax',
  'scipy.cluster.hierarchy',
  'scipy.stats',
  'sklearn.feature_extraction.text',
  'tqdm',
  'xarray',
  'zarr',
  'toyjax.analysis.nets.token_chains',
  'toyjax.statistics',
  'toyjax.sweeps',
  'toyjax.toys.relu_autoencoder',
)
TIMEOUT = 300
NOTHING: Mapping[str, str] = {}

forks = multiprocessing.get_context('forkserver')
forks.set_forkserver_preload(list(LIBRARIES))


def command(script: str, *flags: str) -> list[str]:
  """Returns what a user types."""
  return [sys.executable, '-m', f'scripts.{script}', *flags]


def from_scratch(
  script: str, *flags: str, env: Mapping[str, str] = NOTHING
) -> subprocess.CompletedProcess:
  """Runs a script as a user does; `env` adds to the environment."""
  return subprocess.run(
    command(script, *flags),
    cwd=ROOT,
    env={**os.environ, **env},
    capture_output=True,
    text=True,
    timeout=TIMEOUT,
  )


def _child(
  script: str,
  flags: Sequence[str],
  env: Mapping[str, str],
  folder: pathlib.Path,
) -> None:
  for name, descriptor in (('stdout', 1), ('stderr', 2)):
    with (folder / name).open('wb') as file:
      os.dup2(file.fileno(), descriptor)
  # Jobs in the background of a shell ignore interruptions.
  signal.signal(signal.SIGINT, signal.default_int_handler)
  os.chdir(ROOT)
  os.environ.update(env)
  sys.argv[1:] = flags
  runpy.run_module(f'scripts.{script}', run_name='__main__', alter_sys=True)


def start(
  script: str,
  *flags: str,
  folder: pathlib.Path,
  env: Mapping[str, str] = NOTHING,
) -> multiprocessing.process.BaseProcess:
  """Starts a script in a fork; its output goes to files in the folder."""
  process = forks.Process(target=_child, args=(script, flags, env, folder))
  process.start()
  return process


def run(
  script: str, *flags: str, env: Mapping[str, str] = NOTHING
) -> subprocess.CompletedProcess:
  """Runs a script in a fork, and returns what `from_scratch` would.

  Args:
    script: its name, in scripts.
    flags: of it.
    env: adds to the environment.
  """
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    process = start(script, *flags, folder=folder, env=env)
    process.join(TIMEOUT)
    if process.exitcode is None:
      process.kill()
      raise subprocess.TimeoutExpired(command(script, *flags), TIMEOUT)
    stdout, stderr = (
      (folder / name).read_text('utf-8', 'backslashreplace')
      for name in ('stdout', 'stderr')
    )
  return subprocess.CompletedProcess(
    command(script, *flags), process.exitcode, stdout, stderr
  )
