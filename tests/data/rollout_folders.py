"""A folder of rollouts written by hand, and its readers."""

import json

from tests.data.shared_data import OWN
from toyjax.data import math_rollouts

FOLDER = (
  OWN
  / 'math_rollouts'
  / 'deepseek-r1-distill-qwen-14b'
  / 'temperature_0.6_top_p_0.95'
  / 'incorrect_base_solution'
  / 'problem_7'
)


def read(path, skip_bad=False):
  return math_rollouts.read_folder(path, max_rollouts=100, skip_bad=skip_bad)


def rows_of(folder, above=OWN / 'math_rollouts'):
  """Returns a folder's files as the rows of Hugging Face."""
  return [
    {
      'path': path.relative_to(above).as_posix(),
      'filename': path.name,
      'extension': path.suffix,
      'size_bytes': path.stat().st_size,
      'content': path.read_text(),
    }
    for path in sorted(folder.rglob('*'))
    if path.is_file()
  ]


def read_rows(rows, skip_bad=False):
  return math_rollouts.read_rows(rows, max_rollouts=100, skip_bad=skip_bad)


def rewrite(path, change):
  value = json.loads(path.read_text())
  change(value)
  path.write_text(json.dumps(value))
