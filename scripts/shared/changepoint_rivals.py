"""All policies of the study: the named ones, and variants of its own.

git_bayesect     expected entropy, with Jeffreys priors whatever is assumed
exhaustive_64    exhaustive, with 64 rollouts a position as `cliff` has
"""

from collections.abc import Callable, Mapping

import jax.numpy as jnp

from scripts.shared import changepoint_choices
from scripts.shared.changepoint_choices import PRIORS
from toyjax.base import PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint import designs
from toyjax.inference.changepoint.policies import Found, Rival, RollOut

# Rollouts at each position of those that bring their own budget: 64 in Ko et
# al. 2026, Cliff tokens; 16 are more than nearly all searches ever take.
NUM_PER_POSITION: Mapping[str, int] = {
  'exhaustive_64': 64,
  'cliff': 64,
  'adaptive_bisection_free': 16,
  'pivotal_free': 16,
}
STEPWISE: Mapping[str, changepoint.Policy] = {
  **changepoint_choices.STEPWISE,
  'git_bayesect': changepoint_choices.STEPWISE['expected_entropy'],
}


def believed(policy: str, prior: changepoint.Prior) -> changepoint.Prior:
  """Returns the prior that a policy works with: its own, or the assumed one."""
  if policy != 'git_bayesect':
    return prior
  dtype = prior.log_weights.dtype
  before, after = (
    changepoint.Beta(*(jnp.asarray(shape, dtype) for shape in shapes))
    for shapes in PRIORS['jeffreys']
  )
  return prior._replace(before=before, after=after)


def _git_bayesect() -> Rival:
  rival = changepoint_choices.POLICIES['expected_entropy']()

  def find(
    key: PRNGKey,
    prior: changepoint.Prior,
    roll_out: RollOut,
    num_rollouts: int,
  ) -> Found:
    own = believed('git_bayesect', prior)
    return rival.find(key, own, roll_out, num_rollouts)

  return Rival(find, rival.design)


POLICIES: Mapping[str, Callable[[], Rival]] = {
  **changepoint_choices.POLICIES,
  'git_bayesect': _git_bayesect,
  'exhaustive_64': designs.exhaustive,
  'adaptive_bisection_free': changepoint_choices.POLICIES['adaptive_bisection'],
  'pivotal_free': changepoint_choices.POLICIES['pivotal'],
}


def budget(name: str, num_rollouts: int, num_positions: int) -> int:
  """Returns how many rollouts a policy may use, most take --num_rollouts."""
  if name in NUM_PER_POSITION:
    return NUM_PER_POSITION[name] * num_positions
  return num_rollouts
