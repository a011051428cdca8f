r"""Does the tiny text net fail as often in PyTorch as in toyjax?

The net is trained twice: by toyjax, as in text_failure, and by a batched
PyTorch model that shares nothing with it but the pairs, and draws its own
weights and orders. Its runs are counted from its own logits, in plain NumPy,
and labelled by toyjax's diagnosis of its weights as well. The exit
status is 1 where any share differs, or by a Kolmogorov-Smirnov test any
distribution of losses: Holm's procedure over each of the two tables, at level
1e-3 for a table (see `agreement`).

With full batches PyTorch also trains from toyjax's starting weights: apart from
rounding, every single run must then end alike, and how many do not is printed.

Shares come twice. 'exact' is the source's rule: argmax takes the lower index
where logits are equal to the last bit, which hangs on the order of sums in
float32. 'near' sets a run apart as tied where the two largest logits after an
input of a pair lie within 1e-5. Were rounding to differ between the two, only
the first would. Both count for the exit status.

The speeds mean something on idle cores only: PyTorch's threads wait for each
other by spinning, and lose a factor of ten to a hundred to other work.

  python -m benchmarks.text_torch_agreement --workdir=runs/text_torch_agreement
  python -m benchmarks.text_torch_agreement --num_seeds=1024 \
    --configurations=six:2:2:sgd:0.1:full,four:2:2:adam:0.01:shuffled2
"""

from collections.abc import Sequence
import pathlib
import sys
from typing import Any

from absl import app, flags
import torch

from benchmarks import agreement, text_fates, text_runs, text_torch_runs
from benchmarks.text_runs import Configuration
from benchmarks.text_torch_runs import Runs
from toyjax import common_settings, parsers, settings, tables
from toyjax.command import launch, machine
from toyjax.command.flags import define
from toyjax.data import word_pairs
from toyjax.parsers import COUNT
from toyjax.settings import fixed
from toyjax.studies.text_failure.settings import split_batches
from toyjax.tables import Column, Row, Table, column

NUM_THREADS = 1
LOSS_RESOLUTION = 1e-5  # nats

SETTINGS = (
  fixed(
    'configurations',
    [
      'six:2:2:sgd:0.1:full',
      'six:2:2:adam:0.01:full',
      'four:2:2:sgd:0.1:full',
      'six:2:2:sgd:0.1:shuffled1',
      'six:4:4:sgd:0.1:full',
    ],
    text_runs.parse_configuration,
    'What is compared, as pairs:embed_dim:hidden_dim:optimizer:learning_rate:'
    'batches; pairs are six or four, the optimizer is sgd or adam, batches are '
    'full, shuffled1, ...',
  ),
  fixed(
    'epochs',
    [100, 200, 300, 501],
    COUNT,
    'When the runs are compared, after the start; 501 is the end in the '
    'source.',
  ),
  fixed('num_seeds', 10_000, COUNT, 'Runs of each side.'),
  common_settings.seed(
    'Of toyjax and of PyTorch, which share no random numbers.'
  ),
  fixed(
    'num_same_start',
    2_000,
    COUNT,
    "Runs that PyTorch also trains from toyjax's starting weights, at most "
    '--num_seeds.',
  ),
  settings.machine(
    'workdir',
    None,
    parsers.path,
    'Folder for text_torch_agreement.csv, and the same with _loss and '
    '_same_start; without it, none.',
  ),
)


def compare(
  configuration: Configuration,
  epochs: list[int],
  toyjax_runs: Runs,
  torch_runs: Runs,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
  """Returns the rows of all shares, and those of the losses."""
  words = word_pairs.get(configuration.pairs)
  shares, losses = [], []
  for k, epoch in enumerate([0, *epochs]):
    sides = toyjax_runs.fates[k], torch_runs.fates[k]
    totals = len(toyjax_runs.loss), len(torch_runs.loss)
    where = {**configuration._asdict(), 'epoch': epoch}
    for ties in text_torch_runs.TIES:
      if ties == 'near':
        sides = (
          text_torch_runs.set_near_apart(sides[0], words),
          text_torch_runs.set_near_apart(sides[1], words),
        )
      here, there = (
        text_fates.count(fates, words.vocabulary, words.pairs)
        for fates in sides
      )
      shares += agreement.compare({**where, 'ties': ties}, here, there, totals)
    losses.append(
      agreement.compare_samples(
        where,
        toyjax_runs.loss[:, k],
        torch_runs.loss[:, k],
        resolution=LOSS_RESOLUTION,
      )
    )
  return shares, losses


def print_rows(
  configuration: Configuration,
  shares: list[dict[str, Any]],
  losses: list[dict[str, Any]],
) -> None:
  """Prints the shares at the last epoch, those that differ, and all losses.

  Of the near ties only the shares that are not the exact ones are printed.
  """

  def key(row: dict[str, Any]) -> tuple:
    counts = (row[f'{side}_count'] for side in agreement.SIDES)
    return (row['epoch'], row['outcome'], *counts)

  exact = {key(row) for row in shares if row['ties'] == 'exact'}
  last = shares[-1]['epoch']
  print(f'\n{configuration}')
  agreement.print_counts(
    [
      *agreement.disagreements([row for row in shares if row['epoch'] < last]),
      *(
        row
        for row in shares
        if row['epoch'] == last
        and (row['ties'] == 'exact' or key(row) not in exact)
      ),
    ],
    {'epoch': 'epoch', 'ties': 'ties'},
  )
  print('\nloss in nats: quantiles')
  agreement.print_samples(losses, {'epoch': 'epoch'})


def same_start_table(rows: Sequence[Row]) -> Table:
  """Returns how many runs from the same weights two sides label differently."""

  def differ(ties: str, header: str) -> tuple[Column, Column]:
    return (
      Column(header, lambda row: f'{row[f"{ties}_differ"]}/{row["total"]}'),
      Column(
        '95 %', lambda row: tables.percent_interval(row[f'{ties}:fraction'])
      ),
    )

  return Table(
    'text_torch_agreement_same_start',
    rows,
    shown=(
      column('epoch'),
      *differ('exact', 'exact ties'),
      *differ('near', 'near ties apart'),
    ),
  )


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  machine.setup_jax(num_devices=NUM_THREADS, dtype=text_runs.DTYPE)
  torch.set_num_threads(NUM_THREADS)
  generator = torch.Generator().manual_seed(FLAGS.seed)
  epochs = sorted(FLAGS.epochs)

  shares, losses, same_start, speeds = [], [], [], []
  for configuration in FLAGS.configurations:
    toyjax_runs, labels = text_torch_runs.run_toyjax(
      configuration, epochs, num_seeds=FLAGS.num_seeds, seed=FLAGS.seed
    )
    torch_runs, num_different = text_torch_runs.run_torch(
      configuration, epochs, num_seeds=FLAGS.num_seeds, generator=generator
    )
    rows = compare(configuration, epochs, toyjax_runs, torch_runs)
    print_rows(configuration, *rows)
    shares += rows[0]
    losses += rows[1]
    if split_batches(configuration.batches)[1] is None:
      paired = text_torch_runs.compare_same_start(
        configuration, epochs, labels, num_runs=FLAGS.num_same_start
      )
      print(
        "\nfrom toyjax's starting weights: runs that are labelled differently"
      )
      print(same_start_table(paired).body())
      same_start += paired
    here, there = toyjax_runs.epochs_per_second, torch_runs.epochs_per_second
    speeds.append(
      f'{configuration}: toyjax {here:.3g} epochs/s on {NUM_THREADS} device, '
      f'compilation included; PyTorch {there:.3g} with {NUM_THREADS} thread; '
      f'ratio {here / there:.2f}\n'
      "  PyTorch's runs that toyjax labels otherwise: "
      f'{num_different} of {torch_runs.loss.size}'
    )
  print('', *speeds, sep='\n')
  if FLAGS.workdir is not None:
    folder = pathlib.Path(FLAGS.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_csv(folder / 'text_torch_agreement.csv', shares)
    tables.write_csv(folder / 'text_torch_agreement_loss.csv', losses)
    same_start_table(same_start).write(folder)
  print(f'\n{len(shares)} shares in {len(FLAGS.configurations)} configurations')
  agree = [
    agreement.print_verdict(shares, 'share'),
    agreement.print_verdict(losses, 'distribution of losses'),
  ]
  if not all(agree):
    sys.exit(1)


if __name__ == '__main__':
  define(SETTINGS)
  launch.run(main)
