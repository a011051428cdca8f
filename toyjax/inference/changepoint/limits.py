"""How few rollouts could do, if both success rates were known.

A rollout at t is one use of a binary channel: the input is whether t is before
the change, the output 1 has chance p₁ or p₂. On real traces the rates are not
known, so no such limit is defined there. All functions take p₁ != p₂ strictly
between 0 and 1, T >= 2 and error rates δ in (0, 1), floats or arrays.

References:
  [1] Cover and Thomas 2006, Elements of information theory, chapter 7 and
      theorem 2.10.1 (Fano).
  [2] Burnashev 1976, Data transmission over a discrete channel with feedback:
      random transmission time (search, then confirm).
"""

import jax.numpy as jnp

from toyjax.base import Array
from toyjax.inference.changepoint import coin_entropy_nats

Number = Array | float


def coin_entropy_bits(p: Number) -> Array:
  """Returns the entropy of a coin, p in (0, 1)."""
  return coin_entropy_nats(jnp.asarray(p)) / jnp.log(2.0)


def capacity_bits(p1: Number, p2: Number) -> Array:
  """Returns the capacity C of the channel, in bits a rollout.

  L = (H(p₂) - H(p₁)) / (p₁ - p₂);  C = log₂(1 + 2^L) - p₁ L - H(p₁).
  """
  entropy1, entropy2 = coin_entropy_bits(p1), coin_entropy_bits(p2)
  slope = (entropy2 - entropy1) / (p1 - p2)
  return jnp.logaddexp2(0.0, slope) - p1 * slope - entropy1


def best_input(p1: Number, p2: Number) -> Array:
  """Returns the chance of a position before the change that reaches capacity.

  The output is 1 with chance q = 2^L / (1 + 2^L) then, and q = x p₁ +
  (1 - x) p₂. So an ideal rollout does not halve the posterior unless
  p₁ + p₂ = 1.
  """
  entropy1, entropy2 = coin_entropy_bits(p1), coin_entropy_bits(p2)
  slope = (entropy2 - entropy1) / (p1 - p2)
  success = 1.0 / (1.0 + jnp.exp2(-slope))
  return (success - p2) / (p1 - p2)


def divergence_nats(p: Number, q: Number) -> Array:
  """Returns D(p | q) = p ln(p/q) + (1 - p) ln((1 - p)/(1 - q)) of two coins."""
  p, q = jnp.asarray(p), jnp.asarray(q)
  return p * jnp.log(p / q) + (1.0 - p) * (jnp.log1p(-p) - jnp.log1p(-q))


def search_rollouts(p1: Number, p2: Number, num_positions: Number) -> Array:
  """Returns log₂T / C: rollouts to learn τ at the rate of the capacity."""
  return jnp.log2(jnp.asarray(num_positions)) / capacity_bits(p1, p2)


def fano_rollouts(
  p1: Number, p2: Number, num_positions: Number, error_rate: Number
) -> Array:
  """Returns a lower bound on E[N] for every policy and stopping rule.

  E[N] >= (log₂T - h(δ) - δ log₂(T - 1)) / C, for τ uniform and a guess that is
  wrong with chance <= δ; from δ = 1 - 1/T on guessing will do. n rollouts tell
  at most n C bits, on average also at a random time, and Fano's inequality says
  how many it takes.
  """
  num_positions = jnp.asarray(num_positions)
  error_rate = jnp.minimum(error_rate, 1.0 - 1.0 / num_positions)
  bits = (
    jnp.log2(num_positions)
    - coin_entropy_bits(error_rate)
    - error_rate * jnp.log2(num_positions - 1.0)
  )
  return jnp.maximum(bits, 0.0) / capacity_bits(p1, p2)


def search_and_confirm_rollouts(
  p1: Number, p2: Number, num_positions: Number, error_rate: Number
) -> Array:
  """Returns about how many a good policy takes: search, then confirm.

  log₂T / C + ln(1/δ) (1 / D(p₁|p₂) + 1 / D(p₂|p₁)): rollouts just before the
  change refute that it came earlier, rollouts at it that it comes later, each
  at odds of δ. An estimate, no bound.
  """
  confirm = 1.0 / divergence_nats(p1, p2) + 1.0 / divergence_nats(p2, p1)
  search = search_rollouts(p1, p2, num_positions)
  return search - jnp.log(jnp.asarray(error_rate)) * confirm
