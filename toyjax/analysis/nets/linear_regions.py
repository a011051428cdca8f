"""The exact straight pieces of a ReLU net of one input, of any depth.

    params --linear_regions_1d--> regions: from, to, slope, intercept, pattern

Where the units' pattern D_1, ..., D_(L-1) does not change, the net is a line,

    y = W_L D_(L-1) W_(L-1) ... D_1 W_1 x + const,

so each z of the next layer is a line too and switches at its one root, if that
lies inside. Layer by layer each region is cut at these roots. Weights are
binary fractions and only the roots divide, so all of it is done in
`fractions.Fraction`: two kinks are one exactly where they are equal, a slope is
zero exactly where it is.

References:
  reference.md, section 3.2. Montúfar et al. 2014, On the number of linear
  regions of deep neural networks, section 2. Serra, Tjandraatmadja and
  Ramalingam 2018, Bounding and counting linear regions of deep neural networks.
"""

import bisect
from collections.abc import Sequence
from fractions import Fraction
import itertools
import math
from typing import Any, NamedTuple

from toyjax.analysis.nets import dense_layers

# Exact, or an infinite end.
End = Fraction | float
# A line: slope and intercept.
Line = tuple[Fraction, Fraction]
# For each hidden layer, which units are on.
Pattern = tuple[tuple[bool, ...], ...]


class Region(NamedTuple):
  """One straight piece.

  Attributes:
    left: where it begins, exact or -inf.
    right: where it ends, > left, exact or inf.
    slope: of y = slope x + intercept, exact.
    intercept: exact.
    pattern: which units are on inside, layer by layer; of a merged region, in
      its leftmost part.
  """

  left: End
  right: End
  slope: Fraction
  intercept: Fraction
  pattern: Pattern


def linear_regions_1d(
  params: Any,
  *,
  low: float = -math.inf,
  high: float = math.inf,
  merge: bool = True,
  names: Sequence[str] | None = None,
) -> tuple[Region, ...]:
  """Finds all straight pieces of a net with one input and one output.

  Args:
    params: what `dense_layers.read_stack` reads, without an embedding.
    low: left end of the interval, may be -inf.
    high: right end, > low, may be inf.
    merge: whether neighbours on the same line become one region, so that the
      ends are the kinks of y. Else each end is where some unit switches, though
      it may not reach the output.
    names: see `dense_layers.read_stack`.

  Returns:
    The regions from left to right; they cover [low, high]. A unit with z = 0
    throughout a region counts as off.

  Raises:
    ValueError: on another number of inputs or outputs, or low >= high.
  """
  stack = dense_layers.read_stack(params, names=names)
  if stack.embedding is not None or stack.layers[0].weight.shape[1] != 1:
    raise ValueError('the net must have one input and no embedding')
  if len(stack.layers[-1].bias) != 1:
    raise ValueError(f'the net has {len(stack.layers[-1].bias)} outputs, not 1')
  if not low < high:
    raise ValueError(f'low must lie below high: {low}, {high}')
  layers = [
    (
      [[Fraction(float(w)) for w in row] for row in weight],
      [Fraction(float(b)) for b in bias],
    )
    for weight, bias in stack.layers
  ]
  left, right = (
    end if math.isinf(end) else Fraction(end)
    for end in (float(low), float(high))
  )
  identity = [(Fraction(1), Fraction(0))]
  pieces: list[tuple[End, End, list[Line], Pattern]] = [
    (left, right, identity, ())
  ]
  for weight, bias in layers[:-1]:
    pieces = [part for piece in pieces for part in _cut(piece, weight, bias)]
  regions = [
    Region(left, right, *_combine(*layers[-1], lines)[0], pattern)
    for left, right, lines, pattern in pieces
  ]
  return _merged(regions) if merge else tuple(regions)


def _combine(
  weight: list[list[Fraction]], bias: list[Fraction], lines: list[Line]
) -> list[Line]:
  """Returns the line of each z = Wa + b from the lines of a."""
  live = [k for k, line in enumerate(lines) if line != (0, 0)]
  return [
    (
      sum((row[k] * lines[k][0] for k in live), Fraction(0)),
      sum((row[k] * lines[k][1] for k in live), offset),
    )
    for row, offset in zip(weight, bias)
  ]


def _cut(piece, weight, bias):
  """Yields the parts of a piece in which no unit of the next layer switches."""
  left, right, lines, pattern = piece
  units = _combine(weight, bias, lines)
  roots = {-offset / slope for slope, offset in units if slope}
  ends = [left, *sorted(r for r in roots if left < r < right), right]
  for start, end in itertools.pairwise(ends):
    middle = _inside(start, end)
    on = tuple(slope * middle + offset > 0 for slope, offset in units)
    outputs = [
      unit if is_on else (Fraction(0), Fraction(0))
      for unit, is_on in zip(units, on)
    ]
    yield start, end, outputs, (*pattern, on)


def _inside(left: End, right: End) -> Fraction:
  """Returns a point between two ends."""
  if isinstance(left, float):
    return Fraction(0) if isinstance(right, float) else right - 1
  return left + 1 if isinstance(right, float) else (left + right) / 2


def _merged(regions: Sequence[Region]) -> tuple[Region, ...]:
  """Joins neighbours that lie on the same line."""
  merged: list[Region] = []
  for region in regions:
    if merged and merged[-1][2:4] == region[2:4]:
      merged[-1] = merged[-1]._replace(right=region.right)
    else:
      merged.append(region)
  return tuple(merged)


def clip(
  regions: Sequence[Region], *, low: float, high: float
) -> tuple[Region, ...]:
  """Returns the regions, or their parts, that lie in [low, high].

  The lines `linear_regions_1d` gives there, at less cost where both are wanted.
  The pattern of a merged region may be that of a part outside.

  Args:
    regions: from `linear_regions_1d`, merged or not.
    low: inside their interval, finite.
    high: inside their interval, > low, finite.

  Raises:
    ValueError: if the interval is none or reaches beyond theirs.
  """
  if not regions[0].left <= low < high <= regions[-1].right:
    raise ValueError(
      f'[{low}, {high}] is no interval within '
      f'[{float(regions[0].left)}, {float(regions[-1].right)}]'
    )
  start, end = Fraction(low), Fraction(high)
  return tuple(
    region._replace(left=max(region.left, start), right=min(region.right, end))
    for region in regions
    if region.left < end and region.right > start
  )


def evaluate(regions: Sequence[Region], x: float) -> float:
  """Returns slope * x + intercept of the region of x, in plain floats.

  Args:
    regions: from `linear_regions_1d`.
    x: inside their interval.

  Raises:
    ValueError: if x lies outside.
  """
  if not regions[0].left <= x <= regions[-1].right:
    raise ValueError(
      f'{x} lies outside [{float(regions[0].left)}, {float(regions[-1].right)}]'
    )
  number = bisect.bisect_right(regions, x, lo=1, key=_left_end) - 1
  region = regions[number]
  return float(region.slope) * x + float(region.intercept)


def _left_end(region: Region) -> Any:
  """Returns where a region begins; typed loosely, since bisect knows floats."""
  return region.left


class RegionLimit(NamedTuple):
  """How many regions a net of one input can have.

  Attributes:
    num_regions: no net of these widths has more.
    is_attained: whether some net is known to have as many.
  """

  num_regions: int
  is_attained: bool


def max_num_regions(widths: Sequence[int]) -> RegionLimit:
  """Bounds the regions of a net 1 → widths → 1; 7 for 1-2-2-1.

  One unit over a straight piece has one root at most. Over a layer of n units
  it has z(n) roots at most: z(1) = 1, z(2) = 2 and z(n) = n + 1 for n >= 3,
  since slopes of alternating sign on all n + 1 pieces need units that point
  both ways, at least three. So

      R_0 = 1, R_1 = 1 + n_1, R_l = R_(l-1) + n_l z(n_(l-1)) R_(l-2),

  which is Π(n_l + 1) where every n_l >= 3. It is attained with one or two
  hidden layers, and where all but the last have three units or more. Else it
  is a bound that may not be reached.

  Args:
    widths: n_1, ... of the hidden layers, one or more, each >= 1.

  Raises:
    ValueError: on no width, or one below 1.

  References:
    Serra, Tjandraatmadja and Ramalingam 2018, arXiv:1711.02114: for one input
    and widths >= 3 the maximum is exactly Π(n_l + 1). Narrower layers: by the
    count above.
  """
  if not widths or min(widths) < 1:
    raise ValueError(f'widths must be one or more numbers >= 1: {widths}')
  before, now = 1, 1 + widths[0]
  for previous, width in itertools.pairwise(widths):
    num_roots = {1: 1, 2: 2}.get(previous, previous + 1)
    before, now = now, now + width * min(now, num_roots * before)
  is_attained = len(widths) <= 2 or min(widths[:-1]) >= 3
  return RegionLimit(now, is_attained)
