"""Ways to run the same seeds that should not matter, and how each is run."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from benchmarks import adamw_runs
from toyjax import sweeps
from toyjax.command import machine


class Variant(NamedTuple):
  """How a variant runs the seeds; the defaults are the baseline.

  Attributes:
    description: of what it changes.
    chunk_size: runs per chunk.
    num_devices: host devices.
    dtype: precision of the training.
    reverse: whether the last seed runs first.
    alone: whether some seeds run, each as a sweep of its own.
    map_name: how a device maps the run over seeds.
    max_isa: the largest instruction set that code is made for; '' is all that
      the processor has.
  """

  description: str
  chunk_size: int = 1024
  num_devices: int = 2
  dtype: str = 'float32'
  reverse: bool = False
  alone: bool = False
  map_name: str = 'lanes'
  max_isa: str = ''


VARIANTS = {
  'baseline': Variant('float32, lanes, chunks of 1024, 2 devices'),
  'again': Variant('nothing changed'),
  'chunk_128': Variant('chunks of 128', chunk_size=128),
  'chunk_333': Variant('chunks of 333', chunk_size=333),
  'reversed': Variant('reversed order', reverse=True),
  'one_device': Variant('one device', num_devices=1),
  'alone': Variant('each seed alone', alone=True),
  'vmap': Variant('vmap', map_name='vmap'),
  'vmap_chunk_128': Variant(
    'vmap, chunks of 128', chunk_size=128, map_name='vmap'
  ),
  # Of these only AVX2 has fused multiply-adds, which round once, not twice.
  'avx2': Variant('code for AVX2', max_isa='AVX2'),
  'avx': Variant('code for AVX', max_isa='AVX'),
  'sse4_2': Variant('code for SSE4.2', max_isa='SSE4_2'),
  'float64': Variant('float64', dtype='float64'),
  'float64_vmap': Variant('float64, vmap', dtype='float64', map_name='vmap'),
}


class Runs(NamedTuple):
  """What a variant saves.

  Attributes:
    indices: [S] seed indices.
    outcomes: [S] codes of `Outcome`.
    initial_weights: [S, M, N].
    weights: [S, M, N].
    bias: [S, N].
  """

  indices: np.ndarray
  outcomes: np.ndarray
  initial_weights: np.ndarray
  weights: np.ndarray
  bias: np.ndarray


def environment(variant: Variant, given: Mapping[str, str]) -> dict[str, str]:
  """Returns the environment of a variant's process.

  Args:
    variant: what is run.
    given: this process's own; its other XLA flags are kept.
  """
  if not variant.max_isa:
    return dict(given)
  flags = given.get('XLA_FLAGS', '').split()
  # The last one counts.
  flags.append(f'--xla_cpu_max_isa={variant.max_isa}')
  return {**given, 'XLA_FLAGS': ' '.join(flags)}


def run(variant: Variant, settings: Mapping[str, int]) -> Runs:
  """Trains the seeds of a variant, in this process."""
  machine.setup_jax(num_devices=variant.num_devices, dtype=variant.dtype)
  indices = np.arange(settings['num_seeds'])
  num_features, dtype = settings['num_features'], variant.dtype
  trial = adamw_runs.make_trial(
    num_features=num_features,
    observe_steps=[settings['num_steps']],
    dtype=dtype,
  )
  if variant.alone:
    num_alone = min(settings['num_alone'], len(indices))
    indices = indices[np.arange(num_alone) * len(indices) // num_alone]
    sweeps_of = [indices[i : i + 1] for i in range(num_alone)]
  else:
    indices = indices[::-1] if variant.reverse else indices
    sweeps_of = [indices]
  parts = []
  for part in sweeps_of:
    xs = adamw_runs.make_xs(seed=settings['seed'], indices=part, dtype=dtype)
    results = sweeps.sweep(
      trial, xs, chunk_size=variant.chunk_size, map_name=variant.map_name
    )
    initial_weights = adamw_runs.initial_weights(
      xs, num_features=num_features, dtype=dtype
    )
    parts.append(
      Runs(
        indices=part,
        outcomes=results['outcome'][:, -1],
        initial_weights=np.asarray(initial_weights),
        weights=results['weights'][:, -1],
        bias=results['bias'][:, -1],
      )
    )
  return Runs(*(np.concatenate(field) for field in zip(*parts)))
