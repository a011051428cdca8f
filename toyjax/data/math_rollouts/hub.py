"""math-rollouts from Hugging Face, through the `datasets` library."""

from collections.abc import Callable, Iterator
from typing import Any

from toyjax.data.math_rollouts.files import read_rows
from toyjax.data.traces import Reading


def read_hub(
  *,
  keep: Callable[[str], bool],
  max_rollouts: int,
  skip_bad: bool,
  revision: str | None = None,
) -> Reading:
  """Downloads and reads the files of math-rollouts whose path is kept.

  The rows are streamed and nothing is stored, but a stream has no index: all
  that comes before the last row passes through the network, 20 GB compressed
  for the whole set. Needs the optional extra `data`.

  Args:
    keep: path -> whether to read this file, such as
      `lambda path: '/problem_330/' in path`. Paths look like
      'deepseek-r1-distill-qwen-14b/temperature_0.6_top_p_0.95/' +
      'incorrect_base_solution/problem_330/chunk_7/solutions.json'.
    max_rollouts: see `read_folder`.
    skip_bad: see `read_folder`.
    revision: commit or branch of the data set; None is its newest.

  Raises:
    ImportError: the `datasets` library is not there.
  """
  return read_rows(
    _rows(keep, revision), max_rollouts=max_rollouts, skip_bad=skip_bad
  )


def _rows(
  keep: Callable[[str], bool], revision: str | None
) -> Iterator[dict[str, Any]]:
  try:
    import datasets
  except ImportError as error:
    raise ImportError(
      "reading from Hugging Face needs the optional extra 'data': "
      "pip install 'toyjax[data]'"
    ) from error
  rows = datasets.load_dataset(
    'uzaymacar/math-rollouts',
    split='default',
    streaming=True,
    revision=revision,
  )
  for row in rows:
    # A row without a path is damaged: the reader says so.
    if not isinstance(row.get('path'), str) or keep(row['path']):
      yield row
