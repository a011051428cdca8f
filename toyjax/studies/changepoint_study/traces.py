"""Simulated traces with one change, with none, or with rises.

    rates or kind --simulated, null--> xs --join--> all xs of a sweep

Every policy and every prior sees the same traces with the same keys.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import sweeps
from toyjax.inference.changepoint import rivals
from toyjax.studies.changepoint_study.settings import DRAWN, Rate

CONSTANTS = tuple(f'constant {tenth / 10:g}' for tenth in range(1, 10))
RISES = ('rise .2 to .8', 'ramp .1 to .9', 'late rise .05 to .7')


def simulated(
  *,
  seed: int,
  num_traces: int,
  num_positions: int,
  rates: tuple[Rate, Rate],
  prior: str,
) -> dict[str, Any]:
  """Returns xs of traces with one change, uniform over the positions.

  Trace i is the same for every pair of numbers but for the rates themselves,
  and for every prior unless the rates are drawn from it.
  """
  rng = np.random.default_rng([seed, 1])
  changes = rng.integers(0, num_positions, num_traces)
  uniforms = rng.random(num_traces)
  before, after = (
    rng.beta(*shape, num_traces)
    if rate == DRAWN
    else np.full(num_traces, float(rate))
    for rate, shape in zip(rates, rivals.PRIORS[prior])
  )
  is_before = np.arange(num_positions) < changes[:, None]
  levels = np.where(is_before, before[:, None], after[:, None])
  return _xs(seed, prior, levels, changes, uniforms)


def null(
  *, seed: int, num_traces: int, num_positions: int, kind: str, prior: str
) -> dict[str, Any]:
  """Returns xs of traces that never fall: of a kind in CONSTANTS or RISES."""
  share = np.arange(num_positions) / max(num_positions - 1, 1)
  if kind in CONSTANTS:
    levels = np.full(num_positions, float(kind.split()[1]))
  else:
    levels = {
      'rise .2 to .8': np.where(share < 0.5, 0.2, 0.8),
      'ramp .1 to .9': 0.1 + 0.8 * share,
      'late rise .05 to .7': np.where(share < 0.9, 0.05, 0.7),
    }[kind]
  none = np.zeros(num_traces)
  return _xs(seed, prior, np.tile(levels, (num_traces, 1)), none, none)


def _xs(
  seed: int,
  prior: str,
  levels: np.ndarray,
  changes: np.ndarray,
  uniforms: np.ndarray,
) -> dict[str, Any]:
  num_traces = len(levels)
  shapes = np.ravel(rivals.PRIORS[prior]).astype(np.float32)
  return {
    'key': sweeps.seed_keys(seed, np.arange(num_traces)),
    'shapes': np.tile(shapes, (num_traces, 1)),
    'rates': levels.astype(np.float32),
    'change': changes.astype(np.int32),
    'uniform': uniforms.astype(np.float32),
  }


def join(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
  """Returns the xs of all parts, one after another."""
  return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)
