"""What speaks against the answer on one trace: of the model, of the data."""

import math
from typing import Any

import numpy as np

from scripts.shared.located import Located
from scripts.shared.reports import (
  OneTrace,
  describe_left_out,
  number_of,
  shorten,
  stretches,
  verbatim,
)
from toyjax.data import math_rollouts


def warnings(
  read: OneTrace, found: Located, settings: dict[str, Any]
) -> list[str]:
  """Returns what speaks against the answer, a line each."""
  lines = [
    *_model_warnings(found, settings),
    *_data_warnings(read, found, settings),
  ]
  if read.problems:
    lines.append(
      f'{len(read.problems)} parts were skipped, the first: '
      f'{verbatim(shorten(str(read.problems[0]), 300))}'
    )
  if read.left_out:
    lines.append(verbatim(describe_left_out(read.left_out)))
  return lines


def _model_warnings(found: Located, settings: dict[str, Any]) -> list[str]:
  lines = []
  alpha = settings['alpha']
  tails = found.tails
  if found.log_e_prior >= -math.log(alpha) or min(tails) < alpha:
    direction = 'high' if tails.upper < tails.lower else 'low'
    lines.append(
      f'The outcomes contradict the {settings["prior"]} prior: successes after '
      f'the change are too {direction} for it (tails {tails.lower:.2g} below, '
      f'{tails.upper:.2g} above; ln E {found.log_e_prior:.1f} for a uniform '
      'prior of that rate). Try --prior=weak.'
    )
  plain = next((s for s in found.scatter if math.isinf(s.concentration)), None)
  best = found.scatter[0]
  if plain and plain.log_evidence_nats < best.log_evidence_nats - 3.0:
    gap = best.log_evidence_nats - plain.log_evidence_nats
    lines.append(
      f'The rates scatter more than rollouts alone explain (ln evidence '
      f'+{gap:.1f} for ρ = {best.concentration:g}): the plain interval is too '
      'narrow, use the averaged row under "How sure is the place".'
    )
  if not found.confidence.any():
    lines.append('No single change fits (the confidence set is empty).')
  if found.num_segments[:2].sum() < 0.5:
    lines.append(
      f'One change is not enough: P(3 or more segments) = '
      f'{found.num_segments[2:].sum():.3f}. Read the several-changes table.'
    )
  if found.num_segments[-1] > 0.5 and len(found.num_segments) > 2:
    lines.append(
      f'P({len(found.num_segments)} segments) = {found.num_segments[-1]:.3f}, '
      'the most allowed: raise --max_segments.'
    )
  rhos = [scatter.concentration for scatter in found.scatter]
  if (
    len(rhos) > 1
    and best.concentration == min(rhos)
    and best.log_evidence_nats > found.scatter[1].log_evidence_nats + 3.0
  ):
    lines.append(
      f'The greatest scatter tried, ρ = {best.concentration:g}, has most '
      'evidence: try smaller --concentration too.'
    )
  return lines


def _data_warnings(
  read: OneTrace, found: Located, settings: dict[str, Any]
) -> list[str]:
  lines = []
  trace, used = read.trace, found.trace
  if trace.sentences is not None:
    lost = math_rollouts.num_lost_copies(
      [sentence or '' for sentence in trace.sentences]
    )
    places = np.intersect1d(np.flatnonzero(lost), used.chunk_indices)
    if len(places):
      low, high = (int(used.chunk_indices[end]) for end in found.interval[:2])
      near = places[(places >= low - 1) & (places <= high)]
      at = (
        f' Beside the interval: {stretches(near)}.'
        if len(near)
        else (' None beside the interval.')
      )
      lines.append(
        f'{number_of(len(places))} ({stretches(places)}) with rollouts that '
        'continue a text without the earlier copies of the removed sentence: '
        'those rates are not '
        f'P(correct | sentences before).{at}'
      )
  gaps = np.setdiff1d(trace.chunk_indices, used.chunk_indices)
  if len(gaps):
    lines.append(f'No rollouts at {number_of(len(gaps))}: {stretches(gaps)}.')
  unknown = used.chunk_indices[~used.is_number_known]
  if len(unknown):
    other = 'smallest' if settings['numbers'] == 'largest' else 'largest'
    lines.append(
      f'{len(unknown)} of {len(used.chunk_indices)} positions record an '
      f'accuracy without its number of rollouts; the {settings["numbers"]} '
      f'possible one is used. Compare --numbers={other}.'
    )
  if trace.num_none is None:
    lines.append(
      'The source does not tell which rollouts had no answer; published '
      'accuracies leave them out.'
    )
  elif trace.num_none.sum():
    lines.append(
      f'{trace.num_none.sum()} rollouts had no answer and count as '
      f'{settings["none"]}.'
    )
  if trace.num_errors is not None and trace.num_errors.sum():
    lines.append(
      f'{trace.num_errors.sum()} failed calls are no rollouts and left out.'
    )
  return lines
