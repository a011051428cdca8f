"""Who trains in seed_steps: toyjax's maps, PyTorch and C.

`_1` is one thread, all others use all cores, or the GPU where there is one; but
jit_lanes, as JAX's jit, takes the first device.
PyTorch (extra `bench`) trains only where it is installed.
"""

from collections.abc import Callable, Mapping
import functools
import importlib.util
from typing import Any

import jax
import numpy as np

from benchmarks import seed_steps_c
from benchmarks import seed_steps_problems as problems
from toyjax import map_runs
from toyjax.chunks import Trial
from toyjax.lanes import cpu_compiler_options, lanes

Maker = Callable[
  [problems.Problem, list[np.ndarray], int, int], problems.Program
]


def _make_jax(
  problem: problems.Problem,
  params: list[np.ndarray],
  num_steps: int,
  num_threads: int,
  *,
  map_name: str,
) -> problems.Program:
  del num_threads  # All of JAX's devices.
  return problems.jax_program(problem, params, num_steps, map_name)


def _make_one_line(
  problem: problems.Problem,
  params: list[np.ndarray],
  num_steps: int,
  num_threads: int,
  *,
  line: Callable[[Trial], Callable[[Any], Any]],
) -> problems.Program:
  del num_threads  # All of JAX's devices, or its first one.
  return problems.one_line_program(problem, params, num_steps, line)


def _jit_lanes(trial: Trial) -> Callable[[Any], Any]:
  options = cpu_compiler_options() if jax.default_backend() == 'cpu' else None
  return jax.jit(lanes(trial), compiler_options=options)


def _make_torch(
  problem: problems.Problem,
  params: list[np.ndarray],
  num_steps: int,
  num_threads: int,
) -> problems.Program:
  import torch  # Only where it is asked for.

  from benchmarks import seed_steps_torch

  device = 'cuda' if torch.cuda.is_available() else 'cpu'
  program = seed_steps_torch.torch_program(problem, params, num_steps, device)

  def run() -> list[Any]:
    torch.set_num_threads(num_threads)
    return program.run()

  return problems.Program(run, program.compile_seconds)


def _make_c(
  problem: problems.Problem,
  params: list[np.ndarray],
  num_steps: int,
  num_threads: int,
  *,
  kind: str,
) -> problems.Program:
  return seed_steps_c.c_program(
    problem, params, num_steps, kind=kind, num_threads=num_threads
  )


MAKERS: Mapping[str, Maker] = {
  'kernel': functools.partial(_make_jax, map_name='kernel'),
  'sweep': functools.partial(_make_jax, map_name='lanes'),
  'map_runs': functools.partial(_make_one_line, line=map_runs),
  'jit_lanes': functools.partial(_make_one_line, line=_jit_lanes),
  'vmap': functools.partial(_make_jax, map_name='vmap'),
  'torch': _make_torch,
  'torch_1': _make_torch,
  'c_scalar': functools.partial(_make_c, kind='scalar'),
  'c_vector': functools.partial(_make_c, kind='vector'),
  'c_scalar_1': functools.partial(_make_c, kind='scalar'),
  'c_vector_1': functools.partial(_make_c, kind='vector'),
}


def is_installed(peer: str) -> bool:
  """Returns whether what the peer needs is there."""
  return not peer.startswith('torch') or bool(importlib.util.find_spec('torch'))


def num_threads(peer: str) -> int:
  """Returns how many CPU threads, or GPUs, a peer uses."""
  is_one = peer.endswith('_1') or peer == 'jit_lanes'
  return 1 if is_one else len(jax.local_devices())


def make(
  peer: str, problem: problems.Problem, params: list[np.ndarray], num_steps: int
) -> problems.Program:
  """Returns a peer's training from given weights, ready to run."""
  return MAKERS[peer](problem, params, num_steps, num_threads(peer))
