"""Priors and policies of the changepoint scripts, by name."""

from collections.abc import Callable, Mapping

from toyjax.base import PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint import designs, pivotal, policies, searches
from toyjax.inference.changepoint.policies import Found, Rival, RollOut

# Shape parameters of p₁ and of p₂. `published`: "Active changepoint detection".
# `weak` leaves both rates open but for their order; `jeffreys` is the choice of
# git_bayesect 1.2, Beta(1/2, 1/2) twice.
PRIORS: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
  'published': ((2.0, 2.0), (1.0, 19.0)),
  'weak': ((2.0, 1.0), (1.0, 2.0)),
  'jeffreys': ((0.5, 0.5), (0.5, 0.5)),
}

# Policies that choose one rollout at a time from the posterior.
STEPS: Mapping[str, changepoint.Policy] = {
  'eig': changepoint.by_information,
  'expected_entropy': policies.by_expected_entropy,
  'thompson': policies.by_thompson,
  'median': policies.by_median,
  'split_median': policies.by_split_median,
  'uniform': policies.by_uniform,
}

# Rollouts at each position of the designs that bring their own budget.
NUM_PER_POSITION: Mapping[str, int] = {'exhaustive_64': 64, 'cliff': 64}


def with_jeffreys(rival: Rival) -> Rival:
  """Returns a rival that always believes in Beta(1/2, 1/2) for both rates."""

  def find(
    key: PRNGKey,
    prior: changepoint.Prior,
    roll_out: RollOut,
    num_rollouts: int,
  ) -> Found:
    before, after = PRIORS['jeffreys']
    own = prior._replace(
      before=changepoint.Beta(*map(prior.log_weights.dtype.type, before)),
      after=changepoint.Beta(*map(prior.log_weights.dtype.type, after)),
    )
    return rival.find(key, own, roll_out, num_rollouts)

  return Rival(find, rival.design)


def _step(name: str) -> Callable[[], Rival]:
  is_fixed = name == 'uniform'
  design = policies.Design.FIXED if is_fixed else policies.Design.ADAPTIVE
  return lambda: policies.rival_of_policy(STEPS[name], design)


POLICIES: Mapping[str, Callable[[], Rival]] = {
  **{name: _step(name) for name in STEPS},
  # git_bayesect 1.2: least expected entropy, Jeffreys priors whatever we say.
  'git_bayesect': lambda: with_jeffreys(_step('expected_entropy')()),
  # OmegaPRM (Luo et al. 2024): k = 8, left where none is right.
  'omega': lambda: searches.rival_of_search(
    searches.omega_bisection(num_per_node=8, low_share=0.0)
  ),
  # The same, left where at most a quarter is right.
  'omega_fair': lambda: searches.rival_of_search(
    searches.omega_bisection(num_per_node=8, low_share=0.25)
  ),
  # EpicPRM (Sun et al. 2025), `find_error_step`.
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
  # Pivotal-token search (Abdin et al. 2024): gap .2, 10 rollouts a node.
  'pivotal': lambda: searches.rival_of_search(
    pivotal.pivotal_search(num_per_node=10, least_gap=0.2)
  ),
  'exhaustive': designs.exhaustive,
  'exhaustive_64': designs.exhaustive,
  # Cliff tokens (Ko et al. 2026): 64 each, δ₀ = .1, z = 1.645.
  'cliff': lambda: designs.cliff_test(least_drop=0.1, num_errors=1.645),
}


def budget(name: str, num_rollouts: int, num_positions: int) -> int:
  """Returns how many rollouts a policy may use, most take --num_rollouts."""
  if name in NUM_PER_POSITION:
    return NUM_PER_POSITION[name] * num_positions
  return num_rollouts
