r"""What did the gradient that an article derives by hand do to its polygons?

Merck 2025, Demonstrating superposition, trains y = ReLU(W'Wx + b) in C by an
update derived by hand, from W and b in U[0, 1e-3], and shows a pentagon of
n = 5 features and, of n = 32, a stable hexagon of features 0 to 4 and 7, a
local minimum. The update is not the gradient of its loss,
L = 1/2 mean over samples of sum_i I_i (y_i - x_i)^2: it drops what a weight
does as an encoder to other outputs, and the importance of the bias.

Each run trains two nets from one start on the same batches, one by that update
and one by the gradient; then both go on by the gradient from their ends, with
a little noise. Samples are fresh, where the source has a pool of 100,000.

  gradient.csv     which of the two is the gradient: against differences of L
  summary.csv      polygons at the end of training, and after going on
  corners.csv      which features are the corners, their loss, and who stays
  differences.csv  the updates in pairs: polygons and losses
  vectors.png      one run of each, and the loss of all
  animation.gif    vectors of one run through training; .mp4 if ffmpeg is there

  python -m scripts.hand_written_gradient --workdir=runs/by_hand
  python -m scripts.hand_written_gradient --num_steps=30000 --then_steps=10000 \
    --num_seeds=1000 --workdir=runs/by_hand_source
"""

from toyjax.analysis.autoencoder.polygons import THRESHOLDS
from toyjax.settings import Values
from toyjax.stages import Stage, grid
from toyjax.studies.base import Study
from toyjax.studies.hand_written_gradient import trial
from toyjax.studies.hand_written_gradient.report import report
from toyjax.studies.hand_written_gradient.settings import SETTINGS, complete


def make_stages(values: Values) -> list[Stage]:
  """Returns a stage for each number of features with its importance."""
  return [
    stage
    for size, decay in zip(values['num_features'], values['importance_decay'])
    for stage in grid(
      SETTINGS,
      {**values, 'num_features': [size], 'importance_decay': [decay]},
      make_trial=trial.make_trial,
      variables=trial.VARIABLES,
      attrs=lambda own: THRESHOLDS._asdict(),
      large=('batch_size', 'num_test'),
    )
  ]


STUDY = Study(
  'hand_written_gradient',
  SETTINGS,
  make_stages,
  report,
  num_seeds=64,
  complete=complete,
  always=('num_features',),
)
