"""What is known of one trace: the records between computing and reporting.

Indices of the model count positions that have data; those of the report are
indices of sentences. `Located.trace` has no gaps, and its `chunk_indices` lead
from the first to the second.
"""

from typing import Any, NamedTuple

import numpy as np

from scripts.shared import reports
from toyjax.data import traces
from toyjax.inference.changepoint import checks, evidence
from toyjax.plots import texts


class Interval(NamedTuple):
  """Positions of the first low accuracy, as indices of the model.

  Attributes:
    lower: the first.
    upper: the last, inclusive.
    probability: what they hold.
  """

  lower: int
  upper: int
  probability: float


class Scatter(NamedTuple):
  """One change where the rates of positions scatter around two levels.

  Attributes:
    concentration: ρ, infinite where they do not scatter.
    log_evidence_nats: of the outcomes.
    place: most probable position of the change.
    interval: credible, central.
    probs: [T], of the place.
  """

  concentration: float
  log_evidence_nats: float
  place: int
  interval: Interval
  probs: np.ndarray


class Drop(NamedTuple):
  """One of the three drops of the several-changes model.

  Attributes:
    name: which.
    prob_none: that there is none.
    place: its most probable position.
    prob_place: of that position.
    standard_error: of prob_place, from the number of draws.
    interval: of its position, given that there is one; None if never drawn.
  """

  name: str
  prob_none: float
  place: int
  prob_place: float
  standard_error: float
  interval: Interval | None


class Located(NamedTuple):
  """What is known of one trace.

  Attributes:
    trace: without its positions that have no data.
    counts: int [T, 2], right and wrong, that the model was given.
    posterior: [T], of the position of the first low accuracy.
    mean, lower, upper: [T], of the rate.
    verdict: DROP, NO_DROP or UNDECIDED.
    log_e_drop, log_e_no_drop: the largest so far, nats.
    place: index of the first low accuracy under the model, which always has
      one, verdict or not.
    interval: credible, central.
    confidence: bool [T], the anytime-valid confidence set.
    scatter: for each concentration; the first has most evidence.
    averaged: the interval of the place averaged over them by their evidence.
    averaged_place: the most probable place then.
    drops: first, largest, last unrecovered.
    num_segments: [K], probabilities of 1..K segments.
    many_mean: [T], of the rate with several changes.
    tails: of the successes after the change under the prior.
    log_e_prior: against the prior of the rate after the change, nats.
  """

  trace: traces.Trace
  counts: np.ndarray
  posterior: np.ndarray
  mean: np.ndarray
  lower: np.ndarray
  upper: np.ndarray
  verdict: evidence.Verdict
  log_e_drop: float
  log_e_no_drop: float
  place: int
  interval: Interval
  confidence: np.ndarray
  scatter: tuple[Scatter, ...]
  averaged: Interval
  averaged_place: int
  drops: tuple[Drop, ...]
  num_segments: np.ndarray
  many_mean: np.ndarray
  tails: checks.Tails
  log_e_prior: float


def prepare(trace: traces.Trace, *, none: str, numbers: str) -> traces.Trace:
  """Returns the positions with data, counts as they will be used.

  Args:
    trace: as read.
    none: 'left_out' or 'wrong', what a rollout without an answer is.
    numbers: 'largest' or 'smallest' number of rollouts that the source allows.
  """
  wrong, answered = trace.num_wrong, trace.num_answered
  correct, least = trace.num_correct, trace.min_answered
  if numbers == 'smallest':
    factor = np.where(least > 0, answered // np.maximum(least, 1), 1)
    correct, wrong = correct // factor, wrong // factor
  if none == 'wrong' and trace.num_none is not None:
    wrong = wrong + trace.num_none
    least = least + trace.num_none
  return traces.without_gaps(
    trace._replace(
      num_correct=correct, num_wrong=wrong, min_answered=least, num_none=None
    )
  )


def blamed_by(found: Located, place: int) -> range:
  """Returns the sentences that a first low position of the model blames."""
  return traces.guilty_sentences(found.trace, place)


def guilty(found: Located, place: int) -> str:
  """Returns them as text."""
  sentences = blamed_by(found, place)
  if not sentences:
    return 'none, low from the start'
  return reports.spans(sentences[0], sentences[-1])


def headline(found: Located) -> str:
  """Says in one or two lines what was found."""
  trace = found.trace
  name = ' '.join(filter(None, [trace.model, trace.base, trace.problem]))
  name = texts.shorten(name, texts.LINE)
  used = f'{found.counts.sum():,} rollouts'
  place = int(trace.chunk_indices[found.place])
  if found.verdict == evidence.Verdict.DROP and found.place > 0:
    place_text = (
      f'first low accuracy at {place}, guilty sentence '
      f'{guilty(found, found.place)}'
    )
  else:
    place_text = f'no sentence is named (one change would be at {place})'
  return f'{name}: {found.verdict.name} after {used}\n{place_text}'


def summary(found: Located) -> dict[str, Any]:
  """Returns the answer for the manifest."""
  indices = found.trace.chunk_indices
  is_named = found.verdict == evidence.Verdict.DROP and found.place > 0
  return {
    'verdict': found.verdict.name,
    'first_low_accuracy': int(indices[found.place]) if is_named else None,
    'guilty_sentences': (
      list(blamed_by(found, found.place)) if is_named else []
    ),
    'interval': [
      int(indices[found.interval.lower]),
      int(indices[found.interval.upper]),
    ],
    'num_rollouts': int(found.counts.sum()),
  }
