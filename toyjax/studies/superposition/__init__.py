r"""Which sparse features does a net of two dimensions keep, and as what?

Toy models of superposition (Elhage et al. 2022): y = ReLU(W'Wx + b) with m = 2
hidden dimensions; each feature is there with probability p = 1 - S, and is then
uniform in (0, 1]. Its pictures show one net each, the best of a few. This
script trains every seed, names the polygon that the represented features form,
and counts. Its --part says what is asked:

  importance     feature i matters r^i: which are kept, and as which polygon,
                 over --density and --importance_decay
  sparser        all features matter alike, the first one is rarer: when does
                 the pentagon turn into two digons, and when does the optimum?
  independent, correlated, anticorrelated
                 pairs of features: are they placed at right angles, opposite
                 each other, or side by side?

Which files come out:

  summary.csv    polygons at the observed steps, for each point
  kept.csv       how often each feature is represented, at the last step
  cells.csv      the commonest polygon and the one of the least loss, and how
                 many runs had the last step's polygon halfway, too
  sparser.csv    trained shares beside the least losses, by quadrature, with and
                 without the rarer feature; switch.csv: at which ratio of
                 densities either changes
  pairs.csv      how the pairs are placed
  phases.png     the shares; nets.png: a net of each polygon

Flags with lists span the grid. All points share their seeds.

  python -m scripts.superposition --workdir=runs/superposition
  python -m scripts.superposition --part=correlated --num_pairs=3 \
    --batch_size=1024 --num_steps=10000 --learning_rate=1e-3 --optimizer=adamw \
    --schedule=constant --workdir=runs/superposition_source
"""

from toyjax.analysis.autoencoder.polygons import THRESHOLDS, Polygon
from toyjax.studies.base import grid_study
from toyjax.studies.superposition import trial
from toyjax.studies.superposition.report import report
from toyjax.studies.superposition.settings import SETTINGS, complete

STUDY = grid_study(
  'superposition',
  SETTINGS,
  report,
  num_seeds=128,
  complete=complete,
  always=('part',),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=Polygon,
  attrs=lambda values: {'thresholds': dict(THRESHOLDS._asdict())},
  large=('batch_size',),
)
