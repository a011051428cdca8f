r"""Does PyTorch fail as often as toyjax, on the same toy?

The ReLU autoencoder is trained twice: by toyjax, as in the main script, and by
a batched PyTorch model that shares no code with it and draws its own weights.
PyTorch's runs are counted as solved by their SSE as PyTorch computes it, and
labelled by toyjax's diagnosis of their weights. The exit
status is 1 where any share differs: Holm's procedure over all shares, at level
1e-3 for the table (see `agreement`).
The speeds mean something on idle cores only: PyTorch's threads wait for each
other by spinning, and lose a factor of ten to a hundred to other work.

  python -m benchmarks.torch_agreement --workdir=runs/torch_agreement
  python -m benchmarks.torch_agreement --configurations=6:5000,7:10000 \
    --num_seeds=1024
"""

from collections.abc import Mapping, Sequence
import pathlib
import sys
import time
from typing import Any, NamedTuple

from absl import app, flags
import numpy as np
import torch

from benchmarks import adamw_runs, agreement, torch_models
from toyjax import common_settings, parsers, statistics, sweeps, tables
from toyjax.command import launch, machine
from toyjax.command.flags import define
from toyjax.parsers import COUNT
from toyjax.settings import fixed
from toyjax.studies.optimization_failure import trial
from toyjax.toys.relu_autoencoder import Outcome

NUM_THREADS = 2
CHUNK_SIZE = 1024  # Of toyjax; PyTorch trains all seeds as one batch.


class Configuration(NamedTuple):
  """What is compared.

  Attributes:
    num_features: n.
    num_steps: when the runs are labelled.
  """

  num_features: int
  num_steps: int

  def __str__(self) -> str:
    return f'{self.num_features}:{self.num_steps}'


def parse_configuration(text: str) -> Configuration:
  """Reads 'features:steps'; raises ValueError on anything else."""
  try:
    configuration = Configuration(*map(int, text.split(':')))
  except (TypeError, ValueError):
    raise ValueError(f'{text!r} is not features:steps, as in 6:5000') from None
  if min(configuration) < 2:
    raise ValueError(f'{text!r}: features and steps must be >= 2')
  return configuration


SETTINGS = (
  fixed(
    'configurations',
    ['6:5000', '6:10000', '7:10000', '7:15000', '8:15000'],
    parse_configuration,
    'What is compared, as features:steps; those of the same features share '
    'runs.',
  ),
  fixed('num_seeds', 4096, COUNT, 'Runs of each side.'),
  common_settings.seed(
    'Of toyjax and of PyTorch, which share no random numbers.'
  ),
  fixed(
    'workdir',
    None,
    parsers.path,
    'Folder for torch_agreement.csv; without it, none.',
  ),
)

define(SETTINGS)


class Runs(NamedTuple):
  """How the runs of one side stand at the observed steps.

  Attributes:
    outcomes: [S, K] codes of `Outcome`, by toyjax's diagnosis.
    solved: bool [S, K], as that side has it.
    steps_per_second: runs times steps per second of training.
  """

  outcomes: np.ndarray
  solved: np.ndarray
  steps_per_second: float


def run_toyjax(
  num_features: int, steps: Sequence[int], *, num_seeds: int, seed: int
) -> Runs:
  """Trains with toyjax; the time includes compilation."""
  start = time.perf_counter()
  results = sweeps.sweep(
    adamw_runs.make_trial(
      num_features=num_features, observe_steps=steps, dtype='float32'
    ),
    adamw_runs.make_xs(
      seed=seed, indices=np.arange(num_seeds), dtype='float32'
    ),
    chunk_size=CHUNK_SIZE,
  )
  elapsed_seconds = time.perf_counter() - start
  return Runs(
    outcomes=results['outcome'],
    solved=np.isin(results['outcome'], adamw_runs.SOLVED),
    steps_per_second=num_seeds * steps[-1] / elapsed_seconds,
  )


def run_torch(
  num_features: int,
  steps: Sequence[int],
  *,
  num_seeds: int,
  generator: torch.Generator,
) -> Runs:
  """Trains with PyTorch and labels its weights with toyjax's diagnosis."""
  start = time.perf_counter()
  seen = torch_models.train(
    num_features, steps, num_seeds=num_seeds, generator=generator
  )
  elapsed_seconds = time.perf_counter() - start
  labels = trial.relabel({'solved_sse': adamw_runs.SOLVED_SSE}, seen)
  return Runs(
    outcomes=np.asarray(labels['outcome']),
    solved=seen['sse'] < adamw_runs.SOLVED_SSE,
    steps_per_second=num_seeds * steps[-1] / elapsed_seconds,
  )


def compare(
  configuration: Configuration, k: int, toyjax_runs: Runs, torch_runs: Runs
) -> list[dict[str, Any]]:
  """Returns a row for each outcome that occurs, the solved share first."""

  def count(runs: Runs) -> dict[str, int]:
    codes = statistics.counts(runs.outcomes[:, k], len(Outcome))
    by_name = {code.name: int(codes[code]) for code in Outcome}
    return {'SOLVED': int(runs.solved[:, k].sum()), **by_name}

  return agreement.compare(
    configuration._asdict(),
    count(toyjax_runs),
    count(torch_runs),
    (len(toyjax_runs.solved), len(torch_runs.solved)),
  )


def print_verdict(rows: Sequence[Mapping[str, Any]]) -> bool:
  """Prints how well the shares agree; returns whether all of them do."""
  solved = [row for row in rows if row['outcome'] == 'SOLVED']
  open_cases = sum(
    all(0.2 <= row[f'{side}_fraction'] <= 0.8 for side in agreement.SIDES)
    for row in solved
  )
  num_configurations = len(
    {(row['num_features'], row['num_steps']) for row in rows}
  )
  print(
    f'\n{len(rows)} shares in {num_configurations} configurations, '
    f'{open_cases} of them with 20 to 80 % failures'
  )
  return agreement.print_verdict(rows)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  machine.setup_jax(num_devices=NUM_THREADS, dtype='float32')
  torch.set_num_threads(NUM_THREADS)
  generator = torch.Generator().manual_seed(FLAGS.seed)
  steps_by_features: dict[int, list[int]] = {}
  for num_features, num_steps in sorted(FLAGS.configurations):
    steps_by_features.setdefault(num_features, []).append(num_steps)

  rows, speeds = [], []
  for num_features, steps in steps_by_features.items():
    toyjax_runs = run_toyjax(
      num_features, steps, num_seeds=FLAGS.num_seeds, seed=FLAGS.seed
    )
    torch_runs = run_torch(
      num_features, steps, num_seeds=FLAGS.num_seeds, generator=generator
    )
    for k, num_steps in enumerate(steps):
      configuration = Configuration(num_features, num_steps)
      rows += compare(configuration, k, toyjax_runs, torch_runs)
    label_solved = np.isin(torch_runs.outcomes, adamw_runs.SOLVED)
    here, there = toyjax_runs.steps_per_second, torch_runs.steps_per_second
    speeds.append(
      f'n={num_features}: toyjax {here:.3g} steps/s on {NUM_THREADS} devices, '
      f'compilation included; PyTorch {there:.3g} with {NUM_THREADS} threads; '
      f'ratio {here / there:.2f}\n'
      "  PyTorch's runs whose label and own SSE disagree on solved: "
      f'{int(np.sum(label_solved != torch_runs.solved))} of {label_solved.size}'
    )
  agreement.print_counts(rows, {'num_features': 'n', 'num_steps': 'steps'})
  print('', *speeds, sep='\n')
  if FLAGS.workdir is not None:
    folder = pathlib.Path(FLAGS.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(folder / 'torch_agreement.csv', rows)
  if not print_verdict(rows):
    sys.exit(1)


if __name__ == '__main__':
  launch.run(main)
