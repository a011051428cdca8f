"""Settings of the tiny text net, for its sweep and for the walk of one net."""

from collections.abc import Sequence
import pathlib
import re
from typing import Any

import numpy as np

from toyjax import optimizer_settings, parsers
from toyjax.common_settings import DTYPE, SEED, init, steps
from toyjax.data import word_pairs
from toyjax.data.word_pairs import WordPairs
from toyjax.parsers import (
  LAYERS,
  NATURAL,
  NOT_NEGATIVE,
  POINTS,
  POSITIVE,
  UNITS,
  SettingError,
)
from toyjax.settings import Values, fixed, reported, shape, static
from toyjax.toys import text_mlp

_FULL = 'full'


def parse_batches(text: str) -> str:
  """Returns how an epoch is cut: full, shuffledB or listedB for a size B.

  Raises:
    ValueError: on anything else.
  """
  if not re.fullmatch(rf'{_FULL}|(shuffled|listed)[1-9][0-9]{{0,8}}', text):
    raise ValueError(
      f'{text!r} is none of full, shuffled1, shuffled2, ..., listed1, ...'
    )
  return text


def split_batches(batches: str) -> tuple[str, int | None]:
  """Returns the order, full, shuffled or listed, and the size but for full."""
  order = batches.rstrip('0123456789')
  return order, None if order == _FULL else int(batches.removeprefix(order))


def _parse_pairs(text: str) -> str:
  """Returns the name of a list, or the path of a file."""
  return text if text in word_pairs.BUILT_IN else parsers.path(text)


def _parse_printed(text: str) -> str:
  """Checks 'epoch:loss', e.g. 100:0.56."""
  epoch, _, loss = text.partition(':')
  try:
    NOT_NEGATIVE(loss)
    return f'{NATURAL(epoch)}:{loss.strip()}'
  except ValueError:
    raise ValueError(f'{text!r} is not epoch:loss, as in 100:0.56') from None


def _printed(value: list[str], is_given: bool, values: Values) -> list[str]:
  """Returns the losses; none of the source's where all pairs are one's own."""
  epochs = [text.split(':')[0] for text in value]
  for epoch in epochs:
    if epochs.count(epoch) > 1:
      raise SettingError(f'--printed_losses: epoch {epoch} is listed twice')
  is_of_source = bool(set(values['pairs']) & set(word_pairs.BUILT_IN))
  return value if is_given or is_of_source else []


# The data, the net and its training.
NET = (
  static(
    'pairs',
    ['six'],
    _parse_pairs,
    'Lists to be learned: six, four, or a text file with a line such as '
    "'hello -> world' for each pair.",
    label='',
  ),
  shape(
    'embed_dim', [2], UNITS, 'Size of the embedding.', letter='e', label='embed'
  ),
  shape(
    'hidden_dim',
    [2],
    UNITS,
    'Units of each hidden layer.',
    letter='h',
    label='hidden',
  ),
  optimizer_settings.optimizer('sgd', label=''),
  optimizer_settings.learning_rate(
    0.1,
    "Of every optimizer; .1 is the source's for sgd, .01 its advice for Adam.",
  ),
  static(
    'batches',
    [_FULL],
    parse_batches,
    'How an epoch is cut into updates: full, or shuffled1 (one pair at a time '
    'in a new order), shuffled2, ..., or listed1 (in the order of the list).',
    label='',
  ),
  init(text_mlp.INITS, 'torch', label=''),
  *optimizer_settings.ROWS,
  fixed('num_hidden_layers', 2, LAYERS, 'Hidden ReLU layers.'),
)
EPOCHS = steps(
  501,
  [100, 200, 300, 400, 501],
  about='Epochs; 501 in the source.',
  least=1,
  unit='epochs',
)
# Of generation, on which no training hangs.
GENERATION = (
  reported(
    'start',
    '',
    str,
    "Word that generation starts from; '' is the first input of the pairs, "
    'hello in those built in.',
  ),
  reported('end', word_pairs.END, str, 'Word that ends generation.'),
  reported(
    'temperature',
    [0.6, 1.0, 1.5],
    POSITIVE,
    'Temperatures at which texts are sampled.',
  ),
  reported(
    'top_k',
    0,
    NATURAL,
    'Draws among the k likeliest words; 0 among all, 1 is argmax.',
  ),
)
SETTINGS = (
  *NET,
  *EPOCHS,
  SEED,
  DTYPE,
  *GENERATION,
  reported(
    'max_tokens',
    [5, 20],
    POINTS,
    'Chances are those to end within so many tokens.',
  ),
  reported(
    'printed_losses',
    ['0:1.30', '100:0.56', '200:0.12', '300:0.04'],
    _parse_printed,
    'epoch:loss of one published run, which is looked up among ours; those of '
    'the source, or none where all --pairs are your own.',
    follow=_printed,
  ),
)


def complete(values: Values) -> Values:
  """Returns the values with 'words': each list, plain, by its short name.

  Raises:
    SettingError: where a list cannot be read, two have one name, or generation
      does not fit one.
  """
  words: dict[str, dict[str, Any]] = {}
  for name in values['pairs']:
    label = name if name in word_pairs.BUILT_IN else pathlib.Path(name).stem
    try:
      found = word_pairs.get(name)
    except ValueError as error:
      raise SettingError(f'--pairs: {error}') from None
    if label in words:
      raise SettingError(f'--pairs: two lists are named {label!r}')
    words[label] = {
      'vocabulary': list(found.vocabulary),
      'pairs': found.pairs.tolist(),
    }
  values = {**values, 'words': words}
  check_generation(values)
  return values


def words_of(values: Values) -> WordPairs:
  """Returns the list of a stage, whose `pairs` is one of the short names."""
  found = values['words'][values['pairs']]
  return WordPairs(
    tuple(found['vocabulary']), np.asarray(found['pairs'], np.int32)
  )


def start_of(values: Values) -> str:
  """Returns the word that generation of a stage starts from."""
  words = words_of(values)
  return values['start'] or words.vocabulary[words.pairs[0, 0]]


def check_generation(values: Values) -> None:
  """Checks the settings of generation against the vocabulary of each list.

  Raises:
    SettingError: naming the word that is missing, or a top_k too large.
  """
  for label, words in values['words'].items():
    vocabulary = words['vocabulary']
    require_word('start', start_of({**values, 'pairs': label}), vocabulary)
    require_word('end', values['end'], vocabulary)
    if values['top_k'] > len(vocabulary):
      raise SettingError(
        f'--top_k={values["top_k"]}: the vocabulary has {len(vocabulary)} words'
      )


def require_word(name: str, word: str, vocabulary: Sequence[str]) -> None:
  """Raises SettingError, naming the setting, on a word that is not there."""
  try:
    word_pairs.index_of(word, tuple(vocabulary), role=f'--{name}:')
  except ValueError as error:
    raise SettingError(str(error)) from None
