r"""How much of a dimension does each of many sparse features get?

Toy models of superposition (Elhage et al. 2022): y = ReLU(W'Wx + b) of n
equally important features in m hidden dimensions, each there with probability
p = 1 - S and then uniform in (0, 1]. The source plots one net a density: the
dimensions per feature D* = m / |W|_F^2 stick at 1 and 1/2, and that of single
features, D_i = |W_i|^2 / sum_j (W_i'W_j / |W_i|)^2, gathers at 3/4, 2/3, 1/2,
2/5, 3/8 and 0. This script trains several seeds at each density and counts:

  summary.csv   what D* sticks at, at the observed steps
  lines.csv     for each density and published line: how many features are
                within --distance of it, how many as far again beside it, and
                how many where vectors of the same lengths have random
                directions
  cells.csv     D*, the least loss, and how many runs miss it by --margin of
                what a feature that is left out costs
  dimensionality.png   D* and every D_i over the density
  misses.png    runs that miss the least loss, over n and m

The defaults are the source's at half its size. To compare two dimensions with
three, span the sizes:

  python -m scripts.feature_dimensionality --workdir=runs/dimensionality
  python -m scripts.feature_dimensionality --num_features=4,6,8,10 \
    --num_hidden=2,3 --density=0.05 --num_seeds=128 --workdir=runs/two_three
  python -m scripts.feature_dimensionality --num_features=400 --num_hidden=30 \
    --density=0.01:1:40log --batch_size=1024 --num_steps=10000 --num_seeds=1 \
    --optimizer=adamw --learning_rate=1e-3 --schedule=constant \
    --workdir=runs/dimensionality_source
"""

from toyjax.analysis.autoencoder.dimensionality import STICKING, Packing
from toyjax.studies.base import grid_study
from toyjax.studies.feature_dimensionality import trial
from toyjax.studies.feature_dimensionality.report import report
from toyjax.studies.feature_dimensionality.settings import SETTINGS

STUDY = grid_study(
  'feature_dimensionality',
  SETTINGS,
  report,
  num_seeds=4,
  always=('num_features', 'num_hidden', 'density'),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=Packing,
  attrs=lambda values: {'sticking': STICKING},
  large=('batch_size',),
)
