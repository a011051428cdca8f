"""What was recorded of real traces, and what all of it together says.

traces --pad--> Recorded [R, T] --find_exhaustive--> Exhaustive, one a trace
"""

from collections.abc import Callable, Sequence
import functools
import hashlib
import logging
import math
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy
import numpy as np

from toyjax.base import Array
from toyjax.data import math_rollouts, traces
from toyjax.inference import changepoint
from toyjax.inference.changepoint import (
  evidence,
  likelihoods,
  rivals,
  segments,
  segments_posterior,
)
from toyjax.parsers import SettingError
from toyjax.settings import Values
from toyjax.studies.changepoint_replay.settings import SHIPPED
from toyjax.texts import shorten

_LOGGER = logging.getLogger(__name__)
# Of the alternative to rates that never fall; any choice is valid.
MAX_SEGMENTS, SEGMENT_SHAPES = 5, (0.5, 0.5)


class Recorded(NamedTuple):
  """What was recorded of R traces, padded to one length T.

  Attributes:
    num_correct: int [R, T].
    num_answered: int [R, T]; 0 past the end and where nothing is known.
    min_answered: int [R, T], the smallest number with the same ratio.
  """

  num_correct: np.ndarray
  num_answered: np.ndarray
  min_answered: np.ndarray


class Exhaustive(NamedTuple):
  """What one change model says given every recorded rollout of one trace.

  Attributes:
    position: the most probable index of the first low accuracy.
    probability: of that index.
    runner_up: the second most probable index.
    position_least: as `position`, from the smallest counts with those ratios.
    rate_before: recorded share of right rollouts before the index; NaN if none.
    rate_after: the same from the index on.
    verdict: of the e-values of all these rollouts, taken as one look.
    log_e_some_drop: log e-value against rates that never fall, from the
      smallest counts: up to MAX_SEGMENTS segments in place of one change, so
      that a drop that recovers counts too. Proof at -log alpha.
  """

  position: int
  probability: float
  runner_up: int
  position_least: int
  rate_before: float
  rate_after: float
  verdict: evidence.Verdict
  log_e_some_drop: float


def hypotheses(values: Values) -> dict[str, Any]:
  """Returns the constant rate and the drop of `evidence.evidence`."""
  shape = jnp.asarray(values['null_shape'], float)
  return {
    'null': changepoint.Beta(shape, shape),
    'smallest_drop': values['smallest_drop'],
  }


def decide(
  state: changepoint.State, largest: evidence.Evidence, values: Values
) -> Array:
  """Returns the verdict, a code [], of the largest e-values so far."""
  return evidence.decide(
    state,
    largest,
    false_alarm_rate=values['alpha'],
    false_clearance_rate=values['alpha'],
  ).verdict


def read_traces(
  name: str, *, skip_bad: bool
) -> tuple[tuple[traces.Trace, ...], str]:
  """Returns the traces and a text that tells their file from others.

  Args:
    name: path of a CSV of counts, or SHIPPED.
    skip_bad: whether rows that cannot be read are left out; the log counts
      them.

  Raises:
    SettingError: saying what is wrong in the file, and where.
  """
  if name == SHIPPED:
    found = math_rollouts.example_traces()
    parts = [np.asarray(counts, np.int64).tobytes() for counts in pad(found)]
    digest = hashlib.sha256(b''.join(parts))
    return found, f'{SHIPPED} (sha256 {digest.hexdigest()[:12]})'
  path = pathlib.Path(name)
  try:
    found, problems = math_rollouts.read_counts(path, skip_bad=skip_bad)
    digest = hashlib.sha256(path.read_bytes())
  except traces.TraceError as error:
    raise SettingError(f'--counts: {error}') from None
  if problems:
    first = shorten(str(problems[0]), 300)
    _LOGGER.warning('%s rows left out; the first: %s', len(problems), first)
  if not found:
    raise SettingError(f'--counts: {name} has no trace')
  for trace in found:
    if not trace.num_answered.any():
      raise SettingError(
        f'--counts: {name}: no rollout of {trace.base} {trace.problem}'
      )
  return found, f'{path.name} (sha256 {digest.hexdigest()[:12]})'


def pad(found: Sequence[traces.Trace]) -> Recorded:
  """Returns the counts of the traces, zero past their ends.

  Index and position are the same number; gaps stay, with zero counts.
  """
  size = 1 + max(int(trace.chunk_indices[-1]) for trace in found)

  def stack(name: str) -> np.ndarray:
    rows = np.zeros((len(found), size), np.int64)
    for row, trace in zip(rows, found):
      row[trace.chunk_indices] = getattr(trace, name)
    return rows

  return Recorded(*map(stack, Recorded._fields))


def find_exhaustive(
  recorded: Recorded, prior_name: str, values: Values
) -> list[Exhaustive]:
  """Returns what all recorded rollouts say, for each trace; in float64.

  Args:
    recorded: of R traces.
    prior_name: of `rivals.PRIORS`.
    values: null_shape, smallest_drop and alpha.
  """
  with jax.enable_x64(True):
    look = jax.jit(functools.partial(_look, prior_name, values))
    some_drop = jax.jit(_log_e_some_drop)
    return [_exhaustive(look, some_drop, *counts) for counts in zip(*recorded)]


def _look(
  prior_name: str, values: Values, right: Array, answered: Array
) -> tuple[Array, Array]:
  prior = rivals.make_prior(prior_name, (answered > 0).astype(float))
  counts = changepoint.Beta(right, answered - right)
  state = changepoint.condition(prior, counts)
  largest = evidence.evidence(state, **hypotheses(values))
  return changepoint.posterior(state), decide(state, largest, values)


def _log_e_some_drop(right: Array, answered: Array) -> Array:
  """Returns log p(D | some segments) - max log p(D | rates that never fall)."""
  size = len(answered)
  num_positions = jnp.max(jnp.where(answered > 0, jnp.arange(size) + 1, 0))
  counts = changepoint.Beta(right, answered - right)
  prior = segments.make_prior(
    shapes=[SEGMENT_SHAPES],
    num_segments_weights=jnp.ones(MAX_SEGMENTS),
    change_weights=segments.uniform_change_weights(
      num_positions, size, answered.dtype
    ),
    num_positions=num_positions,
    concentration=math.inf,
  )
  found = segments_posterior.infer(segments.condition(prior, counts))
  rates = likelihoods.non_falling_rates(counts)
  best = xlogy(right, rates) + xlogy(answered - right, 1.0 - rates)
  return found.log_evidence - jnp.sum(best)


def _exhaustive(
  look: Callable[..., tuple[Array, Array]],
  some_drop: Callable[..., Array],
  right: np.ndarray,
  answered: np.ndarray,
  least: np.ndarray,
) -> Exhaustive:
  probs, verdict = look(right.astype(float), answered.astype(float))
  smallest = right * least / np.maximum(answered, 1), least.astype(float)
  order = np.argsort(-np.asarray(probs), kind='stable')
  position = int(order[0])

  def rate(part: slice) -> float:
    total = answered[part].sum()
    return float(right[part].sum() / total) if total else float('nan')

  return Exhaustive(
    position=position,
    probability=float(probs[position]),
    runner_up=int(order[:2][-1]),
    position_least=int(np.argmax(look(*smallest)[0])),
    rate_before=rate(slice(0, position)),
    rate_after=rate(slice(position, None)),
    verdict=evidence.Verdict(int(verdict)),
    log_e_some_drop=float(some_drop(*smallest)),
  )
