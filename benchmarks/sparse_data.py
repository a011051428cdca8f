r"""How many seed-steps a second on fresh sparse data, and what drawing costs?

The training of the phase diagram of superposition, AdamW with an importance of
each feature, on a fresh batch of sparse features at each step: by a sweep; by
one of the same batch for all steps (`fixed`: the difference is what drawing
costs); by one of whole batches, not in parts that fit the cache (`whole`, see
`descent.count_parts`); by `jax.vmap` on each device; and by PyTorch in the way
of the published notebook: an axis of instances, values and a mask from
`torch.rand` at each step, two `einsum`, autograd and AdamW. Nobody shares
samples between seeds.

Speeds are per second of processor time of one core, all threads counted: on
busy cores the clock on the wall says little. All run in turn in one process.
PyTorch has one thread, as one of as many processes as there are cores, and
takes the best of several numbers of instances; it needs the extra `bench`.

  python -m benchmarks.sparse_data --workdir=runs/sparse_data
  python -m benchmarks.sparse_data --cells=2:1 --peers=sweep,fixed
"""

from collections.abc import Callable, Mapping, Sequence
import functools
import math
import pathlib
import time
from typing import Any, NamedTuple

from absl import app, flags
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import seed_steps_report
from toyjax import (
  chunks,
  common_settings,
  descent,
  loops,
  optimizers,
  parsers,
  sweeps,
  tables,
)
from toyjax.base import Array
from toyjax.command import launch, machine
from toyjax.command.flags import define
from toyjax.data import sparse_features
from toyjax.parsers import COUNT, Choice
from toyjax.settings import fixed
from toyjax.toys import relu_autoencoder

PEERS = ('sweep', 'fixed', 'whole', 'vmap', 'torch')
CELLS = ('2:1', '3:2', '5:2')
DENSITY, DECAY = 0.1, 0.7
OPTIMIZER = dict(b1=0.9, b2=0.999, eps=1e-8, weight_decay=1e-2)
LEARNING_RATE = 1e-3
NUM_SEEDS = 512  # Four blocks a core of two.
TORCH_INSTANCES = (16, 64)
# Of the published diagram: 50 x 50 points, 100 seeds, 5,000 steps.
DIAGRAM_STEPS = 50 * 50 * 100 * 5000

SETTINGS = (
  fixed('cells', list(CELLS), Choice(CELLS), 'Sizes n:m.'),
  fixed('peers', list(PEERS), Choice(PEERS), 'Who trains.'),
  fixed('batch_size', 1024, COUNT, 'Fresh samples a step.'),
  fixed('num_steps', 30, COUNT, 'Steps of a run of toyjax.'),
  fixed('torch_steps', 10, COUNT, 'Steps of a run of PyTorch.'),
  fixed('repeats', 3, COUNT, 'Timings of each peer, in turn.'),
  common_settings.seed('Of weights and batches.'),
  fixed(
    'workdir', None, parsers.path, 'Folder for sparse_data.csv; none without.'
  ),
)

define(SETTINGS)


class Program(NamedTuple):
  """A training that is ready to run, again and again."""

  num_seeds: int
  num_steps: int
  run: Callable[[], Any]


def make_trial(
  num_features: int,
  num_hidden: int,
  *,
  batch_size: int,
  num_steps: int,
  num_parts: int,
  draws: bool,
) -> chunks.Trial:
  """Returns the training of one seed: x['key'] -> final weights.

  Where it does not draw, one batch serves for all steps, times a number of each
  part, so that no part of a step is done once only.
  """
  sample = sparse_features.sparse_uniform(
    num_features=num_features,
    batch_size=batch_size // num_parts,
    sparsity=1.0 - DENSITY,
    normalize=False,
    dtype='float32',
  )
  if not draws:
    rng = np.random.default_rng(0)
    shape = (batch_size // num_parts, num_features)
    there = rng.uniform(size=shape) < DENSITY
    once = jnp.asarray(there * rng.uniform(size=shape), jnp.float32)

    def sample(key: Array) -> Array:
      word = jax.random.key_data(key)[0].astype(jnp.float32)
      return once * (1.0 + 2.0**-40 * word)

  toy = relu_autoencoder.make(
    num_features=num_features,
    num_hidden=num_hidden,
    sample=sample,
    init='glorot_normal',
    init_scale=1.0,
    importance_decay=DECAY,
    loss_reduction='mean',
    dtype='float32',
  )
  optimizer = optimizers.make(
    'adamw', learning_rate=LEARNING_RATE, schedule=None, **OPTIMIZER
  )
  dynamics = descent.descend(toy, optimizer, num_parts=num_parts)

  def trial(x: Mapping[str, Array]) -> relu_autoencoder.Params:
    return loops.unroll(x['key'], dynamics, num_steps)[0].params

  return trial


def _jax_program(
  peer: str, sizes: tuple[int, int], batch_size: int, num_steps: int, seed: int
) -> Program:
  trial = make_trial(
    *sizes,
    batch_size=batch_size,
    num_steps=num_steps,
    num_parts=1 if peer == 'whole' else descent.count_parts(batch_size),
    draws=peer != 'fixed',
  )
  xs = {'key': sweeps.seed_keys(seed, np.arange(NUM_SEEDS))}
  map_name = 'vmap' if peer == 'vmap' else 'lanes'
  mesh = chunks.local_mesh()
  program = chunks.compile_chunk(trial, xs, mesh, map_name)
  spec = jax.sharding.PartitionSpec(chunks.RUNS)
  xs = jax.device_put(xs, jax.sharding.NamedSharding(mesh, spec))
  return Program(
    NUM_SEEDS, num_steps, lambda: jax.block_until_ready(program.run(xs))
  )


def _torch_program(
  instances: int,
  sizes: tuple[int, int],
  batch_size: int,
  num_steps: int,
  seed: int,
) -> Program:
  from benchmarks import sparse_data_torch  # Only where it is asked for.

  return Program(
    instances,
    num_steps,
    functools.partial(
      sparse_data_torch.train,
      *sizes,
      instances=instances,
      batch_size=batch_size,
      num_steps=num_steps,
      density=DENSITY,
      decay=DECAY,
      learning_rate=LEARNING_RATE,
      optimizer=OPTIMIZER,
      seed=seed,
    ),
  )


def _seconds(program: Program) -> float:
  """Returns the processor time of a run, of all threads."""
  begin = time.process_time()
  program.run()
  return time.process_time() - begin


def _speed(program: Program, seconds: float) -> float:
  return program.num_seeds * program.num_steps / seconds


def measure(
  cell: str,
  names: Sequence[str],
  *,
  batch_size: int,
  num_steps: int,
  torch_steps: int,
  num_repeats: int,
  seed: int,
) -> list[dict[str, Any]]:
  """Returns a row for each peer, all timed in turn."""
  num_features, num_hidden = map(int, cell.split(':'))
  sizes = num_features, num_hidden
  programs = {}
  for name in names:
    if name == 'torch':
      choices = [
        _torch_program(instances, sizes, batch_size, torch_steps, seed)
        for instances in TORCH_INSTANCES
      ]
    else:
      choices = [_jax_program(name, sizes, batch_size, num_steps, seed)]
    speeds = []
    for program in choices:
      program.run()  # It compiles, or warms up.
      speeds.append(_speed(program, _seconds(program)))
    programs[name] = choices[int(np.argmax(speeds))]
  found: dict[str, list[float]] = {name: [] for name in programs}
  for _ in range(num_repeats):
    for name, program in programs.items():
      found[name].append(_speed(program, _seconds(program)))
  rows = []
  for name, program in programs.items():
    speed = float(np.median(found[name]))
    # Of the same round, in which other jobs took about the same.
    ratios = [a / b for a, b in zip(found.get('sweep', ()), found[name])]
    rows.append(
      {
        'cell': cell,
        'peer': name,
        'batch_size': batch_size,
        'num_seeds': program.num_seeds,
        'num_steps': program.num_steps,
        'num_repeats': num_repeats,
        'seed_steps_per_core_second': speed,
        'lowest': min(found[name]),
        'highest': max(found[name]),
        'sweep_over_peer': float(np.median(ratios)) if ratios else '',
        'diagram_core_hours': DIAGRAM_STEPS / speed / 3600.0,
      }
    )
  return rows


def share_of_drawing(rows: Sequence[Mapping[str, Any]]) -> str:
  """Returns what part of a step drawing takes, in a sentence."""
  by_peer = {row['peer']: row for row in rows}
  if not {'sweep', 'fixed'} <= set(by_peer):
    return ''
  share = 1.0 - by_peer['fixed']['sweep_over_peer']
  return f'{rows[0]["cell"]}: drawing takes {share:.0%} of a step'


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  machine.setup_jax(num_devices=0, dtype='float32')
  described = seed_steps_report.describe_machine(len(jax.local_devices()))
  begin = time.perf_counter()
  rows, lines = [], []
  for cell in FLAGS.cells:
    found = measure(
      cell,
      FLAGS.peers,
      batch_size=FLAGS.batch_size,
      num_steps=FLAGS.num_steps,
      torch_steps=FLAGS.torch_steps,
      num_repeats=FLAGS.repeats,
      seed=FLAGS.seed,
    )
    lines.append(share_of_drawing(found))
    rows += [{**row, 'machine': described} for row in found]
  shown = [
    [
      *(row['cell'], row['peer'], f'{row["num_seeds"]}'),
      f'{row["seed_steps_per_core_second"]:.3g}',
      f'{row["sweep_over_peer"] or math.nan:.2f}',
      f'{row["diagram_core_hours"]:.3g}',
    ]
    for row in rows
  ]
  header = ['n:m', 'peer', 'seeds', 'a core-second', 'sweep over', 'core-hours']
  print(tables.align(header, shown))
  print(*filter(None, lines), sep='\n')
  print(f'took {math.ceil(time.perf_counter() - begin)} s on {described}')
  if FLAGS.workdir is not None:
    folder = pathlib.Path(FLAGS.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(folder / 'sparse_data.csv', rows)


if __name__ == '__main__':
  launch.run(main)
