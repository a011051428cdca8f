"""What the rollouts from a position really continued.

The published script joins the sentences 0..i by spaces and then deletes
sentence i with `str.replace`, which deletes every copy of its text: earlier
sentences with the same words vanish too, and so do the words inside longer
ones. Such a position's rate is not P(correct | sentences before i).
"""

from collections.abc import Sequence

import numpy as np


def prefix(sentences: Sequence[str], position: int) -> str:
  """Returns the text of the sentences before a position."""
  return ' '.join(sentences[:position]).strip()


def continued_prefix(sentences: Sequence[str], position: int) -> str:
  """Returns the text that the published rollouts continued instead."""
  text = ' '.join(sentences[: position + 1])
  return text.replace(sentences[position], '').strip()


def num_lost_copies(sentences: Sequence[str]) -> np.ndarray:
  """Returns how many earlier copies each position's rollouts lost, int [N].

  Zero: they continued the sentences before, as the name of the data says.
  """
  return np.array(
    [
      ' '.join(sentences[: index + 1]).count(sentence) - 1 if sentence else 0
      for index, sentence in enumerate(sentences)
    ],
    np.int64,
  )
