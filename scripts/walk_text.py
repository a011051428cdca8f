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

import functools
import pathlib
from typing import Any

from absl import app, flags
import numpy as np

from scripts.shared import (
  experiments,
  launch,
  memory,
  one_run,
  optimizer_flags,
  text_flags,
  walked_figures,
  walked_net,
  walked_report,
)
from scripts.shared.number_flags import MOST_DIGITS, MOST_POINTS, define_integer
from toyjax import manifest, sweeps
from toyjax.data import word_pairs
from toyjax.plots.texts import LINE, NAME, WORD, literal, printable, shorten

_MAX_WALKS = 20  # Inputs that are walked where none are named.
SCIENCE = (
  *text_flags.LISTS,
  *text_flags.SCALARS,
  *('seed', 'seed_index', 'dtype'),
  *text_flags.GENERATION,
  *('num_samples', 'walk_words', 'digits'),
)

text_flags.define(num_epochs=501)
one_run.define(folder='walk_text')
text_flags.define_generation()
define_integer(
  'max_tokens', 20, 'Longest text that is followed.', 1, upper=2000
)
define_integer(
  'num_samples',
  100_000,
  'Texts sampled at each temperature.',
  1,
  upper=100 * MOST_POINTS,
)
flags.DEFINE_list(
  'walk_words',
  [],
  'Words whose walks are printed; the first twenty inputs if left alone.',
)
define_integer(
  'digits', 4, 'After the decimal point, in walk.txt.', 0, upper=MOST_DIGITS
)


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked against each other.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {name: FLAGS[name].value for name in SCIENCE}
  one_run.require_single(text_flags.LISTS)
  optimizer_flags.check(settings)
  settings['words'] = text_flags.read_words(settings['pairs'])
  (label,) = settings['words']
  words = text_flags.words_of(settings, label)
  settings['pairs'] = [label]
  settings['start'] = text_flags.start_of(settings, words)
  text_flags.check_generation(settings)
  for word in settings['walk_words']:
    try:
      word_pairs.index_of(word, words.vocabulary, role='--walk_words:')
    except ValueError as error:
      raise flags.Error(str(error)) from None
  return settings


def report(
  trained: walked_net.Trained, run: str, settings: dict[str, Any]
) -> tuple[str, list[walked_net.Sampled]]:
  """Returns the text, and texts sampled from a net that is finite."""
  vocabulary, digits = trained.words.vocabulary, settings['digits']
  parts = [run, walked_report.describe_training(trained)]
  if not trained.is_finite:
    parts.append('Its numbers are not finite: there is nothing to follow.')
    return '\n\n'.join(parts), []
  chosen = [vocabulary.index(word) for word in settings['walk_words']]
  end = vocabulary.index(settings['end'])
  key = sweeps.seed_keys(
    settings['seed'], np.asarray([settings['seed_index']])
  )[0]
  found = walked_net.sample(
    trained,
    key=key,
    start=vocabulary.index(settings['start']),
    end=end,
    temperatures=settings['temperature'],
    top_k=settings['top_k'] or None,
    max_tokens=settings['max_tokens'],
    num_samples=settings['num_samples'],
  )
  among = f', top {settings["top_k"]}' if settings['top_k'] else ''
  titled = {
    'The weights': walked_report.describe_weights(trained, digits=digits),
    'The walk of each input': walked_report.describe_walks(
      trained, chosen or trained.inputs[:_MAX_WALKS], digits=digits
    ),
    f'Greedy generation, to {settings["end"]!r}': (
      walked_report.describe_greedy(trained, end=end)
    ),
    f'Texts sampled from {settings["start"]!r}{among}': (
      walked_report.describe_sampling(
        found,
        most=settings['max_tokens'],
        num_samples=settings['num_samples'],
      )
    ),
  }
  num_more = len(trained.inputs) - _MAX_WALKS
  if not chosen and num_more > 0:
    titled['The walk of each input'] += (
      f'\n\nand {num_more} more inputs: name those you want in --walk_words'
    )
  parts += [f'{title}\n{"-" * len(title)}\n{t}' for title, t in titled.items()]
  return '\n\n'.join(parts), found


def draw(
  path: pathlib.Path,
  trained: walked_net.Trained,
  found: list[walked_net.Sampled],
  settings: dict[str, Any],
) -> str:
  """Draws what can be drawn; says in one line what is not."""
  if not found:
    return 'no map and no lengths: its numbers are not finite'
  num_right = int(trained.labels['correct'][-1].sum())
  state = (
    f'{literal(settings["pairs"][0], length=NAME)}, '
    f'seed {settings["seed"]}, index {settings["seed_index"]}, '
    f'after {trained.epochs[-1]} epochs: '
    f'{walked_report.words_of(trained.outcome)}, {num_right} of '
    f'{len(trained.words.pairs)} pairs right'
  )
  for k, dead in enumerate(trained.labels['dead_layers'][-1], start=1):
    if dead:
      state += f'; hidden layer {k} is off for all inputs'
  among = f', top {settings["top_k"]}' if settings['top_k'] else ''
  walked_figures.draw_lengths(
    path / 'lengths.png',
    found,
    num_samples=settings['num_samples'],
    title=literal(
      f"Texts from '{shorten(settings['start'], WORD)}' to "
      f"'{shorten(settings['end'], WORD)}'{among}",
      length=LINE,
    )
    + f'\n{state}',
  )
  embed_dim = trained.params.embedding.shape[1]
  if embed_dim != 2:
    return (
      f'no map: the embedding has {embed_dim} dimensions, a plane has 2; '
      f'lengths.png is in {path}'
    )
  walked_figures.draw_map(path / 'map.png', trained, title=state)
  return f'map.png and lengths.png are in {path}'


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  with experiments.one_line_errors('walk_text'):
    settings = read_settings()
    path = one_run.folder_of('walk_text', (*SCIENCE, 'map'))
    experiments.setup_jax(
      num_devices=FLAGS.num_devices, dtype=settings['dtype']
    )
    (group,) = text_flags.make_groups(settings)
    one_run.require_room(
      functools.partial(walked_net.make_trial, group, settings), group, settings
    )
    # Their keys and lengths, and a number drawn for each word.
    memory.require(
      (32 + 4 * len(settings['words'][settings['pairs'][0]]['vocabulary']))
      * settings['num_samples'],
      f'--num_samples={settings["num_samples"]}',
    )
    with manifest.Workdir(
      path,
      script='walk_text',
      science=settings,
      extent={},
      layout={'map': FLAGS.map},
      environment=experiments.environment(),
    ):
      trained = walked_net.train(
        group,
        settings,
        seed_index=settings['seed_index'],
        map_name=FLAGS.map,
      )
      run = walked_report.describe_run(group.static, group.axes, settings)
      text, found = report(trained, run, settings)
      text = printable(text, keep='\n')
      (path / 'walk.txt').write_text(f'{text}\n', encoding='utf-8')
      note = draw(path, trained, found, settings)
    print(f'{text}\n\n{note}\nthis text is in {path / "walk.txt"}')


if __name__ == '__main__':
  launch.run(main)
