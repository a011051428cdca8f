"""Pairs of words, input -> output: the data of the tiny text net.

    vocabulary: hello world cat dog !      (optional; fixes the order)
    hello -> world
    cat dog                                (two words are a pair, too)

The order of the vocabulary matters: argmax takes the lower index in a tie.
Plain Python and NumPy.
"""

from collections.abc import Mapping
import os
import pathlib
from typing import NamedTuple

import numpy as np

END = '!'
ARROW = '->'
HEADER = 'vocabulary:'


class WordPairs(NamedTuple):
  """A vocabulary and the pairs to be learned.

  Attributes:
    vocabulary: [V] different words, in the order of their indices.
    pairs: int32 [P, 2], indices of each pair's input and output.
  """

  vocabulary: tuple[str, ...]
  pairs: np.ndarray


def _built_in(vocabulary: str, pairs: str) -> WordPairs:
  words = tuple(vocabulary.split())
  indices = [words.index(word) for word in pairs.split()]
  return WordPairs(words, np.asarray(indices, np.int32).reshape(-1, 2))


# The two lists of the source. Its printed run names the first five words in
# this order; the places of silly and cute are not given and taken to be last.
BUILT_IN: Mapping[str, WordPairs] = {
  'four': _built_in(
    'hello world cat dog !', 'hello world  cat dog  dog !  world !'
  ),
  'six': _built_in(
    'hello world cat dog ! silly cute',
    'hello world  cat dog  dog !  silly dog  cute cat  world !',
  ),
}


def get(name: str | os.PathLike[str]) -> WordPairs:
  """Returns a built-in list by name, or `load(name)`.

  Args:
    name: a key of `BUILT_IN`, or the path of a text file.

  Returns:
    `WordPairs`.

  Raises:
    ValueError: as `load`.
  """
  if name in BUILT_IN:
    return BUILT_IN[str(name)]
  return load(name)


def load(path: str | os.PathLike[str]) -> WordPairs:
  """Reads pairs from a small text file.

  Each line holds one pair, `input -> output` or two words; blank lines and
  notes, `# ...`, are skipped. A first line `vocabulary: word word ...` gives
  the order of the vocabulary and allows no other words; without it the words
  have the order in which they appear.

  Args:
    path: of a UTF-8 text file, with or without a byte order mark.

  Returns:
    `WordPairs`, with pairs in the order of the file, repeated ones included.

  Raises:
    ValueError: naming file and line: where it cannot be read, has no pair, has
      a line that is no pair, a word twice in its vocabulary, or a word that is
      not in it.
  """
  try:
    text = pathlib.Path(path).read_text(encoding='utf-8-sig')
  except (OSError, UnicodeDecodeError) as error:
    reason = getattr(error, 'strerror', None) or 'not a UTF-8 text file'
    raise ValueError(f'{path}: cannot be read: {reason}') from error
  lines = [
    (number, line.split())
    for number, line in enumerate(text.splitlines(), start=1)
    if line.strip() and not _is_comment(line.split())
  ]
  places: dict[str, int] = {}
  is_given = bool(lines) and lines[0][1][0] == HEADER
  if is_given:
    number, (_, *words) = lines.pop(0)
    for word in words:
      if word in places:
        raise ValueError(
          f'{path}: line {number}: {word!r} stands twice in the vocabulary'
        )
      places[word] = len(places)
  if not lines:
    raise ValueError(f'{path}: no pair in this file')
  pairs = []
  for number, words in lines:
    if len(words) == 3 and words[1] == ARROW:
      words = [words[0], words[2]]
    if len(words) != 2 or ARROW in words:
      raise ValueError(
        f"{path}: line {number}: expected 'input -> output' or two words: "
        f'{" ".join(words)!r}'
      )
    for word in words:
      if is_given and word not in places:
        raise ValueError(
          f'{path}: line {number}: unknown token {word!r}: '
          f'the vocabulary is {" ".join(places)}'
        )
      places.setdefault(word, len(places))
    pairs.append([places[word] for word in words])
  return WordPairs(tuple(places), np.asarray(pairs, np.int32))


def _is_comment(words: list[str]) -> bool:
  """Whether a line is a note: '# ...', but not the pair '# -> ...'."""
  return words[0] == '#' and words[1:2] != [ARROW]


def index_of(word: str, vocabulary: tuple[str, ...], *, role: str) -> int:
  """Returns the index of a word.

  Args:
    word: e.g. where generation starts, or `END`.
    vocabulary: [V] words.
    role: what the word is for, e.g. 'start', named in the error.

  Returns:
    Its place in the vocabulary, in 0..V-1.

  Raises:
    ValueError: if it is not there.
  """
  if word not in vocabulary:
    raise ValueError(
      f'{role} {word!r} is not in the vocabulary: {" ".join(vocabulary)}'
    )
  return vocabulary.index(word)


def exchangeable_pairs(pairs: np.ndarray) -> tuple[tuple[int, ...], ...]:
  """Groups pairs that must be learned equally often, by symmetry.

  Inputs act through rows of the embedding and outputs through columns of the
  last layer, each drawn alike. Where every input has one output, renaming
  inputs and outputs maps the list onto itself and one pair onto another just
  when their outputs have equally many inputs. In the six pairs, {cat, silly} ->
  dog and {dog, world} -> ! are one group, and hello -> world and cute -> cat
  another. A tie of logits breaks the symmetry, as argmax takes the lower index;
  so does training on one pair after the other in a fixed order.

  Args:
    pairs: int [P, 2].

  Returns:
    Groups of pair indices that cover 0..P-1, each in rising order.

  Raises:
    ValueError: where an input stands in two pairs.
  """
  inputs, outputs = np.asarray(pairs).T
  if len(set(inputs.tolist())) < len(inputs):
    raise ValueError('an input stands in two pairs: no symmetry is known')
  num_inputs = np.sum(outputs[:, None] == outputs[None, :], axis=1)
  return tuple(
    tuple(np.flatnonzero(num_inputs == num).tolist())
    for num in sorted(set(num_inputs.tolist()))
  )
