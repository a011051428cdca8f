"""Settings of the runs around symmetric failure, and of what is made of them.

The runs from symmetric failure span one grid; those from scratch another, of
`state_features` and `state_decay`, with AdamW and the same rates and betas.
"""

from toyjax import optimizer_settings
from toyjax.common_settings import DTYPE, SEED
from toyjax.parsers import (
  COUNT,
  FACTOR,
  MOST_FEATURES,
  NOT_NEGATIVE,
  POINTS,
  POSITIVE,
  PROBABILITY,
  SEVERAL,
  Choice,
  Number,
  SettingError,
)
from toyjax.settings import Values, fixed, shape, static, traced

OPTIMIZERS = ('adam', 'adamw', 'sgd')
_OF_ADAM = {
  'adam_b1': 'Beta 1 (Kingma and Ba 2015).',
  'adam_b2': 'Beta 2 (Kingma and Ba 2015).',
  'adam_eps': 'Epsilon (Kingma and Ba 2015).',
  'weight_decay': "AdamW's decay; the study's.",
}

# What both kinds of runs span, in the order of the axes.
TRAINING = (
  shape(
    'num_features',
    list(range(3, 13)),
    Number(int, 3, MOST_FEATURES),
    'n, features, one dead.',
    letter='n',
    label='n',
  ),
  static(
    'optimizer',
    list(OPTIMIZERS),
    Choice(OPTIMIZERS),
    f'Among {", ".join(OPTIMIZERS)}; of the mean squared error.',
  ),
  optimizer_settings.learning_rate(
    1e-3, "Adam's and AdamW's rate; the study's."
  )._replace(needs=('optimizer', ('adam', 'adamw'))),
  traced(
    'sgd_learning_rate',
    [1.0],
    POSITIVE,
    "SGD's rate; the chaos map's order.",
    needs=('optimizer', ('sgd',)),
  ),
  *(
    row._replace(help=text)
    for name, text in _OF_ADAM.items()
    for row in optimizer_settings.ROWS
    if row.name == name
  ),
)
# The start of a run from symmetric failure.
START = (
  traced(
    'norm_factor',
    [1.0, 1.1],
    FACTOR,
    'Norms of live rows in units of the least one: 1 is on the kinks.',
  ),
  traced(
    'start_noise',
    [1e-3],
    NOT_NEGATIVE,
    'Standard deviation of what is added to every weight and bias of a start.',
  ),
)
# Any optimizer's may be listed: runs from scratch use Adam's settings, whatever
# those from symmetric failure use. None is of the report alone, so that tables
# are of what their manifest says.
SETTINGS = (
  *(row._replace(needs=None) for row in TRAINING),
  *START,
  fixed('num_steps', 25_000, SEVERAL, 'Steps of each escape run.'),
  fixed(
    'escape_share',
    0.9,
    PROBABILITY,
    'A run has escaped when its SSE is below this share of 1 - 1/n.',
  ),
  fixed('solved_sse', 1e-2, NOT_NEGATIVE, 'A run is solved below this SSE.'),
  fixed(
    'kick',
    [1e-2, 1e-3, 1e-4],
    POSITIVE,
    'Standard deviations of the kicks that float64 descents start from.',
    held_in='float64',
  ),
  fixed('num_descents', 32, POINTS, 'Descents of each kind.'),
  fixed('descent_iterations', 200, POINTS, 'Steps of each descent.'),
  fixed(
    'nudge',
    [0.0, 0.05, 0.1, 0.2],
    NOT_NEGATIVE,
    "Raises of the two neighbours' biases; the study's chaos map: 0 to .2.",
    held_in='float64',
  ),
  fixed(
    'state_features',
    [6, 7, 8],
    Number(int, 5, MOST_FEATURES),
    'n of the training runs and random states whose weak row is looked at.',
  ),
  fixed(
    'state_decay', [0.0, 1e-2], NOT_NEGATIVE, "AdamW's decay in those runs."
  ),
  fixed(
    'state_steps',
    [500, 1000, 2500, 5000, 10_000],
    COUNT,
    'Increasing steps of the training runs at which states are taken.',
  ),
  fixed('num_state_seeds', 1024, COUNT, 'Training runs a setting.'),
  fixed('num_random_states', 4096, POINTS, 'Random states for each n.'),
  SEED,
  DTYPE,
)


def complete(values: Values) -> Values:
  """Returns the values.

  Raises:
    SettingError: where the steps of the training runs do not increase.
  """
  steps = values['state_steps']
  if steps != sorted(steps):
    raise SettingError(f'--state_steps must increase: {steps}')
  return values
