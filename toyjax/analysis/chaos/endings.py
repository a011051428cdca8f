"""How a point of the chaos map ends: recovered, lost, oscillating, diverged.

chaos.training_map --run--> Ending, SSE, Σ|W_i| at the observed steps
"""

from collections.abc import Sequence
import enum
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax import loops, roles
from toyjax.analysis.chaos import dynamics as chaos
from toyjax.base import Array, Dynamics
from toyjax.toys import relu_autoencoder


class Ending(enum.IntEnum):
  """How a run stands, judged over a window of steps: the first that fits."""

  DIVERGED = 0  # A weight, a bias or the SSE is not finite.
  RECOVERED = 1  # SSE < solved_sse at every step of the window.
  OSCILLATING = 2  # The SSE went up and down by more than `steady`.
  LOST = 3  # SSE >= lost_sse: a feature or more is given up.
  ON_ITS_WAY = 4  # Below: in symmetric failure, or leaving it.


class Thresholds(NamedTuple):
  """The numbers behind the endings, each with its reason.

  Attributes:
    steady: an SSE that spans more than this fraction of its maximum within the
      window, and rose at least once, oscillates. Plain rounding lets the SSE of
      a run on its way rise as well, but moves it by less than 1e-5.
    rise: a step that raises the SSE by this fraction or more is a rise.
    lost_sse: a feature that is off costs 1, symmetric failure (n - 1) / n and
      less on the way out of it. The middle of 6/7 and 1.
  """

  steady: float = 0.05
  rise: float = 1e-4
  lost_sse: float = 0.93


THRESHOLDS = Thresholds()


class Observed(NamedTuple):
  """What is kept of a run at one step.

  Attributes:
    ending: int32 [], a code of `Ending`.
    sse: [] sum of squared errors over the n samples.
    total_norm: [] Σ|W_i|, the colour of the published map.
    dead_norm: [] |W_0|, norm of the row that was dead at the start.
    mirror_defect: [] largest entry by which the rows differ from their mirror
      images about the first hidden axis; 0 at the start.
  """

  ending: Array
  sse: Array
  total_norm: Array
  dead_norm: Array
  mirror_defect: Array


class _Record(NamedTuple):
  """Running record: the SSE of the window so far, first recovery."""

  low: Array
  high: Array
  last: Array
  rose: Array
  solved_step: Array


def run(
  dynamics: Dynamics,
  *,
  num_features: int,
  loss_reduction: str,
  separation: int,
  observe_steps: Sequence[int],
  window: int,
  solved_sse: float,
  thresholds: Thresholds,
) -> tuple[Observed, Array]:
  """Runs one point of the map and says how it stands at the observed steps.

  Args:
    dynamics: from `chaos.training_map`.
    num_features: n, as in `chaos.training_map`; so the next two.
    loss_reduction: what its loss is divided by.
    separation: see `chaos.raised_rows`.
    observe_steps: increasing multiples of `window`; the last ends the run.
    window: steps over which an ending is judged, >= 2.
    solved_sse: a run has recovered when its SSE stays below.
    thresholds: usually `THRESHOLDS`.

  Returns:
    `Observed` with a leading axis of observed steps, and the int32 [] number of
    steps after which the SSE was first below `solved_sse`, -1 for never.

  Raises:
    ValueError: on observed steps that are no multiples of the window.
  """
  if window < 2 or any(step % window for step in observe_steps):
    raise ValueError(
      f'observed steps must be multiples of the window {window}: '
      f'{list(observe_steps)}'
    )

  def update(record, step, state, info):
    del state  # The loss is that of the weights before this step.
    sse = relu_autoencoder.sse_from_one_hot_loss(
      info.loss, num_features=num_features, loss_reduction=loss_reduction
    )
    first = step % window == 1
    return _Record(
      jnp.where(first, sse, jnp.minimum(record.low, sse)),
      jnp.where(first, sse, jnp.maximum(record.high, sse)),
      sse,
      ~first & (record.rose | _rises(record.last, sse, thresholds)),
      jnp.where(
        (record.solved_step < 0) & (sse < solved_sse),
        step - 1,
        record.solved_step,
      ),
    )

  def begin(state):
    zero = jnp.zeros((), state.params.bias.dtype)
    return _Record(zero, zero, zero, jnp.bool_(False), jnp.int32(-1))

  mirror = chaos.mirror_rows(num_features, separation)

  def observe(state, info):
    del info
    params, record = state.inner.params, state.record
    sse = relu_autoencoder.one_hot_sse(params)
    norms = jnp.linalg.norm(params.weights, axis=0)
    defect = jnp.abs(params.weights - chaos.reflect(params.weights, mirror))
    return Observed(
      _ending(params, sse, record, solved_sse, thresholds),
      sse,
      jnp.sum(norms),
      norms[0],
      jnp.max(defect),
    )

  state, seen = loops.unroll(
    jax.random.key(0),  # Nothing is drawn.
    loops.track(dynamics, begin, update),
    observe_steps[-1],
    observe=observe,
    observe_at=observe_steps,
  )
  return seen, state.record.solved_step


def _rises(before, after, thresholds):
  """Whether the SSE rose by more than rounding."""
  return after > (1.0 + thresholds.rise) * before


def _ending(params, sse, record, solved_sse, thresholds):
  """Returns the code of `Ending` from the last window and the last state."""
  finite = jnp.isfinite(sse) & jnp.all(
    jnp.isfinite(params.weights) & jnp.isfinite(params.bias)[None, :]
  )
  low = jnp.minimum(record.low, sse)
  high = jnp.maximum(record.high, sse)
  rose = record.rose | _rises(record.last, sse, thresholds)
  tests = {
    Ending.DIVERGED: ~finite,
    Ending.RECOVERED: high < solved_sse,
    Ending.OSCILLATING: rose & (high - low > thresholds.steady * high),
    Ending.LOST: high >= thresholds.lost_sse,
    Ending.ON_ITS_WAY: jnp.bool_(True),
  }
  return roles.first(Ending, tests)
