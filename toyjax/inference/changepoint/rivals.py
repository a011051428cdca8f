"""Named priors of the two rates, and named ways to find the change.

PRIORS: name -> shapes of p₁ (before) and of p₂ (from the first low position on)
RIVALS: name -> `Named`, with its published numbers
NAMES: those that are no variant of another
STEPWISE: those of NAMES that choose one rollout at a time -> policy
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint import (
  designs,
  pivotal,
  policies,
  searches,
)
from toyjax.inference.changepoint.policies import Design, Found, Rival, RollOut

Shapes = tuple[float, float]

# published: Active changepoint detection; high before and 5 % after.
# weak: uniform plus a single rollout, right before and wrong after: all that
#   tells a drop from a rise.
# jeffreys: git_bayesect 1.2; the same before and after, so a rise is a change
#   like any other, and the first rollout tells nothing anywhere.
PRIORS: Mapping[str, tuple[Shapes, Shapes]] = {
  'published': ((2.0, 2.0), (1.0, 19.0)),
  'weak': ((2.0, 1.0), (1.0, 2.0)),
  'jeffreys': ((0.5, 0.5), (0.5, 0.5)),
}


def make_prior(name: str, weights: Array) -> changepoint.Prior:
  """Returns a prior of `PRIORS`, see `changepoint.make_prior`.

  Args:
    name: of the prior.
    weights: [T], of each position to be the first low one.
  """
  before, after = PRIORS[name]
  return changepoint.make_prior(before=before, after=after, weights=weights)


class Named(NamedTuple):
  """A way to find the change.

  Attributes:
    rival: what looks for it.
    policy: what chooses its rollouts one at a time; None where nothing does.
    num_per_position: rollouts at each position that it brings as its budget; 0
      for those that take any.
    believes: name of the prior that it works with whatever is assumed, or ''.
    is_variant: whether it is another one with a budget or a prior of its own.
  """

  rival: Rival
  policy: changepoint.Policy | None = None
  num_per_position: int = 0
  believes: str = ''
  is_variant: bool = False

  def budget(self, num_rollouts: int, num_positions: int) -> int:
    """Returns how many rollouts it may use: most take what they are given."""
    return self.num_per_position * num_positions or num_rollouts

  def believed(self, prior: changepoint.Prior) -> changepoint.Prior:
    """Returns the prior that it works with: its own, or the assumed one."""
    if not self.believes:
      return prior
    dtype = prior.log_weights.dtype
    before, after = (
      changepoint.Beta(*(jnp.asarray(shape, dtype) for shape in shapes))
      for shapes in PRIORS[self.believes]
    )
    return prior._replace(before=before, after=after)

  def find(
    self,
    key: PRNGKey,
    prior: changepoint.Prior,
    roll_out: RollOut,
    num_rollouts: int,
  ) -> Found:
    """Looks for the first low position, see `policies.Rival`."""
    return self.rival.find(key, self.believed(prior), roll_out, num_rollouts)


def _stepwise(
  policy: changepoint.Policy, design: Design = Design.ADAPTIVE
) -> Named:
  return Named(policies.rival_of_policy(policy, design), policy)


def _omega(low_share: float) -> Named:
  search = searches.omega_bisection(num_per_node=8, low_share=low_share)
  return Named(searches.rival_of_search(search))


_EXPECTED_ENTROPY = _stepwise(policies.by_expected_entropy)
_EXHAUSTIVE = Named(designs.exhaustive())
_ADAPTIVE_BISECTION = Named(
  searches.rival_of_search(
    searches.adaptive_bisection(
      num_successes=10,
      most_at_first=72,
      least_per_node=16,
      multiple=8,
      hard_share=0.15,
      easy_share=0.45,
    )
  )
)
_PIVOTAL = Named(
  searches.rival_of_search(
    pivotal.pivotal_search(num_per_node=10, least_gap=0.2)
  )
)

# The numbers are those of the sources that each function names. Rollouts at
# each position: 64 in Ko et al. 2026, Cliff tokens; 16 are more than nearly all
# searches ever take.
RIVALS: Mapping[str, Named] = {
  'eig': _stepwise(changepoint.by_information),
  'expected_entropy': _EXPECTED_ENTROPY,
  'thompson': _stepwise(policies.by_thompson),
  'median': _stepwise(policies.by_median),
  'split_median': _stepwise(policies.by_split_median),
  'uniform': _stepwise(policies.by_uniform, Design.FIXED),
  'exhaustive': _EXHAUSTIVE,
  'cliff': Named(
    designs.cliff_test(least_drop=0.1, num_errors=1.645), num_per_position=64
  ),
  'omega': _omega(0.0),
  'omega_fair': _omega(0.25),
  'adaptive_bisection': _ADAPTIVE_BISECTION,
  'pivotal': _PIVOTAL,
  'git_bayesect': _EXPECTED_ENTROPY._replace(
    believes='jeffreys', is_variant=True
  ),
  'exhaustive_64': _EXHAUSTIVE._replace(num_per_position=64, is_variant=True),
  'adaptive_bisection_free': _ADAPTIVE_BISECTION._replace(
    num_per_position=16, is_variant=True
  ),
  'pivotal_free': _PIVOTAL._replace(num_per_position=16, is_variant=True),
}
NAMES = tuple(name for name, named in RIVALS.items() if not named.is_variant)
STEPWISE: Mapping[str, changepoint.Policy] = {
  name: policy for name in NAMES if (policy := RIVALS[name].policy) is not None
}
