"""Settings of the trial of remedies against dead latents."""

import functools

from toyjax.common_settings import DTYPE, SEED, borrow
from toyjax.parsers import COUNT, POINTS, POSITIVE, SEVERAL
from toyjax.settings import fixed
from toyjax.studies import banks, sparse_autoencoder

_row = functools.partial(borrow, sparse_autoencoder.SETTINGS)
_bank = {
  'mean_norm': 16.0,
  'features': 'random',
  'num_features': 64,
  'num_inputs': 16,
  'first_frequency': 0.25,
  'decay': 0.75,
  'amplitude': 'exponential',
  'nested': False,
}

SETTINGS = (
  *(borrow(banks.SETTINGS, name, value) for name, value in _bank.items()),
  _row('num_latents', 64),
  _row('l1', 1.5),
  _row('learning_rate', 3e-3, "Adam's, throughout."),
  _row('adam_b1', 0.9),
  _row('adam_b2', 0.999),
  _row('adam_eps', 1e-8),
  _row('batch_size', 128),
  fixed('num_fresh', 4000, POINTS, 'Fresh inputs that latents are judged on.'),
  fixed('state_steps', 1000, SEVERAL, 'Steps after which runs are stopped.'),
  fixed('num_steps', 1000, SEVERAL, 'Steps that each arm goes on for.'),
  fixed('num_looks', 10, COUNT, 'How often dead latents are counted in these.'),
  fixed(
    'alive_norm',
    0.2,
    POSITIVE,
    "Of a resampled encoder's column, in units of the mean norm of those "
    'alive; .2 in the source.',
  ),
  SEED,
  DTYPE,
)
