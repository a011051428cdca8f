r"""Which of n sparse features does a net of n - 1 dimensions give up?

The phase diagram of superposition (Elhage et al. 2022, section 3): n = 2
features in m = 1 hidden dimension, and n = 3 in m = 2; y = ReLU(W'Wx + b). Each
feature is there with probability --density, and the last has --importance r
times that of the others. A net can ignore the last feature, ignore another, or
hold two as an antipodal pair. Closed forms give these candidates' losses; the
least loss there is comes by quadrature and descent. This script trains every
seed at every point of the grid and counts:

  summary.csv   what the nets do with their dimensions, all points together
  cells.csv     for each point the candidates' losses, the optimum, what it
                does, what the runs do, and how many end within --near of its
                loss
  optima.csv    the same by what the optimum does: how many points and runs
  phases.png    what the candidates, the optimum and the nets do, and where
                gradient descent finds the optimum, point by point

Flags with lists span the grid; a range is first:last:count, or
first:last:countlog for even factors. All points share their seeds.

  python -m scripts.superposition_phase --workdir=runs/phase
  python -m scripts.superposition_phase --num_features=2 --num_seeds=100 \
    --density=0.01:1:50log --importance=0.1:10:50log --batch_size=1024 \
    --learning_rate=1e-3 --optimizer=adamw --workdir=runs/phase_source
"""

from toyjax.analysis.autoencoder.sparse_bottleneck import REPRESENTED, Kind
from toyjax.studies.base import grid_study
from toyjax.studies.superposition_phase import trial
from toyjax.studies.superposition_phase.report import report
from toyjax.studies.superposition_phase.settings import SETTINGS

STUDY = grid_study(
  'superposition_phase',
  SETTINGS,
  report,
  num_seeds=20,
  always=('num_features', 'density', 'importance'),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=Kind,
  attrs=lambda values: {'represented': REPRESENTED},
  large=('batch_size',),
)
