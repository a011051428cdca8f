"""Flags of the tiny text net, for its sweep and for the walk of one net.

flags --read--> settings, checked --make_groups--> groups of the grid
"""

from collections.abc import Mapping
import pathlib
import re
from typing import Any

from absl import flags
import numpy as np

from scripts.shared import grids, optimizer_flags
from scripts.shared.list_flags import choice, define_list, number
from scripts.shared.number_flags import MOST_LAYERS, MOST_UNITS, define_integer
from scripts.shared.optimizer_flags import OPTIMIZER_FLAGS
from scripts.shared.path_flags import path
from toyjax.data import word_pairs
from toyjax.toys import text_mlp

flags.disclaim_key_flags()

SHAPES = {'embed_dim': 'e', 'hidden_dim': 'h'}
CHOICES = ('pairs', 'optimizer', 'batches', 'init')
LISTS = (
  'pairs',
  *SHAPES,
  'optimizer',
  'learning_rate',
  'batches',
  'init',
  *OPTIMIZER_FLAGS,
)
SCALARS = ('num_hidden_layers', 'num_epochs')
FULL = 'full'


def parse_batches(text: str) -> str:
  """Returns how an epoch is cut: full, shuffledB or listedB for a size B."""
  if text != FULL and not re.fullmatch(
    r'(shuffled|listed)[1-9][0-9]{0,8}', text
  ):
    raise ValueError(
      f'{text!r} is none of full, shuffled1, shuffled2, ..., listed1, ...'
    )
  return text


def _parse_pairs(text: str) -> str:
  """Returns the name of a list, or the path of a file."""
  return text if text in word_pairs.BUILT_IN else path(text)


def split_batches(batches: str) -> tuple[str, int | None]:
  """Returns the order, full, shuffled or listed, and the size but for full."""
  order = batches.rstrip('0123456789')
  return order, None if order == FULL else int(batches.removeprefix(order))


def define(*, num_epochs: int) -> None:
  """Defines the flags of the data, the net and its training."""
  define_list(
    'pairs',
    ['six'],
    _parse_pairs,
    'Lists to be learned: six, four, or a text file with a line such as '
    "'hello -> world' for each pair.",
  )
  define_list(
    'embed_dim', [2], number(int, 1, MOST_UNITS), 'Size of the embedding.'
  )
  define_list(
    'hidden_dim', [2], number(int, 1, MOST_UNITS), 'Units of each hidden layer.'
  )
  define_integer(
    'num_hidden_layers', 2, 'Hidden ReLU layers.', 1, upper=MOST_LAYERS
  )
  optimizer_flags.define(
    optimizer='sgd',
    learning_rate=0.1,
    rate_help="Of every optimizer; .1 is the source's for sgd, .01 its advice "
    'for Adam.',
  )
  define_list(
    'batches',
    [FULL],
    parse_batches,
    'How an epoch is cut into updates: full, or shuffled1 (one pair at a time '
    'in a new order), shuffled2, ..., or listed1 (in the order of the list).',
  )
  define_list(
    'init',
    ['torch'],
    choice(tuple(text_mlp.INITS)),
    f'Among {", ".join(text_mlp.INITS)}; always drawn per seed.',
  )
  define_integer('num_epochs', num_epochs, 'Epochs; 501 in the source.', 1)


def define_generation() -> None:
  """Defines the flags of generation, which no training hangs on."""
  flags.DEFINE_string(
    'start',
    '',
    "Word that generation starts from; '' is the first input of the pairs, "
    'hello in those built in.',
  )
  flags.DEFINE_string('end', word_pairs.END, 'Word that ends generation.')
  define_list(
    'temperature',
    [0.6, 1.0, 1.5],
    number(float, 0.0, exclusive=True),
    'Temperatures at which texts are sampled.',
  )
  define_integer(
    'top_k',
    0,
    'Draws among the k likeliest words; 0 among all, 1 is argmax.',
    0,
  )


GENERATION = ('start', 'end', 'temperature', 'top_k', 'max_tokens')


def start_of(settings: Mapping[str, Any], words: word_pairs.WordPairs) -> str:
  """Returns the word that generation starts from."""
  return settings['start'] or words.vocabulary[words.pairs[0, 0]]


def check_generation(settings: Mapping[str, Any]) -> None:
  """Checks the flags of generation against the vocabularies.

  Raises:
    flags.Error: naming the word that is missing, or a top_k too large.
  """
  for label in settings['words']:
    words = words_of(settings, label)
    vocabulary = words.vocabulary
    chosen = {'start': start_of(settings, words), 'end': settings['end']}
    for role, word in chosen.items():
      try:
        word_pairs.index_of(word, vocabulary, role=f'--{role}:')
      except ValueError as error:
        raise flags.Error(str(error)) from None
    if settings['top_k'] > len(vocabulary):
      raise flags.Error(
        f'--top_k={settings["top_k"]}: the vocabulary has '
        f'{len(vocabulary)} words'
      )


def read_words(names: list[str]) -> dict[str, dict[str, Any]]:
  """Returns the lists by a short name, as plain data for a manifest.

  Raises:
    flags.Error: where a list cannot be read, or two have one name.
  """
  words = {}
  for name in names:
    label = name if name in word_pairs.BUILT_IN else pathlib.Path(name).stem
    try:
      found = word_pairs.get(name)
    except ValueError as error:
      raise flags.Error(f'--pairs: {error}') from None
    if label in words:
      raise flags.Error(f'--pairs: two lists are named {label!r}')
    words[label] = {
      'vocabulary': list(found.vocabulary),
      'pairs': found.pairs.tolist(),
    }
  return words


def words_of(settings: Mapping[str, Any], label: str) -> word_pairs.WordPairs:
  """Returns one of the lists of `read_words` in the settings."""
  found = settings['words'][label]
  return word_pairs.WordPairs(
    tuple(found['vocabulary']), np.asarray(found['pairs'], np.int32)
  )


def make_groups(settings: Mapping[str, Any]) -> list[grids.Group]:
  """Returns the groups of the grid; each traces the rates it really uses."""

  def traced(static: Mapping[str, Any]) -> list[str]:
    return ['learning_rate', *optimizer_flags.used(static['optimizer'])]

  by_label = {**settings, 'pairs': list(settings['words'])}
  return list(
    grids.make_groups(by_label, shapes=SHAPES, choices=CHOICES, traced=traced)
  )
