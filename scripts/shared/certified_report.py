"""What certificates show: certificates.csv, unexplained.csv and the tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from scripts.shared import tables
from toyjax import statistics
from toyjax.analysis.catalogue import Entry
from toyjax.analysis.certificates import Verdict
from toyjax.toys.relu_autoencoder import Outcome

SOLVED = (Outcome.SOLVED_REGULAR, Outcome.SOLVED_IRREGULAR)


class Certified(NamedTuple):
  """The certified runs of one point of the grid.

  Attributes:
    label: what tells it from the others.
    flags: value of each list flag; None where its optimizer does not use it.
    num_features: n.
    num_hidden: m.
    runs: [S] number of each run in its group.
    outcomes: [S] stored labels at the step that is certified.
    last_outcomes: [S] at the last observed step, which may come later.
    norms: [S] |W|_F as trained.
    found: fields of `certificates.Certificate` by name, [S, ...].
  """

  label: str
  flags: Mapping[str, Any]
  num_features: int
  num_hidden: int
  runs: np.ndarray
  outcomes: np.ndarray
  last_outcomes: np.ndarray
  norms: np.ndarray
  found: Mapping[str, np.ndarray]

  @property
  def explained(self) -> np.ndarray:
    """Bool [S], whether an entry of the catalogue explains the run."""
    return self.found['entry'] != Entry.NONE


def rows(configuration: Certified, step: int) -> Iterator[dict[str, Any]]:
  """Yields a row for each label, verdict and entry that occur together."""
  found = configuration.found
  keys = np.stack(
    [configuration.outcomes, found['verdict'], found['entry']], axis=1
  )
  for key in np.unique(keys, axis=0):
    own = (keys == key).all(axis=1)
    outcome, verdict, entry = map(int, key)
    count, total = int(own.sum()), len(own)
    share = statistics.wilson(count, total)
    error = np.abs(found['sse'] - found['catalogue_sse'])[own]
    yield {
      **configuration.flags,
      'step': step,
      'outcome': Outcome(outcome).name,
      'verdict': Verdict(verdict).name,
      'entry': Entry(entry).name,
      'count': count,
      'total': total,
      'fraction': share.estimate,
      'lower': share.lower,
      'upper': share.upper,
      'solved_at_last_step': int(
        np.isin(configuration.last_outcomes[own], SOLVED).sum()
      ),
      'sse_as_trained_median': float(np.median(found['start_sse'][own])),
      'sse_median': float(np.median(found['sse'][own])),
      'infimum': float(found['infimum'][own][0]),
      'largest_catalogue_error': float(np.max(error)),
      'largest_gradient': float(np.max(found['gradient_norm'][own])),
      'distance_median': float(np.median(found['distance'][own])),
    }


def totals(configuration: Certified, step: int) -> dict[str, Any]:
  """Returns the row of the share explained and the share UNRESOLVED."""
  verdicts = configuration.found['verdict']
  total = len(verdicts)
  row: dict[str, Any] = {**configuration.flags, 'step': step, 'total': total}
  for name, own in (
    ('explained', configuration.explained),
    ('unresolved', verdicts == Verdict.UNRESOLVED),
    *((code.name.lower(), verdicts == code) for code in Verdict),
  ):
    share = statistics.wilson(int(own.sum()), total)
    row |= {
      name: int(own.sum()),
      f'{name}_lower': share.lower,
      f'{name}_upper': share.upper,
    }
  return row


def unexplained(configuration: Certified) -> Iterator[dict[str, Any]]:
  """Yields each run that no entry explains."""
  found = configuration.found
  for i in np.flatnonzero(~configuration.explained):
    norms = np.linalg.norm(found['weights'][i], axis=0)
    yield {
      **configuration.flags,
      'run': int(configuration.runs[i]),
      'outcome': Outcome(int(configuration.outcomes[i])).name,
      'verdict': Verdict(int(found['verdict'][i])).name,
      'sse_as_trained': float(found['start_sse'][i]),
      'sse': float(found['sse'][i]),
      'gradient_norm': float(found['gradient_norm'][i]),
      'least_curvature': float(found['least_curvature'][i]),
      'norms': ' '.join(f'{norm:.4g}' for norm in np.sort(norms)),
    }


def print_tables(
  found: Sequence[Certified], listed: Sequence[Mapping[str, Any]], step: int
) -> None:
  """Prints the rows by configuration, and the share explained."""
  lines = []
  for configuration in found:
    own = [
      row
      for row in listed
      if all(row[k] == v for k, v in configuration.flags.items())
    ]
    lines += [
      [
        configuration.label,
        row['outcome'].lower(),
        row['verdict'].lower(),
        row['entry'].lower(),
        str(row['count']),
        str(row['solved_at_last_step']),
        tables.percent(row['fraction']),
        tables.percent_interval(row['lower'], row['upper']),
        f'{row["sse_as_trained_median"]:.4g}',
        f'{row["infimum"]:.4g}',
      ]
      for row in own
    ]
  print(f'\nRuns after {step:,} steps (95 % Wilson intervals):\n')
  header = ('configuration', 'label', 'leads to', 'explained by', 'runs',
            'solved at last step', 'share', '95 % interval', 'SSE',
            'infimum')  # fmt: skip
  print(tables.format_table(header, lines))
  for configuration in found:
    row = totals(configuration, step)
    print(
      f'\n{configuration.label}: the catalogue explains {row["explained"]} of '
      f'{row["total"]}, {tables.percent(row["explained"] / row["total"])} '
      + tables.percent_interval(row['explained_lower'], row['explained_upper'])
      + f'; unresolved: {row["unresolved"]}'
    )
