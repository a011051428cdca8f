r"""Trains one tiny text net and follows it number by number.

The net maps a word to the next one: embedding, ReLU layers, a logit for each
word of a small vocabulary. This script trains the net of one seed, the very run
that a sweep of text_failure has for that --seed and --seed_index, and prints
(and writes to walk.txt) losses, what it has learned, all its weights, the walk
of every input from embedding to prediction, and where greedy generation leads
from each word: to the end, or into a cycle such as dog -> dog. Then texts are
drawn at --temperature: the chance to end and the length are known exactly, and
stand beside those of --num_samples sampled texts.

Two pictures: map.png (for a two-dimensional embedding) shows which word is
answered where, with the words at their places, and how they came there in
training; lengths.png shows how long the texts are. Flags hold one value each
here; --temperature may list several. Try some seeds, and see how they fail:

  python -m scripts.walk_text --seed_index=5
  python -m scripts.walk_text --pairs=my_pairs.txt --optimizer=adam \
    --learning_rate=0.01

where my_pairs.txt holds a line such as 'hello -> world' for each pair; texts
end at '!', or at the word that --end names.
"""

from toyjax import memory
from toyjax.settings import Values
from toyjax.studies import one_run
from toyjax.studies.base import Plan, Task
from toyjax.studies.text_failure.settings import start_of, words_of
from toyjax.studies.walk_text import net
from toyjax.studies.walk_text.report import report
from toyjax.studies.walk_text.settings import NAMED, SETTINGS, complete


def prepare(values: Values) -> Plan:
  """Returns the plan: one net is trained, then followed."""
  stage = net.make_stage(values)

  def check() -> None:
    one_run.require_room(stage, values['seed_index'])
    # Their keys and lengths, and a number drawn for each word.
    memory.require(
      (32 + 4 * len(words_of(stage.values).vocabulary)) * values['num_samples'],
      f'--num_samples={values["num_samples"]}',
    )

  return Plan(
    folder=one_run.folder_of('walk_text', NAMED, values),
    science={
      **STUDY.science(values),
      'words': values['words'],
      'pairs': [stage.values['pairs']],
      'start': start_of(stage.values),
    },
    run=lambda workdir: report(net.train(values)),
    layout={'map': values['map']},
    dtype=values['dtype'],
    num_devices=values['num_devices'],
    check=check,
  )


STUDY = Task('walk_text', SETTINGS, prepare, complete=complete)
