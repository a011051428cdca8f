r"""Which polygon do six features in two dimensions end in, one at a time?

The toy of Chen et al. 2023: each sample is x = mu e_i, any one of n features by
an amount mu uniform in [0, 1]; y = ReLU(W'Wx + b) with m = 2. Regular k-gons
are critical points, whose expected losses the paper gives for n = 6: the fewer
features are left out the lower. This script trains many seeds on fresh samples,
weighs each net exactly, names the polygon of its represented features, and
counts how many reach which, and how many the loss of the best k-gon of n:

  summary.csv   outcomes with Wilson intervals, at the observed steps
  polygons.csv  the best regular k-gons: radius, bias, loss, published loss
  ends.csv      for each outcome the runs that end so, their losses, and how
                many are near the loss of the best k-gon of as many features
  losses.png    all losses in order, by outcome, against those of the k-gons

Flags with lists span a grid; all configurations share their seeds.

  python -m scripts.single_polygons --workdir=runs/polygons
  python -m scripts.single_polygons --init_scale=0.1,1,3 --num_seeds=4096 \
    --num_steps=20000 --workdir=runs/polygons_scales
"""

from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.studies.base import grid_study
from toyjax.studies.single_polygons import trial
from toyjax.studies.single_polygons.report import report
from toyjax.studies.single_polygons.settings import SETTINGS

STUDY = grid_study(
  'single_polygons',
  SETTINGS,
  report,
  num_seeds=1024,
  always=('num_features',),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=Polygon,
  attrs=trial.attrs,
  large=('batch_size',),
)
