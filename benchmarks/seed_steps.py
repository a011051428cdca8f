r"""How many seed-steps a second, and how many times a peer's?

The same training from the same initial weights by toyjax's two maps (lanes and
vmap, as a sweep runs them on all cores), by PyTorch with an axis of models, and
by C, one seed after the other and sixteen at a time. `_1` is one thread, all
others use all cores. Before a cell is timed, all peers train a few seeds for
100 steps and must agree; the exit status is 1 where they do not. Speeds mean
something on idle cores only.

  python -m benchmarks.seed_steps --workdir=runs/seed_steps
  python -m benchmarks.seed_steps --cells=7:2,text --peers=vmap,lanes \
    --num_seeds=1000,1000000
"""

from collections.abc import Callable, Mapping
import functools
import math
import pathlib
import sys
import time
from typing import Any

from absl import app, flags
import jax
import numpy as np
import torch

from benchmarks import (
  seed_steps_c,
  seed_steps_measure,
  seed_steps_report,
  seed_steps_torch,
)
from benchmarks import seed_steps_problems as problems
from scripts.shared import experiments, tables
from scripts.shared.list_flags import choice, define_list, number

CELLS = ('5:2', '7:2', '8:2', '12:2', '20:2', '32:2', '7:3', 'text', '200:20')
SCALING_CELL = '7:2'
SCALING_SEEDS = (1000, 10_000, 100_000)
SCALING_STEPS = (250, 1000, 4000)
CHECK_STEPS = 100
CHECK_SEEDS = 32
PILOT_STEPS = 5
# A few milliseconds of a run are no training; they shall not count for peers
# whose 100 steps are short.
FAST_PEERS = ('lanes', 'c_scalar', 'c_vector', 'c_scalar_1', 'c_vector_1')
MORE_STEPS = 5
TOLERANCE = 1e-3

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


def _make_torch(
  problem: problems.Problem,
  params: list[np.ndarray],
  num_steps: int,
  num_threads: int,
) -> problems.Program:
  program = seed_steps_torch.torch_program(problem, params, num_steps)

  def run() -> list[torch.Tensor]:
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
  'lanes': functools.partial(_make_jax, map_name='lanes'),
  'vmap': functools.partial(_make_jax, map_name='vmap'),
  'torch': _make_torch,
  'torch_1': _make_torch,
  'c_scalar': functools.partial(_make_c, kind='scalar'),
  'c_vector': functools.partial(_make_c, kind='vector'),
  'c_scalar_1': functools.partial(_make_c, kind='scalar'),
  'c_vector_1': functools.partial(_make_c, kind='vector'),
}

define_list(
  'cells', CELLS, lambda text: problems.parse_problem(text).name, 'Toys: n:m.'
)
define_list('peers', list(MAKERS), choice(list(MAKERS)), 'Who trains.')
define_list(
  'num_seeds',
  [8192],
  number(int, 1),
  'Seeds of a cell; at the first number its ratios are judged. For n = 7 also '
  f'{", ".join(map(str, SCALING_SEEDS))}; for large toys at most 256.',
)
flags.DEFINE_integer('repeats', 5, 'Timings, fewer where they are slow.', 1)
flags.DEFINE_float(
  'seconds_per_cell', 1.5, 'Time for a peer at one number of seeds.', 0.0
)
flags.DEFINE_integer('seed', 0, 'Of the initial weights.', 0)
flags.DEFINE_string('workdir', None, 'Folder for seed_steps.csv; none without.')


def _num_threads(peer: str) -> int:
  return 1 if peer.endswith('_1') else len(jax.local_devices())


def _make(
  peer: str, problem: problems.Problem, params: list[np.ndarray], num_steps: int
) -> problems.Program:
  return MAKERS[peer](problem, params, num_steps, _num_threads(peer))


def _fit_steps(peer: str, problem: problems.Problem, num_seeds: int) -> int:
  """Returns how many steps of one run do not take the peer too long."""
  num_steps = problem.fit_steps(num_seeds)
  return MORE_STEPS * num_steps if peer in FAST_PEERS else num_steps


def agree(problem: problems.Problem, peers: list[str], seed: int) -> bool:
  """Prints how far the peers' final weights differ from the first one's."""
  params = problems.draw(problem, num_seeds=CHECK_SEEDS, seed=seed)
  first: list[np.ndarray] = []
  found = {}
  for peer in peers:
    program = _make(peer, problem, params, CHECK_STEPS)
    ends = [np.asarray(leaf)[:CHECK_SEEDS] for leaf in program.run()]
    first = first or ends
    found[peer] = seed_steps_measure.largest_differences(first, ends).max()
  # Not finite counts as a difference.
  same = all(difference <= TOLERANCE for difference in found.values())
  text = ', '.join(f'{peer} {value:.1e}' for peer, value in found.items())
  verdict = 'agree' if same else 'DISAGREE'
  print(
    f'{problem.name}: peers {verdict} after {CHECK_STEPS} steps; largest '
    f'difference from {peers[0]}: {text}',
    flush=True,
  )
  return same


def measure(
  peer: str,
  problem: problems.Problem,
  params: list[np.ndarray],
  num_steps: int,
  *,
  num_repeats: int,
  max_seconds: float,
) -> dict[str, Any]:
  """Returns a row of the table; slow PyTorch may make fewer steps."""
  if peer.startswith('torch'):  # It needs no compilation.
    pilot = _make(peer, problem, params, PILOT_STEPS)
    seconds, _ = seed_steps_measure.run_and_weigh(pilot)
    most = PILOT_STEPS * max_seconds / (3 * seconds)
    num_steps = int(np.clip(most, PILOT_STEPS, num_steps))
  program = _make(peer, problem, params, num_steps)
  # The first run also pays for pages and caches: memory, but no timing.
  first_seconds, peak_mib = seed_steps_measure.run_and_weigh(program)
  if first_seconds < max_seconds / 4:
    start = time.perf_counter()
    program.run()
    first_seconds = time.perf_counter() - start
  times = seed_steps_measure.repeat(
    program,
    run_seconds=first_seconds,
    num_repeats=num_repeats,
    max_seconds=max(max_seconds - first_seconds, max_seconds / 2),
  )
  num_seeds = len(params[0])
  work = num_seeds * num_steps
  return {
    'cell': problem.name,
    'num_features': problem.num_features,
    'num_hidden': problem.num_hidden,
    'peer': peer,
    'num_threads': _num_threads(peer),
    'num_seeds': num_seeds,
    'num_steps': num_steps,
    'num_repeats': len(times),
    'seed_steps_per_second': float(work / np.median(times)),
    'lowest': float(work / times.max()),
    'highest': float(work / times.min()),
    'compile_seconds': program.compile_seconds,
    'peak_mib': peak_mib,
  }


def _slopes(
  rows: list[dict[str, Any]], axis: str, per: Callable[[dict[str, Any]], float]
) -> dict[str, float]:
  """Fits an exponent for each peer; `per` scales a row's work out of speed."""
  found = {}
  for peer in dict.fromkeys(row['peer'] for row in rows):
    own = [row for row in rows if row['peer'] == peer]
    found[peer] = seed_steps_measure.slope(
      [row[axis] for row in own],
      [per(row) / row['seed_steps_per_second'] for row in own],
    )
  return found


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  experiments.setup_jax(num_devices=0, dtype='float32')
  machine = seed_steps_report.describe_machine(len(jax.local_devices()))
  print(machine, flush=True)
  cells = [problems.parse_problem(name) for name in FLAGS.cells]
  begin = time.perf_counter()

  # All cells before any timing.
  checks = [agree(cell, FLAGS.peers, FLAGS.seed) for cell in cells]
  if not all(checks):
    sys.exit('benchmarks.seed_steps: peers disagree, nothing is timed')

  def run(
    problem: problems.Problem, num_seeds: int, num_steps: int | None
  ) -> list[dict[str, Any]]:
    params = problems.draw(problem, num_seeds=num_seeds, seed=FLAGS.seed)
    rows = []
    for peer in FLAGS.peers:
      row = measure(
        peer,
        problem,
        params,
        num_steps or _fit_steps(peer, problem, num_seeds),
        num_repeats=FLAGS.repeats,
        max_seconds=FLAGS.seconds_per_cell,
      )
      rows.append(row)
      print(
        f'{problem.name}, {num_seeds} seeds x {row["num_steps"]}, {peer}: '
        f'{row["seed_steps_per_second"]:.3g} seed-steps/s',
        file=sys.stderr,
        flush=True,
      )
    return rows

  rows, judged_at = [], {}
  for cell in cells:
    sizes = list(FLAGS.num_seeds)
    if cell.name == SCALING_CELL:
      sizes += SCALING_SEEDS
    sizes = list(dict.fromkeys(map(cell.fit_seeds, sizes)))
    judged_at[cell.name] = sizes[0]
    for num_seeds in sizes:
      rows += run(cell, num_seeds, None)
  of_seeds: dict[str, float] = {}
  of_steps: dict[str, float] = {}
  if SCALING_CELL in judged_at:
    problem = problems.parse_problem(SCALING_CELL)
    scaling = [row for row in rows if row['cell'] == SCALING_CELL]
    of_seeds = _slopes(scaling, 'num_seeds', lambda row: row['num_seeds'])
    longer = [
      row
      for num_steps in SCALING_STEPS
      for row in run(problem, SCALING_SEEDS[0], num_steps)
    ]
    of_steps = _slopes(longer, 'num_steps', lambda row: row['num_steps'])

  print(f'\n{seed_steps_report.table(rows)}\n')
  print(*seed_steps_report.exponents(of_seeds, of_steps), sep='\n')
  print(*seed_steps_report.verdicts(rows, judged_at), sep='\n')
  print(f'took {math.ceil(time.perf_counter() - begin)} s on {machine}')
  if FLAGS.workdir is not None:
    folder = pathlib.Path(FLAGS.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(
      folder / 'seed_steps.csv', [{**row, 'machine': machine} for row in rows]
    )


if __name__ == '__main__':
  app.run(main)
