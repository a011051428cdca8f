r"""When does a net hold its samples, and when the features they are made of?

Henighan et al. 2023, Superposition, memorization, and double descent, train
y = ReLU(W'Wx + b), m = 2, on T fixed sparse samples. Of few samples the net
makes a polygon of T corners, sample vectors h_t = W x_t; of many it represents
features, and answers fresh samples; in between it does neither, and is worse
on fresh samples than a constant. Teams report onsets that differ by a factor
of 4 to 7; and they show the lowest of several losses, but not how often a
seed comes near it.

All seeds of a T have the same samples. Losses are sums over features and
means over samples; "explained" is fresh variance, in that of one feature.

  summary.csv   what runs hold: samples, features, neither
  losses.csv    losses, the lowest and how many come near it, vectors, by T
  onsets.csv    for each setting: from which T on nets answer fresh samples
  planes.png    sample and feature vectors of the run of the lowest loss
  curves.png    losses, shares and lengths by T

Flags with lists span the grid, so that onsets can be compared:

  python -m scripts.double_descent --workdir=runs/descent
  python -m scripts.double_descent --num_features=500 --sparsity=0.98 \
    --num_samples=50,100,200,400,800,1600 --num_seeds=4 \
    --weight_decay=0,0.01,1 --workdir=runs/descent_decay
  python -m scripts.double_descent --num_features=10000 --sparsity=0.999 \
    --num_samples=3,10,30,100,300,1000,3000,10000,30000 --num_steps=50000 \
    --learning_rate=1e-3 --num_seeds=100 --workdir=runs/descent_source
"""

from toyjax.analysis.autoencoder.memorising import EXPLAINED, Regime
from toyjax.analysis.autoencoder.polygons import THRESHOLDS
from toyjax.studies.base import grid_study
from toyjax.studies.double_descent import trial
from toyjax.studies.double_descent.report import report
from toyjax.studies.double_descent.settings import SETTINGS

STUDY = grid_study(
  'double_descent',
  SETTINGS,
  report,
  num_seeds=10,
  always=('num_samples',),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=Regime,
  attrs=lambda values: {**THRESHOLDS._asdict(), 'explained': EXPLAINED},
  large=('num_test',),
)
