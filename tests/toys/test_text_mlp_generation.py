"""Greedy generation against a slow walk, and draws against their chances."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import text_net
from toyjax.lanes import lanes
from toyjax.toys import text_mlp

WORDS = text_net.SIX.vocabulary


def _slow(predictions, start, end):
  """Returns (ends, steps, cycle in walking order)."""
  path = [start]
  while path[-1] != end:
    following = predictions[path[-1]]
    if following in path:
      first = path.index(following)
      return False, first, path[first:]
    path.append(following)
  return True, len(path) - 1, []


def test_every_functional_graph_of_four_tokens():
  graphs = np.asarray(list(itertools.product(range(4), repeat=4)), np.int32)
  found = jax.jit(lanes(lambda p: text_mlp.follow(p, end=2)))(graphs)
  found = jax.tree.map(np.asarray, found)
  for row, graph in enumerate(graphs.tolist()):
    for start in range(4):
      ends, steps, cycle = _slow(graph, start, 2)
      assert found.ends[row, start] == ends
      assert found.num_steps[row, start] == steps
      assert found.cycle_length[row, start] == len(cycle)
      members = np.flatnonzero(found.cycle_members[row, start])
      assert sorted(cycle) == members.tolist()
      traced = text_mlp.trace_cycle(graph, start=start, end=2)
      assert sorted(traced) == sorted(cycle)
      if cycle:
        assert traced[0] == min(cycle)
        assert [graph[token] for token in traced] == [*traced[1:], traced[0]]


@pytest.mark.parametrize(
  ('predictions', 'cycle', 'name'),
  [
    ([1, 4, 3, 4, 0, 3, 2], (), 'none'),
    ([1, 3, 3, 3, 0, 3, 2], (3,), 'dog->dog'),
    ([5, 4, 1, 2, 0, 3, 0], (), 'none'),
    ([5, 5, 6, 2, 0, 3, 3], (2, 6, 3), 'cat->cute->dog->cat'),
  ],
)
def test_cycles_by_name(predictions, cycle, name):
  traced = text_mlp.trace_cycle(predictions, start=0, end=4)
  assert traced == cycle
  assert text_mlp.name_cycle(traced, WORDS) == name


def test_an_end_must_be_a_token():
  with pytest.raises(ValueError, match=r'end must lie in 0\.\.3: 4'):
    text_mlp.follow(jnp.zeros(4, jnp.int32), end=4)


def test_numpy_and_jax_give_the_same_log_probs():
  logits = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
  logits[0, [1, 4]] = logits[0].max()
  for top_k in (None, 1, 3):
    plain = text_mlp.next_token_log_probs(logits, temperature=0.7, top_k=top_k)
    traced = jax.jit(
      lambda x, t, top_k=top_k: text_mlp.next_token_log_probs(
        x, temperature=t, top_k=top_k
      )
    )(logits, 0.7)
    np.testing.assert_allclose(plain, traced, rtol=1e-5, atol=1e-6)


MAX_TOKENS = 12
TABLE = np.random.default_rng(1).normal(size=(7, 7)).astype(np.float32)


@functools.cache
def _compiled(top_k):
  def one(key, start, temperature):
    return text_mlp.generate(
      key,
      jnp.asarray(TABLE),
      start=start,
      end=4,
      temperature=temperature,
      top_k=top_k,
      max_tokens=MAX_TOKENS,
    )

  return jax.jit(jax.vmap(one, in_axes=(0, None, None)))


def _generate(start=0, temperature=1.0, top_k=None):
  keys = jax.random.split(jax.random.key(0), 500)
  walks = _compiled(top_k)(keys, start, temperature)
  return jax.tree.map(np.asarray, walks)


def test_walks_stop_at_the_end_token_and_their_keys_matter():
  walks = _generate()
  for row, num, ended in zip(*walks):
    places = np.flatnonzero(row == 4)
    assert ended == bool(len(places))
    assert num == (places[0] + 1 if ended else MAX_TOKENS)
    assert np.all(row[num:] == 4)
  assert len(np.unique(walks.tokens, axis=0)) > 100
  assert 0.1 < np.mean(walks.ended) < 0.999


@pytest.mark.parametrize('change', [{'top_k': 1}, {'temperature': 1e-4}])
def test_argmax_and_the_cold_limit_are_greedy(change):
  token, expected = 0, []
  for _ in range(MAX_TOKENS):
    token = 4 if token == 4 else int(TABLE[token].argmax())
    expected.append(token)
  walks = _generate(**change)
  np.testing.assert_array_equal(walks.tokens, np.tile(expected, (500, 1)))


def test_a_start_at_the_end_has_ended():
  walks = _generate(start=4)
  assert np.all(walks.ended)
  assert not np.any(walks.num_tokens)


def test_settings_without_meaning():
  for temperature in (0.0, -0.5):
    with pytest.raises(ValueError, match=f'temperature .* {temperature}'):
      text_mlp.next_token_log_probs(TABLE, temperature=temperature, top_k=None)
  for top_k in (0, 8):
    with pytest.raises(ValueError, match=rf'top_k must lie in 1\.\.7: {top_k}'):
      _generate(top_k=top_k)
