"""What is said of one net of one variable, as text, and what is drawn.

Trained --report--> formula.txt, formula.tex, net.png
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
import functools
import math

import numpy as np

from toyjax import tables
from toyjax.analysis.nets import formulas as written
from toyjax.analysis.nets import linear_regions, region_errors, walking
from toyjax.analysis.nets.linear_regions import Region
from toyjax.analysis.nets.region_errors import Surrogate
from toyjax.plots.sheets import Sheet
from toyjax.studies.base import Report
from toyjax.studies.sqrt_failure import formulas, trial
from toyjax.studies.sqrt_failure.figures import interval
from toyjax.studies.walk_sqrt import figure
from toyjax.studies.walk_sqrt.net import Trained, polynomial
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


def report(trained: Trained) -> Report:
  """Returns the text on one net, and of a finite one its formula drawn."""
  parts = [_training(trained)]
  texts, sheets = {}, []
  if trained.regions:
    surrogate = region_errors.surrogate_polynomial(
      trained.regions, degree=trained.values['surrogate_degree']
    )
    latex = written.latex(trained.regions, write=written.decimals(6))
    sections = _sections(trained, surrogate, latex)
    parts += [f'{t}\n{"-" * len(t)}\n{s}' for t, s in sections.items()]
    texts['formula.tex'] = latex
    sheets.append(
      Sheet('net', lambda: figure.draw(trained, surrogate), is_cropped=False)
    )
  else:
    parts.append('The weights are not finite: there is nothing to follow.')
  text = '\n\n'.join(parts)
  return Report(
    [text],
    sheets,
    files={
      name: functools.partial(_write, content)
      for name, content in {'formula.txt': text, **texts}.items()
    },
  )


def _write(text, path):
  path.write_text(f'{text}\n', 'utf-8')


def _sections(
  trained: Trained, surrogate: Surrogate, latex: str
) -> Mapping[str, str]:
  """Returns the sections of the text on a net that is finite, by title."""
  values = trained.values
  sections = {
    'The weights': _weights(trained),
    f'The formula on {interval(values)}': _formula(trained),
    'LaTeX': latex,
    'The pieces': _pieces(trained),
    "A polynomial in the net's place": (
      f'p(x) = {polynomial(surrogate.polynomial.coef)}\n'
      f'leaves of the net: root mean squared {surrogate.rmse:.4g}, '
      f'{surrogate.max_error:.4g} at most'
    ),
    'The walk of each input': '\n\n'.join(
      walking.describe(walking.walk(trained.params, x), digits=values['digits'])
      for x in values['x']
    ),
    'Is the formula the net?': _agreement(trained),
  }
  if values['target'] == 'sqrt':
    title = f"Newton's iteration from {values['newton_start']:g}"
    sections[title] = _newton(trained)
  return sections


def _training(trained: Trained) -> str:
  """Returns which net it is, and how its training ended."""
  values, outcome, last = trained.values, trained.outcome, trained.last
  rate, initial = values['learning_rate'][0], trained.run.data['initial_loss']
  return '\n'.join(
    [
      f'Net {trained.shape} fitted to {trained.target} on '
      f'{interval(values)}: seed {values["seed"]}, '
      f'index {values["seed_index"]}',
      f'init {values["init"]}, {values["optimizer"]} at rate {rate:g}, '
      f'{values["num_steps"]:,} steps on '
      f'{values["num_points"]} points ({values["spacing"]}), '
      f'{values["dtype"]}',
      '',
      f'{outcome.name}: {_MEANINGS[outcome]}',
      'root mean squared error on the grid: before training '
      f'{math.sqrt(initial[0]):.4g}, at the end {last("rmse"):.6g}',
      f'(level {values["solved_rmse"]:g}); largest error '
      f'{last("max_error"):.4g}',
      f'units: {last("num_switching")} switch on the interval, '
      f'{last("num_linear")} always on, {last("num_dead")} dead',
    ]
  )


def _weights(trained: Trained) -> str:
  """Returns all weights and biases, row by row."""
  digits, lines = trained.values['digits'], []
  for k, (weight, bias) in enumerate(trained.params.layers, start=1):
    for unit, (row, offset) in enumerate(zip(weight, bias), start=1):
      numbers = ', '.join(f'{w:.{digits}f}' for w in row)
      lines.append(
        f'W{k}[{unit}] = [{numbers}]  b{k}[{unit}] = {offset:.{digits}f}'
      )
  return '\n'.join(lines)


def _formula(trained: Trained) -> str:
  """Returns the formula with decimals and with short fractions."""
  limit = linear_regions.max_num_regions(trial.widths(trained.values))
  regions, most = trained.regions, trained.values['max_denominator']
  attained = '' if limit.is_attained else ' (a bound; none is known to have it)'
  return '\n'.join(
    [
      f'Straight pieces: {len(regions)} here, '
      f'{len(trained.pieces.everywhere)} on the whole line; a net '
      f'{trained.shape} has at most {limit.num_regions}{attained}.',
      '',
      written.formula(regions, write=written.decimals(6)),
      '',
      f'With fractions of denominators up to {most}, which move the '
      f'answer by {_rounding(regions, most):.2g} at most:',
      '',
      written.formula(regions, write=written.short_fractions(most)),
    ]
  )


def _rounding(regions: Sequence[Region], max_denominator: int) -> float:
  """Returns how far short fractions move the lines, within their regions."""

  def short(number: Fraction) -> Fraction:
    return written.readable(number, max_denominator=max_denominator).fraction

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


def _pieces(trained: Trained) -> str:
  """Returns each region's pattern and the exact error it leaves."""
  regions = trained.regions
  squared = region_errors.integrated_squared_errors(
    regions, **trial.target(trained.values)
  )
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
    for region, error in zip(regions, squared)
  ]
  length = float(regions[-1].right) - float(regions[0].left)
  num_silent = len(trained.parts) - len(regions)
  note = (
    f'; places where units switch and the answer does not bend: {num_silent},'
    '\nso a row shows the leftmost pattern of its piece'
    if num_silent
    else ''
  )
  return '\n'.join(
    [
      tables.align(('from', 'to', 'units on', 'squared error', 'share'), lines),
      '',
      f'(units on: 1 on, 0 off, layer by layer{note})',
      f'Integrated squared error, exactly: {squared.sum():.6g}; root mean '
      f'squared {math.sqrt(squared.sum() / length):.6g}',
      f'on the interval, beside {trained.last("rmse"):.6g} on the grid of '
      'training.',
    ]
  )


def _agreement(trained: Trained) -> str:
  """Returns how far the formula in plain floats is from the net."""
  values = trained.values
  found = formulas.compare(
    formulas.first_nets(trained.run, 1),
    [trained.pieces],
    values,
  )
  tolerance = formulas.TOLERANCES[values['dtype']]

  def judged(differences: np.ndarray) -> str:
    (difference,) = differences
    kept = 'within' if difference <= tolerance else 'NOT within'
    return f'{difference:.2g}, {kept} {tolerance:g}'

  note = (
    ''
    if found.pointwise[0] <= tolerance
    else ' (where it is not, |answer| is at most '
    f'{found.failing_size[0]:.2g} of the largest)'
  )
  return (
    f'At {values["num_checked"]:,} even points, formula in plain Python floats '
    f'less net in {values["dtype"]}, at most:\n'
    f'over the largest |answer|:   {judged(found.of_largest)}\n'
    f'over |answer| at the point:  {judged(found.pointwise)}{note}'
  )


def _newton(trained: Trained) -> str:
  """Returns Newton's values for √x beside the net's, with their operations."""
  values = trained.values
  iterations = range(values['newton_iterations'] + 1)
  lines = []
  for x in values['x']:
    net = linear_regions.evaluate(trained.regions, x)
    found = sqrt_mlp.newton_sqrt(
      x, start=values['newton_start'], num_iterations=iterations[-1]
    )
    numbers = (math.sqrt(x), net, *found)
    lines.append([f'{x:g}', *(f'{number:.6f}' for number in numbers)])
  net_operations = sqrt_mlp.num_net_operations(trial.widths(values))
  operations = [str(sqrt_mlp.NEWTON_OPERATIONS * k) for k in iterations]
  lines.append(['operations', '', str(net_operations), *operations])
  header = ['x', '√x', 'net', *(f'y{k}' for k in iterations)]
  return tables.align(header, lines)
