r"""How much harder are two hidden dimensions than three?

Reads a folder of `scripts.optimization_failure` that was swept over
--num_features and --num_hidden, trains nothing, and says at each observed step
what share of runs has failed, that is, is not solved: sizes.csv has one row per
n, m and step with its Wilson interval, ratios.csv the failure rate of the first
of --compare over that of the second with Koopman's score interval, sizes.png
shows both. All of it lies in WORKDIR/sizes, or in --output.

  python -m scripts.optimization_failure --num_features=3,4,5,6,7,8,9,10,12 \
    --num_hidden=2,3,4 --num_seeds=1024 --workdir=runs/sizes
  python -m scripts.failure_sizes --workdir=runs/sizes
"""

from collections.abc import Iterator, Sequence
import logging
import pathlib
from typing import Any

from absl import app, flags
import matplotlib.figure
import numpy as np

from scripts.shared import (
  experiments,
  failure_grid,
  failure_runs,
  grids,
  launch,
  stored_folder,
  tables,
)
from scripts.shared.list_flags import define_list, number
from scripts.shared.path_flags import define_path
from toyjax import manifest, statistics
from toyjax.plots import rates as rate_plots
from toyjax.toys.relu_autoencoder import Outcome

_LOGGER = logging.getLogger('toyjax.scripts')

define_path('workdir', 'runs/sizes', 'Folder of scripts.optimization_failure.')
define_list(
  'compare',
  [2, 3],
  number(int, 1),
  'Two values of m: the first rate over the second.',
)
define_path('output', '', "Folder for the results; '' is WORKDIR/sizes.")
define_list(
  'show_steps',
  [5000, 25_000],
  number(int, 1),
  'Observed steps to show; others are in the tables.',
)

SOLVED = (Outcome.SOLVED_REGULAR, Outcome.SOLVED_IRREGULAR)


def read(path: pathlib.Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
  """Returns one row per n, m and observed step, and the folder's manifest.

  Raises:
    WorkdirError: where the folder holds nothing, or swept something else.
    StoreError: where it is damaged.
  """
  found, groups = stored_folder.read(str(path))
  settings = found['science']
  for name in failure_grid.LISTS:
    if name not in failure_grid.SHAPES and len(settings[name]) > 1:
      raise manifest.WorkdirError(
        f'{path} was also swept over --{name}; only --num_features and '
        '--num_hidden may vary'
      )
  store = path / stored_folder.STORE
  begun = [group for group in groups if grids.is_begun(store, group)]
  for group in groups:
    if group not in begun:
      _LOGGER.warning(
        '%s: no run of %s is there, so that size is left out', path, group.name
      )
  for group in begun:
    stored_folder.open_group(str(path), group)
  configurations = failure_runs.read(
    store,
    begun,
    settings,
    columns=failure_grid.LISTS,
    relabel=False,
  )
  rows = []
  for configuration in configurations:
    if not len(configuration.outcomes):
      continue
    failed = ~np.isin(configuration.outcomes, SOLVED)
    for k, step in enumerate(settings['observe_steps']):
      count, total = int(failed[:, k].sum()), len(failed)
      interval = statistics.wilson(count, total)
      rows.append(
        {
          'num_features': configuration.flags['num_features'],
          'num_hidden': configuration.flags['num_hidden'],
          'step': step,
          'failed': count,
          'total': total,
          'fraction': interval.estimate,
          'lower': interval.lower,
          'upper': interval.upper,
        }
      )
  if not rows:
    raise manifest.WorkdirError(f'{path} has no finished run yet')
  return rows, found


def compare(
  rows: Sequence[dict[str, Any]], first: int, second: int
) -> Iterator[dict[str, Any]]:
  """Yields the ratio of failure rates at m = first over m = second."""
  by_size = {
    (row['num_features'], row['num_hidden'], row['step']): row for row in rows
  }
  for (num_features, num_hidden, step), row in by_size.items():
    other = by_size.get((num_features, second, step))
    if num_hidden != first or other is None:
      continue
    ratio = statistics.ratio(
      row['failed'], row['total'], other['failed'], other['total']
    )
    yield {
      'num_features': num_features,
      'step': step,
      'first_hidden': first,
      'second_hidden': second,
      'first_failed': row['failed'],
      'first_total': row['total'],
      'second_failed': other['failed'],
      'second_total': other['total'],
      'ratio': ratio.estimate,
      'lower': ratio.lower,
      'upper': ratio.upper,
    }


def draw(
  path: pathlib.Path,
  rows: Sequence[dict[str, Any]],
  ratios: Sequence[dict[str, Any]],
  settings: dict[str, Any],
  shown_steps: Sequence[int],
) -> None:
  """Draws failure rates against n for each m, and their ratio."""
  figure = matplotlib.figure.Figure(
    (4.4 * (len(shown_steps) + 1), 4.2), layout='constrained'
  )
  grid = figure.subplots(1, len(shown_steps) + 1)
  hidden = sorted({row['num_hidden'] for row in rows})
  for step, axes in zip(shown_steps, grid):
    for num_hidden in hidden:
      own = [
        row
        for row in rows
        if (row['num_hidden'], row['step']) == (num_hidden, step)
      ]
      rate_plots.draw_intervals(
        axes,
        x=[row['num_features'] for row in own],
        intervals=[
          (row['fraction'], row['lower'], row['upper']) for row in own
        ],
        label=f'm = {num_hidden}',
        place=hidden.index(num_hidden),
      )
    axes.set_title(f'after {step:,} steps', fontsize='medium')
    axes.set_ylabel('share of runs that have not solved')
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel('n, features')
    axes.legend(frameon=False)
  for place, step in enumerate(shown_steps):
    own = [row for row in ratios if row['step'] == step]
    rate_plots.draw_intervals(
      grid[-1],
      x=[row['num_features'] for row in own],
      intervals=[(row['ratio'], row['lower'], row['upper']) for row in own],
      label=f'{step:,} steps',
      place=place + 2,  # Colours of their own.
    )
  grid[-1].set_yscale('log')
  grid[-1].axhline(1.0, color='black', linewidth=0.8)
  grid[-1].set_xlabel('n, features')
  if ratios:
    grid[-1].set_ylabel(
      f'failure rate at m = {ratios[0]["first_hidden"]} over '
      f'm = {ratios[0]["second_hidden"]}'
    )
  grid[-1].set_title('ratio (Koopman)', fontsize='medium')
  grid[-1].legend(frameon=False)
  fewest = min(row['total'] for row in rows)
  figure.suptitle(
    f'Failure to solve X = I by number of hidden dimensions m ({fewest:,} '
    f'seeds each, {settings["optimizer"][0]} lr '
    f'{settings["learning_rate"][0]:g}; whiskers: 95 % intervals; triangles: '
    'lower end where no run failed at the second m)',
    fontsize='medium',
  )
  figure.savefig(path, dpi=140)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  with experiments.one_line_errors('failure_sizes'):
    if len(FLAGS.compare) != 2:
      raise flags.Error(f'--compare takes two values of m: {FLAGS.compare}')
    first, second = FLAGS.compare
    rows, found = read(path)
    settings = found['science']
    experiments.setup_jax(num_devices=1, dtype=settings['dtype'])
    ratios = list(compare(rows, first, second))
    observed = settings['observe_steps']
    shown = [step for step in FLAGS.show_steps if step in observed]
    output = pathlib.Path(FLAGS.output) if FLAGS.output else path / 'sizes'
    with stored_folder.output(
      output,
      script='failure_sizes',
      science=settings,
      extent=found['extent'],
      layout=found['layout'],
    ) as workdir:
      tables.write_csv(output / 'sizes.csv', rows)
      if ratios:
        tables.write_csv(output / 'ratios.csv', ratios)
      draw(output / 'sizes.png', rows, ratios, settings, shown or observed[-1:])
      workdir.note(compared=[first, second], shown=shown or observed[-1:])
    print(
      tables.format_table(
        ('n', 'step', f'm = {first}', f'm = {second}', 'ratio', 'from', 'to'),
        [
          [
            str(row['num_features']),
            str(row['step']),
            f'{row["first_failed"]}/{row["first_total"]}',
            f'{row["second_failed"]}/{row["second_total"]}',
            *(f'{row[name]:.4g}' for name in ('ratio', 'lower', 'upper')),
          ]
          for row in ratios
          if row['step'] in (shown or observed[-1:])
        ],
      )
    )
    print(f'\nsizes.csv, ratios.csv and sizes.png are in {output}')


if __name__ == '__main__':
  launch.run(main)
