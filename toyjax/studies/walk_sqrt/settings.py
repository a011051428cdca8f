"""Settings of the walk of one net of one variable: those of its sweep, too."""

from toyjax.parsers import ANY, COUNT, DIGITS, MOST_POINTS, Number, SettingError
from toyjax.settings import Values, fixed
from toyjax.studies import one_run
from toyjax.studies.sqrt_failure import settings as sweep


def _inside(value: list[float], is_given: bool, values: Values) -> list[float]:
  """Returns the inputs; of the default those that lie in the interval."""
  low, high = values['low'], values['high']
  outside = [x for x in value if not low <= x <= high]
  if not is_given:
    return [x for x in value if x not in outside] or [(low + high) / 2]
  if outside:
    raise SettingError(
      f'--x={",".join(f"{x:g}" for x in outside)} lies outside '
      f'[{low:g}, {high:g}], the interval of --low and --high'
    )
  return value


_SHOWN = (
  fixed(
    'x',
    [0.25, 1.0, 2.0],
    ANY,
    'Inputs that are walked, within [--low, --high]. Left alone, those of the '
    'default that lie there, or else the middle.',
    held_in='float64',
    follow=_inside,
  ),
  fixed(
    'surrogate_degree',
    3,
    Number(int, 0, 20),
    "Of the polynomial in the net's place; beyond 20 powers of x lose digits.",
  ),
  fixed('max_denominator', 64, COUNT, 'Of the short fractions of the formula.'),
  fixed(
    'num_checked',
    1000,
    Number(int, 2, MOST_POINTS),
    'Even points of the interval at which the formula is compared with the '
    'net.',
  ),
  fixed(
    'newton_start',
    1.0,
    Number(float, 1e-6),
    "Where Newton's iteration starts.",
    held_in='float64',
  ),
  fixed('newton_iterations', 5, Number(int, 0, 1000), "Of Newton's iteration."),
  fixed('digits', 6, DIGITS, 'After the decimal point, in the walks.'),
)
_SEED, _INDEX, _DTYPE, _MAP, *_MACHINE = one_run.rows('walk_sqrt')

# What tells runs apart, in the order of the names of their folders.
NAMED = (
  *sweep.NET,
  sweep.STEPS[0],
  sweep.LEVEL,
  _SEED,
  _DTYPE,
  _INDEX,
  *_SHOWN,
  _MAP,
)
SETTINGS = (*NAMED, *_MACHINE)


def complete(values: Values) -> Values:
  """Returns the values, which are those of one net and fit each other.

  Raises:
    SettingError: naming the setting that does not.
  """
  one_run.require_single(SETTINGS, values)
  return sweep.complete(values)
