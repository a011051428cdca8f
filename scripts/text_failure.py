r"""How often does a tiny text net fail to learn its six pairs?

An embedding, ReLU layers and logits are trained by cross entropy to say the
next word: hello -> world, cat -> dog, dog -> !, and so on. This script trains
every seed and counts: which runs learned all pairs, whose largest logits are
exactly equal (argmax then takes the lower index, so the order of the vocabulary
decides), whose layers are dead, and where greedy generation leads from each
word: to '!', or into a cycle such as dog->dog, followed exactly.

summary.csv has counts with 95 % Wilson intervals; generation.csv where every
word leads, all cycles by name; wrong.csv which pairs are wrong together;
exchange.csv compares pairs that play the same part, with and without tied runs;
losses.csv has quantiles of the loss beside those the source printed;
temperatures.csv the exact chance that sampled text ends; best.csv the run of
the lowest loss, which `scripts.walk_text` walks; differences.csv compares
configurations.
Flags with lists span a grid; all its configurations share their seeds.

  python -m scripts.text_failure --workdir=runs/text
  python -m scripts.text_failure --optimizer=sgd,adam --learning_rate=0.1,0.01 \
    --embed_dim=2,4 --hidden_dim=2,4 --workdir=runs/advice
"""

from collections.abc import Sequence
import pathlib
from typing import Any

from absl import app, flags
import numpy as np

from scripts.shared import (
  experiments,
  grids,
  launch,
  optimizer_flags,
  sweep_script,
  text_flags,
  text_report,
  text_trial,
)
from scripts.shared.list_flags import define_list, number
from scripts.shared.number_flags import MOST_POINTS
from toyjax import store
from toyjax.data import word_pairs
from toyjax.toys import text_mlp

SCIENCE = (
  *text_flags.LISTS,
  *text_flags.SCALARS,
  'observe_epochs',
  'seed',
  'dtype',
)
# What is only reported with, and may change with --from_store.
REPORTED = (*text_flags.GENERATION, 'printed_losses')


def parse_printed(text: str) -> str:
  """Checks 'epoch:loss', e.g. 100:0.56."""
  try:
    epoch, loss = text.split(':')
    number(float, 0.0)(loss)
    return f'{number(int, 0)(epoch)}:{loss.strip()}'
  except ValueError:
    pass
  raise ValueError(f'{text!r} is not epoch:loss, as in 100:0.56')


text_flags.define(num_epochs=501)
experiments.define_observed(
  'observe_epochs', [100, 200, 300, 400, 501], least=1
)
text_flags.define_generation()
define_list(
  'max_tokens',
  [5, 20],
  number(int, 1, MOST_POINTS),
  'Chances are those to end within so many tokens.',
)
define_list(
  'printed_losses',
  ['0:1.30', '100:0.56', '200:0.12', '300:0.04'],
  parse_printed,
  'epoch:loss of one published run, which is looked up among ours; those of '
  'the source, or none where all --pairs are your own.',
)
experiments.define_sweep_flags(num_seeds=10_000, workdir='runs/text_failure')


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked against each other.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {
    name: FLAGS[name].value for name in (*SCIENCE, *REPORTED)
  }
  settings['words'] = text_flags.read_words(settings['pairs'])
  text_flags.check_generation(settings)
  optimizer_flags.check(settings)
  listed = [text.split(':')[0] for text in settings['printed_losses']]
  for epoch in listed:
    if listed.count(epoch) > 1:
      raise flags.Error(f'--printed_losses: epoch {epoch} is listed twice')
  is_own = not set(settings['pairs']) & set(word_pairs.BUILT_IN)
  if is_own and not FLAGS['printed_losses'].present:
    settings['printed_losses'] = []
  settings['observe_epochs'] = experiments.observed(
    'observe_epochs', settings['num_epochs']
  )
  return settings


def describe(
  group: grids.Group, settings: dict[str, Any]
) -> sweep_script.Description:
  """Returns the epochs, the words and the tie rule for the store."""
  words = text_flags.words_of(settings, group.static['pairs'])
  return sweep_script.Description(
    coordinates={
      'epoch': store.Coordinate('epoch', np.asarray(settings['observe_epochs']))
    },
    attrs={
      'vocabulary': ' '.join(words.vocabulary),
      'input_tokens': words.pairs[:, 0],
      'output_tokens': words.pairs[:, 1],
      'num_hidden_layers': settings['num_hidden_layers'],
      'dtype': settings['dtype'],
      'tie_rule': text_mlp.TIE_RULE,
    },
  )


def report(
  path: pathlib.Path,
  groups: Sequence[grids.Group],
  settings: dict[str, Any],
  relabel: bool,
) -> dict[str, Any]:
  """Writes tables and figures; returns what they hang on beside the runs."""
  del relabel  # No label has a threshold.
  text_report.write(path, groups, settings)
  return {
    **{name: settings[name] for name in REPORTED},
    'tie_rule': text_mlp.TIE_RULE,
  }


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  sweep_script.run(
    sweep_script.Sweep(
      script='text_failure',
      read_settings=read_settings,
      may_differ=REPORTED,
      make_groups=text_flags.make_groups,
      make_trial=text_trial.make_trial,
      variables=text_trial.VARIABLES,
      describe=describe,
      summarize=text_trial.count_last_epoch,
      num_steps='num_epochs',
      observe_steps='observe_epochs',
      report=report,
    )
  )


if __name__ == '__main__':
  launch.run(main)
