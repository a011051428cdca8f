"""Slices that start anywhere, under `lanes` and under `jax.vmap`."""

from jax import lax
import pytest

from tests.lanes.looked_up import (
  assert_equal,
  indices_of,
  numbers,
)


@pytest.mark.parametrize('sizes', [(1, 1), (2, 1), (4, 2), (4, 3), (0, 2)])
def test_slices_that_start_anywhere(sizes):
  assert_equal(
    lambda x, i, j: lax.dynamic_slice(
      x, (i, j), sizes, allow_negative_indices=False
    ),
    numbers('int32', 4, 3),
    indices_of(-5, 5),
    indices_of(-5, 5, seed=2),
  )


@pytest.mark.parametrize('sizes', [(1, 1), (2, 1), (1, 3), (4, 3)])
def test_updates_that_start_anywhere(sizes):
  assert_equal(
    lambda x, v, i, j: lax.dynamic_update_slice(
      x, v, (i, j), allow_negative_indices=False
    ),
    numbers('float32', 4, 3),
    numbers('float32', *sizes, seed=3),
    indices_of(-5, 5),
    indices_of(-5, 5, seed=2),
  )
