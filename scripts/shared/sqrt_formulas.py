"""The trained nets' formulas: how many pieces, and whether they are the nets.

nets --pieces_of--> exact regions --region_rows--> counts by number of pieces
nets, regions --compare--> differences --agreement_rows--> counts within 1e-6
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import tables
from scripts.shared.sqrt_runs import Configuration
from toyjax.analysis import linear_regions
from toyjax.analysis.linear_regions import Region
from toyjax.toys import sqrt_mlp
from toyjax.toys.sqrt_mlp import Outcome

# How far the formula may be from the net: some 10 roundings of the dtype.
TOLERANCES = {'float32': 1e-6, 'float64': 1e-12}


class Pieces(NamedTuple):
  """The straight pieces of one net.

  Attributes:
    inside: on the interval, see `linear_regions.clip`; none where a weight is
      not finite.
    everywhere: on the whole line; likewise.
  """

  inside: tuple[Region, ...]
  everywhere: tuple[Region, ...]


def net(nets: sqrt_mlp.Params, number: int) -> sqrt_mlp.Params:
  """Returns one of stacked nets."""
  return jax.tree.map(lambda leaf: leaf[number], nets)


def first(nets: sqrt_mlp.Params, number: int) -> sqrt_mlp.Params:
  """Returns the first of stacked nets."""
  return jax.tree.map(lambda leaf: leaf[:number], nets)


def pieces_of(params: sqrt_mlp.Params, low: float, high: float) -> Pieces:
  """Returns the exact pieces of one net, merged where they are one line."""
  if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)):
    return Pieces((), ())
  everywhere = linear_regions.linear_regions_1d(params)
  inside = linear_regions.clip(everywhere, low=low, high=high)
  return Pieces(inside, everywhere)


def first_pieces(
  configuration: Configuration, number: int, *, low: float, high: float
) -> list[Pieces]:
  """Returns the pieces of the first runs, none of one that diverged.

  Its weights may be finite where its error is not.
  """
  diverged = configuration.outcomes[:number, -1] == Outcome.DIVERGED
  return [
    Pieces((), ())
    if has_diverged
    else pieces_of(net(configuration.nets, run), low, high)
    for run, has_diverged in enumerate(diverged.tolist())
  ]


class Differences(NamedTuple):
  """How far one net's formula is from the net, over even points.

  Attributes:
    of_largest: largest |formula - net| over the net's largest |answer|.
    pointwise: largest |formula - net| / |net|; infinite where the net is zero
      and the formula is not.
    failing_size: the largest |net|, over its largest |answer|, among the points
      whose pointwise difference exceeds the tolerance; 0 where none does.
  """

  of_largest: float
  pointwise: float
  failing_size: float


def _over(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
  """Returns the ratio of sizes, 0 for 0 / 0 and infinite for x / 0."""
  with np.errstate(divide='ignore', invalid='ignore'):
    return np.where(numerator == 0.0, 0.0, numerator / denominator)


@jax.jit
def answers(nets: sqrt_mlp.Params, x: jax.Array) -> jax.Array:
  """Returns what stacked nets [S] answer to x [B], [S, B] in their dtype."""
  one = jax.vmap(sqrt_mlp.apply, in_axes=(None, 0))
  return jax.vmap(one, in_axes=(0, None))(nets, x)


def compare(
  nets: sqrt_mlp.Params,
  pieces: Sequence[Pieces],
  *,
  low: float,
  high: float,
  num_points: int,
  dtype: str,
) -> list[Differences]:
  """Evaluates formulas in plain Python floats against the nets in their dtype.

  Args:
    nets: stacked, [S].
    pieces: [S] of each; those that diverged are infinitely far off.
    low: left end of the interval.
    high: right end.
    num_points: even points, both ends among them.
    dtype: of the nets.
  """
  # Both see the very same numbers x.
  x = np.linspace(low, high, num_points).astype(dtype)
  points = x.tolist()
  found = []
  outputs = np.asarray(answers(nets, jnp.asarray(x)), float)
  for own, output in zip(pieces, outputs):
    if not own.everywhere:
      found.append(Differences(np.inf, np.inf, np.inf))
      continue
    by_hand = np.asarray(
      [linear_regions.evaluate(own.everywhere, point) for point in points]
    )
    away, sizes = np.abs(by_hand - output), np.abs(output)
    pointwise = _over(away, sizes)
    shares = _over(sizes, sizes.max())
    found.append(
      Differences(
        of_largest=float(_over(away.max(), sizes.max())),
        pointwise=float(pointwise.max()),
        failing_size=float(
          shares[pointwise > TOLERANCES[dtype]].max(initial=0.0)
        ),
      )
    )
  return found


def _kinds(
  configuration: Configuration, num_counted: int
) -> dict[str, np.ndarray]:
  """Returns which of the counted runs are looked at: all, and the reached."""
  codes = configuration.outcomes[:num_counted, -1]
  return {
    'all': np.ones(len(codes), bool),
    'reached': codes == Outcome.REACHED,
  }


def region_rows(
  configuration: Configuration, pieces: Sequence[Pieces]
) -> list[dict[str, Any]]:
  """Counts the first runs by their number of pieces.

  Args:
    configuration: the runs.
    pieces: of the first runs.

  Returns:
    A row for each number that occurs and for the largest that is possible, on
    the interval and on the whole line, among all and among those that reached
    their level. Number 0 stands for runs that diverged.
  """
  limit = linear_regions.max_num_regions(configuration.widths)
  numbers = {
    'interval': np.asarray([len(own.inside) for own in pieces]),
    'whole line': np.asarray([len(own.everywhere) for own in pieces]),
  }
  rows = []
  for where, found in numbers.items():
    for among, is_in in _kinds(configuration, len(pieces)).items():
      for number in sorted({*found[is_in].tolist(), limit.num_regions}):
        rows.append(
          {
            **configuration.flags,
            'where': where,
            'among': among,
            'num_regions': number,
            **tables.interval_cells(
              int(np.sum(found[is_in] == number)), int(is_in.sum())
            ),
            'max_num_regions': limit.num_regions,
            'is_attainable': limit.is_attained,
          }
        )
  return rows


def agreement_rows(
  configuration: Configuration,
  differences: Sequence[Differences],
  *,
  dtype: str,
) -> list[dict[str, Any]]:
  """Counts the first runs whose formula is the net within the tolerance.

  Args:
    configuration: the runs.
    differences: of the first runs.
    dtype: of the nets.
  """
  tolerance = TOLERANCES[dtype]
  rows = []
  for relative_to, name in (
    ('largest answer', 'of_largest'),
    ('answer at the point', 'pointwise'),
  ):
    found = np.asarray([getattr(each, name) for each in differences])
    sizes = np.asarray([each.failing_size for each in differences])
    for among, is_in in _kinds(configuration, len(differences)).items():
      own = found[is_in]
      any_run = bool(is_in.any())
      rows.append(
        {
          **configuration.flags,
          'dtype': dtype,
          'relative_to': relative_to,
          'among': among,
          'tolerance': tolerance,
          **tables.interval_cells(int(np.sum(own <= tolerance)), len(own)),
          'median_difference': _quantile(own, 0.5) if any_run else None,
          'largest_difference': float(own.max()) if any_run else None,
          # Where the answer at the point is the measure, how large the answers
          # are that fail it, as a share of the net's largest.
          'largest_failing_answer': float(sizes[is_in].max())
          if any_run and name == 'pointwise'
          else None,
        }
      )
  return rows


def _quantile(values: np.ndarray, q: float) -> float:
  return float(np.quantile(values, q, method='inverted_cdf'))
