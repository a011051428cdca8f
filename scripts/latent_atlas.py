r"""Draws the atlas of a finished sweep: what runs end as, and how many do.

Reads a folder of scripts.optimization_failure and trains nothing. For each
group of the store it draws

  atlas_GROUP.png   a latent plane for each class of runs, with its count, its
                    share and the 95 % Wilson interval. Classes are the labels
                    at the chosen step, or, where the folder has been certified
                    (certificates.zarr), the verdict and the catalogue entry.
  radii_GROUP.png   the row norms of all solved runs: two circles, or a
                    continuum?
  phase.png         where the sweep varies the learning rate or the init scale:
                    all outcomes over both, with intervals.

The numbers stand in atlas.csv, radii.csv, circles.csv (how the rows of runs on
two circles split) and phase.csv. All of it lies in WORKDIR/atlas, or in
--output.

  python -m scripts.optimization_failure --num_features=7 --num_seeds=512 \
    --num_steps=5000 --workdir=runs/seven
  python -m scripts.latent_atlas --workdir=runs/seven
  python -m scripts.optimization_failure --num_features=7 --num_seeds=512 \
    --learning_rate=3e-4,1e-3,3e-3,1e-2 --init_scale=0.25,0.5,1,2,4 \
    --workdir=runs/phases
  python -m scripts.latent_atlas --workdir=runs/phases --configuration=7
"""

from collections.abc import Sequence
import pathlib
from typing import Any

from absl import app, flags

from scripts.shared import (
  atlas_classes,
  atlas_figures,
  experiments,
  failure_grid,
  failure_runs,
  grids,
  launch,
  phase_figures,
  radius_report,
  stored_folder,
  tables,
)
from scripts.shared.list_flags import define_list, number
from scripts.shared.number_flags import define_integer, define_num_devices
from scripts.shared.path_flags import define_path

define_path(
  'workdir',
  'runs/optimization_failure',
  'Folder of scripts.optimization_failure to read.',
)
flags.DEFINE_string('group', '', "One group, such as n7_m2; '' draws all.")
define_path('output', '', "Folder for the results; '' is WORKDIR/atlas.")
flags.DEFINE_enum(
  'by',
  'auto',
  ('auto', *atlas_classes.BY),
  'What the classes are; auto takes certificates where the folder has them and '
  '--step is the last.',
)
define_integer(
  'step', 0, 'Observed step to draw, in optimizer steps; 0 is the last.', 0
)
define_integer(
  'configuration',
  0,
  'Where a group has several points of the grid: the number of the one whose '
  'atlas and radii are drawn, from 0; the learning rate runs slowest.',
  lower=0,
)
define_integer(
  'num_members',
  1,
  'Panels of each class, the most typical run first.',
  1,
  upper=100,
)
define_integer(
  'max_panels',
  12,
  'Panels in all; what is left out is counted.',
  1,
  upper=400,
)
define_list(
  'circle_tolerance',
  [0.05, 0.02, 0.1],
  number(float, 0.0, exclusive=True),
  'Norms this close to each other, as a fraction, lie on one circle; the first '
  'is drawn. .05 is what the label of a regular polygon allows.',
)
define_num_devices(
  'Host (CPU) devices; 0 means one for each core. Nothing is trained.'
)


def choose_by(step: int, last_step: int) -> str:
  """Returns what the classes are, one of `atlas_classes.BY`."""
  FLAGS = flags.FLAGS
  if FLAGS.by != 'auto':
    return FLAGS.by
  stored = pathlib.Path(FLAGS.workdir) / atlas_classes.CERTIFICATES
  certified = stored.exists() and step == last_step
  return 'certificate' if certified else 'outcome'


def draw_group(
  group: grids.Group, path: pathlib.Path, *, step: int, by: str
) -> dict[str, list[dict[str, Any]]]:
  """Draws the atlas and the radii of a group; returns rows of each table."""
  FLAGS = flags.FLAGS
  population = atlas_classes.read(
    FLAGS.workdir,
    group,
    configuration=FLAGS.configuration,
    step=step,
    by=by,
  )
  columns = {'group': group.name, 'configuration': FLAGS.configuration}
  classes = atlas_classes.classify(population, FLAGS.num_members)
  if group.static['num_hidden'] == 2:
    atlas_figures.draw_atlas(
      path / f'atlas_{group.name}.png',
      population,
      classes,
      max_panels=FLAGS.max_panels,
    )
  else:
    print(f'{group.name}: no atlas, m = {group.static["num_hidden"]}, not 2')
  tolerances = FLAGS.circle_tolerance
  radii = radius_report.rows(columns, population, tolerances)
  if radii[0]['num_solved']:
    radius_report.draw(
      path / f'radii_{group.name}.png',
      population,
      radii,
      tolerance=tolerances[0],
    )
  else:
    print(f'{group.name}: no radii, for no run is solved')
  return {
    'atlas': atlas_figures.rows(columns, population, classes),
    'radii': radii,
    'circles': radius_report.split_rows(columns, population, tolerances[0]),
  }


def print_classes(rows: Sequence[dict[str, Any]]) -> None:
  """Prints the classes with their shares."""
  header = ('group', 'class', 'count', 'of', 'share', '95 % interval', 'SSE')
  cells = [
    [
      row['group'],
      row['class'],
      str(row['count']),
      str(row['total']),
      tables.percent(row['fraction']),
      tables.percent_interval(row['lower'], row['upper']),
      f'{row["sse_median"]:.3g}',
    ]
    for row in rows
  ]
  print(f'\n{tables.format_table(header, cells)}')


def print_radii(rows: Sequence[dict[str, Any]]) -> None:
  """Prints on how many circles the rows of solved runs lie."""
  header = ('group', 'within', 'rows lie on', 'count', 'of', 'share',
            '95 % interval', 'by chance')  # fmt: skip
  cells = [
    [
      row['group'],
      f'{100 * row["tolerance"]:g}%',
      row['kind'].replace('_', ' '),
      str(row['count']),
      str(row['num_solved']),
      tables.percent(row['fraction']),
      tables.percent_interval(row['lower'], row['upper']),
      '' if row['by_chance'] is None else tables.percent(row['by_chance']),
    ]
    for row in rows
    if row['num_solved']
  ]
  if cells:
    print(
      f'\nRow norms of solved runs:\n\n{tables.format_table(header, cells)}'
    )


def print_splits(rows: Sequence[dict[str, Any]]) -> None:
  """Prints how runs on two circles split their rows."""
  header = ('group', 'outer + inner', 'count', 'of', 'share', '95 % interval',
            'outer adjacent', 'radii (medians)')  # fmt: skip
  cells = [
    [
      row['group'],
      f'{row["num_outer"]} + {row["num_inner"]}',
      str(row['count']),
      str(row['num_on_two_circles']),
      tables.percent(row['fraction']),
      tables.percent_interval(row['lower'], row['upper']),
      str(row['outer_adjacent']),
      f'{row["outer_radius_median"]:.3f} and {row["inner_radius_median"]:.3f}',
    ]
    for row in rows
  ]
  if cells:
    print(f'\nRuns on two circles:\n\n{tables.format_table(header, cells)}')


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  with experiments.one_line_errors('latent_atlas'):
    found, groups = stored_folder.read(FLAGS.workdir)
    if FLAGS.group:
      groups = [stored_folder.choose_group(groups, FLAGS.group)]
    settings = found['science']
    steps = settings['observe_steps']
    step = FLAGS.step or steps[-1]
    if step not in steps:
      raise flags.Error(
        f'--step={step} was not observed: choose one of {steps}'
      )
    by = choose_by(step, steps[-1])
    experiments.setup_jax(
      num_devices=FLAGS.num_devices, dtype=settings['dtype']
    )
    default = pathlib.Path(FLAGS.workdir) / 'atlas'
    path = pathlib.Path(FLAGS.output) if FLAGS.output else default
    with stored_folder.output(
      path,
      script='latent_atlas',
      science=settings,
      extent=found['extent'],
      layout=found['layout'],
    ) as workdir:
      drawn = [draw_group(group, path, step=step, by=by) for group in groups]
      rows = {
        name: [row for tables_of in drawn for row in tables_of[name]]
        for name in drawn[0]
      }
      for name, found_rows in rows.items():
        if found_rows:
          tables.write_csv(path / f'{name}.csv', found_rows)
      print_classes(rows['atlas'])
      print_radii(rows['radii'])
      print_splits(rows['circles'])
      configurations = list(
        failure_runs.read(
          pathlib.Path(FLAGS.workdir) / 'results.zarr',
          groups,
          settings,
          columns=failure_grid.LISTS,
          relabel=False,
        )
      )
      phases = phase_figures.draw_all(path, configurations, settings, step)
      if phases:
        tables.write_csv(
          path / 'phase.csv', phase_figures.rows(configurations, settings, step)
        )
      workdir.note(
        drawn={
          'by': by,
          'step': step,
          'configuration': FLAGS.configuration,
          'num_members': FLAGS.num_members,
        }
      )
    print('\n'.join(['', *phases, f'all of it is in {path}']))


if __name__ == '__main__':
  launch.run(main)
