"""How fast are active changepoint runs, and do they grow as they should?

Prints, for simulated traces that drop from --p1 to --p2 at a random position:
traces a second for whole active runs on all cores; the time of a rollout at
two lengths T, whose ratio O(T) bounds; the peak memory of few and of many
rollouts, which only the record of rollouts may raise.

  python -m benchmarks.changepoint_speed
  python -m benchmarks.changepoint_speed --num_traces=512 --repeats=1
"""

import time
from typing import Any

from absl import app, flags
import jax
import jax.numpy as jnp
import numpy as np

from toyjax import chunks, sweeps, tables
from toyjax.base import Array, PRNGKey
from toyjax.command import launch, machine
from toyjax.command.flags import define
from toyjax.inference import changepoint
from toyjax.parsers import COUNT, POINTS, POSITIONS, PROBABILITY, SAMPLES
from toyjax.settings import fixed

SETTINGS = (
  fixed('num_positions', 128, POSITIONS, 'T, positions of a trace.'),
  fixed('num_rollouts', 100, POINTS, 'Rollouts of an active run.'),
  fixed('num_traces', 10_240, SAMPLES, 'Traces at once.'),
  fixed('short', 256, POSITIONS, 'The shorter T of the growth.'),
  fixed('long', 4096, POSITIONS, 'The longer T of the growth.'),
  fixed('growth_traces', 256, SAMPLES, 'Traces at the two lengths.'),
  fixed('p1', 0.7, PROBABILITY, 'Success before the change.'),
  fixed('p2', 0.05, PROBABILITY, 'Success from it on.'),
  fixed('repeats', 5, COUNT, 'Timings.'),
)

define(SETTINGS)


def make_trial(
  *, num_positions: int, num_rollouts: int, p1: float, p2: float
) -> chunks.Trial:
  """Returns key -> (most probable position, true position) of an active run."""

  def trial(key: PRNGKey) -> tuple[Array, Array]:
    change_key, run_key = jax.random.split(key)
    change = jax.random.randint(change_key, (), 0, num_positions)

    def roll_out(key: PRNGKey, position: Array) -> Array:
      return jax.random.uniform(key) < jnp.where(position < change, p1, p2)

    prior = changepoint.make_prior(
      before=(2.0, 2.0),
      after=(1.0, 19.0),
      weights=jnp.ones(num_positions, jnp.float32),
    )
    state, _ = changepoint.run(run_key, prior, roll_out, num_rollouts)
    return changepoint.most_probable_position(state), change

  return trial


def measure(
  trial: chunks.Trial, num_traces: int, repeats: int
) -> tuple[np.ndarray, float, float]:
  """Returns seconds of the repeats, of compilation, and the share found."""
  keys = sweeps.seed_keys(0, np.arange(num_traces))
  program = chunks.compile_chunk(trial, keys, chunks.local_mesh(), 'lanes')
  size = chunks.padded_size(num_traces, num_traces, program.multiple)
  keys = keys[np.minimum(np.arange(size), num_traces - 1)]
  start = time.perf_counter()
  compiled = program.run.lower(keys).compile()
  compile_seconds = time.perf_counter() - start
  found, change = jax.block_until_ready(compiled(keys))
  times = []
  for _ in range(repeats):
    start = time.perf_counter()
    jax.block_until_ready(compiled(keys))
    times.append((time.perf_counter() - start) * num_traces / size)
  share = float(jnp.mean((found == change)[:num_traces]))
  return np.asarray(times), compile_seconds, share


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  machine.setup_jax(num_devices=0, dtype='float32')
  rates = {'p1': FLAGS.p1, 'p2': FLAGS.p2}
  rows = []
  per_rollout = {}
  for num_positions, num_rollouts, num_traces in (
    (FLAGS.num_positions, FLAGS.num_rollouts, FLAGS.num_traces),
    (FLAGS.short, FLAGS.num_rollouts, FLAGS.growth_traces),
    (FLAGS.long, FLAGS.num_rollouts, FLAGS.growth_traces),
  ):
    trial = make_trial(
      num_positions=num_positions, num_rollouts=num_rollouts, **rates
    )
    times, compile_seconds, share = measure(trial, num_traces, FLAGS.repeats)
    work = num_traces * num_rollouts
    per_rollout[num_positions] = np.median(times) / work
    rows.append(
      [
        f'{num_positions}',
        f'{num_traces}',
        f'{num_rollouts}',
        f'{num_traces / np.median(times):.4g}',
        f'[{num_traces / times.max():.4g}, {num_traces / times.min():.4g}]',
        f'{per_rollout[num_positions] * 1e6:.3g}',
        f'{share:.3f}',
        f'{compile_seconds:.1f}',
      ]
    )
  header = (
    'T',
    'traces',
    'rollouts',
    'traces/s',
    'range',
    'us/rollout',
    'found exactly',
    'compile s',
  )
  print(tables.align(header, rows))
  growth = per_rollout[FLAGS.long] / per_rollout[FLAGS.short]
  print(
    f'time per rollout at T={FLAGS.long} / T={FLAGS.short}: {growth:.3g} '
    f'(T grows {FLAGS.long / FLAGS.short:g} times; at most 24 is asked for '
    f'16 times)'
  )
  for num_rollouts in (FLAGS.num_rollouts, 10 * FLAGS.num_rollouts):
    trial = make_trial(
      num_positions=FLAGS.num_positions, num_rollouts=num_rollouts, **rates
    )
    keys = sweeps.seed_keys(0, np.arange(1024))
    program = chunks.compile_chunk(trial, keys, chunks.local_mesh(), 'lanes')
    sizes: Any = program.run.lower(keys).compile().memory_analysis()
    print(
      f'{num_rollouts} rollouts of 1,024 traces: XLA takes '
      f'{sizes.temp_size_in_bytes / 2**20:.2f} MiB beside keys and results'
    )


if __name__ == '__main__':
  launch.run(main)
