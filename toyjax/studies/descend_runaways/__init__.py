r"""Does every descent of the toy ReLU autoencoder follow its valley for ever?

Reads a folder of scripts.optimization_failure that scripts.certify_failure has
certified. Runs that are runaways fail for good under AdamW and under gradient
flow: F falls towards an infimum above 0 while the norms grow. From the very
states that training left, this script descends F by L-BFGS in float64, and
follows gradient flow from a few of them as a control.

Into WORKDIR/descents it writes results.zarr (where every descent ended),
descents.csv (how they ended, with 95 % Wilson intervals, steps and norms),
flows.csv (gradient flow at several times) and paths.png: F against |W| along a
few descents, beside the floor of the valley.

  python -m scripts.optimization_failure --num_features=8 --workdir=runs/eight
  python -m scripts.certify_failure --workdir=runs/eight
  python -m scripts.descend_runaways --workdir=runs/eight
"""

from toyjax import settings
from toyjax.manifest import Workdir
from toyjax.parsers import COUNT, FACTOR, NATURAL, NOT_NEGATIVE, Number
from toyjax.settings import FIXED, Values, fixed, machine, reported
from toyjax.studies import folders, optimization_failure, options
from toyjax.studies.base import Plan, Report, Task
from toyjax.studies.descend_runaways import descents
from toyjax.studies.descend_runaways.report import report

SETTINGS = (
  *folders.rows(
    'Folder of scripts.optimization_failure, certified.', 'descents'
  ),
  machine('group', '', str, "Group of the folder; '' is the only one."),
  fixed('num_pairs', 5, Number(int, 1, 100), 'Steps that L-BFGS remembers.'),
  fixed(
    'max_evaluations',
    5000,
    Number(int, 2, 100_000),
    'Most evaluations of F and its gradient.',
  ),
  fixed('solved_sse', 1e-20, NOT_NEGATIVE, 'A descent has solved below it.'),
  fixed(
    'gradient_tolerance',
    1e-12,
    NOT_NEGATIVE,
    'A descent is at a critical point below.',
  ),
  fixed('num_flows', 8, NATURAL, 'Runaways whose gradient flow is followed.'),
  fixed('flow_time', 1e5, FACTOR, 'For so long, in units of 1 / F.'),
  reported(
    'num_paths',
    6,
    Number(int, 0, 100),
    'Descents of either kind that are drawn.',
  ),
  machine('chunk_size', 1024, COUNT, 'Descents stored at a time.'),
  options.num_devices(),
)


def prepare(values: Values) -> Plan:
  """Returns the plan: F is descended from all runaways of a group."""
  folder = folders.open_trained(values, optimization_failure.STUDY)
  runaways = descents.read_runaways(folder, folder.choose(values['group']))
  own = {name: values[name] for name in settings.names_of(SETTINGS, FIXED)}

  def run(workdir: Workdir) -> Report:
    found = descents.run(runaways, own, workdir)
    return report(runaways, found, own, num_paths=values['num_paths'])

  science = folder.values | folder.manifest['extent']
  return folder.plan(
    values,
    'descents',
    run,
    science=science | {'group': runaways.stage.name} | own,
    extent={},
    layout={'chunk_size': values['chunk_size']},
    dtype='float64',
  )


STUDY = Task('descend_runaways', SETTINGS, prepare)
