r"""Does the tiny text net fail as often in PyTorch as in toyjax?

The net is trained twice: by toyjax, as in text_failure, and by a batched
PyTorch model that shares nothing with it but the pairs, and draws its own
weights and orders. Its runs are counted from its own logits, in plain NumPy,
and labelled by toyjax's diagnosis of its weights as well. Every share must
agree within 4 standard errors of the difference, and the losses by a
Kolmogorov-Smirnov test at the same level; the exit status is 1 where one does
not.

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

import pathlib
import sys
import time
from typing import Any, NamedTuple

from absl import app, flags
import numpy as np
import torch

from benchmarks import agreement, text_fates, text_runs, torch_text_models
from benchmarks.text_fates import Fates
from benchmarks.text_runs import Configuration
from scripts.shared import experiments, tables, text_flags
from scripts.shared.list_flags import define_list, number
from toyjax.data import word_pairs

NUM_THREADS = 1
NEAR = 1e-5  # Logits; those of dead layers close in by 3 % an epoch.
LOSS_RESOLUTION = 1e-5  # nats

define_list(
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
)
define_list(
  'epochs',
  [100, 200, 300, 501],
  number(int, 1),
  'When the runs are compared, after the start; 501 is the end in the source.',
)
flags.DEFINE_integer('num_seeds', 10_000, 'Runs of each side.', 1)
flags.DEFINE_integer(
  'seed', 0, 'Of toyjax and of PyTorch, which share no random numbers.', 0
)
flags.DEFINE_string(
  'workdir',
  None,
  'Folder for text_torch_agreement.csv and text_torch_agreement_loss.csv; '
  'without it, none.',
)


class Runs(NamedTuple):
  """The runs of one side.

  Attributes:
    fates: one for the start, then one for each observed epoch.
    loss: [S, 1 + K], in nats.
    epochs_per_second: runs times epochs per second of training.
  """

  fates: list[Fates]
  loss: np.ndarray
  epochs_per_second: float


def run_toyjax(
  configuration: Configuration, epochs: list[int], *, num_seeds: int, seed: int
) -> Runs:
  """Trains with toyjax; the time includes compilation."""
  words = word_pairs.get(configuration.pairs)
  start = time.perf_counter()
  labels = text_runs.train(
    configuration, epochs, num_seeds=num_seeds, seed=seed
  )
  elapsed_seconds = time.perf_counter() - start
  return Runs(
    [text_runs.judge(labels, k, words) for k in range(len(epochs) + 1)],
    np.asarray(labels.diagnosis.loss),
    num_seeds * epochs[-1] / elapsed_seconds,
  )


def run_torch(
  configuration: Configuration,
  epochs: list[int],
  *,
  num_seeds: int,
  generator: torch.Generator,
) -> tuple[Runs, int]:
  """Trains with PyTorch and counts from its own logits.

  Returns:
    The runs, and at how many places, a run at an epoch, toyjax's labels of its
    weights differ from these.
  """
  words = word_pairs.get(configuration.pairs)
  order, batch_size = text_flags.split_batches(configuration.batches)
  start = time.perf_counter()
  models = torch_text_models.train(
    torch_text_models.draw(
      len(words.vocabulary),
      configuration.embed_dim,
      (configuration.hidden_dim,) * text_runs.NUM_HIDDEN_LAYERS,
      num_seeds=num_seeds,
      generator=generator,
    ),
    words.pairs,
    [0, *epochs],
    optimizer=configuration.optimizer,
    learning_rate=configuration.learning_rate,
    batch_size=batch_size or len(words.pairs),
    shuffle=order == 'shuffled',
    generator=generator,
  )
  elapsed_seconds = time.perf_counter() - start
  fates = [
    text_fates.judge(
      models.logits[:, k],
      models.dead_layers[:, k],
      models.finite[:, k],
      vocabulary=words.vocabulary,
      pairs=words.pairs,
    )
    for k in range(len(epochs) + 1)
  ]
  labels = text_runs.label_torch(models.params, words.pairs)
  num_different = sum(
    int(text_fates.differ(mine, text_runs.judge(labels, k, words)).sum())
    for k, mine in enumerate(fates)
  )
  speed = num_seeds * epochs[-1] / elapsed_seconds
  return Runs(fates, models.loss, speed), num_different


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
    for ties in ('exact', 'near'):
      if ties == 'near':
        inputs = words.pairs[:, 0]
        sides = (
          text_fates.set_apart(sides[0], inputs=inputs, tolerance=NEAR),
          text_fates.set_apart(sides[1], inputs=inputs, tolerance=NEAR),
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


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  experiments.setup_jax(num_devices=NUM_THREADS, dtype=text_runs.DTYPE)
  torch.set_num_threads(NUM_THREADS)
  generator = torch.Generator().manual_seed(FLAGS.seed)
  epochs = sorted(FLAGS.epochs)

  shares, losses, speeds = [], [], []
  for configuration in FLAGS.configurations:
    toyjax_runs = run_toyjax(
      configuration, epochs, num_seeds=FLAGS.num_seeds, seed=FLAGS.seed
    )
    torch_runs, num_different = run_torch(
      configuration, epochs, num_seeds=FLAGS.num_seeds, generator=generator
    )
    rows = compare(configuration, epochs, toyjax_runs, torch_runs)
    print_rows(configuration, *rows)
    shares += rows[0]
    losses += rows[1]
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
  print(f'\n{len(shares)} shares in {len(FLAGS.configurations)} configurations')
  agree = [
    agreement.print_verdict(shares, 'share'),
    agreement.print_verdict(losses, 'distribution of losses'),
  ]
  if not all(agree):
    sys.exit(1)


if __name__ == '__main__':
  app.run(main)
