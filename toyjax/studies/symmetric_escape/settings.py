"""Settings of the search for an entry, and of the ways to go on from it."""

import functools

from toyjax.analysis.autoencoder.events import ESCAPED
from toyjax.common_settings import DTYPE, SEED, borrow
from toyjax.parsers import COUNT, FACTOR, MOST_FEATURES, Choice, Number
from toyjax.settings import fixed
from toyjax.studies import optimization_failure

_row = functools.partial(borrow, optimization_failure.SETTINGS)
_PLACES = tuple(place.name.lower() for place in ESCAPED)

SETTINGS = (
  _row('num_features', 7, 'n, features; m is 2.')._replace(
    parse=Number(int, 3, MOST_FEATURES)
  ),
  fixed('optimizer', 'adamw', Choice(('adamw', 'adam')), 'Which Adam.'),
  _row('learning_rate', 1e-3, 'Learning rate, throughout.'),
  _row('adam_b1', 0.9, 'Beta 1, throughout.'),
  _row(
    'adam_b2',
    [0.999, 0.9, 0.99, 0.9999],
    'Beta 2: the first until entry and by default, the others from entry on.',
  ),
  _row(
    'adam_eps',
    [1e-8, 1e-12, 1e-6, 1e-4, 1e-3],
    'Epsilon: the first until entry and by default, the others from entry on.',
  ),
  _row(
    'weight_decay',
    [1e-2, 0.0],
    "AdamW's decay: the first until entry and by default.",
  ),
  fixed(
    'place',
    'one_dead',
    Choice(_PLACES),
    'Enter symmetric failure with exactly one dead row, or with any number.',
  ),
  fixed('search_steps', 5000, COUNT, 'Steps to look for an entry.'),
  _row('num_steps', 10_000, 'Steps from entry on.'),
  _row('solved_sse', 1e-2, 'SSE below which a run is solved.'),
  fixed(
    'near_factor',
    4.0,
    FACTOR,
    'A run has left when it fails the test under tolerances this many times as '
    'wide.',
  ),
  SEED,
  DTYPE,
)
