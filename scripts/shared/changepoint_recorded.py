"""What was recorded of real traces, and what all of it together says.

traces --pad--> Recorded [R, T] --find_exhaustive--> Exhaustive, one a trace
"""

from collections.abc import Callable, Mapping, Sequence
import hashlib
import math
import pathlib
import sys
from typing import Any, NamedTuple

from absl import flags
import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy
import numpy as np

from scripts.shared import changepoint_choices as choices
from toyjax.base import Array
from toyjax.data import math_rollouts, traces
from toyjax.inference import changepoint
from toyjax.inference.changepoint import (
  evidence,
  likelihoods,
  segments,
  segments_posterior,
)
from toyjax.plots.texts import shorten

SHIPPED = 'shipped'
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


class Rules(NamedTuple):
  """Numbers of the intervals and of the verdicts.

  Attributes:
    level: of the credible sets.
    alpha: false-alarm rate of DROP, and false-clearance rate of NO_DROP.
    smallest_drop: that NO_DROP excludes.
    null_shape: a of the constant rate's Beta(a, a).
  """

  level: float
  alpha: float
  smallest_drop: float
  null_shape: float

  def weigh(self, state: changepoint.State) -> evidence.Evidence:
    """Returns the log e-values of a state."""
    return evidence.evidence(
      state, null=self.null, smallest_drop=self.smallest_drop
    )

  @property
  def null(self) -> changepoint.Beta:
    """The prior of the constant rate."""
    shape = jnp.asarray(self.null_shape, float)
    return changepoint.Beta(shape, shape)

  def decide(
    self, state: changepoint.State, largest: evidence.Evidence
  ) -> evidence.Decision:
    """Returns the verdict."""
    return evidence.decide(
      state,
      largest,
      false_alarm_rate=self.alpha,
      false_clearance_rate=self.alpha,
    )


def make_rules(settings: Mapping[str, Any]) -> Rules:
  """Returns the numbers of intervals and verdicts among all settings."""
  return Rules(**{name: settings[name] for name in Rules._fields})


def read_traces(
  name: str, *, skip_bad: bool
) -> tuple[tuple[traces.Trace, ...], str]:
  """Returns the traces and a text that tells their file from others.

  Args:
    name: path of a CSV of counts, or SHIPPED.
    skip_bad: whether rows that cannot be read are left out, and counted on
      stderr.

  Raises:
    flags.Error: saying what is wrong in the file, and where.
  """
  if name == SHIPPED:
    found = math_rollouts.example_traces()
    digest = hashlib.sha256(
      b''.join(np.asarray(values, np.int64).tobytes() for values in pad(found))
    )
    return found, f'{SHIPPED} (sha256 {digest.hexdigest()[:12]})'
  path = pathlib.Path(name)
  try:
    found, problems = math_rollouts.read_counts(path, skip_bad=skip_bad)
    digest = hashlib.sha256(path.read_bytes())
  except traces.TraceError as error:
    raise flags.Error(f'--counts: {error}') from None
  if problems:
    print(
      f'{len(problems)} rows left out; the first: '
      + shorten(str(problems[0]), 300),
      file=sys.stderr,
    )
  if not found:
    raise flags.Error(f'--counts: {name} has no trace')
  for trace in found:
    if not trace.num_answered.any():
      raise flags.Error(
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
  recorded: Recorded, prior_name: str, rules: Rules
) -> list[Exhaustive]:
  """Returns what all recorded rollouts say, for each trace; in float64."""
  with jax.enable_x64(True):
    look = jax.jit(lambda k, n: _look(k, n, prior_name, rules))
    some_drop = jax.jit(_log_e_some_drop)
    return [_exhaustive(look, some_drop, *counts) for counts in zip(*recorded)]


def _look(
  right: Array, answered: Array, prior_name: str, rules: Rules
) -> tuple[Array, Array]:
  prior = _make_prior(prior_name, (answered > 0).astype(float))
  state = changepoint.condition(
    prior, changepoint.Beta(right, answered - right)
  )
  decision = rules.decide(state, rules.weigh(state))
  return changepoint.posterior(state), decision.verdict


def _make_prior(prior_name: str, weights: Array) -> changepoint.Prior:
  before, after = choices.PRIORS[prior_name]
  return changepoint.make_prior(before=before, after=after, weights=weights)


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
  least_right = right * least / np.maximum(answered, 1)
  least_probs, _ = look(least_right, least.astype(float))
  order = np.argsort(-np.asarray(probs), kind='stable')
  position = int(order[0])

  def rate(part: slice) -> float:
    total = answered[part].sum()
    return float(right[part].sum() / total) if total else float('nan')

  return Exhaustive(
    position=position,
    probability=float(probs[position]),
    runner_up=int(order[1]) if len(order) > 1 else position,
    position_least=int(np.argmax(least_probs)),
    rate_before=rate(slice(0, position)),
    rate_after=rate(slice(position, None)),
    verdict=evidence.Verdict(int(verdict)),
    log_e_some_drop=float(some_drop(least_right, least.astype(float))),
  )
