"""Success rates on a grid of quadrature nodes, for what has no closed form.

With p = sin²θ, θ in [0, π/2], a Beta(a, b) density becomes sin^(2a-1) θ
cos^(2b-1) θ: smooth at both ends for all a, b >= 1/2, Jeffreys' prior
included, and a likelihood of N rollouts has width 1 / (2 √N) in θ everywhere.
Gauss-Legendre nodes in θ then integrate to a relative error of about
2 exp(-.8 M² / N), M the number of nodes: 1e-3 at M = 3 √N, 1e-8 at 5 √N.

Each node also stands for a cell of θ, its width the node's weight (the
Chebyshev-Markov-Stieltjes separation), which gives draws and comparisons of
rates to second order in the widths.

Over-dispersion: the rollouts at one position share that position's own rate
q_t ~ Beta(ρ p, ρ (1 - p)), around the rate p of its segment. Given p their
likelihood is beta-binomial [1]; ρ = ∞ is the plain model, ρ = 20 scatters the
q_t about p = .5 with a standard deviation of √(.25 / 21) = .11.

References:
  [1] Skellam 1948, A probability distribution derived from the binomial
      distribution by regarding the probability of success as variable between
      the sets of trials.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey
from toyjax.inference.changepoint import Beta
from toyjax.inference.special_functions import log_beta


class Grid(NamedTuple):
  """Quadrature nodes of a rate.

  Attributes:
    successes: [M], p = sin²θ, increasing, strictly in (0, 1).
    failures: [M], 1 - p = cos²θ, exact where p is near 1.
    widths: [M], the nodes' weights in θ; their sum is π/2.
  """

  successes: Array
  failures: Array
  widths: Array

  def edges(self) -> Array:
    """Returns the ends of the nodes' cells in θ, [M + 1]."""
    ends = jnp.cumsum(self.widths)
    return jnp.concatenate([jnp.zeros_like(ends[:1]), ends])


def make_grid(num_nodes: int, dtype) -> Grid:
  """Returns the grid of M >= 2 nodes."""
  if num_nodes < 2:
    raise ValueError(f'num_nodes must be at least 2: {num_nodes}')
  nodes, weights = np.polynomial.legendre.leggauss(num_nodes)
  angles = (nodes + 1.0) * np.pi / 4.0
  columns = (np.sin(angles) ** 2, np.cos(angles) ** 2, weights * np.pi / 4.0)
  return Grid(*(jnp.asarray(column, dtype) for column in columns))


def log_prior(grid: Grid, prior: Beta) -> Array:
  """Returns the nodes' log-probabilities under Beta priors [J], [J, M]."""
  a, b = (shape[:, None] for shape in prior)
  log_probs = (
    jnp.log(grid.widths)[None]
    + (a - 0.5) * jnp.log(grid.successes)[None]
    + (b - 0.5) * jnp.log(grid.failures)[None]
  )
  return jax.nn.log_softmax(log_probs, axis=-1)


def log_likelihoods(
  grid: Grid, counts: Beta, concentration: Array | None
) -> Array:
  """Returns log p(outcomes at t in their order | p) at each node, [T, M].

  S_t ln p + F_t ln (1 - p), or with a concentration ρ
  ln B(ρ p + S_t, ρ (1 - p) + F_t) - ln B(ρ p, ρ (1 - p)).

  Args:
    grid: the nodes.
    counts: successes and failures at each position, [T] each.
    concentration: ρ > 0, []; None for the plain model.
  """
  successes, failures = (count[:, None] for count in counts)
  p, q = grid.successes[None], grid.failures[None]
  if concentration is None:
    return successes * jnp.log(p) + failures * jnp.log(q)
  a, b = concentration * p, concentration * q
  return log_beta(a + successes, b + failures) - log_beta(a, b)


def draw(key: PRNGKey, grid: Grid, log_weights: Array) -> Array:
  """Returns a rate [] drawn from the nodes' cells, uniform in θ within each.

  Args:
    key: [] typed key.
    grid: the nodes.
    log_weights: [M], of the nodes; need not be normalised.
  """
  cumulative = jnp.cumsum(jax.nn.softmax(log_weights))
  cumulative = jnp.concatenate([jnp.zeros_like(cumulative[:1]), cumulative])
  level = jax.random.uniform(key, dtype=cumulative.dtype) * cumulative[-1]
  return jnp.sin(jnp.interp(level, cumulative, grid.edges())) ** 2


def shares_below(grid: Grid, amount: Array | float) -> Array:
  """Returns the share of node j's cell with rates <= p_i + amount, [M, M].

  Args:
    grid: the nodes.
    amount: in [0, 1].
  """
  limit = jnp.clip(grid.successes + amount, 0.0, 1.0)
  left = grid.edges()[:-1]
  share = jnp.arcsin(jnp.sqrt(limit))[:, None] - left[None]
  share = share / grid.widths[None]
  return jnp.clip(share, 0.0, 1.0)


def segment_marginals(
  grid: Grid, log_probs: Array, log_likelihood: Array
) -> tuple[Array, Array]:
  """Returns the log marginal and the mean rate of every segment [s, e).

  Sums run along e for each s, so nothing is lost to differences of long sums:
  O(J T² M) time, O(T M) memory beside the result.

  Args:
    grid: the nodes.
    log_probs: [J, M], of the nodes under each of J priors.
    log_likelihood: [T, M], as `log_likelihoods` gives it.

  Returns:
    ln Σ_m π_m Π_{s<=t<e} lik_tm and E[p | outcomes in [s, e)], [J, T, T + 1]
    each; 0 and the prior's mean where e <= s.
  """
  size = len(log_likelihood)
  ends = jnp.arange(size + 1)[:, None]

  def step(total: Array, start: Array) -> tuple[Array, tuple[Array, Array]]:
    total = jnp.where(ends > start, total + log_likelihood[start][None], 0.0)
    terms = log_probs[:, None] + total[None]
    weights = jax.nn.softmax(terms, axis=-1)
    return total, (jax.nn.logsumexp(terms, axis=-1), weights @ grid.successes)

  none = jnp.zeros((size + 1, log_probs.shape[1]), log_probs.dtype)
  _, rows = jax.lax.scan(step, none, jnp.arange(size), reverse=True)
  log_marginals, means = rows
  return jnp.swapaxes(log_marginals, 0, 1), jnp.swapaxes(means, 0, 1)
