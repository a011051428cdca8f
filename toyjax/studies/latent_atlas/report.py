"""What the atlas of a sweep shows: its tables and pictures, group by group."""

from collections.abc import Sequence

from toyjax import tables
from toyjax.plots.sheets import Sheet
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.studies.base import Report
from toyjax.studies.folders import Folder
from toyjax.studies.latent_atlas import classes, figures, phases, radii
from toyjax.tables import Column, Row, Table, column, percent, shares
from toyjax.toys.relu_autoencoder import Outcome


def report(folder: Folder, stages: Sequence[Stage], values: Values) -> Report:
  """Returns all tables and sheets of some groups of a folder.

  Args:
    folder: of optimization_failure.
    stages: of the groups.
    values: configuration, step, by, num_members, max_panels and
      circle_tolerance.

  Raises:
    SettingError: where the folder does not hold what is asked for.
  """
  drawn = {name: values[name] for name in ('by', 'step', 'configuration')}
  tolerances = values['circle_tolerance']
  rows: dict[str, list[Row]] = {'atlas': [], 'radii': [], 'circles': []}
  sheets: list[Sheet] = []
  left_out = []
  found = []
  for stage in stages:
    configurations = folder.split(stage, folder.open(stage))
    found += configurations
    population = classes.populate(folder, configurations, **drawn)
    own = classes.classify(population, values['num_members'])
    around = list(radii.rows(population, tolerances))
    columns: Row = {
      'group': stage.name,
      'configuration': values['configuration'],
    }
    for name, of_group in (
      ('atlas', own),
      ('radii', around),
      ('circles', radii.split_rows(population, tolerances[0])),
    ):
      rows[name] += [{**columns, **row} for row in of_group]
    num_hidden = stage.values['num_hidden']
    if num_hidden == 2:
      sheets.append(figures.atlas(population, own, values['max_panels']))
    else:
      left_out.append(f'{stage.name}: no atlas, m = {num_hidden}, not 2')
    if around[0]['num_solved']:
      sheets.append(radii.sheet(population, around))
    else:
      left_out.append(f'{stage.name}: no radii, for no run is solved')
  diagrams = phases.phases(found, folder.values, values['step'])
  counted = tables.outcomes(folder.values['observe_steps'], Outcome)
  cells = [
    row
    for row in tables.each(found if diagrams else [], counted)
    if row['step'] == values['step']
  ]
  atlas = _atlas(rows['atlas'])
  return Report(
    (
      '\n'.join(left_out),
      atlas,
      atlas.body(),
      _radii(rows['radii']),
      _circles(rows['circles']),
      Table('phase', cells),
    ),
    [*sheets, *diagrams],
    {'drawn': drawn | {'num_members': values['num_members']}},
  )


def _atlas(rows: Sequence[Row]) -> Table:
  """Returns the classes with their shares; they have no title of their own."""
  columns = (
    column('group'),
    column('class'),
    *shares(),
    column('sse_median', 'SSE', '.3g'),
  )
  return Table('atlas', rows, shown=columns)


def _radii(rows: Sequence[Row]) -> Table:
  """Returns on how many circles the rows of solved runs lie."""
  columns = (
    column('group'),
    Column('within', lambda row: f'{100 * row["tolerance"]:g}%'),
    Column('rows lie on', lambda row: row['kind'].replace('_', ' ')),
    *shares('_share'),
    column('by_chance', 'by chance', percent),
  )
  return Table(
    *('radii', rows, 'Row norms of solved runs:', columns),
    where=lambda row: row['num_solved'] > 0,
  )


def _circles(rows: Sequence[Row]) -> Table:
  """Returns how runs on two circles split their rows."""

  def sizes(row: Row) -> str:
    return f'{row["num_outer"]} + {row["num_inner"]}'

  def medians(row: Row) -> str:
    outer, inner = (row[f'{k}_radius_median'] for k in ('outer', 'inner'))
    return f'{outer:.3f} and {inner:.3f}'

  columns = (
    column('group'),
    Column('outer + inner', sizes),
    *shares('_share'),
    column('outer_adjacent', 'outer adjacent'),
    Column('radii (medians)', medians),
  )
  return Table('circles', rows, 'Runs on two circles:', columns)
