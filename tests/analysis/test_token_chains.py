"""The token chain against geometric laws, plain sums and sampled walks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.nets import token_chains
from toyjax.toys import text_mlp

LOGITS = np.random.default_rng(4).normal(size=(5, 5))


def _chain(temperature=1.0, top_k=None, logits=LOGITS):
  return token_chains.transition_matrix(
    logits, temperature=temperature, top_k=top_k
  )


def test_transitions_are_the_softmax():
  for temperature in (0.6, 1.0, 1.5):
    weights = np.exp(LOGITS / temperature)
    expected = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(_chain(temperature), expected, rtol=1e-13)
  assert _chain().dtype == np.float64


def test_top_k_keeps_the_largest_and_ties_keep_the_lower_index():
  logits = np.asarray([[2.0, 2.0, 1.0], [0.0, 3.0, 3.0], [1.0, 1.0, 1.0]])
  best = _chain(0.7, 1, logits)
  np.testing.assert_array_equal(best, np.eye(3)[[0, 1, 0]])
  two = _chain(0.7, 2, logits)
  np.testing.assert_allclose(
    two, np.asarray([[1, 1, 0], [0, 1, 1], [1, 1, 0]]) / 2
  )
  np.testing.assert_array_equal(
    _chain(0.7, 3, logits), _chain(0.7, None, logits)
  )


@pytest.mark.parametrize('leaving', [0.5, 1e-3, 1e-30])
def test_a_geometric_length(leaving):
  chain = np.asarray([[1.0 - leaving, leaving], [0.3, 0.7]])
  found = token_chains.absorb(chain, end=1)
  np.testing.assert_allclose(
    found.expected_length, [1 / leaving, 0], rtol=1e-14
  )
  np.testing.assert_allclose(
    found.variance_length, [(1 - leaving) / leaving**2, 0], rtol=1e-9
  )
  np.testing.assert_array_equal(found.prob_ends, [1, 1])
  lengths = token_chains.length_distribution(chain, end=1, max_tokens=6)
  expected = leaving * (1 - leaving) ** np.arange(6)
  np.testing.assert_allclose(lengths[1:, 0], expected, rtol=1e-12)
  np.testing.assert_array_equal(lengths[:, 1], np.eye(7)[0])


def test_a_cycle_that_is_left_with_a_tiny_chance():
  """Two tokens answer each other; 1 - P_ij loses all digits, N must not."""
  logits = np.asarray([[0.0, 90.0, 0.0], [90.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
  chain = _chain(1.0, None, logits)
  found = token_chains.absorb(chain, end=2)
  leave = chain[:2, 2]
  # One round trip leaves with l0 + l1, up to terms of e^-90.
  expected = 2.0 / leave.sum()
  np.testing.assert_allclose(found.expected_length[:2], expected, rtol=1e-12)
  np.testing.assert_array_equal(found.prob_ends, 1.0)


def test_the_fundamental_matrix_and_the_lengths_agree():
  chain = _chain()
  found = token_chains.absorb(chain, end=2)
  others = [0, 1, 3, 4]
  steps = chain[np.ix_(others, others)]
  np.testing.assert_allclose(
    found.visits[np.ix_(others, others)],
    np.linalg.inv(np.eye(4) - steps),
    rtol=1e-12,
  )
  lengths = token_chains.length_distribution(chain, end=2, max_tokens=600)
  ls = np.arange(601)
  np.testing.assert_allclose(lengths.sum(axis=0), 1.0, rtol=1e-12)
  mean = ls @ lengths
  np.testing.assert_allclose(found.expected_length, mean, rtol=1e-10)
  np.testing.assert_allclose(
    found.variance_length, ls**2 @ lengths - mean**2, atol=1e-9
  )
  for limit in (0, 1, 7):
    np.testing.assert_allclose(
      token_chains.prob_end_within(chain, end=2, max_tokens=limit),
      lengths[: limit + 1].sum(axis=0),
      rtol=1e-12,
    )


def test_with_top_k_a_walk_may_never_end():
  # 0 goes to 1 or 3, 1 stays for ever, 2 ends, 3 goes to 2 or 1.
  chain = np.asarray(
    [
      [0.0, 0.25, 0.0, 0.75, 0.0],
      [0.0, 1.0, 0.0, 0.0, 0.0],
      [0.0, 0.0, 0.5, 0.0, 0.5],
      [0.0, 0.2, 0.8, 0.0, 0.0],
      [1.0, 0.0, 0.0, 0.0, 0.0],
    ]
  )
  found = token_chains.absorb(chain, end=4)
  np.testing.assert_allclose(found.prob_ends, [0.6, 0.0, 1.0, 0.8, 1.0])
  np.testing.assert_array_equal(
    found.expected_length, [np.inf, np.inf, 2.0, np.inf, 0.0]
  )
  np.testing.assert_array_equal(
    np.isinf(found.variance_length), [1, 1, 0, 1, 0]
  )
  np.testing.assert_allclose(
    token_chains.prob_end_within(chain, end=4, max_tokens=400), found.prob_ends
  )


def test_argmax_is_the_greedy_walk():
  found = token_chains.absorb(_chain(top_k=1), end=2)
  greedy = jax.jit(lambda p: text_mlp.follow(p, end=2))(LOGITS.argmax(axis=1))
  np.testing.assert_array_equal(found.prob_ends == 1.0, greedy.ends)
  steps = np.where(greedy.ends, greedy.num_steps, np.inf)
  np.testing.assert_array_equal(found.expected_length, steps)


def test_sampled_walks_follow_the_chain():
  """10^5 walks: each length and the mean within 5 standard errors."""
  num_walks, max_tokens, start, end = 100_000, 60, 0, 2
  temperature, top_k = 1.5, 4
  table = jnp.asarray(LOGITS, jnp.float32)

  @jax.jit
  def sample(key):
    walk = lambda key: text_mlp.generate(
      key,
      table,
      start=start,
      end=end,
      temperature=temperature,
      top_k=top_k,
      max_tokens=max_tokens,
    )._replace(tokens=())
    return jax.vmap(walk)(jax.random.split(key, num_walks))

  walks = sample(jax.random.key(3))
  chain = _chain(temperature, top_k, np.asarray(table))
  found = token_chains.absorb(chain, end=end)
  assert found.prob_ends[start] == 1.0
  lengths = token_chains.length_distribution(
    chain, end=end, max_tokens=max_tokens
  )[:, start]
  ended = np.asarray(walks.ended)
  assert ended.mean() == pytest.approx(lengths.sum(), abs=1e-3)
  counts = np.bincount(
    np.asarray(walks.num_tokens)[ended], minlength=max_tokens + 1
  )
  expected = num_walks * lengths
  bars = 5.0 * np.sqrt(expected * (1.0 - lengths)) + 5.0
  assert np.all(np.abs(counts - expected) <= bars)
  bar = 5.0 * np.sqrt(found.variance_length[start] / num_walks)
  assert np.mean(walks.num_tokens) == pytest.approx(
    found.expected_length[start], abs=bar
  )


@pytest.mark.parametrize('temperature', [0.0, -1.0, np.nan, np.inf])
def test_a_temperature_must_be_positive(temperature):
  with pytest.raises(ValueError, match='temperature must be > 0'):
    _chain(temperature)


def test_what_is_no_chain():
  with pytest.raises(ValueError, match=r'top_k must lie in 1\.\.5: 6'):
    _chain(top_k=6)
  with pytest.raises(ValueError, match='finite'):
    _chain(logits=np.full((2, 2), np.nan))
  with pytest.raises(ValueError, match='shape'):
    _chain(logits=np.zeros((2, 3)))
  with pytest.raises(ValueError, match='add up to 1'):
    token_chains.absorb(np.zeros((2, 2)), end=0)
  with pytest.raises(ValueError, match=r'end must lie in 0\.\.4: 5'):
    token_chains.absorb(_chain(), end=5)
  with pytest.raises(ValueError, match='max_tokens must be >= 0'):
    token_chains.prob_end_within(_chain(), end=0, max_tokens=-1)


def test_many_chains_at_once_are_each_alone():
  logits = np.random.default_rng(5).normal(size=(3, 4, 5, 5))
  chains = token_chains.transition_matrix(logits, temperature=0.7, top_k=3)
  within = token_chains.prob_end_within(chains, end=2, max_tokens=6)
  assert within.shape == (3, 4, 5)
  for index in np.ndindex(3, 4):
    alone = token_chains.transition_matrix(
      logits[index], temperature=0.7, top_k=3
    )
    np.testing.assert_array_equal(chains[index], alone)
    expected = token_chains.length_distribution(alone, end=2, max_tokens=6)
    np.testing.assert_allclose(within[index], expected.sum(axis=0), atol=1e-14)
  for one in (token_chains.absorb, token_chains.length_distribution):
    kwargs = {} if one is token_chains.absorb else {'max_tokens': 2}
    with pytest.raises(ValueError, match=r'\[V, V\]'):
      one(chains, end=2, **kwargs)
