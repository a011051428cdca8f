"""Cliff tokens: the success rate after every token, from 64 rollouts each.

A row's `potential` is the rate of rollouts that continue the text up to and
*including* its token, and `is_cliff` stands at the number of tokens that the
prefix has, one row *below* the token that does the harm: in the two published
traces read here the potential falls at row 53 (' **', .641 -> .188) and at row
331 ('7', 1.000 -> .109), which the authors' text names as the cliffs at
"position 54" and "position 332", where the flags stand.

References:
  Ko, Kang and Lee 2026, Cliff tokens. github.com/beaver-22/Cliff-token, files
  figure/curated_examples/data/*__per_token.csv.
"""

import pathlib
from typing import NamedTuple

import numpy as np

from toyjax.data.labelled_traces import FirstError
from toyjax.data.traces import (
  Trace,
  TraceError,
  check_cells,
  describe,
  read_table,
)

COLUMNS = ('position', 'token', 'potential', 'is_cliff')


class CliffTrace(NamedTuple):
  """A trace of tokens and its first cliff.

  Attributes:
    trace: position t stands before token t, so row t's rate is that of
      position t + 1; position 0 and the end have no data.
    first_error: index of the first cliff token, None without any.
  """

  trace: Trace
  first_error: FirstError


def read_cliff_tokens(
  path: str | pathlib.Path, *, num_rollouts: int
) -> CliffTrace:
  """Reads the CSV of one trace: position, token, potential, is_cliff.

  Args:
    path: of the file.
    num_rollouts: from each position, at least 1; 64 in the published data.

  Raises:
    ValueError: without rollouts.
    TraceError: names the line and the column.
  """
  if num_rollouts < 1:
    raise ValueError(f'num_rollouts must be at least 1: {num_rollouts}')
  path = pathlib.Path(path)
  if not path.is_file():
    raise TraceError(str(path), '', 'missing')
  rows = [
    row for _, row in read_table(path.read_bytes(), str(path), columns=COLUMNS)
  ]
  if not rows:
    raise TraceError(str(path), '', 'no rows')
  correct = np.zeros(len(rows) + 1, np.int64)
  answered = np.zeros(len(rows) + 1, np.int64)
  potentials = np.full(len(rows) + 1, np.nan)
  first_cliff = None
  for number, row in enumerate(rows):
    where = f'{path}: row {number}'
    if row['position'] != str(number):
      raise TraceError(where, 'position', describe(row['position']))
    if row['potential']:
      potential = _potential(row['potential'], num_rollouts, where)
      correct[number + 1] = round(potential * num_rollouts)
      answered[number + 1] = num_rollouts
      potentials[number + 1] = potential
    if row['is_cliff'] not in ('0', '1'):
      raise TraceError(where, 'is_cliff', describe(row['is_cliff']))
    check_cells(row, where)
    if row['is_cliff'] == '1' and first_cliff is None:
      first_cliff = number - 1
      if first_cliff < 0:
        raise TraceError(where, 'is_cliff', 'no token before it')
  trace = Trace(
    model='',
    sampling='',
    base='',
    problem=path.name.removesuffix('.csv').removesuffix('__per_token'),
    sentences=tuple(row['token'] for row in rows),
    chunk_indices=np.arange(len(rows) + 1),
    num_correct=correct,
    num_wrong=answered - correct,
    num_none=None,
    num_errors=None,
    min_answered=answered,
    accuracies=potentials,
    tags=('',) * (len(rows) + 1),
  )
  return CliffTrace(trace, FirstError(first_cliff))


def _potential(text: str, num_rollouts: int, where: str) -> float:
  """Returns a rate that is a whole number of rollouts."""
  try:
    # Python reads 1_0 as 10.
    potential = float(text.replace('_', '?'))
    whole = abs(potential * num_rollouts - round(potential * num_rollouts))
  except (ValueError, OverflowError):
    potential, whole = -1.0, 0.0
  if not 0.0 <= potential <= 1.0 or whole > 1e-6:
    raise TraceError(
      where, 'potential', f'{describe(text)} is no share of {num_rollouts}'
    )
  return potential
