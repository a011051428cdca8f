"""Settings of the runs around symmetric failure, and of what is made of them.

The runs from symmetric failure span one grid; those from scratch another, of
`state_features` and `state_decay`, with AdamW and the same rates and betas.
"""

from toyjax import optimizer_settings, settings
from toyjax.optimizer_settings import NOT_NEGATIVE, POSITIVE
from toyjax.parsers import (
  MOST_FEATURES,
  MOST_POINTS,
  Choice,
  Number,
  SettingError,
)
from toyjax.settings import FIXED, SHAPE, STATIC, TRACED, Setting, Values

OPTIMIZERS = ('adam', 'adamw', 'sgd')
_COUNT = Number(int, 1, MOST_POINTS)
_OF_ADAM = {
  'adam_b1': 'Beta 1 (Kingma and Ba 2015).',
  'adam_b2': 'Beta 2 (Kingma and Ba 2015).',
  'adam_eps': 'Epsilon (Kingma and Ba 2015).',
  'weight_decay': "AdamW's decay; the study's.",
}

# What both kinds of runs span, in the order of the axes.
TRAINING = (
  Setting(
    'num_features',
    list(range(3, 13)),
    Number(int, 3, MOST_FEATURES),
    SHAPE,
    'n, features, one dead.',
    letter='n',
    label='n',
  ),
  Setting(
    'optimizer',
    list(OPTIMIZERS),
    Choice(OPTIMIZERS),
    STATIC,
    f'Among {", ".join(OPTIMIZERS)}; of the mean squared error.',
  ),
  optimizer_settings.learning_rate(
    1e-3, "Adam's and AdamW's rate; the study's."
  )._replace(needs=('optimizer', ('adam', 'adamw'))),
  Setting(
    'sgd_learning_rate',
    [1.0],
    POSITIVE,
    TRACED,
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
  Setting(
    'norm_factor',
    [1.0, 1.1],
    Number(float, 1.0),
    TRACED,
    'Norms of live rows in units of the least one: 1 is on the kinks.',
  ),
  Setting(
    'start_noise',
    [1e-3],
    NOT_NEGATIVE,
    TRACED,
    'Standard deviation of what is added to every weight and bias of a start.',
  ),
)
# Any optimizer's may be listed: runs from scratch use Adam's settings, whatever
# those from symmetric failure use. None is of the report alone, so that tables
# are of what their manifest says.
SETTINGS = (
  *(row._replace(needs=None) for row in TRAINING),
  *START,
  Setting(
    'num_steps', 25_000, Number(int, 2), FIXED, 'Steps of each escape run.'
  ),
  Setting(
    'escape_share',
    0.9,
    Number(float, 0.0, 1.0),
    FIXED,
    'A run has escaped when its SSE is below this share of 1 - 1/n.',
  ),
  Setting(
    'solved_sse', 1e-2, NOT_NEGATIVE, FIXED, 'A run is solved below this SSE.'
  ),
  Setting(
    'kick',
    [1e-2, 1e-3, 1e-4],
    POSITIVE,
    FIXED,
    'Standard deviations of the kicks that float64 descents start from.',
    held_in='float64',
  ),
  Setting('num_descents', 32, _COUNT, FIXED, 'Descents of each kind.'),
  Setting('descent_iterations', 200, _COUNT, FIXED, 'Steps of each descent.'),
  Setting(
    'nudge',
    [0.0, 0.05, 0.1, 0.2],
    NOT_NEGATIVE,
    FIXED,
    "Raises of the two neighbours' biases; the study's chaos map: 0 to .2.",
    held_in='float64',
  ),
  Setting(
    'state_features',
    [6, 7, 8],
    Number(int, 5, MOST_FEATURES),
    FIXED,
    'n of the training runs and random states whose weak row is looked at.',
  ),
  Setting(
    'state_decay',
    [0.0, 1e-2],
    NOT_NEGATIVE,
    FIXED,
    "AdamW's decay in those runs.",
  ),
  Setting(
    'state_steps',
    [500, 1000, 2500, 5000, 10_000],
    Number(int, 1),
    FIXED,
    'Increasing steps of the training runs at which states are taken.',
  ),
  Setting(
    'num_state_seeds', 1024, Number(int, 1), FIXED, 'Training runs a setting.'
  ),
  Setting(
    'num_random_states', 4096, _COUNT, FIXED, 'Random states for each n.'
  ),
  settings.SEED,
  settings.DTYPE,
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
