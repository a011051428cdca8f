"""What is known of one trace: the records between computing and reporting.

Places of the model count positions that have data; the report has indices of
sentences. `Located.trace` has no gaps, and its `chunk_indices` lead from the
first to the second.
"""

from typing import Any, NamedTuple

import numpy as np

from toyjax.data import traces
from toyjax.inference.changepoint.checks import Tails
from toyjax.inference.changepoint.evidence import Evidence, Verdict
from toyjax.inference.changepoint.intervals import Band
from toyjax.inference.changepoint.segments_drops import Shares
from toyjax.inference.changepoint.segments_posterior import Posterior
from toyjax.plots.texts import LINE, shorten
from toyjax.studies.locate_error import markdown


class Place(NamedTuple):
  """A place of the first low accuracy, as indices of the model.

  Attributes:
    best: the most probable.
    lower: the first of the credible interval, which is central.
    upper: the last, inclusive.
    held: probability that the interval holds.
  """

  best: int
  lower: int
  upper: int
  held: float


class Scatter(NamedTuple):
  """One change where the rates of positions scatter around two levels.

  Attributes:
    concentration: ρ, infinite where they do not scatter.
    log_evidence_nats: of the outcomes.
    place: of the change.
    probs: [T], of its place.
  """

  concentration: float
  log_evidence_nats: float
  place: Place
  probs: np.ndarray


class Drop(NamedTuple):
  """One of the three drops of the several-changes model.

  Attributes:
    name: which.
    shares: of its places among the draws.
    place: given that there is one; None if never drawn.
  """

  name: str
  shares: Shares
  place: Place | None


class Located(NamedTuple):
  """What is known of one trace.

  Attributes:
    trace: without its positions that have no data.
    counts: int [T, 2], right and wrong, that the model was given.
    posterior: [T], of the place of the first low accuracy.
    mean: [T], of the rate.
    band: of the rate.
    verdict: DROP, NO_DROP or UNDECIDED.
    log_e: for and against a drop, the largest so far, nats.
    place: of the first low accuracy under the model, which always has one,
      verdict or not.
    confidence: bool [T], the anytime-valid confidence set.
    scatter: for each concentration; the first has most evidence.
    averaged: the place averaged over them by their evidence.
    many: segments, if there may be several changes.
    drops: first, largest, last unrecovered.
    tails: of the successes after the change under the prior.
    log_e_prior: against the prior of the rate after the change, nats.
  """

  trace: traces.Trace
  counts: np.ndarray
  posterior: np.ndarray
  mean: np.ndarray
  band: Band
  verdict: Verdict
  log_e: Evidence
  place: Place
  confidence: np.ndarray
  scatter: tuple[Scatter, ...]
  averaged: Place
  many: Posterior
  drops: tuple[Drop, ...]
  tails: Tails
  log_e_prior: float

  @property
  def is_named(self) -> bool:
    """Whether a sentence is named as guilty."""
    return self.verdict == Verdict.DROP and self.place.best > 0

  def position(self, place: int) -> int:
    """Returns the index of the sentence at a place of the model."""
    return int(self.trace.chunk_indices[place])

  def ends(self, place: Place) -> list[int]:
    """Returns the indices of both ends of the interval, inclusive."""
    return [self.position(place.lower), self.position(place.upper)]

  def blamed(self, place: int) -> range:
    """Returns the sentences that a first low place of the model blames."""
    return traces.guilty_sentences(self.trace, place)

  def guilty(self, place: int) -> str:
    """Returns them as text."""
    sentences = self.blamed(place)
    if not sentences:
      return 'none, low from the start'
    return markdown.spans(sentences[0], sentences[-1])


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


def headline(found: Located) -> str:
  """Says in two lines what was found."""
  trace, best = found.trace, found.place.best
  name = ' '.join(filter(None, [trace.model, trace.base, trace.problem]))
  place = found.position(best)
  where = (
    f'first low accuracy at {place}, guilty sentence {found.guilty(best)}'
    if found.is_named
    else f'no sentence is named (one change would be at {place})'
  )
  used = f'{found.counts.sum():,} rollouts'
  return f'{shorten(name, LINE)}: {found.verdict.name} after {used}\n{where}'


def summary(found: Located) -> dict[str, Any]:
  """Returns the answer for the manifest."""
  best = found.place.best
  return {
    'verdict': found.verdict.name,
    'first_low_accuracy': found.position(best) if found.is_named else None,
    'guilty_sentences': list(found.blamed(best)) if found.is_named else [],
    'interval': found.ends(found.place),
    'num_rollouts': int(found.counts.sum()),
  }
