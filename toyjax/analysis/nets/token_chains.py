"""Sampled generation as a Markov chain of tokens, exactly and in float64.

    logits [V, V] --temperature, top-k--> P [V, V] --absorb--> chance, length

The end token absorbs. With Q the steps among the other tokens and r = P(·, end)
the fundamental matrix N = (I - Q)⁻¹ holds the expected visits, so that a walk
ever ends with chance N r and has expected length N 1; Q^(l-1) r is the chance
that its length is l. A length counts the tokens after the start, the end token
included. Under softmax at any temperature a walk ends with chance 1; with top-k
it may not. Probabilities below 1e-308 are zeros in float64, and steps of such a
chance count as impossible.
"""

from typing import NamedTuple

import numpy as np

from toyjax.toys.text_mlp import next_token_log_probs


class Absorption(NamedTuple):
  """What becomes of walks from every token.

  Attributes:
    prob_ends: [V], chance that the walk ever reaches the end token.
    expected_length: [V], mean number of tokens up to the end token, that one
      included; inf where the chance to end is below 1.
    variance_length: [V], its variance; inf likewise.
    visits: [V, V], fundamental matrix N: expected visits to token j from token
      i, the start included, for tokens that can reach the end; other rows and
      columns, and those of the end token, are zero.
  """

  prob_ends: np.ndarray
  expected_length: np.ndarray
  variance_length: np.ndarray
  visits: np.ndarray


def transition_matrix(
  logits: np.ndarray, *, temperature: float, top_k: int | None
) -> np.ndarray:
  """Returns P [..., V, V], P_ij = chance that token j follows token i.

  Args:
    logits: [..., V, V], row i the logits after token i, of one net or of many;
      taken to float64 first.
    temperature: T > 0.
    top_k: k in 1..V, or None for all; 1 is argmax.

  Returns:
    float64, of the shape of the logits; rows add up to 1.

  Raises:
    ValueError: as `next_token_log_probs`, or on logits that are not a finite
      square table.
  """
  logits = np.asarray(logits, np.float64)
  if logits.ndim < 2 or logits.shape[-1] != logits.shape[-2]:
    raise ValueError(f'logits must have shape [..., V, V]: {logits.shape}')
  if not np.all(np.isfinite(logits)):
    raise ValueError('logits must be finite')
  log_probs = next_token_log_probs(logits, temperature=temperature, top_k=top_k)
  return np.exp(log_probs)


def length_distribution(
  transitions: np.ndarray, *, end: int, max_tokens: int
) -> np.ndarray:
  """Returns the chance of every length, P(T = l) = (Q^(l-1) r)_start.

  Args:
    transitions: P [V, V].
    end: index of the end token.
    max_tokens: L >= 0.

  Returns:
    [L + 1, V], row l the chance that a walk from each token has l tokens; its
    sum over rows is P(end within L tokens). The end token has length 0.

  Raises:
    ValueError: on an end that is no token, or L < 0.
  """
  transitions = _check_one(transitions, end)
  if max_tokens < 0:
    raise ValueError(f'max_tokens must be >= 0: {max_tokens}')
  size = len(transitions)
  chance = np.eye(size)[end]
  rows = [chance]
  staying = transitions * (np.arange(size) != end)[:, None]
  for _ in range(max_tokens):
    chance = staying @ chance
    rows.append(chance)
  return np.stack(rows)


def prob_end_within(
  transitions: np.ndarray, *, end: int, max_tokens: int
) -> np.ndarray:
  """Returns P(end within L tokens) from every token, [..., V].

  The end token made absorbing, this is column `end` of P^L.

  Args:
    transitions: P [..., V, V], of one chain or of many.
    end: index of the end token.
    max_tokens: L >= 0.

  Raises:
    ValueError: as `length_distribution`.
  """
  transitions = _check(transitions, end)
  if max_tokens < 0:
    raise ValueError(f'max_tokens must be >= 0: {max_tokens}')
  absorbing = transitions.copy()
  absorbing[..., end, :] = np.eye(transitions.shape[-1])[end]
  return np.linalg.matrix_power(absorbing, max_tokens)[..., end]


def absorb(transitions: np.ndarray, *, end: int) -> Absorption:
  """Returns the chance to end and the moments of the length from every token.

  t = N 1 and Var = (2 N - I) t - t². N comes from an elimination without a
  subtraction, so that it is right to the last digits even where a cycle is left
  with a chance far below 1e-16.

  Args:
    transitions: P [V, V].
    end: index of the end token.

  Returns:
    An `Absorption`.

  Raises:
    ValueError: on an end that is no token, or rows that are no probabilities.

  References:
    Kemeny and Snell 1960, Finite Markov chains, theorems 3.2.4, 3.3.5 and
    3.3.7. Grassmann, Taksar and Heyman 1985, Regenerative analysis and steady
    state distributions for Markov chains.
  """
  transitions = _check_one(transitions, end)
  size = len(transitions)
  reach = np.arange(size) == end
  for _ in range(size):
    reach = reach | np.any((transitions > 0.0) & reach[None, :], axis=1)
  moving = np.flatnonzero(reach & (np.arange(size) != end))
  never = np.flatnonzero(~reach)
  steps = transitions[np.ix_(moving, moving)]
  to_end = transitions[moving, end]
  to_never = np.sum(transitions[np.ix_(moving, never)], axis=1)

  visits = np.zeros((size, size))
  fundamental = _fundamental(steps, to_end + to_never)
  visits[np.ix_(moving, moving)] = fundamental
  may_fail = fundamental @ to_never > 0.0
  prob_ends = np.zeros(size)
  prob_ends[end] = 1.0
  prob_ends[moving] = np.where(may_fail, fundamental @ to_end, 1.0)
  mean = np.sum(fundamental, axis=1)
  expected = np.full(size, np.inf)
  expected[end] = 0.0
  expected[moving] = np.where(may_fail, np.inf, mean)
  second = 2.0 * fundamental @ mean  # The mean of T² + T.
  variance = expected.copy()
  variance[moving] = np.where(
    may_fail, np.inf, np.maximum(second - mean - mean**2, 0.0)
  )
  return Absorption(prob_ends, expected, variance, visits)


def _fundamental(steps: np.ndarray, leaving: np.ndarray) -> np.ndarray:
  """Returns (I - Q)⁻¹, with no subtraction.

  Args:
    steps: Q [K, K].
    leaving: [K], 1 minus the rows' sums, which must not be computed that way.
  """
  steps, leaving = steps.copy(), leaving.copy()
  size = len(steps)
  visits = np.eye(size)
  departs = np.zeros(size)
  # Token k is taken out of the chain: a step into it goes on to where it leads.
  for k in reversed(range(size)):
    departs[k] = leaving[k] + np.sum(steps[k, :k])  # 1 - Q_kk, exactly.
    factor = steps[:k, k] / departs[k]
    steps[:k, :k] += factor[:, None] * steps[k, :k]
    leaving[:k] += factor * leaving[k]
    visits[:k] += factor[:, None] * visits[k]
  for k in range(size):
    visits[k] = (visits[k] + steps[k, :k] @ visits[:k]) / departs[k]
  return visits


def _check(transitions: np.ndarray, end: int) -> np.ndarray:
  """Returns P in float64; raises unless all are chains with this end token."""
  transitions = np.asarray(transitions, np.float64)
  if transitions.ndim < 2 or transitions.shape[-1] != transitions.shape[-2]:
    raise ValueError(f'transitions must be [..., V, V]: {transitions.shape}')
  sums = np.sum(transitions, axis=-1)
  if np.any(transitions < 0.0) or not np.allclose(sums, 1.0, atol=1e-9):
    raise ValueError(f'rows of transitions must add up to 1: {sums}')
  if not 0 <= end < transitions.shape[-1]:
    raise ValueError(f'end must lie in 0..{transitions.shape[-1] - 1}: {end}')
  return transitions


def _check_one(transitions: np.ndarray, end: int) -> np.ndarray:
  """Returns P [V, V] as `_check`; raises on several."""
  if np.ndim(transitions) != 2:
    raise ValueError(f'transitions must be [V, V]: {np.shape(transitions)}')
  return _check(transitions, end)
