"""Named priors of the two rates, and named ways to find the change.

PRIORS: name -> shapes of p₁ (before) and of p₂ (from the first low position on)
POLICIES: name -> a function that makes the `Rival`, with its published numbers
STEPWISE: those of POLICIES that choose one rollout at a time
"""

from collections.abc import Callable, Mapping
import functools

from toyjax.inference import changepoint
from toyjax.inference.changepoint import (
  designs,
  pivotal,
  policies,
  searches,
)

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

STEPWISE: Mapping[str, changepoint.Policy] = {
  'eig': changepoint.by_information,
  'expected_entropy': policies.by_expected_entropy,
  'thompson': policies.by_thompson,
  'median': policies.by_median,
  'split_median': policies.by_split_median,
  'uniform': policies.by_uniform,
}

# The numbers are those of the sources that each function names.
POLICIES: Mapping[str, Callable[[], policies.Rival]] = {
  **{
    name: functools.partial(
      policies.rival_of_policy,
      policy,
      policies.Design.FIXED if name == 'uniform' else policies.Design.ADAPTIVE,
    )
    for name, policy in STEPWISE.items()
  },
  'exhaustive': designs.exhaustive,
  'cliff': lambda: designs.cliff_test(least_drop=0.1, num_errors=1.645),
  'omega': lambda: searches.rival_of_search(
    searches.omega_bisection(num_per_node=8, low_share=0.0)
  ),
  'omega_fair': lambda: searches.rival_of_search(
    searches.omega_bisection(num_per_node=8, low_share=0.25)
  ),
  'adaptive_bisection': lambda: searches.rival_of_search(
    searches.adaptive_bisection(
      num_successes=10,
      most_at_first=72,
      least_per_node=16,
      multiple=8,
      hard_share=0.15,
      easy_share=0.45,
    )
  ),
  'pivotal': lambda: searches.rival_of_search(
    pivotal.pivotal_search(num_per_node=10, least_gap=0.2)
  ),
}
