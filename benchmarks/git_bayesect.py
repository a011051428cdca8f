r"""git_bayesect and toyjax on the same draws: alike? how many times faster?

git_bayesect [1] is the closest relative of `toyjax.inference.changepoint`: the
same model, a pick by expected entropy, Jeffreys priors. Its index of position t
of T is T - 1 - t. First a few traces in float64: toyjax picks, git_bayesect is
told the same outcomes and asked at each step what it would pick; picks that
differ must tie. Then the speed: its select/record loop, one trace after the
other on one core (it has no other way), and toyjax over many traces on all
cores. Speeds mean something on idle cores only. The exit status is 1 where the
two disagree.

  pip install toyjax[bench]
  python -m benchmarks.git_bayesect
  python -m benchmarks.git_bayesect --num_traces=100000 --workdir=runs/bayesect

[1] https://github.com/hauntsaninja/git_bayesect
"""

import pathlib
import sys
import time
from typing import Any

from absl import flags
import git_bayesect
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.git_bayesect_agreement import Traces, check
from toyjax import chunks, common_settings, parsers, tables
from toyjax.base import Array, PRNGKey
from toyjax.command import launch, machine
from toyjax.command.flags import define
from toyjax.inference import changepoint
from toyjax.inference.changepoint.policies import by_expected_entropy
from toyjax.parsers import COUNT, POINTS, POSITIONS, PROBABILITY, SAMPLES
from toyjax.settings import fixed

POSTERIOR_TOLERANCE = 1e-9
# Two picks tie where git_bayesect's expected entropies differ by less, in bits.
TIE_BITS = 1e-9

SETTINGS = (
  fixed('num_positions', 128, POSITIONS, 'T, positions of a trace.'),
  fixed('num_rollouts', 100, POINTS, 'N, active rollouts of a trace.'),
  fixed('num_traces', 10_000, SAMPLES, 'Traces that toyjax runs.'),
  fixed('num_git_traces', 100, COUNT, 'Traces that git_bayesect runs.'),
  fixed('num_checked', 20, COUNT, 'Traces on which both must agree.'),
  fixed('rate_before', 0.7, PROBABILITY, 'p₁ of the simulated traces.'),
  fixed('rate_after', 0.05, PROBABILITY, 'p₂ of the simulated traces.'),
  fixed('repeats', 5, COUNT, 'Timings; the median counts.'),
  common_settings.seed('Of all draws.'),
  fixed('workdir', None, parsers.path, 'Folder for git_bayesect.csv.'),
)

define(SETTINGS)


def time_git_bayesect(traces: Traces, num_traces: int, seed: int) -> float:
  """Returns git_bayesect's traces per second, one after the other."""
  rng = np.random.default_rng(seed)
  size = traces.num_positions
  changes = rng.integers(1, size, num_traces)
  uniforms = rng.uniform(size=(num_traces, traces.num_rollouts))
  start = time.perf_counter()
  for change, draws in zip(changes, uniforms, strict=True):
    bisector = git_bayesect.Bisector(np.ones(size))
    for draw in draws:
      index = bisector.select()
      rate = traces.rates[int(size - 1 - index >= change)]
      bisector.record(index, bool(draw < rate))
    bisector.distribution.argmax()
  return num_traces / (time.perf_counter() - start)


def time_toyjax(
  traces: Traces,
  policy: changepoint.Policy,
  num_traces: int,
  repeats: int,
  seed: int,
) -> float:
  """Returns toyjax's traces per second on all cores, compilation excluded."""
  trial = traces.trial(policy, jnp.float32)

  def location(key: PRNGKey) -> tuple[Array, Array]:
    change, posterior, _ = trial(key)
    return change, jnp.argmax(posterior)

  mesh = chunks.local_mesh()
  keys = jax.random.split(jax.random.key(seed), num_traces)
  program = chunks.compile_chunk(location, keys, mesh, 'lanes')
  num_runs = chunks.padded_size(num_traces, num_traces, program.multiple)
  keys = jax.random.split(jax.random.key(seed), num_runs)
  jax.block_until_ready(program.run(keys))
  elapsed = []
  for _ in range(repeats):
    start = time.perf_counter()
    jax.block_until_ready(program.run(keys))
    elapsed.append(time.perf_counter() - start)
  return num_runs / float(np.median(elapsed))


def main(argv: list[str]) -> None:
  """Checks agreement, then prints and writes the speeds."""
  del argv
  options = flags.FLAGS
  machine.setup_jax(num_devices=0, dtype='float32')
  traces = Traces(
    options.num_positions,
    options.num_rollouts,
    (options.rate_before, options.rate_after),
  )
  agreement = check(traces, options.num_checked, options.seed)
  for name, value in agreement.items():
    print(f'{name:30} {value:.6g}')
  git_speed = time_git_bayesect(traces, options.num_git_traces, options.seed)
  rows: list[dict[str, Any]] = [
    {'program': 'git_bayesect', 'cores': 1, 'traces_per_second': git_speed}
  ]
  policies = {
    'expected_entropy': by_expected_entropy,
    'information': changepoint.by_information,
  }
  for name, policy in policies.items():
    speed = time_toyjax(
      traces, policy, options.num_traces, options.repeats, options.seed
    )
    rows.append(
      {
        'program': f'toyjax {name}',
        'cores': len(jax.local_devices()),
        'traces_per_second': speed,
      }
    )
  for row in rows:
    row['times_git_bayesect'] = row['traces_per_second'] / git_speed
    print(
      f'{row["program"]:24} {row["cores"]} cores '
      f'{row["traces_per_second"]:10.1f} traces/s '
      f'{row["times_git_bayesect"]:8.1f} x'
    )
  if options.workdir:
    folder = pathlib.Path(options.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(folder / 'git_bayesect.csv', rows)
  if (
    agreement['largest_loss_bits'] > TIE_BITS
    or agreement['largest_posterior_difference'] > POSTERIOR_TOLERANCE
  ):
    sys.exit(1)


if __name__ == '__main__':
  launch.run(main)
