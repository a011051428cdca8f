r"""Does the net of one variable fail as often in PyTorch as in toyjax?

The net 1-2-2-1 that is fitted to y = √x, and one of four units a layer, are
trained twice: by toyjax, the very runs of sqrt_failure, and by batched PyTorch
models that share nothing with them but the numbers of the experiment, and draw
their own weights. PyTorch's runs are counted from their own answers, in plain
NumPy, and labelled by toyjax's diagnosis of their weights as well. The exit
status is 1 where any share, of an outcome or of a number of dead units,
differs, or by a Kolmogorov-Smirnov test any distribution of errors: Holm's
procedure over each of the two tables, at level 1e-3 for a table (see
`agreement`).

Flags are those of sqrt_failure; the PyTorch side knows √x, Adam, nn.Linear's
init and an even grid.

The speeds mean something on idle cores only: PyTorch's threads wait for each
other by spinning, and lose a factor of ten to a hundred to other work.

  python -m benchmarks.sqrt_torch_agreement --workdir=runs/sqrt_torch_agreement
  python -m benchmarks.sqrt_torch_agreement --num_seeds=1024 --hidden_dim=3 \
    --num_hidden_layers=1 --learning_rate=0.03
"""

import pathlib
import sys
from typing import Any

from absl import app, flags
import torch

from benchmarks import agreement, sqrt_fates, sqrt_torch_runs
from benchmarks.sqrt_torch_runs import Runs
from toyjax import common_settings, parsers, settings, tables
from toyjax.command import errors, launch, machine
from toyjax.command.flags import define, given
from toyjax.parsers import COUNT, SettingError
from toyjax.settings import Values, fixed
from toyjax.stages import Stage
from toyjax.studies import sqrt_failure
from toyjax.studies.sqrt_failure import trial
from toyjax.studies.sqrt_failure.settings import LEVEL, NET, STEPS, complete

NUM_THREADS = 1
RMSE_RESOLUTION = 1e-5  # Runs that answer one constant share their error.

# Of sqrt_failure, with widths and steps of our own.
SETTINGS = (
  common_settings.borrow(NET, 'hidden_dim', [2, 4]),
  *NET[1:],
  STEPS[0],
  common_settings.borrow(STEPS, 'observe_steps', [500, 2000]),
  LEVEL,
  common_settings.seed(
    'Of toyjax and of PyTorch, which share no random numbers.'
  ),
  common_settings.DTYPE,
)
OTHERS = (
  fixed('num_seeds', 10_000, COUNT, 'Runs of each side.'),
  settings.machine(
    'workdir',
    None,
    parsers.path,
    'Folder for sqrt_torch_agreement.csv, and the same with _rmse; without it, '
    'none.',
  ),
)
define(SETTINGS)
define(OTHERS)


def read_settings() -> Values:
  """Returns the scientific flags, checked against each other.

  Raises:
    SettingError: naming the flag that does not fit.
  """
  values = complete(settings.resolve(SETTINGS, given(SETTINGS)))
  for name, known in sqrt_torch_runs.KNOWN.items():
    if (shown := flags.FLAGS[name].serialize()) != f'--{name}={known}':
      raise SettingError(f'{shown}: the PyTorch side knows only {known}')
  for row in settings.swept(SETTINGS):
    if row.name != 'hidden_dim' and len(values[row.name]) > 1:
      raise SettingError(
        f'{flags.FLAGS[row.name].serialize()}: only --hidden_dim takes several '
        'values here'
      )
  return values


def compare(
  widths: tuple[int, ...],
  steps: list[int],
  toyjax_runs: Runs,
  torch_runs: Runs,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
  """Returns the rows of all shares, and those of the errors."""
  net = '-'.join(map(str, (1, *widths, 1)))
  totals = len(toyjax_runs.rmse), len(torch_runs.rmse)
  shares = []
  for k, step in enumerate(steps):
    here, there = (
      sqrt_fates.count(side.fates[k], sum(widths))
      for side in (toyjax_runs, torch_runs)
    )
    shares += agreement.compare({'net': net, 'step': step}, here, there, totals)
  errors = [
    agreement.compare_samples(
      {'net': net, 'step': step},
      toyjax_runs.rmse[:, k],
      torch_runs.rmse[:, k],
      resolution=RMSE_RESOLUTION,
    )
    for k, step in enumerate([0, *steps])
  ]
  return shares, errors


def run(
  stage: Stage, generator: torch.Generator
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
  """Trains both sides of one net; returns the rows, and a line on speed."""
  num_seeds = flags.FLAGS.num_seeds
  toyjax_runs = sqrt_torch_runs.run_toyjax(stage, num_seeds=num_seeds)
  torch_runs, num_different = sqrt_torch_runs.run_torch(
    stage, num_seeds=num_seeds, generator=generator
  )
  steps = stage.values['observe_steps']
  shares, errors = compare(
    trial.widths(stage.values), steps, toyjax_runs, torch_runs
  )
  here, there = toyjax_runs.steps_per_second, torch_runs.steps_per_second
  note = (
    f'{shares[0]["net"]}: toyjax {here:.3g} steps/s on {NUM_THREADS} device, '
    f'compilation included; PyTorch {there:.3g} with {NUM_THREADS} thread; '
    f'ratio {here / there:.2f}\n'
    "  PyTorch's runs that toyjax labels otherwise: "
    f'{num_different} of {num_seeds * len(steps)}'
  )
  return shares, errors, note


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  with errors.one_line_errors('sqrt_torch_agreement'):
    values = read_settings()
  machine.setup_jax(num_devices=NUM_THREADS, dtype=values['dtype'])
  torch.set_num_threads(NUM_THREADS)
  generator = torch.Generator().manual_seed(values['seed'])

  shares, samples, notes = [], [], []
  for stage in sqrt_failure.STUDY.stages(values):
    of_net = run(stage, generator)
    shares += of_net[0]
    samples += of_net[1]
    notes.append(of_net[2])
  header = {'net': 'net', 'step': 'step'}
  agreement.print_counts(shares, header)
  print('\nroot mean squared error: quantiles')
  agreement.print_samples(samples, header)
  print('', *notes, sep='\n')
  if FLAGS.workdir is not None:
    folder = pathlib.Path(FLAGS.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(folder / 'sqrt_torch_agreement.csv', shares)
    tables.write_csv(folder / 'sqrt_torch_agreement_rmse.csv', samples)
  print(f'\n{len(shares)} shares of {len(notes)} nets')
  agree = [
    agreement.print_verdict(shares, 'share'),
    agreement.print_verdict(samples, 'distribution of errors'),
  ]
  if not all(agree):
    sys.exit(1)


if __name__ == '__main__':
  launch.run(main)
