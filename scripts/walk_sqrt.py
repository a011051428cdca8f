r"""Trains one small net of one variable and walks it to its formula.

A ReLU net of one variable is a line wherever none of its units switches, so it
is a formula of a few straight pieces. This script trains the net of one seed,
the very run that a sweep of sqrt_failure has for that --seed and --seed_index,
and prints (and writes to formula.txt) its weights, the formula with decimals
and with short fractions, each piece's units and exact error, a polynomial in
the net's place, the walk of each --x from input to answer, how far the formula
in plain Python floats is from the net, and Newton's iteration beside it.
formula.tex holds the formula as LaTeX; net.png draws net, target, kinks (with
the units that switch there) and polynomial. Flags hold one value each here,
but --x and --coefficients. Try some seeds, and see how they end:

  python -m scripts.walk_sqrt --seed_index=5
  python -m scripts.walk_sqrt --target=sin --high=6.3 --hidden_dim=4 \
    --num_steps=10000 --x=1.5,3,4.5
"""

import functools
import pathlib
from typing import Any

from absl import app, flags
import matplotlib.figure

from scripts.shared import (
  experiments,
  launch,
  one_run,
  sqrt_flags,
  walked_formula,
  walked_formula_report,
)
from scripts.shared.list_flags import define_list, number
from scripts.shared.number_flags import (
  MOST_DIGITS,
  MOST_POINTS,
  define_float,
  define_integer,
)
from scripts.shared.walked_formula import Trained
from toyjax import manifest
from toyjax.analysis import formulas, region_errors
from toyjax.analysis.region_errors import Surrogate
from toyjax.plots import piecewise_line

SHOWN = (
  'x',
  'surrogate_degree',
  'max_denominator',
  'num_checked',
  'newton_start',
  'newton_iterations',
  'digits',
)

NAMED = (*sqrt_flags.LISTS, *sqrt_flags.SCALARS, 'seed_index', *SHOWN, 'map')

sqrt_flags.define()
one_run.define(folder='walk_sqrt')
define_list(
  'x',
  [0.25, 1.0, 2.0],
  number(float, float('-inf')),
  'Inputs that are walked, within [--low, --high]. Left alone, those of the '
  'default that lie there, or else the middle.',
)
define_integer(
  'surrogate_degree',
  3,
  "Of the polynomial in the net's place; beyond 20 powers of x lose digits.",
  lower=0,
  upper=20,
)
define_integer(
  'max_denominator', 64, 'Of the short fractions of the formula.', 1
)
define_integer(
  'num_checked',
  1000,
  'Even points of the interval at which the formula is compared with the net.',
  lower=2,
  upper=MOST_POINTS,
)
define_float(
  'newton_start', 1.0, "Where Newton's iteration starts.", lower=1e-6
)
define_integer('newton_iterations', 5, "Of Newton's iteration.", 0, upper=1000)
define_integer(
  'digits', 6, 'After the decimal point, in the walks.', 0, upper=MOST_DIGITS
)


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked against each other.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  one_run.require_single(sqrt_flags.LISTS)
  settings = sqrt_flags.read()
  settings['seed_index'] = FLAGS.seed_index
  settings |= {name: FLAGS[name].value for name in SHOWN}
  low, high = settings['low'], settings['high']
  outside = [x for x in settings['x'] if not low <= x <= high]
  if FLAGS['x'].using_default_value:
    inside = [x for x in settings['x'] if x not in outside]
    settings['x'] = inside or [(low + high) / 2]
  elif outside:
    raise flags.Error(
      f'--x={",".join(f"{x:g}" for x in outside)} lies outside '
      f'[{low:g}, {high:g}], the interval of --low and --high'
    )
  return settings


def describe(
  trained: Trained, surrogate: Surrogate, settings: dict[str, Any]
) -> dict[str, str]:
  """Returns the sections of the text on a net that is finite, by title."""
  report, inputs = walked_formula_report, settings['x']
  low, high = settings['low'], settings['high']
  sections = {
    'The weights': report.describe_weights(trained, digits=settings['digits']),
    f'The formula on [{low:g}, {high:g}]': report.describe_formula(
      trained, max_denominator=settings['max_denominator']
    ),
    'LaTeX': _latex(trained),
    'The pieces': report.describe_regions(trained),
    "A polynomial in the net's place": report.describe_surrogate(surrogate),
    'The walk of each input': report.describe_walks(
      trained, inputs, digits=settings['digits']
    ),
    'Is the formula the net?': report.describe_agreement(
      trained,
      low=low,
      high=high,
      num_points=settings['num_checked'],
      dtype=settings['dtype'],
    ),
  }
  if trained.target == 'sqrt':
    sections[f"Newton's iteration from {settings['newton_start']:g}"] = (
      report.describe_newton(
        trained,
        inputs,
        start=settings['newton_start'],
        num_iterations=settings['newton_iterations'],
      )
    )
  return sections


def _latex(trained: Trained) -> str:
  return formulas.latex(trained.regions, write=formulas.decimals(6))


def draw(
  path: pathlib.Path,
  trained: Trained,
  surrogate: Surrogate,
  settings: dict[str, Any],
) -> None:
  """Draws net, target, kinks and surrogate, and below what is left."""
  figure = matplotlib.figure.Figure((7.5, 6.5), layout='constrained')
  upper, lower = figure.subplots(
    2, 1, sharex=True, gridspec_kw={'height_ratios': (2.4, 1.0)}
  )
  piecewise_line.draw_net(
    upper,
    regions=trained.parts,
    target=trained.target_values,
    target_label=f'target {walked_formula_report.target_of(trained)}',
    surrogate=surrogate.polynomial,
    surrogate_label=f'polynomial of degree {settings["surrogate_degree"]} '
    'nearest to the net',
  )
  piecewise_line.draw_errors(
    lower,
    regions=trained.parts,
    target=trained.target_values,
    surrogate=surrogate.polynomial,
  )
  pieces = len(trained.regions)
  upper.set_title(
    f'Net {walked_formula_report.shape_of(trained)}, seed {settings["seed"]}, '
    f'index {settings["seed_index"]}: '
    f'{trained.outcome.name.lower().replace("_", " ")}, root mean squared '
    f'error {trained.results["rmse"]:.4f}, {pieces} straight '
    f'{"piece" if pieces == 1 else "pieces"}\n'
    'tick: where a unit switches (2.1 is the first of layer 2), grey if the '
    'answer does not bend',
    fontsize='medium',
  )
  figure.savefig(path, dpi=160)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  with experiments.one_line_errors('walk_sqrt'):
    settings = read_settings()
    path = one_run.folder_of('walk_sqrt', NAMED)
    experiments.setup_jax(
      num_devices=FLAGS.num_devices, dtype=settings['dtype']
    )
    (group,) = sqrt_flags.make_groups(settings)
    one_run.require_room(
      functools.partial(walked_formula.make_trial, group, settings),
      group,
      settings,
    )
    with manifest.Workdir(
      path,
      script='walk_sqrt',
      science=settings,
      extent={},
      layout={'map': FLAGS.map},
      environment=experiments.environment(),
    ):
      trained = walked_formula.train(
        group,
        settings,
        seed_index=settings['seed_index'],
        map_name=FLAGS.map,
      )
      parts = [
        walked_formula_report.describe_training(trained, group.static, settings)
      ]
      files = 'formula.txt is'
      if trained.regions:
        files = 'formula.txt, formula.tex and net.png are'
        surrogate = region_errors.surrogate_polynomial(
          trained.regions, degree=settings['surrogate_degree']
        )
        sections = describe(trained, surrogate, settings)
        parts += [f'{t}\n{"-" * len(t)}\n{s}' for t, s in sections.items()]
        (path / 'formula.tex').write_text(f'{_latex(trained)}\n', 'utf-8')
        draw(path / 'net.png', trained, surrogate, settings)
      else:
        parts.append('The weights are not finite: there is nothing to follow.')
      text = '\n\n'.join(parts)
      (path / 'formula.txt').write_text(f'{text}\n', 'utf-8')
    print(f'{text}\n\n{files} in {path}')


if __name__ == '__main__':
  launch.run(main)
