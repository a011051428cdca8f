"""Settings of the phase diagram of superposition."""

from toyjax import optimizer_settings
from toyjax.analysis.autoencoder.sparse_bottleneck import NUM_FEATURES
from toyjax.common_settings import DTYPE, INIT_SCALE, SEED, init, steps
from toyjax.parsers import NOT_NEGATIVE, POINTS, POSITIVE, Number, expand
from toyjax.settings import fixed, reported, shape, traced
from toyjax.toys import relu_autoencoder


def _spread(text: str) -> list[float]:
  """Returns the numbers of a range."""
  return [float(number) for number in expand([text])]


SETTINGS = (
  shape(
    'num_features',
    list(NUM_FEATURES),
    Number(int, *NUM_FEATURES),
    'n, in n - 1 hidden dimensions.',
    letter='n',
    label='n',
  ),
  optimizer_settings.optimizer('adam'),
  init(relu_autoencoder.INITS, 'glorot_normal'),
  traced(
    'density',
    _spread('0.01:1:25log'),
    Number(float, 0.0, 1.0, exclusive=True),
    's, the probability that a feature is there.',
    label='s',
  ),
  traced(
    'importance',
    _spread('0.1:10:25log'),
    POSITIVE,
    'r, of the last feature; the others have 1.',
    label='r',
  ),
  optimizer_settings.learning_rate(
    3e-3, "Of every optimizer; the source's is 1e-3."
  ),
  INIT_SCALE,
  *optimizer_settings.ROWS,
  fixed(
    'batch_size', 128, POINTS, 'Fresh samples a step; 1,024 in the source.'
  ),
  *steps(
    5000,
    [500, 1000, 2000, 5000],
    about='Steps of each run; 10,000 in the source.',
    least=1,
  ),
  reported(
    'near',
    0.05,
    NOT_NEGATIVE,
    'A run has found the optimum when its expected loss is above that of the '
    'optimum by no more than this share of it.',
  ),
  SEED,
  DTYPE,
)
