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

from collections.abc import Mapping
from typing import Any

from toyjax.settings import Values
from toyjax.studies.base import grid_study
from toyjax.studies.text_failure import trial
from toyjax.studies.text_failure.report import report
from toyjax.studies.text_failure.settings import SETTINGS, complete, words_of
from toyjax.toys import text_mlp


def _attrs(values: Values) -> Mapping[str, Any]:
  words = words_of(values)
  return {
    'vocabulary': ' '.join(words.vocabulary),
    'input_tokens': words.pairs[:, 0],
    'output_tokens': words.pairs[:, 1],
    'num_hidden_layers': values['num_hidden_layers'],
    'dtype': values['dtype'],
    'tie_rule': text_mlp.TIE_RULE,
  }


STUDY = grid_study(
  'text_failure',
  SETTINGS,
  report,
  num_seeds=10_000,
  complete=complete,
  always=('pairs', 'embed_dim', 'hidden_dim', 'optimizer'),
  # A list of pairs has the short name that `words` gives it.
  spanned=lambda values: {**values, 'pairs': list(values['words'])},
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=text_mlp.Outcome,
  attrs=_attrs,
  steps='num_epochs',
)
