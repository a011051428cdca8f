"""The toys of seed_steps in C, compiled on the spot into a temporary folder."""

import ctypes
import functools
import pathlib
import subprocess
import tempfile
import time

import numpy as np

from benchmarks import adamw_runs
from benchmarks import seed_steps_problems as problems
from toyjax import processors

FOLDER = pathlib.Path(__file__).parent
# AVX-512 only where -march=native has it. sqrtf sets errno by default, which
# keeps it from being one instruction.
FLAGS = ('-O3', '-march=native', '-fno-math-errno', '-ffp-contract=fast')
# Floats in a register of each set of instructions; 4 in those of all others.
FLOATS = {'AVX512': 16, 'AVX': 8, 'AVX2': 8}


def num_lanes(kind: str) -> int:
  """Returns the seeds at a time of a 'scalar' or a 'vector' loop.

  More than a register holds are slower: on AVX2 a loop of 16 seeds spills.
  """
  if kind == 'scalar':
    return 1
  return FLOATS.get(processors.instruction_set() or '', 4)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
  return tempfile.TemporaryDirectory()


def _definitions(problem: problems.Problem) -> dict[str, object]:
  if problem.name == problems.TEXT:
    return {
      'V': problem.num_features,
      'M': problem.num_hidden,
      'LEARNING_RATE': problems.TEXT_LEARNING_RATE,
      'PAIRS': ','.join(f'{{{a},{b}}}' for a, b in problems.TEXT_PAIRS),
    }
  return {
    'N': problem.num_features,
    'M': problem.num_hidden,
    'LEARNING_RATE': adamw_runs.LEARNING_RATE,
    'WEIGHT_DECAY': adamw_runs.WEIGHT_DECAY,
    'EPS': adamw_runs.EPS,
    'BETA_1': adamw_runs.BETAS[0],
    'BETA_2': adamw_runs.BETAS[1],
  }


@functools.cache
def _compile(
  problem: problems.Problem, num_lanes: int
) -> tuple[ctypes.CDLL, float]:
  """Returns the library for one toy, and the seconds it took to compile."""
  is_text = problem.name == problems.TEXT
  source = 'seed_steps_text.c' if is_text else 'seed_steps_autoencoder.c'
  name = f'{problem.name.replace(":", "_")}_{num_lanes}.so'
  library = pathlib.Path(_folder().name) / name
  definitions = {'LANES': num_lanes, **_definitions(problem)}
  start = time.perf_counter()
  subprocess.run(
    [
      'cc',
      *FLAGS,
      '-shared',
      '-fPIC',
      '-pthread',
      *(f'-D{key}={value}' for key, value in definitions.items()),
      str(FOLDER / source),
      '-o',
      str(library),
      '-lm',
    ],
    check=True,
  )
  compile_seconds = time.perf_counter() - start
  return ctypes.CDLL(str(library)), compile_seconds


def c_program(
  problem: problems.Problem,
  params: list[np.ndarray],
  num_steps: int,
  *,
  kind: str,
  num_threads: int,
) -> problems.Program:
  """Returns the training in C.

  Args:
    problem: what is trained.
    params: the initial weights.
    num_steps: number of steps.
    kind: 'scalar', one seed after the other; 'vector', as many at
      a time as a register holds.
    num_threads: threads, each with its share of the seeds.
  """
  library, compile_seconds = _compile(problem, num_lanes(kind))
  is_text = problem.name == problems.TEXT
  num_seeds = len(params[0])
  # The C autoencoder keeps W as [N][M].
  leaves = [
    leaf if is_text or i else leaf.swapaxes(1, 2)
    for i, leaf in enumerate(params)
  ]
  shapes = [leaf.shape for leaf in leaves]
  start = np.concatenate(
    [leaf.reshape((num_seeds, -1)) for leaf in leaves], axis=1
  )

  def run() -> list[np.ndarray]:
    flat = start.copy()
    failed = library.train(
      flat.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
      ctypes.c_long(num_seeds),
      ctypes.c_long(num_steps),
      ctypes.c_int(num_threads),
    )
    if failed:
      raise OSError('a thread could not be started')
    ends = np.cumsum([np.prod(shape[1:]) for shape in shapes])[:-1]
    arrays = [
      part.reshape(shape)
      for part, shape in zip(np.split(flat, ends, axis=1), shapes)
    ]
    return arrays if is_text else [arrays[0].swapaxes(1, 2), arrays[1]]

  return problems.Program(run, compile_seconds)
