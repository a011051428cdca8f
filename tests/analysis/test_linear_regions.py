"""Straight pieces of nets against the nets themselves, and their counts."""

from fractions import Fraction
import itertools
import math
import re

import hypothesis
from hypothesis import strategies
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.nets import formulas, linear_regions, walking
from toyjax.toys import sqrt_mlp
from toyjax.toys.sqrt_mlp import Dense, Params

# Small multiples of 1/4: kinks coincide, slopes and units vanish.
COARSE = strategies.integers(-6, 6).map(lambda k: k / 4)
FINE = strategies.floats(-4, 4, width=32)


def _random_net(rng, widths):
  sizes = (1, *widths, 1)
  return [
    (rng.normal(size=(n, m)), rng.normal(size=n))
    for m, n in itertools.pairwise(sizes)
  ]


def _exactly(net, x):
  """Answers x in fractions, layer by layer."""
  a = [Fraction(x)]
  for k, (weight, bias) in enumerate(net):
    a = [
      sum((Fraction(float(w)) * v for w, v in zip(row, a)), Fraction(float(b)))
      for row, b in zip(weight, bias)
    ]
    if k < len(net) - 1:
      a = [max(v, Fraction(0)) for v in a]
  return a[0]


@strategies.composite
def _nets(draw):
  widths = draw(strategies.lists(strategies.integers(1, 4), max_size=3))
  numbers = draw(strategies.sampled_from([COARSE, FINE]))

  def array(*shape):
    size = math.prod(shape)
    values = draw(strategies.lists(numbers, min_size=size, max_size=size))
    return np.asarray(values).reshape(shape)

  sizes = (1, *widths, 1)
  return [(array(n, m), array(n)) for m, n in itertools.pairwise(sizes)]


@hypothesis.given(net=_nets(), x=strategies.floats(-20, 20))
@hypothesis.settings(max_examples=120, deadline=None, derandomize=True)
def test_the_pieces_are_the_net_everywhere(net, x):
  regions = linear_regions.linear_regions_1d(net)
  assert regions[0].left == -math.inf
  assert regions[-1].right == math.inf
  for left, right in itertools.pairwise(regions):
    assert left.right == right.left
    assert left.left < left.right
    # Both lines meet at the kink, exactly, and differ beside it.
    kink = left.right
    assert kink * (left.slope - right.slope) == right.intercept - left.intercept
    assert left.slope != right.slope
    assert _exactly(net, kink) == left.slope * kink + left.intercept
  region = next(r for r in regions if r.left <= x <= r.right)
  assert _exactly(net, x) == region.slope * Fraction(x) + region.intercept
  widths = [len(bias) for _, bias in net[:-1]]
  if widths:
    assert len(regions) <= linear_regions.max_num_regions(widths).num_regions


@hypothesis.given(net=_nets())
@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
def test_patterns_are_those_of_a_walk_and_merging_only_joins(net):
  fine = linear_regions.linear_regions_1d(net, low=-9.0, high=9.0, merge=False)
  joined = linear_regions.linear_regions_1d(net, low=-9.0, high=9.0)
  assert {r.left for r in joined} <= {r.left for r in fine}
  assert len({r.pattern for r in fine}) == len(fine)
  for region in fine:
    middle = (region.left + region.right) / 2
    if Fraction(float(middle)) != middle:
      continue  # Only where the walk can stand exactly there.
    walked = walking.walk(net, float(middle))
    names = {value.name: value.numbers for value in walked.values}
    for k, on in enumerate(region.pattern, start=1):
      z = names[f'z{k}']
      clear = np.abs(z) > 1e-9
      np.testing.assert_array_equal((z > 0)[clear], np.asarray(on)[clear])


# A net 1-2-2-1 trained on √x over [0, 4], to four digits: rmse 0.03.
ROOT = (
  (np.asarray([[0.9664], [0.3208]]), np.asarray([0.2793, -0.4673])),
  (
    np.asarray([[0.8013, -1.1069], [-0.9457, 0.3543]]),
    np.asarray([0.003, 0.5917]),
  ),
  (np.asarray([[0.7268, -1.1879]]), np.asarray([0.263])),
)
PRECISIONS = pytest.mark.parametrize(
  ('dtype', 'rtol'), [(np.float64, 1e-12), (np.float32, 1e-6)]
)


def _both(net, dtype, low, high):
  """Returns what the toy answers at 1,000 points, and what plain floats do."""
  with jax.enable_x64(dtype == np.float64):
    params = Params(
      tuple(
        Dense(*(jnp.asarray(array, dtype) for array in layer)) for layer in net
      )
    )
    x = np.linspace(low, high, 1000).astype(dtype)
    answers = np.asarray(
      jax.jit(jax.vmap(sqrt_mlp.apply, in_axes=(None, 0)))(params, x)
    )
  assert answers.dtype == dtype
  regions = linear_regions.linear_regions_1d(params)
  by_hand = [linear_regions.evaluate(regions, float(place)) for place in x]
  return answers, np.asarray(by_hand)


@PRECISIONS
def test_plain_floats_give_the_root_net_at_1000_points(dtype, rtol):
  answers, by_hand = _both(ROOT, dtype, 0.0, 4.0)
  np.testing.assert_allclose(by_hand, answers, rtol=rtol)


@PRECISIONS
@pytest.mark.parametrize('widths', [(2, 2), (8,), (4, 3, 4)])
def test_plain_floats_give_any_net_at_1000_points(widths, dtype, rtol):
  net = _random_net(np.random.default_rng(3), widths)
  answers, by_hand = _both(net, dtype, -4.0, 4.0)
  # Relative to the largest answer: near a zero of y the net's own terms cancel.
  assert np.abs(by_hand - answers).max() <= rtol * np.abs(answers).max()


def test_1_2_2_1_has_seven_regions_at_most_and_some_net_has_them():
  limit = linear_regions.max_num_regions((2, 2))
  assert limit == linear_regions.RegionLimit(7, True)
  rng = np.random.default_rng(0)
  counts = np.bincount(
    [
      len(linear_regions.linear_regions_1d(_random_net(rng, (2, 2))))
      for _ in range(300)
    ]
  )
  assert len(counts) == 8
  assert counts[7] > 0


def test_three_units_zigzag_and_reach_the_product():
  # Slopes 1, -1, 1/2, -1/2: only units that point both ways give all four.
  zigzag = np.asarray([[1.0], [1.0], [-1.0]]), np.asarray([-1.0, -2.0, 3.0])
  reads = np.asarray([-2.0, 1.5, -1.0])
  first = linear_regions.linear_regions_1d(
    [zigzag, (reads[None, :], np.zeros(1))]
  )
  assert [r.slope for r in first] == [1, -1, 0.5, -0.5]
  heights = [float(r.slope * r.right + r.intercept) for r in first[:-1]]
  peak, valley, second_peak = heights
  levels = valley + (min(peak, second_peak) - valley) * np.arange(1, 4) / 4
  # Units that are on above their level, and one below: no kink is lost.
  signs = np.asarray([1.0, 1.0, -1.0])
  net = [
    zigzag,
    (signs[:, None] * reads[None, :], -signs * levels),
    (np.asarray([[1.0, 2.0, 5.0]]), np.zeros(1)),
  ]
  limit = linear_regions.max_num_regions((3, 3))
  assert limit == linear_regions.RegionLimit(16, True)
  assert len(linear_regions.linear_regions_1d(net)) == 16


@pytest.mark.parametrize(
  ('widths', 'limit', 'attained'),
  [
    ((1,), 2, True),
    ((6,), 7, True),
    ((1, 1), 3, True),
    ((2, 3), 9, True),
    ((3, 2), 12, True),
    ((3, 3, 2), 48, True),
    ((2, 2, 2), 19, False),
  ],
)
def test_limits(widths, limit, attained):
  assert linear_regions.max_num_regions(widths) == (limit, attained)
  rng = np.random.default_rng(1)
  for _ in range(20):
    net = _random_net(rng, widths)
    assert len(linear_regions.linear_regions_1d(net)) <= limit


def test_one_hidden_layer_reaches_one_more_than_its_units():
  rng = np.random.default_rng(2)
  assert len(linear_regions.linear_regions_1d(_random_net(rng, (9,)))) == 10


def test_equal_kinks_dead_units_and_zero_slopes_make_no_region():
  net = [
    (np.asarray([[1.0], [2.0], [0.0], [1.0]]), np.asarray([-1, -2, 3, 5.0])),
    (np.asarray([[1.0, 1.0, 1.0, 0.0]]), np.zeros(1)),
  ]
  regions = linear_regions.linear_regions_1d(net)
  assert [(r.left, r.slope, r.intercept) for r in regions] == [
    (-math.inf, 0, 3),
    (1, 3, 0),
  ]
  # The unit that nobody reads still switches, at -5.
  switches = linear_regions.linear_regions_1d(net, merge=False)
  assert [r.left for r in switches] == [-math.inf, -5, 1]


HAT = (
  (np.asarray([[1.0], [1.0]]), np.asarray([0.0, -1.0])),
  (np.asarray([[0.5, -1.25]]), np.asarray([1.0])),
)


def test_the_formula_reads_well():
  regions = linear_regions.linear_regions_1d(HAT, high=3.0)
  assert formulas.formula(regions, write=formulas.decimals(6)) == (
    'y = 1               for x <= 0\n'
    'y = 0.5 x + 1       for 0 <= x <= 1\n'
    'y = -0.75 x + 2.25  for 1 <= x <= 3'
  )
  assert formulas.latex(regions, write=formulas.latex_fractions(100)) == (
    'y(x) = \\begin{cases}\n'
    '  1 & \\text{for } x \\le 0 \\\\\n'
    '  \\frac{1}{2} x + 1 & \\text{for } 0 \\le x \\le 1 \\\\\n'
    '  -\\frac{3}{4} x + \\frac{9}{4} & \\text{for } 1 \\le x \\le 3\n'
    '\\end{cases}'
  )
  tiny = [(np.asarray([[-1e-9]]), np.asarray([-1.0]))]
  line = linear_regions.linear_regions_1d(tiny)
  assert formulas.formula(line, write=formulas.decimals(3)) == (
    'y = -1e-09 x - 1  for all x'
  )
  assert r'-1 \cdot 10^{-9} x - 1' in formulas.latex(
    line, write=formulas.decimals(3)
  )
  short = formulas.formula(line, write=formulas.short_fractions(10))
  assert short == 'y = -1  for all x'


def test_the_text_with_17_digits_is_the_net():
  net = _random_net(np.random.default_rng(5), (3, 3))
  regions = linear_regions.linear_regions_1d(net, low=-3.0, high=3.0)
  text = formulas.formula(regions, write=formulas.decimals(17))
  pattern = r'y = (\S+) x ([+-]) (\S+) +for (\S+) <= x <= (\S+)'
  for line, region in zip(text.split('\n'), regions, strict=True):
    if region.slope == 0:
      continue
    slope, sign, size, left, right = re.fullmatch(pattern, line).groups()
    assert float(slope) == float(region.slope)
    assert float(sign + size) == float(region.intercept)
    assert float(left) == float(region.left)
    assert float(right) == float(region.right)


def test_a_readable_fraction_says_what_it_leaves():
  short = formulas.readable(math.pi, max_denominator=10)
  assert short.fraction == Fraction(22, 7)
  assert short.error == pytest.approx(22 / 7 - math.pi, rel=1e-12)
  assert formulas.readable(0.75, max_denominator=4) == (Fraction(3, 4), 0.0)


def test_wrong_nets_and_intervals_are_refused():
  two_inputs = [(np.ones((1, 2)), np.ones(1))]
  two_outputs = [(np.ones((2, 1)), np.ones(2))]
  with pytest.raises(ValueError, match='one input'):
    linear_regions.linear_regions_1d(two_inputs)
  with pytest.raises(ValueError, match='2 outputs'):
    linear_regions.linear_regions_1d(two_outputs)
  with pytest.raises(ValueError, match='low must lie below high'):
    linear_regions.linear_regions_1d(HAT, low=1.0, high=1.0)
  regions = linear_regions.linear_regions_1d(HAT, low=0.0, high=1.0)
  with pytest.raises(ValueError, match=r'2.0 lies outside \[0.0, 1.0\]'):
    linear_regions.evaluate(regions, 2.0)
  with pytest.raises(ValueError, match='widths'):
    linear_regions.max_num_regions(())
