"""The straight pieces of a net as formulas a person can read.

regions --formula--> text        regions --latex--> a cases environment
number --readable--> a short fraction, and what it leaves out
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from toyjax.analysis.nets.linear_regions import End, Region


class Readable(NamedTuple):
  """A number as a short fraction.

  Attributes:
    fraction: the nearest with a denominator up to the limit.
    error: fraction - number, as a float.
  """

  fraction: Fraction
  error: float


def readable(number: Fraction | float, *, max_denominator: int) -> Readable:
  """Returns the nearest short fraction, with the error it leaves.

  Args:
    number: finite.
    max_denominator: >= 1.

  References:
    `fractions.Fraction.limit_denominator`.
  """
  exact = Fraction(number)
  short = exact.limit_denominator(max_denominator)
  return Readable(short, float(short - exact))


# How a number is written: (number) -> text.
Writer = Callable[[Fraction], str]


def decimals(digits: int) -> Writer:
  """Returns a writer of numbers with so many significant digits.

  Args:
    digits: >= 1; 17 keep every bit of a float64.
  """
  return lambda number: f'{float(number):.{digits}g}'


def short_fractions(max_denominator: int) -> Writer:
  """Returns a writer of numbers as `readable` fractions."""
  return lambda number: str(
    readable(number, max_denominator=max_denominator).fraction
  )


def latex_fractions(max_denominator: int) -> Writer:
  r"""Returns a writer of numbers as \frac, `readable` ones."""

  def write(number: Fraction) -> str:
    short = readable(number, max_denominator=max_denominator).fraction
    if short.denominator == 1:
      return str(short)
    sign = '-' if short < 0 else ''
    return rf'{sign}\frac{{{abs(short.numerator)}}}{{{short.denominator}}}'

  return write


def formula(regions: Sequence[Region], *, write: Writer) -> str:
  """Returns the net as text, one line a region.

  Args:
    regions: from `linear_regions_1d`.
    write: `decimals(...)` or `short_fractions(...)`.

  Returns:
    Lines such as 'y = 0.5 x + 1  for 0 <= x <= 2'. At a kink the lines of both
    sides give the same.
  """
  lines = [f'y = {_line(region, write)}' for region in regions]
  width = max(len(line) for line in lines)
  return '\n'.join(
    f'{line:<{width}}  for {_range(region, write, "<=", ">=")}'
    for line, region in zip(lines, regions)
  )


def latex(regions: Sequence[Region], *, write: Writer) -> str:
  r"""Returns the net as LaTeX: y(x) = \begin{cases} ... \end{cases}.

  Args:
    regions: from `linear_regions_1d`.
    write: `decimals(...)` or `latex_fractions(...)`.
  """

  def plain(number: Fraction) -> str:
    mantissa, mark, exponent = write(number).partition('e')
    return rf'{mantissa} \cdot 10^{{{int(exponent)}}}' if mark else mantissa

  below, above = r'\le', r'\ge'
  rows = [
    f'  {_line(region, plain)} & '
    rf'\text{{for }} {_range(region, plain, below, above)}'
    for region in regions
  ]
  body = ' \\\\\n'.join(rows)
  return f'y(x) = \\begin{{cases}}\n{body}\n\\end{{cases}}'


def _line(region: Region, write: Writer) -> str:
  """Returns 'slope x + intercept', less what is zero as written."""
  slope, size = write(region.slope), write(abs(region.intercept))
  if slope in ('0', '-0'):
    return '0' if size == '0' else write(region.intercept)
  term = {'1': 'x', '-1': '-x'}.get(slope, f'{slope} x')
  if size == '0':
    return term
  return f'{term} {"-" if region.intercept < 0 else "+"} {size}'


def _range(region: Region, write: Writer, below: str, above: str) -> str:
  left, right = (_end(region.left, write), _end(region.right, write))
  if left is None:
    return 'all x' if right is None else f'x {below} {right}'
  if right is None:
    return f'x {above} {left}'
  return f'{left} {below} x {below} {right}'


def _end(end: End, write: Writer) -> str | None:
  return write(end) if isinstance(end, Fraction) else None
