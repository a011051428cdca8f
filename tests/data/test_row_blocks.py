"""Rows in blocks are the rows, and so are sums and derivatives over them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy

from toyjax.data import row_blocks, sparse_features

_N, _T = 12, 12
_KEY = jax.random.key(3)
_draw_one = sparse_features.sparse_uniform(
  num_features=_N, batch_size=1, sparsity=0.7, normalize=True, dtype=np.float32
)


def _draw(numbers):
  return jax.vmap(lambda t: _draw_one(jax.random.fold_in(_KEY, t))[0])(numbers)


def _make(largest):
  return row_blocks.make(_draw, num_rows=_T, largest=largest, density=0.9)


@pytest.mark.parametrize(('largest', 'number'), [(12, 1), (5, 3), (1, 12)])
def test_blocks_are_the_rows_in_order(largest, number):
  rows = _draw(jnp.arange(_T))
  for blocks in (
    _make(largest),
    row_blocks.drawn_anew(_draw, num_rows=_T, largest=largest),
  ):
    assert (blocks.num_blocks, blocks.size) == (number, _T // number)
    found = [blocks.rows(jnp.int32(place)) for place in range(number)]
    np.testing.assert_allclose(np.concatenate(found), rows, rtol=1e-6)


def test_sums_and_their_derivatives_are_those_of_all_rows():
  weights = jax.random.normal(jax.random.key(0), (_N,))

  def total(weights, blocks):
    return row_blocks.summed(lambda x: jnp.sum((x @ weights) ** 3), blocks)

  whole, parts = (
    jax.value_and_grad(total)(weights, _make(largest)) for largest in (12, 4)
  )
  for a, b in zip(whole, parts):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('rows', [1, 1000])
def test_no_row_has_more_entries(rows):
  given = {'num_features': 1000, 'density': 0.01, 'num_rows': rows}
  most = row_blocks.most_entries(**given)
  tail = scipy.stats.binom.sf([most - 1, most], 1000, 0.01)
  assert tail[1] * rows <= 1e-9 < tail[0] * rows


def test_dense_rows_may_have_all_entries():
  given = {'num_features': 5, 'num_rows': 9}
  assert row_blocks.most_entries(density=1.0, **given) == 5
