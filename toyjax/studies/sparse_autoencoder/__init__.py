r"""How many of the features that a sparse autoencoder could find does it find?

Inputs are made of known features, more than there are dimensions: --features
draws their directions for each seed, and feature i is present with probability
p_1 i^-decay. A sparse autoencoder, f = ReLU((x - b_d) W_e + b_e) and
x_hat = f W_d + b_d with rows of W_d at unit length, trains on fresh inputs,
with a penalty on f (l1) or with its largest latents alone (top_k), its encoder
tied to the decoder or not, and its bias b_d starting at 0 or, by --centering,
at the mean of the data. Latents are then labelled against the truth: RECOVERED,
DEAD, SPLIT (of one feature, on other inputs), ABSORBED (silent where another
latent writes its feature), DUPLICATE, MIXED or UNMATCHED.

  summary.csv   runs by the share of features recovered, at the observed steps
  latents.csv   latents of each kind, at the observed steps
  features.csv  share of the features recovered, by their rank in frequency
  fit.csv       variance explained, latents on, cosines, one-to-one matches
  dead.csv      latents dead before any step, beside the closed form for
                Gaussian inputs of the same mean and covariance
  features.png  recovered by rank, dead over training, dead at the start

Fixed in advance: the share of features recovered at the last step is compared
in pairs of seeds: l1 less top_k, tied less untied, centering 0 less 1;
thresholds are those of the toy.

  python -m scripts.sparse_autoencoder --workdir=runs/sae
  python -m scripts.sparse_autoencoder --features=polygon --num_features=5 \
    --num_inputs=2 --num_latents=5 --first_frequency=0.025 --decay=0 \
    --amplitude=uniform --nonested --l1=0.2 --top_k=1 --learning_rate=1e-3 \
    --num_steps=20000 --mean_norm=0,0.8 --centering=0 --num_seeds=16 \
    --workdir=runs/sae_pentagon
  python -m scripts.sparse_autoencoder --num_features=512 --num_inputs=64 \
    --num_latents=512 --top_k=4 --num_steps=20000 --workdir=runs/sae_512
"""

from toyjax.parsers import SettingError
from toyjax.settings import Values
from toyjax.studies import banks
from toyjax.studies.base import grid_study
from toyjax.studies.sparse_autoencoder import trial
from toyjax.studies.sparse_autoencoder.report import report
from toyjax.studies.sparse_autoencoder.settings import SETTINGS
from toyjax.toys.sparse_autoencoder import THRESHOLDS, Outcome


def complete(values: Values) -> Values:
  """Returns the values; raises SettingError on sizes that do not fit."""
  banks.require_fitting(values)
  if values['top_k'] > values['num_latents']:
    raise SettingError(
      f'--top_k={values["top_k"]} is more than --num_latents='
      f'{values["num_latents"]}'
    )
  return values


STUDY = grid_study(
  'sparse_autoencoder',
  SETTINGS,
  report,
  num_seeds=8,
  complete=complete,
  always=('sparsity', 'encoder', 'mean_norm', 'centering'),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=Outcome,
  attrs=lambda values: {'thresholds': list(THRESHOLDS)},
  large=('num_fresh', 'num_features', 'num_latents'),
)
