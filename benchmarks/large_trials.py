r"""How far are trainings of 10^3 to 10^5 weights from the cores' peak?

The same training from the same weights on the same batches by toyjax's default
(what `sweep` and `map_runs` do), by `jax.vmap` on each device, by `jax.vmap` in
one `jax.jit`, and by PyTorch with an axis of seeds: the best of several sizes
of blocks, gradients by autograd, written by hand, by `torch.func` or by
`torch.compile`. All peers must end in the same weights; the exit status is 1
where they do not.

Speeds are per second of processor time of one core, all threads counted: on
busy cores the clock on the wall says little. PyTorch has one thread, as one of
as many processes as there are cores; it has the shared cache to itself.

  python -m benchmarks.large_trials --workdir=runs/large_trials
  python -m benchmarks.large_trials --problems=autoencoder \
    --peers=default,vmap,torch_manual,torch_compile
"""

from collections.abc import Callable, Mapping, Sequence
import functools
import math
import pathlib
import sys
import time
from typing import Any, NamedTuple

from absl import app, flags
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import large_trials_problems as problems
from benchmarks import large_trials_report, seed_steps_report
from toyjax import chunks, common_settings, parsers, tables
from toyjax.command import launch, machine
from toyjax.command.flags import define
from toyjax.parsers import COUNT, Choice
from toyjax.settings import fixed

PEERS = (
  *('default', 'vmap', 'jit_vmap'),
  *('torch_autograd', 'torch_manual', 'torch_func', 'torch_compile'),
)
NUM_SEEDS = {'mlp_32': 512, 'mlp_64': 256, 'transformer': 32, 'autoencoder': 64}
TORCH_BLOCKS = {
  'mlp_32': (128, 512),
  'mlp_64': (64, 256),
  'transformer': (16, 32),
  'autoencoder': (8, 16, 32),
}
MATRIX = 2048

SETTINGS = (
  fixed(
    'problems',
    list(problems.PROBLEMS),
    Choice(tuple(problems.PROBLEMS)),
    'What is trained.',
  ),
  fixed(
    'peers',
    [*PEERS[:3], 'torch_autograd', 'torch_manual'],
    Choice(PEERS),
    'Who trains; the PyTorch ones need the extra `bench`.',
  ),
  fixed('num_steps', 20, COUNT, 'Steps of a run.'),
  fixed('repeats', 5, COUNT, 'Timings of each peer, in turn.'),
  common_settings.seed('Of the initial weights.'),
  fixed(
    'workdir', None, parsers.path, 'Folder for large_trials.csv; none without.'
  ),
)

define(SETTINGS)

Weights = Mapping[str, Any]


class Program(NamedTuple):
  """A training that is ready to run, again and again.

  Attributes:
    peer: who trains.
    block: seeds computed at once, of a device.
    run: trains and returns the final weights, each [S, ...].
  """

  peer: str
  block: int
  run: Callable[[], Weights]


def _jax_program(
  peer: str,
  problem: problems.Problem,
  params: dict[str, np.ndarray],
  num_steps: int,
) -> Program:
  trial = problems.make_trial(problem, num_steps)
  xs = problems.make_xs(params)
  num_seeds = len(next(iter(params.values())))
  if peer == 'jit_vmap':
    plain = jax.jit(jax.vmap(trial))
    return Program(peer, num_seeds, lambda: jax.block_until_ready(plain(xs)))
  mesh = chunks.local_mesh()
  map_name = 'lanes' if peer == 'default' else 'vmap'
  program = chunks.compile_chunk(trial, xs, mesh, map_name)
  spec = jax.sharding.PartitionSpec(chunks.RUNS)
  xs = jax.device_put(xs, jax.sharding.NamedSharding(mesh, spec))
  block = program.multiple if peer == 'default' else num_seeds
  return Program(
    peer, block // mesh.size, lambda: jax.block_until_ready(program.run(xs))
  )


def _torch_programs(
  peer: str, name: str, params: dict[str, np.ndarray], rows: np.ndarray
) -> list[Program]:
  """Returns one program for each size of a block, none without gradients."""
  from benchmarks import large_trials_torch  # Only where it is asked for.

  kind = peer.removeprefix('torch_')
  if kind == 'manual' and name not in large_trials_torch.MANUAL:
    return []
  return [
    Program(
      peer,
      block,
      functools.partial(
        large_trials_torch.train,
        *(name, params, rows),
        kind=kind,
        block=block,
        num_threads=1,
      ),
    )
    for block in TORCH_BLOCKS[name]
  ]


def _peaks() -> dict[str, float]:
  """Returns float32 operations a second of a core, of large products."""
  matrix = np.ones((MATRIX, MATRIX), np.float32)
  on_device = jnp.asarray(matrix)
  product = jax.jit(jnp.matmul)
  found = {'XLA': lambda: jax.block_until_ready(product(on_device, on_device))}
  try:
    import torch
  except ImportError:
    pass
  else:
    torch.set_num_threads(1)
    tensor = torch.from_numpy(matrix)
    found['PyTorch'] = lambda: tensor @ tensor
  times = {peer: _times(run, 6)[0][1:] for peer, run in found.items()}
  return {
    peer: 2 * MATRIX**3 / float(np.median(seconds))
    for peer, seconds in times.items()
  }


def _times(
  run: Callable[[], Any], num_repeats: int
) -> tuple[list[float], list[float]]:
  """Returns seconds of processor time and on the wall of each run."""
  own, wall = [], []
  for _ in range(num_repeats):
    before = time.process_time(), time.perf_counter()
    run()
    own.append(time.process_time() - before[0])
    wall.append(time.perf_counter() - before[1])
  return own, wall


def measure(
  name: str,
  names: Sequence[str],
  *,
  num_steps: int,
  num_repeats: int,
  seed: int,
) -> tuple[bool, list[dict[str, Any]]]:
  """Returns whether the peers agree, and a row for each."""
  problem = problems.PROBLEMS[name]()
  num_seeds = NUM_SEEDS[name]
  params = problems.draw(problem, num_seeds=num_seeds, seed=seed)
  rows = problems.batch_rows(problem, num_seeds=num_seeds, num_steps=num_steps)
  programs, ends = [], {}
  for peer in names:
    if peer.startswith('torch_'):
      choices = _torch_programs(peer, name, params, rows)
    else:
      choices = [_jax_program(peer, problem, params, num_steps)]
    if not choices:
      continue
    for program in choices:
      ends[peer] = program.run()  # It compiles, too.
    pilots = [min(_times(program.run, 2)[0]) for program in choices]
    programs.append(choices[int(np.argmin(pilots))])
  same = large_trials_report.agree(name, params, ends)
  taken: list[list[tuple[float, float]]] = [[] for _ in programs]
  for _ in range(num_repeats):
    for program, times in zip(programs, taken):
      own, wall = _times(program.run, 1)
      times.append((own[0], wall[0]))
  found = []
  for program, times in zip(programs, taken):
    own, wall = np.asarray(times).T
    work = num_seeds * num_steps
    found.append(
      {
        'problem': name,
        'num_weights': problem.num_weights(),
        'flops_per_step': problem.flops(),
        'peer': program.peer,
        'num_seeds': num_seeds,
        'num_steps': num_steps,
        'block': program.block,
        'num_repeats': num_repeats,
        'seed_steps_per_core_second': float(work / np.median(own)),
        'lowest': float(work / own.max()),
        'highest': float(work / own.min()),
        'seed_steps_per_second': float(work / np.median(wall)),
      }
    )
  return same, found


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  machine.setup_jax(num_devices=0, dtype='float32')
  described = seed_steps_report.describe_machine(len(jax.local_devices()))
  begin = time.perf_counter()
  same, rows, lines = True, [], []
  for name in FLAGS.problems:
    agreed, found = measure(
      name,
      FLAGS.peers,
      num_steps=FLAGS.num_steps,
      num_repeats=FLAGS.repeats,
      seed=FLAGS.seed,
    )
    same = same and agreed
    rows += found
    lines.append(large_trials_report.verdict(found))
  peaks = _peaks()
  peak = max(peaks.values())
  rows = [
    {
      **row,
      'share_of_peak': row['seed_steps_per_core_second']
      * row['flops_per_step']
      / peak,
      'peak_flops': peak,
      'machine': described,
    }
    for row in rows
  ]
  text = ', '.join(f'{peer} {x / 1e9:.1f}' for peer, x in peaks.items())
  print(f'{MATRIX} x {MATRIX} products, GFLOP/s of a core: {text}')
  print(large_trials_report.table(rows))
  print(*filter(None, lines), sep='\n')
  print(f'took {math.ceil(time.perf_counter() - begin)} s on {described}')
  if FLAGS.workdir is not None:
    folder = pathlib.Path(FLAGS.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(folder / 'large_trials.csv', rows)
  if not same:
    sys.exit('benchmarks.large_trials: peers disagree')


if __name__ == '__main__':
  launch.run(main)
