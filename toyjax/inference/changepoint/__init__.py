"""Where does a chain of thought go wrong? Changepoints by active rollouts.

One sequence of T positions, each with a chance that a rollout from there
succeeds. `single` is the model of one change and `active` runs it; both stand
here too: `changepoint.run`, `changepoint.select`. Around them:

    intervals, checks            credible sets and bands; does the prior fit?
    evidence, likelihoods        is there a drop at all: e-values, verdicts
    segments*, rate_grid         several changes, rises and over-dispersion
    policies, searches           rivals behind one interface,
    designs, pivotal, rivals       adaptive or of fixed design, and their names
    batches, stopping, budgets   parallel rollouts, when to stop, many traces
    limits                       what no method can beat
"""

from toyjax.inference.changepoint.active import (
  Policy,
  Rollout,
  by_information,
  coin_entropy_nats,
  information_gains_nats,
  run,
  select,
)
from toyjax.inference.changepoint.single import (
  Beta,
  Prior,
  State,
  average_by_position,
  condition,
  counts_by_position,
  guilty_sentence,
  init,
  log_evidence_nats,
  log_marginal,
  make_prior,
  mean_trajectory,
  most_probable_position,
  posterior,
  rates,
  uniform_weights,
  update,
)

__all__ = [
  'Beta',
  'Policy',
  'Prior',
  'Rollout',
  'State',
  'average_by_position',
  'by_information',
  'coin_entropy_nats',
  'condition',
  'counts_by_position',
  'guilty_sentence',
  'information_gains_nats',
  'init',
  'log_evidence_nats',
  'log_marginal',
  'make_prior',
  'mean_trajectory',
  'most_probable_position',
  'posterior',
  'rates',
  'run',
  'select',
  'uniform_weights',
  'update',
]
