"""The arms of the trial: what is done to a net, and with which numbers.

values --arms_of--> name -> numbers, NOTHING first
"""

from collections.abc import Mapping

from toyjax.analysis.autoencoder.resampling import Method, Numbers
from toyjax.settings import Values, text_of

NOTHING = 'nothing'
_LOUD = 1e3  # Noise that leaves nothing of where a row pointed.
# Pairs that are compared beside each arm with NOTHING, fixed before any run.
PAIRS = (
  ('repulsor', 'published'),
  ('no_adam_reset', 'published'),
  ('loss', 'published'),
  ('unit_norm', 'published'),
  ('random', 'published'),
  ('copied', 'published'),
  ('equalized', 'published'),
  ('equalized', 'redrawn'),
  ('lbfgs', 'steepest'),
  ('lbfgs', 'long_step'),
)
# Added after a first run, in which steepest descent repaired without moving.
LATER_PAIRS = (
  ('steepest', 'adam_reset'),
  ('lbfgs', 'adam_reset'),
  ('equalized', 'adam_reset'),
)


def arms_of(values: Values) -> Mapping[str, Mapping[str, float]]:
  """Returns the arms by name.

  Each has `Numbers`, its `method`, whether Adam's moments of what is set start
  anew (`reset`), and what the learning rate is multiplied by from there
  (`rate`).
  """
  delta, *deltas = values['delta']
  factor, *factors = values['factor']
  # The length of a step is that of each state's own spell.
  base = dict.fromkeys(Numbers._fields, 0.0)
  del base['length']
  base |= {'noise': values['noise'], 'reset': 1.0, 'rate': 1.0}

  def arm(method: Method, **numbers: float) -> dict[str, float]:
    return {**base, 'method': float(method), **numbers}

  published = arm(Method.RESAMPLED, power=2.0, norm=values['alive_norm'])
  repulsor = arm(Method.REPULSED, delta=delta, factor=factor)
  return {
    NOTHING: arm(Method.NOTHING),
    'random': arm(Method.RANDOM),
    'published': published,
    'no_adam_reset': {**published, 'reset': 0.0},
    'loss': {**published, 'power': 1.0},
    'unit_norm': {**published, 'norm': 0.0},
    'repulsor': repulsor,
    **{
      f'repulsor_delta={text_of(value)}': {**repulsor, 'delta': value}
      for value in deltas
    },
    **{
      f'repulsor_factor={text_of(value)}': {**repulsor, 'factor': value}
      for value in factors
    },
    **{
      f'{name}_rate={text_of(value)}': {**numbers, 'rate': value}
      for value in values['rate']
      for name, numbers in (
        ('repulsor', repulsor),
        (NOTHING, arm(Method.NOTHING)),
      )
    },
    'scaled': arm(Method.SCALED, scale=values['scale'], reset=0.0),
    'copied': arm(Method.COPIED),
    'equalized': arm(Method.EQUALIZED),
    'redrawn': arm(Method.EQUALIZED, noise=_LOUD),
    # Given its own weights: all that changes is that Adam starts anew.
    'adam_reset': arm(Method.GIVEN),
    'lbfgs': arm(Method.GIVEN),
    'steepest': arm(Method.GIVEN),
    'long_step': arm(Method.STEPPED),
  }
