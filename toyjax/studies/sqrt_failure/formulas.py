"""The trained nets' formulas: how many pieces, and whether they are the nets.

nets --pieces_of--> exact regions --region_rows--> counts by number of pieces
nets, regions --compare--> differences --agreement_rows--> counts within 1e-6
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import flat_params
from toyjax.analysis.nets import linear_regions
from toyjax.analysis.nets.linear_regions import Region
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.sqrt_failure import trial
from toyjax.tables import Row, Share, quantile
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


def first_nets(runs: Runs, number: int) -> sqrt_mlp.Params:
  """Returns the first nets after the last step, with a leading axis."""
  weights = runs.data['weights'][:number]
  return flat_params.unflatten(weights, trial.make_toy(runs.values))


def net(nets: sqrt_mlp.Params, number: int) -> sqrt_mlp.Params:
  """Returns one of stacked nets."""
  return jax.tree.map(lambda leaf: leaf[number], nets)


def pieces_of(params: sqrt_mlp.Params, low: float, high: float) -> Pieces:
  """Returns the exact pieces of one net, merged where they are one line."""
  if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)):
    return Pieces((), ())
  everywhere = linear_regions.linear_regions_1d(params)
  inside = linear_regions.clip(everywhere, low=low, high=high)
  return Pieces(inside, everywhere)


def first_pieces(runs: Runs, nets: sqrt_mlp.Params) -> list[Pieces]:
  """Returns the pieces of the first runs, none of one that diverged.

  Its weights may be finite where its error is not.

  Args:
    runs: of a configuration.
    nets: of the first runs, see `first_nets`.
  """
  number = len(nets.layers[0].bias)
  diverged = runs.last('outcome')[:number] == Outcome.DIVERGED
  low, high = runs.values['low'], runs.values['high']
  return [
    Pieces((), ()) if has_diverged else pieces_of(net(nets, run), low, high)
    for run, has_diverged in enumerate(diverged.tolist())
  ]


class Differences(NamedTuple):
  """How far formulas are from their nets, over even points.

  Attributes:
    of_largest: [S], largest |formula - net| over the net's largest |answer|.
    pointwise: [S], largest |formula - net| / |net|; infinite where the net is
      zero and the formula is not.
    failing_size: [S], the largest |net|, over its largest |answer|, among the
      points whose pointwise difference exceeds the tolerance; 0 where none
      does.
  """

  of_largest: np.ndarray
  pointwise: np.ndarray
  failing_size: np.ndarray


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
  nets: sqrt_mlp.Params, pieces: Sequence[Pieces], values: Values
) -> Differences:
  """Evaluates formulas in plain Python floats against the nets in their dtype.

  Args:
    nets: stacked, [S].
    pieces: [S] of each; those that diverged are infinitely far off.
    values: low and high, ends of the interval; num_checked, even points, both
      ends among them; dtype, of the nets.
  """
  dtype = values['dtype']
  # Both see the very same numbers x.
  x = np.linspace(values['low'], values['high'], values['num_checked'])
  x = x.astype(dtype)
  outputs = np.asarray(answers(nets, jnp.asarray(x)), float)
  found = np.full((len(pieces), 3), np.inf)
  for k, (own, output) in enumerate(zip(pieces, outputs)):
    if not own.everywhere:
      continue
    by_hand = np.asarray(
      [linear_regions.evaluate(own.everywhere, point) for point in x.tolist()]
    )
    away, sizes = np.abs(by_hand - output), np.abs(output)
    pointwise = _over(away, sizes)
    fails = pointwise > TOLERANCES[dtype]
    found[k] = (
      _over(away.max(), sizes.max()),
      pointwise.max(),
      _over(sizes, sizes.max())[fails].max(initial=0.0),
    )
  return Differences(*found.T)


def _kinds(runs: Runs, num_counted: int) -> dict[str, np.ndarray]:
  """Returns which of the counted runs are looked at: all, and the reached."""
  codes = runs.last('outcome')[:num_counted]
  return {
    'all': np.ones(len(codes), bool),
    'reached': codes == Outcome.REACHED,
  }


def region_rows(runs: Runs, pieces: Sequence[Pieces]) -> list[Row]:
  """Counts the first runs by their number of pieces.

  Args:
    runs: of a configuration.
    pieces: of the first runs.

  Returns:
    A row for each number that occurs and for the largest that is possible, on
    the interval and on the whole line, among all and among those that reached
    their level. Number 0 stands for runs that diverged.
  """
  limit = linear_regions.max_num_regions(trial.widths(runs.values))
  numbers = {
    'interval': np.asarray([len(own.inside) for own in pieces]),
    'whole line': np.asarray([len(own.everywhere) for own in pieces]),
  }
  rows: list[Row] = []
  for where, found in numbers.items():
    for among, is_in in _kinds(runs, len(pieces)).items():
      for number in sorted({*found[is_in].tolist(), limit.num_regions}):
        rows.append(
          {
            'where': where,
            'among': among,
            'num_regions': number,
            '': Share(int(np.sum(found[is_in] == number)), int(is_in.sum())),
            'max_num_regions': limit.num_regions,
            'is_attainable': limit.is_attained,
          }
        )
  return rows


def agreement_rows(runs: Runs, found: Differences) -> list[Row]:
  """Counts the first runs whose formula is the net within the tolerance.

  Args:
    runs: of a configuration.
    found: of the first runs.
  """
  dtype = runs.values['dtype']
  rows: list[Row] = []
  for relative_to, away, sizes in (
    ('largest answer', found.of_largest, None),
    ('answer at the point', found.pointwise, found.failing_size),
  ):
    for among, is_in in _kinds(runs, len(found.pointwise)).items():
      own = away[is_in]
      count = int(np.sum(own <= TOLERANCES[dtype]))
      rows.append(
        {
          'dtype': dtype,
          'relative_to': relative_to,
          'among': among,
          'tolerance': TOLERANCES[dtype],
          '': Share(count, len(own)),
          'median_difference': quantile(own, 0.5) if len(own) else None,
          'largest_difference': _largest(own),
          # How large the answers are that fail at their point, as a share of
          # the net's largest.
          'largest_failing_answer': _largest(
            sizes[is_in] if sizes is not None else own[:0]
          ),
        }
      )
  return rows


def _largest(numbers: np.ndarray) -> float | None:
  return float(numbers.max()) if len(numbers) else None
