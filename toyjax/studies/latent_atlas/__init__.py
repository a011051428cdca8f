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

from toyjax.parsers import NATURAL, POSITIVE, Choice, Number
from toyjax.settings import FIXED, Values, fixed, machine, names_of, reported
from toyjax.studies import folders, optimization_failure, options
from toyjax.studies.base import Plan, Task
from toyjax.studies.certify_failure.certifying import CERTIFICATES
from toyjax.studies.latent_atlas import classes
from toyjax.studies.latent_atlas.report import report

SETTINGS = (
  *folders.rows('Folder of scripts.optimization_failure to read.', 'atlas'),
  machine('group', '', str, "One group, such as n7_m2; '' draws all."),
  fixed(
    'by',
    'auto',
    Choice(('auto', *classes.BY)),
    'What the classes are; auto takes certificates where the folder has them '
    'and --step is the last.',
  ),
  fixed(
    'step',
    0,
    NATURAL,
    'Observed step to draw, in optimizer steps; 0 is the last.',
  ),
  fixed(
    'configuration',
    0,
    NATURAL,
    'Where a group has several points of the grid: the number of the one whose '
    'atlas and radii are drawn, from 0; the learning rate runs slowest.',
  ),
  reported(
    'num_members',
    1,
    Number(int, 1, 100),
    'Panels of each class, the most typical run first.',
  ),
  reported(
    'max_panels',
    12,
    Number(int, 1, 400),
    'Panels in all; what is left out is counted.',
  ),
  fixed(
    'circle_tolerance',
    [0.05, 0.02, 0.1],
    POSITIVE,
    'Norms this close to each other, as a fraction, lie on one circle; the '
    'first is drawn. .05 is what the label of a regular polygon allows.',
  ),
  options.num_devices(
    'Host (CPU) devices; 0 means one for each core. Nothing is trained.'
  ),
)


def prepare(values: Values) -> Plan:
  """Returns the plan: the runs of a folder are classed and drawn."""
  folder = folders.open_trained(values, optimization_failure.STUDY)
  group = values['group']
  stages = [folder.choose(group)] if group else folder.stages
  step, by = folder.observed(values['step']), values['by']
  if by == 'auto':
    is_certified = (folder.path / CERTIFICATES).exists()
    by = classes.BY[is_certified and step == folder.observed(0)]
  found = values | {'step': step, 'by': by}
  own = {name: values[name] for name in names_of(SETTINGS, FIXED)}
  return folder.plan(
    values,
    'atlas',
    lambda workdir: report(folder, stages, found),
    science=folder.values | own | {'step': step},
  )


STUDY = Task('latent_atlas', SETTINGS, prepare)
