"""What is said of one net of one variable, as text.

Trained --describe_*--> training, weights, formula, errors, walks, Newton
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
import math
from typing import Any

import jax

from scripts.shared import sqrt_formulas, tables
from scripts.shared.walked_formula import Trained
from toyjax.analysis import formulas, linear_regions, walking
from toyjax.analysis.linear_regions import Region
from toyjax.analysis.region_errors import Surrogate
from toyjax.toys import sqrt_mlp
from toyjax.toys.sqrt_mlp import Outcome

_MEANINGS = {
  Outcome.DIVERGED: 'weights or error are not finite',
  Outcome.REACHED: 'the error is below the level',
  Outcome.UNRESOLVED: 'the error is above the level and still falling',
  Outcome.CONSTANT: 'collapsed: the same answer everywhere',
  Outcome.ONE_LINE: 'collapsed: one line',
  Outcome.DEAD_UNITS: 'bent, above the level, and a unit is off everywhere',
  Outcome.ALL_LIVE: 'bent, above the level, though every unit is on somewhere',
}


def shape_of(trained: Trained) -> str:
  """Returns the widths, such as 1-2-2-1."""
  return '-'.join(str(n) for n in (1, *trained.widths, 1))


def target_of(trained: Trained) -> str:
  """Returns the target as text."""
  if trained.target == 'polynomial':
    return _polynomial(trained.coefficients)
  return {'sqrt': '√x', 'log': 'log x', 'sin': 'sin x'}[trained.target]


def _polynomial(coefficients: Iterable[Any]) -> str:
  """Returns a polynomial as text, the constant first."""
  terms = [
    f'{c:.6g}' + (('', ' x')[k] if k < 2 else f' x^{k}')
    for k, c in enumerate(coefficients)
    if c
  ]
  return ' + '.join(terms).replace('+ -', '- ')


def describe_training(
  trained: Trained, static: Mapping[str, Any], settings: Mapping[str, Any]
) -> str:
  """Returns which net it is, and how its training ended."""
  found, outcome = trained.results, trained.outcome
  optimizer = f'{static["optimizer"]} at rate {settings["learning_rate"][0]:g}'
  level = f'level {settings["solved_rmse"]:g}'
  return '\n'.join(
    [
      f'Net {shape_of(trained)} fitted to {target_of(trained)} on '
      f'[{settings["low"]:g}, {settings["high"]:g}]: seed {settings["seed"]}, '
      f'index {settings["seed_index"]}',
      f'init {static["init"]}, {optimizer}, {settings["num_steps"]:,} steps on '
      f'{settings["num_points"]} points ({settings["spacing"]}), '
      f'{settings["dtype"]}',
      '',
      f'{outcome.name}: {_MEANINGS[outcome]}',
      'root mean squared error on the grid: before training '
      f'{math.sqrt(found["initial_loss"]):.4g}, at the end {found["rmse"]:.6g}',
      f'({level}); largest error {found["max_error"]:.4g}',
      f'units: {found["num_switching"]} switch on the interval, '
      f'{found["num_linear"]} always on, {found["num_dead"]} dead',
    ]
  )


def describe_weights(trained: Trained, *, digits: int) -> str:
  """Returns all weights and biases, row by row."""
  lines = []
  for k, (weight, bias) in enumerate(trained.params.layers, start=1):
    for unit, (row, offset) in enumerate(zip(weight, bias), start=1):
      numbers = ', '.join(f'{w:.{digits}f}' for w in row)
      lines.append(
        f'W{k}[{unit}] = [{numbers}]  b{k}[{unit}] = {offset:.{digits}f}'
      )
  return '\n'.join(lines)


def describe_formula(trained: Trained, *, max_denominator: int) -> str:
  """Returns the formula with decimals and with short fractions."""
  limit = linear_regions.max_num_regions(trained.widths)
  regions = trained.regions
  attained = '' if limit.is_attained else ' (a bound; none is known to have it)'
  return '\n'.join(
    [
      f'Straight pieces: {len(regions)} here, {trained.num_everywhere} on the '
      f'whole line; a net {shape_of(trained)} has at most {limit.num_regions}'
      f'{attained}.',
      '',
      formulas.formula(regions, write=formulas.decimals(6)),
      '',
      f'With fractions of denominators up to {max_denominator}, which move the '
      f'answer by {_rounding(regions, max_denominator):.2g} at most:',
      '',
      formulas.formula(
        regions, write=formulas.short_fractions(max_denominator)
      ),
    ]
  )


def _rounding(regions: Sequence[Region], max_denominator: int) -> float:
  """Returns how far short fractions move the lines, within their regions."""

  def short(number: Fraction) -> Fraction:
    return formulas.readable(number, max_denominator=max_denominator).fraction

  return max(
    abs(
      float(
        (short(region.slope) - region.slope) * Fraction(end)
        + short(region.intercept)
        - region.intercept
      )
    )
    for region in regions
    for end in (region.left, region.right)
  )


def describe_regions(trained: Trained) -> str:
  """Returns each region's pattern and the exact error it leaves."""
  squared = trained.squared_errors()
  lines = [
    [
      f'{float(region.left):.6g}',
      f'{float(region.right):.6g}',
      ' '.join(
        ''.join('1' if is_on else '0' for is_on in layer)
        for layer in region.pattern
      ),
      f'{error:.4g}',
      tables.percent(error / squared.sum()) if squared.sum() else '',
    ]
    for region, error in zip(trained.regions, squared)
  ]
  header = ('from', 'to', 'units on', 'squared error', 'share')
  length = float(trained.regions[-1].right) - float(trained.regions[0].left)
  num_silent = len(trained.parts) - len(trained.regions)
  note = (
    f'; places where units switch and the answer does not bend: {num_silent},'
    '\nso a row shows the leftmost pattern of its piece'
    if num_silent
    else ''
  )
  return '\n'.join(
    [
      tables.format_table(header, lines),
      '',
      f'(units on: 1 on, 0 off, layer by layer{note})',
      f'Integrated squared error, exactly: {squared.sum():.6g}; root mean '
      f'squared {math.sqrt(squared.sum() / length):.6g}',
      f'on the interval, beside {trained.results["rmse"]:.6g} on the grid of '
      'training.',
    ]
  )


def describe_surrogate(surrogate: Surrogate) -> str:
  """Returns the polynomial and the error it leaves."""
  return (
    f'p(x) = {_polynomial(surrogate.polynomial.coef)}\n'
    f'leaves of the net: root mean squared {surrogate.rmse:.4g}, '
    f'{surrogate.max_error:.4g} at most'
  )


def describe_walks(
  trained: Trained, inputs: Sequence[float], *, digits: int
) -> str:
  """Returns the walk of each input, number by number."""
  return '\n\n'.join(
    walking.describe(walking.walk(trained.params, x), digits=digits)
    for x in inputs
  )


def describe_agreement(
  trained: Trained, *, low: float, high: float, num_points: int, dtype: str
) -> str:
  """Returns how far the formula in plain floats is from the net."""
  stacked = jax.tree.map(lambda leaf: leaf[None], trained.params)
  (found,) = sqrt_formulas.compare(
    stacked,
    [sqrt_formulas.pieces_of(trained.params, low, high)],
    low=low,
    high=high,
    num_points=num_points,
    dtype=dtype,
  )
  tolerance = sqrt_formulas.TOLERANCES[dtype]

  def judged(difference: float) -> str:
    kept = 'within' if difference <= tolerance else 'NOT within'
    return f'{difference:.2g}, {kept} {tolerance:g}'

  note = (
    ''
    if found.pointwise <= tolerance
    else ' (where it is not, |answer| is at most '
    f'{found.failing_size:.2g} of the largest)'
  )
  return (
    f'At {num_points:,} even points, formula in plain Python floats less net '
    f'in {dtype}, at most:\n'
    f'over the largest |answer|:   {judged(found.of_largest)}\n'
    f'over |answer| at the point:  {judged(found.pointwise)}{note}'
  )


def describe_newton(
  trained: Trained,
  inputs: Sequence[float],
  *,
  start: float,
  num_iterations: int,
) -> str:
  """Returns Newton's values for √x beside the net's, with their operations."""
  header = ['x', '√x', 'net', *(f'y{k}' for k in range(num_iterations + 1))]
  lines = []
  for x in inputs:
    net = linear_regions.evaluate(trained.regions, x)
    values = sqrt_mlp.newton_sqrt(x, start=start, num_iterations=num_iterations)
    numbers = (math.sqrt(x), net, *values)
    lines.append([f'{x:g}', *(f'{number:.6f}' for number in numbers)])
  operations = [
    sqrt_mlp.NEWTON_OPERATIONS * k for k in range(num_iterations + 1)
  ]
  net_operations = sqrt_mlp.num_net_operations(trained.widths)
  lines.append(
    ['operations', '', str(net_operations), *(str(n) for n in operations)]
  )
  return tables.format_table(header, lines)
