"""What speaks against the answer on one trace: of the model, of the data."""

import math

import numpy as np

from toyjax.data import math_rollouts
from toyjax.settings import Values
from toyjax.studies.locate_error.located import Located
from toyjax.studies.locate_error.markdown import (
  number_of,
  stretches,
  verbatim,
)
from toyjax.studies.traces import OneTrace, describe_left_out
from toyjax.texts import shorten


def doubts(read: OneTrace, found: Located, values: Values) -> list[str]:
  """Returns what speaks against the answer, a line each."""
  lines = [*_of_model(found, values), *_of_data(read.trace, found, values)]
  if read.problems:
    lines.append(
      f'{len(read.problems)} parts were skipped, the first: '
      f'{verbatim(shorten(str(read.problems[0]), 300))}'
    )
  if read.left_out:
    lines.append(verbatim(describe_left_out(read.left_out)))
  return lines


def _of_model(found: Located, values: Values) -> list[str]:
  lines = []
  alpha, tails = values['alpha'], found.tails
  numbers = found.many.num_segments_probs
  if found.log_e_prior >= -math.log(alpha) or min(tails) < alpha:
    direction = 'high' if tails.upper < tails.lower else 'low'
    lines.append(
      f'The outcomes contradict the {values["prior"]} prior: successes after '
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
  if numbers[:2].sum() < 0.5:
    lines.append(
      f'One change is not enough: P(3 or more segments) = '
      f'{numbers[2:].sum():.3f}. Read the several-changes table.'
    )
  if numbers[-1] > 0.5 and len(numbers) > 2:
    lines.append(
      f'P({len(numbers)} segments) = {numbers[-1]:.3f}, '
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


def _of_data(
  trace: math_rollouts.Trace, found: Located, values: Values
) -> list[str]:
  lines = []
  used = found.trace
  if trace.sentences is not None:
    lost = math_rollouts.num_lost_copies(
      [sentence or '' for sentence in trace.sentences]
    )
    places = np.intersect1d(np.flatnonzero(lost), used.chunk_indices)
    if len(places):
      low, high = found.ends(found.place)
      near = places[(places >= low - 1) & (places <= high)]
      beside = (
        f'Beside the interval: {stretches(near)}.'
        if len(near)
        else 'None beside the interval.'
      )
      lines.append(
        f'{number_of(len(places))} ({stretches(places)}) with rollouts that '
        'continue a text without the earlier copies of the removed sentence: '
        f'those rates are not P(correct | sentences before). {beside}'
      )
  gaps = np.setdiff1d(trace.chunk_indices, used.chunk_indices)
  if len(gaps):
    lines.append(f'No rollouts at {number_of(len(gaps))}: {stretches(gaps)}.')
  unknown = used.chunk_indices[~used.is_number_known]
  if len(unknown):
    other = 'smallest' if values['numbers'] == 'largest' else 'largest'
    lines.append(
      f'{len(unknown)} of {len(used.chunk_indices)} positions record an '
      f'accuracy without its number of rollouts; the {values["numbers"]} '
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
      f'{values["none"]}.'
    )
  if trace.num_errors is not None and trace.num_errors.sum():
    lines.append(
      f'{trace.num_errors.sum()} failed calls are no rollouts and left out.'
    )
  return lines
