r"""What does every run of the toy ReLU autoencoder lead to, and why?

Reads a folder of scripts.optimization_failure. Each run's weights after --step
steps are polished in float64 and given a verdict: global_minimum (every feature
learned, F = 0), local_minimum, saddle or flat (a critical point, by its second
order on all adjoining ReLU pieces), runaway (F falls towards an infimum as the
norms grow, along a known valley), or unresolved. A catalogue of exact solutions
explains the sum of squared errors F to 1e-9; what it does not explain is listed
run by run in unexplained.csv.

The verdict is about what exact descent leads to. A run with SSE .6 and verdict
global_minimum was on its way: it had not arrived when its training ended.

Into WORKDIR/certificates it writes certificates.zarr (polished weights and
numbers of every run), certificates.csv (counts by label, verdict and entry, and
how many were solved at the folder's last step, which tests the verdicts where
--step is an earlier one), totals.csv (shares with 95 % Wilson intervals) and
valleys.png: unsolved runs, and the floors of the valleys they creep along.

  python -m scripts.optimization_failure --num_features=7,8 --workdir=runs/eight
  python -m scripts.certify_failure --workdir=runs/eight
"""

from toyjax.analysis.autoencoder import settling
from toyjax.manifest import Workdir
from toyjax.parsers import COUNT, NATURAL
from toyjax.settings import Values, fixed, machine
from toyjax.studies import folders, optimization_failure
from toyjax.studies.base import Plan, Report, Task
from toyjax.studies.certify_failure import certifying
from toyjax.studies.certify_failure.report import report

SETTINGS = (
  *folders.rows('Folder of scripts.optimization_failure.', certifying.FOLDER),
  fixed('step', 0, NATURAL, 'Observed step to certify; 0 means the last.'),
  machine('chunk_size', 512, COUNT, 'Runs certified and stored at a time.'),
)


def prepare(values: Values) -> Plan:
  """Returns the plan: all runs of the folder are certified."""
  folder = folders.open_trained(values, optimization_failure.STUDY)
  step = folder.observed(values['step'])
  layout = {'chunk_size': values['chunk_size']}

  def run(workdir: Workdir) -> Report:
    found = certifying.certify_all(folder, workdir, step=step, **layout)
    return report(found, step)

  science = folder.values | {'step': step} | folder.manifest['extent']
  return folder.plan(
    values,
    certifying.FOLDER,
    run,
    science=science | settling.SETTINGS._asdict(),
    extent={},
    layout=layout,
    dtype='float64',
  )


STUDY = Task('certify_failure', SETTINGS, prepare)
