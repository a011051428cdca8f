r"""How many seed-steps a second, and how many times a peer's?

The same training from the same initial weights by a sweep of toyjax and, as a
sweep runs it, by jax.vmap; by one line of an importer (map_runs; jit_lanes is
jax.jit(lanes(trial)) with the options of the compiler, on one core); by PyTorch
with an axis of models; by C, one seed after the other and as many at a time as
a register holds. `_1` is one thread, all others use all cores. Before a cell is
timed, all peers train a few seeds for 100 steps and must agree; the exit status
is 1 where they do not. Speeds mean something on idle cores only.

  python -m benchmarks.seed_steps --workdir=runs/seed_steps
  python -m benchmarks.seed_steps --cells=7:2,text --peers=vmap,sweep \
    --num_seeds=1000,1000000
  # On a GPU: also one kernel for a whole training run, and the share of the
  # float32 peak.
  python -m benchmarks.seed_steps --peers=kernel,sweep,vmap,torch \
    --num_seeds=1000000,8192 --seconds_per_cell=6
"""

from collections.abc import Callable
import math
import pathlib
import sys
import time
from typing import Any

from absl import app, flags
import jax
import numpy as np

from benchmarks import seed_steps_gpu, seed_steps_measure, seed_steps_report
from benchmarks import seed_steps_peers as peers
from benchmarks import seed_steps_problems as problems
from toyjax import common_settings, parsers, tables
from toyjax.command import launch, machine
from toyjax.command.flags import define
from toyjax.parsers import COUNT, NOT_NEGATIVE, Choice
from toyjax.settings import fixed

SCALING_CELL = '7:2'
# From where a start, a few milliseconds, takes below 5 % of a fast peer's time.
SCALING_SEEDS = (10_000, 100_000, 1_000_000)
SCALING_PEERS = ('kernel', 'sweep', 'map_runs', 'vmap')
SCALING_STEPS = (30, 100, 300)  # Of slow peers; fast ones make more.
CHECK_STEPS, CHECK_SEEDS = 100, 32
# Steps at all sizes of the fit over seeds: of slow peers, of fast ones.
SCALING_WORK = (5, 100)
PILOT_STEPS, GPU_PILOT_STEPS = 5, 100
GPU_STEPS = 25_000  # At most, on a GPU.
# Peers of whose 100 steps the few milliseconds of a start are a part.
FAST_PEERS = (
  *('sweep', 'map_runs', 'jit_lanes'),
  *('c_scalar', 'c_vector', 'c_scalar_1', 'c_vector_1'),
)
MORE_STEPS = 5
TOLERANCE = 1e-3

SETTINGS = (
  fixed(
    'cells',
    list(seed_steps_report.ALL_CELLS),
    lambda text: problems.parse_problem(text).name,
    'Toys: n:m.',
  ),
  fixed(
    'peers',
    [
      peer
      for peer in peers.MAKERS
      if peer != 'kernel' and peers.is_installed(peer)
    ],
    Choice(tuple(peers.MAKERS)),
    "Who trains; 'kernel' is for GPUs, the PyTorch ones need the extra "
    '`bench`.',
  ),
  fixed(
    'num_seeds',
    [8192],
    COUNT,
    'Seeds of a cell; at the first number its ratios are judged. For n = 7 '
    f'also {", ".join(map(str, SCALING_SEEDS))}, for the fit; for large toys '
    'at most 256.',
  ),
  fixed('repeats', 5, COUNT, 'Timings, fewer where they are slow.'),
  fixed(
    'seconds_per_cell',
    1.5,
    NOT_NEGATIVE,
    'Time for a peer at one number of seeds.',
  ),
  fixed(
    'growth', True, parsers.truth, 'Fit the growth with seeds and steps, too.'
  ),
  common_settings.seed('Of the initial weights.'),
  fixed(
    'workdir', None, parsers.path, 'Folder for seed_steps.csv; none without.'
  ),
)

define(SETTINGS)


def _fit_steps(peer: str, problem: problems.Problem, num_seeds: int) -> int:
  """Returns how many steps of one run do not take the peer too long."""
  num_steps = problem.fit_steps(num_seeds)
  return MORE_STEPS * num_steps if peer in FAST_PEERS else num_steps


def _scaling_steps(peer: str) -> int:
  """Returns the steps at any number of seeds, so that only these differ."""
  return SCALING_WORK[peer in FAST_PEERS]


def _longer(num_steps: int) -> Callable[[str], int]:
  return lambda peer: num_steps * (MORE_STEPS if peer in FAST_PEERS else 1)


def _pilot(
  peer: str,
  problem: problems.Problem,
  params: list[np.ndarray],
  max_seconds: float,
) -> int:
  """Returns how many steps a short run predicts for the time there is."""
  num_steps = GPU_PILOT_STEPS if seed_steps_gpu.on_gpu() else PILOT_STEPS
  program = peers.make(peer, problem, params, num_steps)
  program.run()
  seconds, _ = seed_steps_measure.run_and_weigh(program)
  return int(max(num_steps * max_seconds / (3 * seconds), num_steps))


def agree(problem: problems.Problem, names: list[str], seed: int) -> bool:
  """Prints how far the peers' final weights differ from the first one's."""
  params = problems.draw(problem, num_seeds=CHECK_SEEDS, seed=seed)
  first: list[np.ndarray] = []
  found = {}
  for peer in names:
    program = peers.make(peer, problem, params, CHECK_STEPS)
    ends = [np.asarray(leaf)[:CHECK_SEEDS] for leaf in program.run()]
    first = first or ends
    found[peer] = seed_steps_measure.largest_differences(first, ends).max()
  # Not finite counts as a difference.
  same = all(difference <= TOLERANCE for difference in found.values())
  text = ', '.join(f'{peer} {value:.1e}' for peer, value in found.items())
  verdict = 'agree' if same else 'DISAGREE'
  print(
    f'{problem.name}: peers {verdict} after {CHECK_STEPS} steps; largest '
    f'difference from {names[0]}: {text}',
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
  if seed_steps_gpu.on_gpu() and not peer.startswith('c_'):
    num_steps = min(_pilot(peer, problem, params, max_seconds), GPU_STEPS)
  elif peer.startswith('torch'):  # It needs no compilation.
    num_steps = min(_pilot(peer, problem, params, max_seconds), num_steps)
  program = peers.make(peer, problem, params, num_steps)
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
  speed = float(work / np.median(times))
  share = math.nan
  if seed_steps_gpu.on_gpu() and not peer.startswith('c_'):
    share = seed_steps_gpu.share_of_peak(problem, speed)
  return {
    'cell': problem.name,
    'num_features': problem.num_features,
    'num_hidden': problem.num_hidden,
    'peer': peer,
    'num_threads': peers.num_threads(peer),
    'num_seeds': num_seeds,
    'num_steps': num_steps,
    'num_repeats': len(times),
    'seed_steps_per_second': speed,
    'lowest': float(work / times.max()),
    'highest': float(work / times.min()),
    'compile_seconds': program.compile_seconds,
    'peak_mib': peak_mib,
    'share_of_gpu_peak': share,
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
  if missing := [p for p in FLAGS.peers if not peers.is_installed(p)]:
    raise app.UsageError(f'--peers={",".join(missing)} needs the extra `bench`')
  machine.setup_jax(num_devices=0, dtype='float32')
  described = seed_steps_report.describe_machine(len(jax.local_devices()))
  print(described, flush=True)
  cells = [problems.parse_problem(name) for name in FLAGS.cells]
  begin = time.perf_counter()

  # All cells before any timing.
  checks = [agree(cell, FLAGS.peers, FLAGS.seed) for cell in cells]
  if not all(checks):
    sys.exit('benchmarks.seed_steps: peers disagree, nothing is timed')

  def run(
    problem: problems.Problem,
    num_seeds: int,
    num_steps: Callable[[str], int] | None,
    names: list[str],
  ) -> list[dict[str, Any]]:
    params = problems.draw(problem, num_seeds=num_seeds, seed=FLAGS.seed)
    rows = []
    for peer in names:
      row = measure(
        peer,
        problem,
        params,
        num_steps(peer) if num_steps else _fit_steps(peer, problem, num_seeds),
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
    sizes = list(dict.fromkeys(map(cell.fit_seeds, FLAGS.num_seeds)))
    judged_at[cell.name] = sizes[0]
    for num_seeds in sizes:
      rows += run(cell, num_seeds, None, FLAGS.peers)
  of_seeds: dict[str, float] = {}
  of_steps: dict[str, float] = {}
  if FLAGS.growth and SCALING_CELL in judged_at:
    problem = problems.parse_problem(SCALING_CELL)
    grown = [peer for peer in FLAGS.peers if peer in SCALING_PEERS]
    scaling = [
      row
      for num_seeds in SCALING_SEEDS
      for row in run(problem, num_seeds, _scaling_steps, grown)
    ]
    of_seeds = _slopes(scaling, 'num_seeds', lambda row: row['num_seeds'])
    longer = [
      row
      for num_steps in SCALING_STEPS
      for row in run(problem, SCALING_SEEDS[0], _longer(num_steps), grown)
    ]
    rows += [*scaling, *longer]
    of_steps = _slopes(longer, 'num_steps', lambda row: row['num_steps'])

  print(f'\n{seed_steps_report.table(rows)}\n')
  print(*seed_steps_report.exponents(of_seeds, of_steps), sep='\n')
  print(*seed_steps_report.verdicts(rows, judged_at), sep='\n')
  print(f'took {math.ceil(time.perf_counter() - begin)} s on {described}')
  if FLAGS.workdir is not None:
    folder = pathlib.Path(FLAGS.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(
      folder / 'seed_steps.csv', [{**row, 'machine': described} for row in rows]
    )


if __name__ == '__main__':
  launch.run(main)
