r"""Which of two sparse features does a net of one dimension keep?

The phase diagram of superposition (Elhage et al. 2022, section 3): n = 2
features, m = 1 hidden dimension, y = ReLU(W'Wx + b). Each feature is there with
probability --density, and the second has --importance r times the first's. The
net can ignore the second feature, ignore the first, or hold both as an
antipodal pair. Closed forms give the three candidates' losses; the least loss
there is comes by quadrature and descent. This script trains every seed at every
point of the grid and counts:

  summary.csv   what the nets do with their dimension, at the observed steps
  cells.csv     for each point the candidates' losses, the optimum, what it
                does, and how many runs end within --near of its loss
  phases.png    what the candidates, the optimum and the nets do, point by point

Flags with lists span the grid; a range is first:last:count, or
first:last:countlog for even factors. All points share their seeds.

  python -m scripts.superposition_phase --workdir=runs/phase
  python -m scripts.superposition_phase --density=0.01:1:25log \
    --importance=0.1:10:25log --batch_size=1024 --num_steps=10000 \
    --learning_rate=1e-3 --optimizer=adamw --workdir=runs/phase_source
"""

from toyjax.analysis.autoencoder.sparse_pair import REPRESENTED, Kind
from toyjax.studies.base import grid_study
from toyjax.studies.superposition_phase import trial
from toyjax.studies.superposition_phase.report import report
from toyjax.studies.superposition_phase.settings import SETTINGS

STUDY = grid_study(
  'superposition_phase',
  SETTINGS,
  report,
  num_seeds=64,
  always=('density', 'importance'),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=Kind,
  attrs=lambda values: {'represented': REPRESENTED},
  large=('batch_size',),
)
